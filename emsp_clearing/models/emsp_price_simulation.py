from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import formatLang

from ..core.money import ZERO, to_float
from .emsp_price_simulation_tally import Sums
from .emsp_settlement_run import naive

# What people choose, as long as nothing was computed from it.
SELECTION = frozenset(
    {
        "company_id",
        "price_grid_id",
        "cdr_ids",
        "contract_ids",
        "partner_ids",
        "date_from",
        "date_to",
        "location",
    }
)
EDITABLE = frozenset({"name", "note"})


class EmspPriceSimulation(models.Model):
    """What stored CDRs would cost by another price grid. Reads CDRs and writes nothing on them.

    A run freezes the selection as batches of CDR ids. Each batch is a job that stores its own sums,
    so a repeated one replaces what it stored before; the last one done makes the lines.
    """

    _name = "emsp.price.simulation"
    _description = "What-if"
    _inherit = ["emsp.state.mixin"]
    _check_company_auto = True
    _order = "id desc"
    _transitions = frozenset(
        {
            ("draft", "running"),
            ("running", "done"),
            ("running", "failed"),
            ("done", "running"),
            ("failed", "running"),
            ("running", "draft"),
            ("done", "draft"),
            ("failed", "draft"),
        }
    )

    name = fields.Char(compute="_compute_name", store=True, precompute=True, readonly=False, required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self._default_company(), index=True
    )
    price_grid_id = fields.Many2one(
        "emsp.price.grid",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="The grid to compare with today's prices; a draft will do. Its dates do not matter here.",
    )
    currency_id = fields.Many2one(related="price_grid_id.currency_id")
    cdr_ids = fields.Many2many(
        "emsp.cdr",
        "emsp_price_simulation_cdr_rel",
        string="Selected CDRs",
        check_company=True,
        default=lambda self: self._default_cdrs(),
    )
    contract_ids = fields.Many2many(
        "emsp.contract", string="Contracts", check_company=True, help="Empty: all contracts."
    )
    partner_ids = fields.Many2many("res.partner", string="Partners", help="Empty: all partners.")
    date_from = fields.Date(
        string="From", help="First day on which a session ends, in the time zone of its contract."
    )
    date_to = fields.Date(string="Until", help="Last day on which a session ends.")
    location = fields.Char(help="Part of a place, a city or an EVSE id. Empty: all chargers.")
    note = fields.Text()

    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
    )
    failure_reason = fields.Char(readonly=True, copy=False)
    run_at = fields.Datetime(string="Run at", readonly=True, copy=False)
    grid_hash = fields.Char(readonly=True, copy=False, help="Of the prices at the run.")
    grid_summary = fields.Char(string="Prices compared", readonly=True, copy=False)
    batch_ids = fields.One2many("emsp.price.simulation.batch", "simulation_id")
    cdr_count = fields.Integer(string="CDRs", readonly=True, copy=False)
    done_count = fields.Integer(string="CDRs priced", compute="_compute_done_count")
    line_ids = fields.One2many("emsp.price.simulation.line", "simulation_id")
    line_count = fields.Integer(compute="_compute_result_counts")
    problem_ids = fields.One2many("emsp.price.simulation.problem", "simulation_id")
    problem_count = fields.Integer(string="Not compared", compute="_compute_result_counts")

    session_count = fields.Integer(
        string="Sessions", readonly=True, copy=False, help="A credit takes its session back: it counts -1."
    )
    energy_kwh = fields.Float(string="Energy (kWh)", digits=(16, 4), readonly=True, copy=False)
    amount_today = fields.Float(
        string="Today", digits=(16, 4), readonly=True, copy=False, help="Net, as the CDRs are priced now."
    )
    amount_other = fields.Float(string="Other grid", digits=(16, 4), readonly=True, copy=False, help="Net.")
    difference = fields.Float(digits=(16, 4), readonly=True, copy=False)
    summary = fields.Json(readonly=True, copy=False, help="The totals by partner.")
    summary_html = fields.Html(string="Totals", compute="_compute_summary_html", sanitize=False)

    _dates_in_order = models.Constraint(
        "CHECK (date_to IS NULL OR date_from IS NULL OR date_to >= date_from)",
        "The range ends after it starts.",
    )

    @api.model
    def _default_cdrs(self):
        chosen = self.env.context.get("active_model") == "emsp.cdr"
        return self.env["emsp.cdr"].browse(self.env.context.get("active_ids", []) if chosen else [])

    @api.model
    def _default_company(self):
        return self._default_cdrs()[:1].company_id or self.env.company

    @api.depends("price_grid_id", "date_from", "date_to", "cdr_ids")
    def _compute_name(self):
        for simulation in self:
            grid = simulation.price_grid_id.code or self.env._("What-if")
            if simulation.cdr_ids:
                count = len(simulation.cdr_ids)
                simulation.name = self.env._("%(grid)s on %(count)s CDRs", grid=grid, count=count)
            else:
                days = (simulation.date_from, simulation.date_to)
                simulation.name = f"{grid}: {days[0]} – {days[1]}" if all(days) else grid

    @api.depends("state", "cdr_count", "batch_ids.is_done")
    def _compute_done_count(self):
        counts = dict(
            self.env["emsp.price.simulation.batch"]._read_group(
                [("simulation_id", "in", self.ids), ("is_done", "=", True)],
                ["simulation_id"],
                ["cdr_count:sum"],
            )
        )
        for simulation in self:
            done = simulation.state == "done"
            simulation.done_count = simulation.cdr_count if done else counts.get(simulation, 0)

    @api.depends("line_ids", "problem_ids")
    def _compute_result_counts(self):
        for name, model in (("line_count", "line"), ("problem_count", "problem")):
            found = self.env[f"emsp.price.simulation.{model}"]._read_group(
                [("simulation_id", "in", self.ids)], ["simulation_id"], ["__count"]
            )
            counts = dict(found)
            for simulation in self:
                simulation[name] = counts.get(simulation, 0)

    @api.depends("summary")
    @api.depends_context("lang")
    def _compute_summary_html(self):
        for simulation in self:
            simulation.summary_html = bool(simulation.summary) and self.env["ir.qweb"]._render(
                "emsp_clearing.price_simulation_summary", simulation._get_summary_values()
            )

    @api.constrains("date_from", "date_to", "cdr_ids")
    def _check_range(self):
        for simulation in self:
            if not simulation.cdr_ids and not (simulation.date_from and simulation.date_to):
                raise ValidationError(
                    self.env._(
                        "What-if %(name)s needs a first and a last day, or CDRs selected in their list.",
                        name=simulation.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self.browse()._check_write(vals)
        return super().create(vals_list)

    def _check_write(self, vals):
        if vals.keys() <= EDITABLE:
            return
        run = self.filtered(lambda simulation: simulation.state != "draft")[:1]
        if run:
            raise UserError(
                self.env._(
                    "What-if %(name)s has run: its selection does not change any more. "
                    "Go back to draft first, or duplicate it.",
                    name=run.name,
                )
            )
        computed = vals.keys() - SELECTION - EDITABLE
        if any(self._fields[name].readonly for name in computed if name in self._fields):
            raise UserError(self.env._("The results of a what-if are computed and cannot be entered."))

    def action_run(self):
        """Price the selection by the grid as it is now; earlier results are dropped."""
        self.check_access("write")
        for simulation in self.filtered(lambda simulation: simulation.state != "running"):
            simulation._run()
        return True

    def action_reset(self):
        """Give up the run, or its results; the selection can be changed again."""
        self.check_access("write")
        self._drop_results()
        self._update_state("draft")
        return True

    def action_view_lines(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "emsp_clearing.emsp_price_simulation_line_action"
        )
        return {**action, "domain": [("simulation_id", "in", self.ids)]}

    def action_view_problems(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "emsp_clearing.emsp_price_simulation_problem_action"
        )
        return {**action, "domain": [("simulation_id", "in", self.ids)]}

    def _selection_domain(self):
        """The CDRs to price: what is void has no price, today or by any grid."""
        self.ensure_one()
        domain = Domain("company_id", "=", self.company_id.id) & Domain("state", "!=", "void")
        if self.cdr_ids:
            domain &= Domain("id", "in", self.cdr_ids.ids)
        if self.contract_ids:
            domain &= Domain("contract_id", "in", self.contract_ids.ids)
        if self.partner_ids:
            domain &= Domain("partner_id", "child_of", self.partner_ids.ids)
        if self.location:
            names = ("location_name", "location_city", "evse_id")
            domain &= Domain.OR(Domain(name, "ilike", self.location) for name in names)
        if self.date_from or self.date_to:
            domain &= self._range_domain()
        return domain

    def _range_domain(self):
        """The range in each contract's own zone; in UTC where there is no contract."""
        zones = self.env["emsp.contract"]._read_group(
            [("company_id", "=", self.company_id.id)], ["time_zone"]
        )
        by_zone = [
            Domain("contract_id.time_zone", "=", zone) & self._range_in(ZoneInfo(zone)) for (zone,) in zones
        ]
        unattached = Domain("contract_id", "=", False) & self._range_in(UTC)
        return Domain.OR([*by_zone, unattached])

    def _range_in(self, zone):
        domain = Domain.TRUE
        if self.date_from:
            start = datetime.combine(self.date_from, time.min, zone)
            domain &= Domain("session_end_at", ">=", naive(start))
        if self.date_to:
            end = datetime.combine(self.date_to + timedelta(days=1), time.min, zone)
            domain &= Domain("session_end_at", "<", naive(end))
        return domain

    def _get_summary_values(self):
        """:return: dict of the template: a row per partner, the largest difference first, and the total."""
        self.ensure_one()
        by_partner = {row[0]: Sums.from_json(row[1:]) for row in self.summary}
        partners = self.env["res.partner"].browse(by_partner).exists()
        names = {partner.id: partner.display_name for partner in partners}
        ordered = sorted(by_partner.items(), key=lambda item: -abs(item[1].difference))
        total = sum(by_partner.values(), Sums())
        return {
            "rows": [self._summary_row(names.get(key, ""), sums) for key, sums in ordered],
            "total": self._summary_row(self.env._("Total"), total),
        }

    def _summary_row(self, label, sums):
        money = {"currency_obj": self.currency_id}
        share = sums.difference_pct
        return {
            "label": label,
            "sessions": formatLang(self.env, sums.sessions, digits=0),
            "energy": formatLang(self.env, to_float(sums.energy), digits=2),
            "today": formatLang(self.env, to_float(sums.today), **money),
            "other": formatLang(self.env, to_float(sums.other), **money),
            "difference": formatLang(self.env, to_float(sums.difference), **money),
            "share": "" if share is None else f"{formatLang(self.env, to_float(share), digits=1)} %",
            "is_less": sums.difference < ZERO,
        }

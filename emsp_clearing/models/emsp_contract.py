from collections import defaultdict
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core.calendar import Terms

# What CDRs and settlements were made for; changing it would rewrite what is billed already.
SETTLED_BY = ("partner_id", "partner_role", "company_id", "currency_id")

# What attaching a CDR reads of a contract.
ATTACHING_FIELDS = ("company_id", "partner_id", "partner_role", "date_start", "date_end", "time_zone")


class EmspContract(models.Model):
    """An agreement with one roaming partner: whose CDRs, at which price, billed when."""

    _name = "emsp.contract"
    _description = "Roaming contract"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _check_company_auto = True
    _order = "state, partner_id, id"

    name = fields.Char(required=True, tracking=True)
    reference = fields.Char(copy=False, readonly=True, default=lambda self: self.env._("New"), index=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one("res.partner", required=True, check_company=True, index=True, tracking=True)
    partner_role = fields.Selection(
        [("emsp", "eMSP: we bill the partner"), ("cpo", "CPO: the partner bills us")],
        required=True,
        default="emsp",
        tracking=True,
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("ended", "Ended"),
        ],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
        help="Suspended: CDRs are still collected, nothing is invoiced. "
        "Ended: only the sessions up to the end date are still billed.",
    )
    date_start = fields.Date(string="From", required=True, default=fields.Date.context_today, tracking=True)
    date_end = fields.Date(
        string="Until", tracking=True, help="Last day on which a session may end. Empty: open-ended."
    )
    party_ids = fields.One2many(
        "emsp.contract.party",
        "contract_id",
        string="OCPI parties",
        copy=False,
        help="The partner's country code and party id; the tokens of these parties are billed here.",
    )
    price_source = fields.Selection(
        [("grid", "Our price grid"), ("cdr", "The tariff that comes with the CDR")],
        string="Ruling tariff",
        required=True,
        default="grid",
        tracking=True,
        help="Which tariff rules. With the CDR's own, the price grid prices the CDRs that come without one, "
        "and another price than the grid's is noted.",
    )
    price_grid_ids = fields.Many2many(
        "emsp.price.grid", check_company=True, help="The published grid valid at a session's start prices it."
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    frequency = fields.Selection(
        [
            ("weekly", "Weekly"),
            ("two_weekly", "Every two weeks"),
            ("monthly", "Monthly"),
            ("quarterly", "Quarterly"),
            ("half_yearly", "Half-yearly"),
        ],
        required=True,
        default="monthly",
        tracking=True,
    )
    control_days = fields.Integer(
        default=7,
        required=True,
        tracking=True,
        help="Days the partner has with its list before the invoice date.",
    )
    grace_days = fields.Integer(
        default=2,
        required=True,
        tracking=True,
        help="Days after the period's end in which late CDRs are still taken.",
    )
    time_zone = fields.Selection(
        "_selection_time_zone", required=True, default=lambda self: self.env.user.tz or "Europe/Paris"
    )
    price_precision = fields.Selection(
        [("2", "2 decimals"), ("4", "4 decimals")],
        required=True,
        default="2",
        help="A session's amount is rounded once, to this many decimals.",
    )
    payment_term_id = fields.Many2one("account.payment.term", check_company=True, tracking=True)
    fiscal_position_id = fields.Many2one(
        "account.fiscal.position", check_company=True, help="Empty: decided by the partner, in the usual way."
    )
    journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        domain="[('type', '=', 'sale')]",
        help="Empty: the company's clearing journal.",
    )
    user_id = fields.Many2one(
        "res.users", string="Responsible", default=lambda self: self.env.user, tracking=True
    )
    settlement_ids = fields.One2many("emsp.settlement", "contract_id")
    settlement_count = fields.Integer(compute="_compute_counts")
    cdr_count = fields.Integer(string="CDRs", compute="_compute_counts")
    note = fields.Html()

    _control_days_range = models.Constraint(
        "CHECK (control_days BETWEEN 0 AND 30)", "The control window lasts between 0 and 30 days."
    )
    _grace_days_range = models.Constraint(
        "CHECK (grace_days BETWEEN 0 AND 30)", "The grace lasts between 0 and 30 days."
    )
    _dates_in_order = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)", "A contract ends after it starts."
    )

    @api.model
    def _selection_time_zone(self):
        return [(zone, zone) for zone in pytz.common_timezones]

    def _compute_counts(self):
        cdrs = dict(
            self.env["emsp.cdr"]._read_group([("contract_id", "in", self.ids)], ["contract_id"], ["__count"])
        )
        settlements = dict(
            self.env["emsp.settlement"]._read_group(
                [("contract_id", "in", self.ids)], ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.cdr_count = cdrs.get(contract, 0)
            contract.settlement_count = settlements.get(contract, 0)

    @api.depends("name", "reference")
    def _compute_display_name(self):
        for contract in self:
            contract.display_name = f"[{contract.reference}] {contract.name}"

    @api.constrains("price_grid_ids", "currency_id")
    def _check_grid_currency(self):
        for contract in self:
            other = contract.price_grid_ids.filtered(lambda g, c=contract: g.currency_id != c.currency_id)
            if other:
                raise ValidationError(
                    self.env._(
                        "Price grid %(grid)s is in %(currency)s, contract %(contract)s in %(expected)s. "
                        "Choose a grid in the contract's currency.",
                        grid=other[0].display_name,
                        currency=other[0].currency_id.name,
                        contract=contract.display_name,
                        expected=contract.currency_id.name,
                    )
                )

    @api.constrains("price_grid_ids")
    def _check_grid_overlap(self):
        for contract in self:
            contract.price_grid_ids._check_no_overlap()

    @api.constrains("date_start", "date_end", "partner_role")
    def _check_parties(self):
        self.party_ids._check_one_contract_per_party()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not vals.get("reference"):
                vals["reference"] = self.env["ir.sequence"].next_by_code("emsp.contract")
        return super().create(vals_list)

    def write(self, vals):
        changing = [name for name in SETTLED_BY if name in vals]
        for contract in self.filtered("settlement_ids") if changing else ():
            if any(
                vals[name] != contract._fields[name].convert_to_write(contract[name], contract)
                for name in changing
            ):
                raise UserError(
                    self.env._(
                        "Contract %(contract)s has settlements: its partner, role, company and currency do "
                        "not change any more. End it and make a new one.",
                        contract=contract.display_name,
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        used = self.filtered(lambda contract: contract.cdr_count or contract.settlement_ids)
        if used:
            raise UserError(
                self.env._(
                    "Contract %(contract)s has CDRs or settlements and stays. End it instead.",
                    contract=used[0].display_name,
                )
            )

    def action_activate(self):
        """Make the contracts bill, and attach the CDRs that waited for them."""
        for contract in self:
            is_priced = contract.price_grid_ids or contract.price_source == "cdr"
            if not contract.party_ids or not is_priced:
                raise UserError(
                    self.env._(
                        "Contract %(contract)s needs at least one OCPI party and one price grid before it "
                        "can be activated.",
                        contract=contract.display_name,
                    )
                )
        self.write({"state": "active"})
        self.env["emsp.cdr"].with_delay(identity_key="emsp.cdr:attach-waiting")._job_attach_waiting()
        return True

    def action_suspend(self):
        return self.write({"state": "suspended"})

    def action_end(self):
        for contract in self:
            contract.write(
                {"state": "ended", "date_end": contract.date_end or fields.Date.context_today(contract)}
            )
        return True

    def action_view_cdrs(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        return {**action, "domain": [("contract_id", "in", self.ids)], "context": {}}

    def action_view_settlements(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_settlement_action")
        return {**action, "domain": [("contract_id", "in", self.ids)], "context": {}}

    def _terms(self):
        """The contract's calendar, as core counts it."""
        self.ensure_one()
        return Terms(
            frequency=self.frequency,
            time_zone=self.time_zone,
            grace_days=self.grace_days,
            control_days=self.control_days,
        )

    def _local_date(self, instant):
        """The day of `instant` (naive UTC) in the contract's time zone."""
        return pytz.utc.localize(instant).astimezone(pytz.timezone(self.time_zone)).date()

    def _grid_at(self, instant):
        """The published grid valid at `instant` (naive UTC), by the contract's local date; may be empty."""
        self.ensure_one()
        local_date = self._local_date(instant)
        return self.price_grid_ids.filtered(
            lambda grid: (
                grid.state == "published"
                and grid.valid_from <= local_date
                and (not grid.valid_to or local_date <= grid.valid_to)
            )
        )[:1]

    def _covers(self, instant):
        """Whether a session that ends at `instant` (naive UTC) falls under the contract's dates."""
        first, end = self._span()
        return first <= instant < end

    def _span(self):
        """:return: (first instant, first one after the end), naive UTC, by the contract's local days."""
        self.ensure_one()
        after = self.date_end + timedelta(days=1) if self.date_end else None
        return self._midnight(self.date_start), self._midnight(after) if after else datetime.max

    def _midnight(self, day):
        local = pytz.timezone(self.time_zone).localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _by_party(self, company, pairs):
        """Contracts that CDRs may be attached to, by upper-case (country code, party id).

        :param pairs: iterable of (country_code, party_id), upper-case.
        :return: dict (country_code, party_id) -> contracts, drafts left out.
        """
        parties = self.env["emsp.contract.party"].search_fetch(
            [
                ("company_id", "=", company.id),
                ("contract_id.state", "!=", "draft"),
                ("country_code", "in", list({cc for cc, __ in pairs})),
                ("ocpi_party_id", "in", list({party for __, party in pairs})),
            ],
            ["contract_id", "country_code", "ocpi_party_id"],
        )
        parties.contract_id.fetch(ATTACHING_FIELDS)
        contracts = defaultdict(self.browse)
        for party in parties:
            contracts[party.country_code, party.ocpi_party_id] |= party.contract_id
        return contracts

    def _still_settles(self, as_of):
        """Whether a period open at `as_of` can still bring sessions: 90 days beyond the end date."""
        self.ensure_one()
        if self.state == "active":
            return True
        return self.state == "ended" and as_of.date() <= self.date_end + timedelta(days=90)

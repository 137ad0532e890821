from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core.pricing.grid import variant_id, variants
from .emsp_price_grid_line import amount_text

# OCPI 2.2.1, 11.3.1
MAX_TARIFF_ID = 36
# What the longest version number adds to an id.
VERSION_ROOM = "-999"
# What sessions were priced with.
FIXED_FIELDS = frozenset(
    {"line_ids", "currency_id", "code", "version", "previous_id", "valid_from", "company_id", "state"}
)


class EmspPriceGrid(models.Model):
    """Prices agreed with partners. A grid compiles into an OCPI tariff: one engine prices everything."""

    _name = "emsp.price.grid"
    _description = "Price grid"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "code, valid_from desc, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        copy=False,
        size=36,
        help="Becomes the id of the OCPI tariff; up to 32 characters. The versions of a grid share it.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    state = fields.Selection(
        [("draft", "Draft"), ("published", "Published")],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
        help="A published grid prices sessions and never changes; a new price is a new version.",
    )
    valid_from = fields.Date(string="From", required=True, default=fields.Date.context_today, tracking=True)
    valid_to = fields.Date(
        string="Until", tracking=True, help="Last day on which a session may start. Empty: open-ended."
    )
    version = fields.Integer(default=1, required=True, readonly=True, copy=False)
    previous_id = fields.Many2one(
        "emsp.price.grid",
        string="Previous version",
        readonly=True,
        copy=False,
        check_company=True,
        index="btree_not_null",
        help="Ends on the day before this version starts, as soon as this one is published.",
    )
    version_count = fields.Integer(string="Versions", compute="_compute_version_count")
    line_ids = fields.One2many("emsp.price.grid.line", "grid_id", copy=True)
    contract_ids = fields.Many2many("emsp.contract", copy=False)
    summary = fields.Char(compute="_compute_summary", string="Prices")
    has_location_groups = fields.Boolean(compute="_compute_has_groups")
    has_customer_groups = fields.Boolean(compute="_compute_has_groups")

    _code_unique = models.Constraint(
        "UNIQUE (company_id, code, version)", "Another price grid of this company has the same code."
    )
    _dates_in_order = models.Constraint(
        "CHECK (valid_to IS NULL OR valid_to >= valid_from)", "A price grid ends after it starts."
    )

    @api.depends("name", "version")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for grid in self:
            grid.display_name = grid.name
            if grid.version > 1:
                grid.display_name = self.env._(
                    "%(grid)s (version %(version)s)", grid=grid.name, version=grid.version
                )

    @api.depends("line_ids.display_name")
    def _compute_summary(self):
        for grid in self:
            grid.summary = " + ".join(grid.line_ids.mapped("display_name"))

    @api.depends("code", "company_id")
    def _compute_version_count(self):
        counted = self._read_group([("code", "in", self.mapped("code"))], ["company_id", "code"], ["__count"])
        counts = {(company, code): count for company, code, count in counted}
        for grid in self:
            grid.version_count = counts.get((grid.company_id, grid.code), 0)

    @api.depends("company_id")
    def _compute_has_groups(self):
        for grid in self:
            domain = [("company_id", "=", grid.company_id.id)]
            grid.has_location_groups = bool(self.env["emsp.location.group"].search_count(domain, limit=1))
            grid.has_customer_groups = bool(self.env["emsp.customer.group"].search_count(domain, limit=1))

    @api.constrains("valid_from", "valid_to")
    def _check_contract_overlap(self):
        self.contract_ids._check_grid_overlap()

    @api.constrains("line_ids")
    def _check_limits(self):
        """:raise ValidationError: when a session would have to cost more than it may at most."""
        for grid in self:
            for location, customer in grid._variants():
                tariff = grid._to_tariff(*grid._own_party(), location, customer)
                least, most = tariff.min_price, tariff.max_price
                if least and most and least.excl_vat > most.excl_vat:
                    raise ValidationError(
                        self.env._(
                            "Price grid %(grid)s asks for at least %(least)s and at most %(most)s per "
                            "session. Lower the one or raise the other.",
                            grid=grid.display_name,
                            least=f"{amount_text(least.excl_vat)} {grid.currency_id.name}",
                            most=f"{amount_text(most.excl_vat)} {grid.currency_id.name}",
                        )
                    )

    @api.constrains("code", "version", "line_ids")
    def _check_tariff_id(self):
        """:raise ValidationError: when a tariff id is too long for OCPI, also that of a later version."""
        for grid in self:
            keys = variants([line._to_core() for line in grid.line_ids])
            excess = max(len(variant_id(grid.code + VERSION_ROOM, *pair)) for pair in keys) - MAX_TARIFF_ID
            if excess > 0:
                raise ValidationError(
                    self.env._(
                        "Code %(code)s is too long: its versions and the groups of its lines are added to "
                        "it, and an OCPI tariff id has at most %(most)s characters. Use a code of "
                        "%(length)s characters.",
                        code=grid.code,
                        most=MAX_TARIFF_ID,
                        length=len(grid.code) - excess,
                    )
                )

    @api.constrains("code", "version")
    def _check_tariff_id_unique(self):
        """:raise ValidationError: when "AC-2" is a code, and also what version 2 of "AC" is called."""
        for grid in self:
            others = self.search([("company_id", "=", grid.company_id.id), ("id", "!=", grid.id)])
            clash = others.filtered(lambda o, g=grid: o._tariff_code().upper() == g._tariff_code().upper())
            if clash:
                raise ValidationError(
                    self.env._(
                        "Price grids %(grid)s and %(other)s would have the same OCPI tariff id, %(id)s. "
                        "Use another code.",
                        grid=grid.display_name,
                        other=clash[0].display_name,
                        id=grid._tariff_code(),
                    )
                )

    def write(self, vals):
        if vals.keys() & FIXED_FIELDS:
            self._check_draft()
        return super().write(vals)

    def _check_draft(self):
        """:raise UserError: when one of the grids is published: sessions were priced with it."""
        published = self.filtered(lambda grid: grid.state == "published")
        if published:
            raise UserError(
                self.env._(
                    "Price grid %(grid)s is published: its prices do not change any more. "
                    "Make a new version of it.",
                    grid=published[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_published(self):
        published = self.filtered(lambda grid: grid.state == "published")
        if published:
            raise UserError(
                self.env._(
                    "Price grid %(grid)s is published and stays. Set its last day instead.",
                    grid=published[0].display_name,
                )
            )

    def action_publish(self):
        """Let the grids price sessions; each takes its previous version's place in the contracts."""
        for grid in self:
            if not grid.line_ids:
                raise UserError(self.env._("Price grid %(grid)s has no price yet.", grid=grid.display_name))
        self._check_limits()
        for grid in self.filtered("previous_id"):
            grid._succeed()
        self.write({"state": "published"})
        self.env["emsp.contract"].search([("price_grid_ids", "in", self.ids)])._recheck_unpriced()
        return True

    def action_new_version(self):
        """Copy a published grid into a draft that follows its last version; a draft there is opened."""
        self.ensure_one()
        latest = self._versions()[-1:]
        if latest.state == "published":
            latest = self.copy(self._prepare_version_vals(latest))
        return latest._open_form()

    def action_view_versions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_price_grid_action")
        return {**action, "domain": [("id", "in", self._versions().ids)], "context": {}}

    def _open_form(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def _versions(self):
        return self.search(
            [("company_id", "=", self.company_id.id), ("code", "=", self.code)], order="version"
        )

    def _prepare_version_vals(self, latest):
        """:param latest: the version that the new one follows; this one gives the prices."""
        today = fields.Date.context_today(self)
        valid_from = max(today, latest.valid_from) + timedelta(days=1)
        ends_later = latest.valid_to and latest.valid_to >= valid_from
        return {
            "code": latest.code,
            "version": latest.version + 1,
            "previous_id": latest.id,
            "valid_from": valid_from,
            "valid_to": latest.valid_to if ends_later else False,
        }

    def _succeed(self):
        """End the previous version on the day before, and follow it in its contracts.

        :raise UserError: when this version does not start later.
        """
        previous = self.previous_id
        if self.valid_from <= previous.valid_from:
            raise UserError(
                self.env._(
                    "Price grid %(grid)s follows a version that holds from %(day)s on. Let it start later.",
                    grid=self.display_name,
                    day=previous.valid_from,
                )
            )
        last_day = self.valid_from - timedelta(days=1)
        if not previous.valid_to or previous.valid_to > last_day:
            previous.valid_to = last_day
        # Written on their side: contracts check their grids.
        previous.contract_ids.write({"price_grid_ids": [Command.link(self.id)]})

    def _check_no_overlap(self):
        """:raise ValidationError: when two of these grids are valid on the same day."""
        ordered = self.sorted("valid_from")
        for earlier, later in zip(ordered, ordered[1:], strict=False):
            if not earlier.valid_to or earlier.valid_to >= later.valid_from:
                raise ValidationError(
                    self.env._(
                        "Price grids %(earlier)s and %(later)s are both valid on %(day)s. "
                        "Set the last day of the first one before that day.",
                        earlier=earlier.display_name,
                        later=later.display_name,
                        day=later.valid_from,
                    )
                )

    def _ordered_lines(self):
        """As the screen shows them, also before they are saved."""
        return self.line_ids.sorted("sequence")

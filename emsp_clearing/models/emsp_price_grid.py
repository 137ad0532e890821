from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core.pricing.grid import compile_grid


class EmspPriceGrid(models.Model):
    """Prices agreed with partners. A grid compiles into an OCPI tariff: one engine prices everything."""

    _name = "emsp.price.grid"
    _description = "Price grid"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "code, valid_from desc, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, copy=False, size=36, help="Becomes the id of the OCPI tariff; up to 36 characters."
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
        help="A published grid prices sessions and never changes; a new price is a new grid.",
    )
    valid_from = fields.Date(string="From", required=True, default=fields.Date.context_today, tracking=True)
    valid_to = fields.Date(
        string="Until", tracking=True, help="Last day on which a session may start. Empty: open-ended."
    )
    line_ids = fields.One2many("emsp.price.grid.line", "grid_id", copy=True)
    contract_ids = fields.Many2many("emsp.contract")
    summary = fields.Char(compute="_compute_summary", string="Prices")

    _code_unique = models.Constraint(
        "UNIQUE (company_id, code)", "Another price grid of this company has the same code."
    )
    _dates_in_order = models.Constraint(
        "CHECK (valid_to IS NULL OR valid_to >= valid_from)", "A price grid ends after it starts."
    )

    @api.depends("line_ids.display_name")
    def _compute_summary(self):
        for grid in self:
            grid.summary = " + ".join(grid.line_ids.mapped("display_name"))

    @api.constrains("valid_from", "valid_to")
    def _check_contract_overlap(self):
        self.contract_ids._check_grid_overlap()

    def write(self, vals):
        if vals.keys() & {"line_ids", "currency_id", "code", "valid_from", "company_id", "state"}:
            self._check_draft()
        return super().write(vals)

    def _check_draft(self):
        """:raise UserError: when one of the grids is published: sessions were priced with it."""
        published = self.filtered(lambda grid: grid.state == "published")
        if published:
            raise UserError(
                self.env._(
                    "Price grid %(grid)s is published: its prices do not change any more. "
                    "Set its last day and make a new grid.",
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
        for grid in self:
            if not grid.line_ids:
                raise UserError(self.env._("Price grid %(grid)s has no price yet.", grid=grid.display_name))
        return self.write({"state": "published"})

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

    def _to_tariff(self, country_code, party_id):
        """The grid as an OCPI tariff of the given party (OCPI 2.2.1, 11.3.1)."""
        self.ensure_one()
        return compile_grid(
            code=self.code,
            country_code=country_code,
            party_id=party_id,
            currency=self.currency_id.name,
            lines=[line._to_core() for line in self.line_ids],
        )

from odoo import fields, models
from odoo.exceptions import UserError

from .emsp_accrual import ACCRUED


class EmspAccrualLine(models.Model):
    """One contract in an accrual: its sessions that no invoice shows, each in one column."""

    _name = "emsp.accrual.line"
    _description = "Month-end accrual of a contract"
    _order = "partner_role desc, partner_id, contract_id, id"
    _rec_name = "contract_id"

    accrual_id = fields.Many2one("emsp.accrual", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="accrual_id.company_id", store=True, index=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    contract_id = fields.Many2one("emsp.contract", required=True, readonly=True, ondelete="restrict")
    partner_id = fields.Many2one(related="contract_id.partner_id", store=True)
    partner_role = fields.Selection(related="contract_id.partner_role", store=True)
    currency_id = fields.Many2one(related="contract_id.currency_id", store=True)
    amount_unbilled = fields.Float(
        string="Unbilled", digits=(16, 4), readonly=True, help="Open or locked, and not invoiced."
    )
    amount_disputed = fields.Float(
        string="Disputed", digits=(16, 4), readonly=True, help="With a dispute that was open."
    )
    amount_late = fields.Float(
        string="Late", digits=(16, 4), readonly=True, help="Billed in a later period than they ended in."
    )
    amount_credited = fields.Float(
        string="Credited after the lock",
        digits=(16, 4),
        readonly=True,
        help="Credit CDRs that are not billed yet; negative.",
    )
    amount_accrued = fields.Monetary(
        string="To accrue", readonly=True, help="The four columns, rounded to the currency."
    )
    amount_held = fields.Float(
        string="Held",
        digits=(16, 4),
        readonly=True,
        help="Received or in quarantine: no claim yet, not accrued. Those without a price count nothing.",
    )
    cdr_count = fields.Integer(string="Sessions", readonly=True, help="Those to accrue.")
    held_count = fields.Integer(string="Sessions held", readonly=True)
    balance = fields.Monetary(
        string="In company currency",
        currency_field="company_currency_id",
        readonly=True,
        help="At the rate of the date.",
    )
    is_booked = fields.Boolean(
        string="Book", default=True, help="Off: shown, and left out of the proposed entry."
    )

    def write(self, vals):
        """Figures are counted; what is booked is chosen, and the entry is proposed again then."""
        if vals.keys() - {"is_booked"}:
            raise UserError(self.env._("The figures of an accrual are counted. Count again instead."))
        self.accrual_id._check_not_posted()
        self.accrual_id.move_ids.unlink()
        return super().write(vals)

    def action_view_cdrs(self):
        """The CDRs behind a figure; the context names its column, none means all that are accrued."""
        self.ensure_one()
        column = self.env.context.get("column")
        columns = [column] if column else ACCRUED
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        slices = [f"{self.id}:{column}" for column in columns]
        return {
            **action,
            "domain": [("accrual_slice", "in", slices)],
            "context": {},
            "display_name": f"{self.accrual_id.name}: {self.contract_id.display_name}",
        }

    def _column_domain(self, column):
        accrual = self.accrual_id
        domains = self.env["emsp.cdr"]._accrual_domains(self.contract_id, accrual.date, accrual.known_at)
        return domains[column]

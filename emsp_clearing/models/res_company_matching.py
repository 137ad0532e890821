from odoo import fields, models


class ResCompanyMatching(models.Model):
    """What may be written off by itself when a payment is matched."""

    _inherit = "res.company"

    emsp_charge_limit = fields.Monetary(
        string="Bank charges up to",
        default=1.0,
        help="What a bank on the way may have kept of a payment. No more than this is written off by itself.",
    )
    emsp_charge_account_id = fields.Many2one(
        "account.account",
        string="Account for bank charges",
        check_company=True,
        help="Empty: nothing is written off; the rest of the invoice stays open.",
    )

    _emsp_charge_limit_not_negative = models.Constraint(
        "CHECK (emsp_charge_limit >= 0)", "The limit for bank charges cannot be below zero."
    )

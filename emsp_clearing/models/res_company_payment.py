from odoo import fields, models


class ResCompanyPayment(models.Model):
    """How payments are proposed and released, and where the bank's charges for returns go."""

    _inherit = "res.company"

    emsp_four_eyes = fields.Boolean(
        string="A second person releases payments",
        help="Who made a payment file cannot release it.",
    )
    emsp_payment_ahead_days = fields.Integer(
        string="Propose payments ahead (days)",
        default=5,
        required=True,
        help="Banking days between the proposal and the day of execution. A collection needs two at least.",
    )
    emsp_return_account_id = fields.Many2one(
        "account.account",
        string="Charges for returns",
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost'))]",
        help="What the bank keeps or adds when a payment comes back.",
    )
    emsp_return_limit = fields.Float(
        string="Most that a return costs",
        digits=(16, 2),
        default=30.0,
        required=True,
        help="A larger difference is no charge: a person decides what it is.",
    )

    _emsp_payment_ahead = models.Constraint(
        "CHECK (emsp_payment_ahead_days BETWEEN 2 AND 30)",
        "Payments are proposed between 2 and 30 banking days ahead.",
    )
    _emsp_return_limit_positive = models.Constraint(
        "CHECK (emsp_return_limit >= 0)", "What a return costs at most is not negative."
    )

from odoo import fields, models


class EmspSettlement(models.Model):
    """The balance of a settlement: its share, where a document bills several."""

    _inherit = "emsp.settlement"

    balance_billed = fields.Monetary(string="Billed, gross", compute="_compute_balance")
    balance_credited = fields.Monetary(string="Credited, gross", compute="_compute_balance")
    balance_received = fields.Monetary(string="Paid", compute="_compute_balance")
    balance_open = fields.Monetary(
        string="Open amount",
        compute="_compute_balance",
        help="Of documents that bill several settlements, its part alone: the amounts of settlements add up.",
    )
    balance_overdue = fields.Monetary(string="Overdue", compute="_compute_balance")

    def _compute_balance(self):
        self.env["emsp.contract.balance"]._fill(self, "settlement_id")

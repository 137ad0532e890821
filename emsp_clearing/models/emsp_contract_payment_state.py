from odoo import fields, models


class EmspContract(models.Model):
    """The balance of each contract, in its currency."""

    _inherit = "emsp.contract"

    balance_billed = fields.Monetary(string="Billed, gross", compute="_compute_balance")
    balance_credited = fields.Monetary(string="Credited, gross", compute="_compute_balance")
    balance_received = fields.Monetary(string="Paid", compute="_compute_balance")
    balance_open = fields.Monetary(string="Open amount", compute="_compute_balance")
    balance_overdue = fields.Monetary(string="Overdue", compute="_compute_balance")
    balance_gap = fields.Monetary(string="Paid short", compute="_compute_balance")
    balance_disputed = fields.Monetary(string="In dispute, net", compute="_compute_balance")

    def _compute_balance(self):
        self.env["emsp.contract.balance"]._fill(self, "contract_id")

    def action_view_balance(self):
        """What the balance is made of."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_contract_balance_action")
        return {
            **action,
            "domain": [("contract_id", "=", self.id)],
            "context": {"search_default_group_document": 1},
            "views": [(False, "list"), (False, "pivot"), (False, "graph")],
        }

from odoo import fields, models


class EmspContractReminder(models.Model):
    """How the invoices of a contract are reminded of."""

    _name = "emsp.contract"
    _inherit = ["emsp.contract", "emsp.reminder.hold.mixin"]

    reminder_policy_id = fields.Many2one(
        "credit.control.policy",
        string="Reminder policy",
        check_company=True,
        tracking=True,
        help="Empty: the partner's, else that of its country.",
    )
    reminder_count = fields.Integer(string="Reminders", compute="_compute_reminder_count")

    def _compute_reminder_count(self):
        # sudo: the number on the button; what it opens is for those who may
        reminders = self.env["credit.control.line"].sudo()
        for contract in self:
            contract.reminder_count = reminders.search_count(contract._get_reminder_domain())

    def _get_reminder_domain(self):
        return [("invoice_id.emsp_settlement_ids.contract_id", "in", self.ids), ("state", "!=", "ignored")]

    def action_view_reminders(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.credit_control_line_action")
        return {**action, "domain": self._get_reminder_domain(), "context": {}}

from odoo import models


class CreditControlPrinter(models.TransientModel):
    """Letters are the paper that mails carry, with interest and costs, not the plain summary."""

    _inherit = "credit.control.printer"

    def print_lines(self):
        # EXTENDS account_credit_control
        action = super().print_lines()
        printed = self.env["credit.control.communication"].browse(action["context"].get("active_ids", []))
        if not any(printed.policy_id.mapped("emsp_is_clearing")):
            return action
        return self.env.ref("emsp_clearing.action_report_reminder").report_action(printed, config=False)

from odoo import fields, models
from odoo.exceptions import UserError

from .credit_control_line import WAITING


class CreditControlLineSending(models.Model):
    """Reminders on their way: by a person's button, or by the daily run."""

    _inherit = "credit.control.line"

    def action_send_reminders(self):
        """Send the chosen reminders that wait; those without an address are printed instead."""
        chosen = self.filtered(lambda line: line.state in WAITING and line.channel == "email")
        if not chosen:
            raise UserError(self.env._("Choose reminders that wait and go by mail."))
        communications = chosen._send_by_mail(fields.Date.context_today(self))
        if not communications:
            raise UserError(
                self.env._("Nothing was sent: these are on hold, or nothing is to be asked for any more.")
            )
        return communications._open()

    def _send_by_mail(self, day):
        """:return: credit.control.communication, one for each partner, level and currency."""
        lines = self.filtered(lambda line: not line._get_hold(day))
        lines.write({"state": "to_be_sent"})
        communications = self.env["credit.control.communication"]._generate_comm_from_credit_lines(lines)
        communications._generate_emails()
        return communications

    def _sendable(self, day):
        """Those that are not on hold and still ask for something, brought up to date; what was sent already
        stays as it was."""
        waiting = self.filtered(lambda line: line.state in WAITING)
        free = waiting.filtered(lambda line: not line._get_hold(day))
        return (self - waiting) | free._refresh_claim(day)

from odoo import api, models
from odoo.tools import html2plaintext

from .mail_thread import HARMLESS, action_of


class MailThreadReminder(models.AbstractModel):
    """A payment reminder that comes back waits for a person."""

    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        # EXTENDS mail
        result = super()._routing_handle_bounce(email_message, message_dict)
        message = message_dict["bounced_message"]
        if message.model == "credit.control.communication" and action_of(email_message) not in HARMLESS:
            # sudo: the mail gateway acts for nobody
            communication = self.env[message.model].sudo().browse(message.res_id).exists()
            for each in communication:
                each._open_sending_failed(html2plaintext(message_dict.get("body") or "")[:500])
        return result

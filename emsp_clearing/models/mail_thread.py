from odoo import api, fields, models
from odoo.tools import html2plaintext

# Of reports that tell of no failure (RFC 3464, 2.3.3).
HARMLESS = ("delayed", "delivered", "relayed", "expanded")


class MailThread(models.AbstractModel):
    """Bounces of settlement mails reach the delivery that they belong to."""

    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        # EXTENDS mail
        result = super()._routing_handle_bounce(email_message, message_dict)
        message = message_dict["bounced_message"]
        if message and action_of(email_message) not in HARMLESS:
            # sudo: the mail gateway acts for nobody
            delivery = self.env["emsp.settlement.delivery"].sudo()
            delivery = delivery.search([("mail_message_id", "=", message.id)], limit=1)
            bounced = message_dict["bounced_email"] or ""
            if not bounced or bounced in (delivery.addressed_to or "").split(", "):
                delivery._note_bounce(bounced, html2plaintext(message_dict.get("body") or ""))
        return result


class EmspSettlementDelivery(models.Model):
    _inherit = "emsp.settlement.delivery"

    def _note_bounce(self, address, text):
        """:param str address: that it came back from, where the report names it."""
        for delivery in self:
            reason = self.env._(
                "came back from %(address)s: %(text)s",
                address=address or delivery.addressed_to,
                text=text[:500],
            )
            delivery._set_bounced(reason, fields.Datetime.now())


def action_of(email_message):
    """:return: "failed", "delayed", … of a delivery status report (RFC 3464); "" of another message."""
    for part in email_message.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload():
                if action := block.get("Action"):
                    return action.strip().lower()
    return ""

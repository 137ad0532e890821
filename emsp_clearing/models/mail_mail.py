from contextlib import contextmanager
from dataclasses import dataclass, field
from smtplib import SMTP, SMTPServerDisconnected

from odoo import fields, models


class MailMail(models.Model):
    """Mails that carry a settlement's documents: what SMTP says about them moves their delivery."""

    _inherit = "mail.mail"

    emsp_delivery_id = fields.Many2one(
        "emsp.settlement.delivery",
        string="Delivery",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    def _send(self, *args, smtp_session=None, **kwargs):
        # EXTENDS mail, which forgets the server's words, and leaves a mail as failed when the server hangs up
        packages = self.filtered("emsp_delivery_id")
        done = True
        if self - packages or not packages:
            done = super(MailMail, self - packages)._send(*args, smtp_session=smtp_session, **kwargs)
        for mail in packages:
            with listening(smtp_session) as heard:
                own = mail.with_context(emsp_heard=heard)
                try:
                    done = super(MailMail, own)._send(*args, smtp_session=smtp_session, **kwargs)
                except SMTPServerDisconnected as error:
                    mail.failure_reason = str(error)
                    mail._note_delivery()
                    # The others of this batch are still in the queue, and need another connection.
                    self._trigger_queue()
                    raise
        return done

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail; before super(), which may delete the mail
        for mail in self:
            mail._note_delivery()
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        # EXTENDS mail, which makes one message for each partner: if the second one failed, the first one
        # would get it again. One message has all of them, with copies named as such.
        emails = super()._prepare_outgoing_list(mail_server=mail_server, doc_to_followers=doc_to_followers)
        if len(emails) < 2 or not self._is_package():
            return emails
        # sudo: as in _note_delivery
        copies = self.sudo().emsp_delivery_id.move_id._sending_contracts_sudo().mail_cc_ids
        main = [each for each in emails if each["partner_id"] not in copies] or emails
        others = [each for each in emails if each not in main]
        headers = {name: value for name, value in main[0]["headers"].items() if name != "X-Msg-To-Add"}
        return [
            {
                **main[0],
                "headers": headers,
                "email_to": [address for each in main for address in each["email_to"]],
                "email_cc": [address for each in others for address in each["email_to"]],
                "email_to_normalized": [
                    address for each in emails for address in each["email_to_normalized"]
                ],
            }
        ]

    def _is_package(self):
        """Addressed to the partner; copies to followers among our own users do not count."""
        return bool(self.emsp_delivery_id and self.recipient_ids & self.partner_ids)

    def _trigger_queue(self):
        # sudo: the queue's cron belongs to the system.
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _note_delivery(self):
        """Record what became of the mail; its state says it."""
        # sudo: the queue, or whoever presses "Send now", reports to a delivery it may not write.
        mail = self.sudo()
        if mail._is_package():
            mail.emsp_delivery_id._note_mail(mail, self.env.context.get("emsp_heard"))


@dataclass
class Heard:
    """What a server said to one message: its last reply, and whom of several receivers it refused."""

    reply: str = ""
    refused: dict = field(default_factory=dict)

    def refused_text(self):
        return "; ".join(f"{address}: {said(*reply)}" for address, reply in self.refused.items())


@contextmanager
def listening(session):
    """Keep what smtplib drops: the reply to a message that was taken, and receivers refused among others.

    :param session: SMTP, or None where nothing is sent.
    :return: Heard.
    """
    heard = Heard()
    if not isinstance(session, SMTP):
        yield heard
        return
    data, sendmail = session.data, session.sendmail

    def kept_data(message):
        reply = data(message)
        heard.reply = said(*reply)
        return reply

    def kept_sendmail(*args, **kwargs):
        heard.refused = sendmail(*args, **kwargs)
        return heard.refused

    session.data, session.sendmail = kept_data, kept_sendmail
    try:
        yield heard
    finally:
        session.data, session.sendmail = data, sendmail


def said(code, text):
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"

from contextlib import contextmanager
from dataclasses import dataclass, field
from smtplib import SMTP, SMTPServerDisconnected

from odoo import fields, models

# SMTP's reply to a message for which the server answers from now on.
TAKEN = 250


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
    emsp_handover_at = fields.Datetime(
        string="Hand-over begun at",
        readonly=True,
        help="The server was given the message, and what it said is not noted yet.",
    )

    def _send(self, auto_commit=False, smtp_session=None, **kwargs):
        # EXTENDS mail, which forgets the server's words, and leaves a mail as failed when the server hangs up
        kwargs |= {"auto_commit": auto_commit, "smtp_session": smtp_session}
        packages = self.filtered("emsp_delivery_id")
        done = True
        if self - packages or not packages:
            done = super(MailMail, self - packages)._send(**kwargs)
        for mail in packages:
            watched = mail if auto_commit and mail._is_package() else None
            with listening(smtp_session, watched) as heard:
                own = mail.with_context(emsp_heard=heard)
                try:
                    done = super(MailMail, own)._send(**kwargs)
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

    def _begin_hand_over(self):
        """Just before the server gets the message: should this process die, it is not given it again unless a
        person says so. What was written for the mail before is the queue's own note that it is being sent."""
        self.write({"emsp_handover_at": fields.Datetime.now()})
        # The queue commits after each mail itself; here nothing is left half done.
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _end_hand_over(self, reply):
        """As soon as the server has taken the message. All else that follows from it can be made up for."""
        self.write({"state": "sent", "failure_type": False, "failure_reason": False})
        # What the server took must not be taken back by whatever fails afterwards, not even by another
        # transaction that has the delivery.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        # sudo: as in _note_delivery
        self.sudo().emsp_delivery_id._note_reply(reply)
        # Nor what it answered, by which the delivery is proven.
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _trigger_queue(self):
        # sudo: the queue's cron belongs to the system.
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _note_delivery(self):
        """Record what became of the mail; its state says it."""
        # sudo: the queue, or whoever presses "Send now", reports to a delivery it may not write.
        mail = self.sudo()
        mail.emsp_handover_at = False
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
def listening(session, mail=None):
    """Keep what smtplib drops: the reply to a message that was taken, and receivers refused among others.

    :param session: SMTP, or None where nothing is sent.
    :param mail: mail.mail whose hand-over is committed before and after, or None.
    :return: Heard.
    """
    heard = Heard()
    if not isinstance(session, SMTP):
        yield heard
        return
    data, sendmail = session.data, session.sendmail

    def kept_data(message):
        if mail:
            mail._begin_hand_over()
        reply = data(message)
        heard.reply = said(*reply)
        if mail and reply[0] == TAKEN:
            mail._end_hand_over(heard.reply)
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

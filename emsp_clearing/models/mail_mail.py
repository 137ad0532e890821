import smtplib

from odoo import fields, models


class MailMail(models.Model):
    """Mails that carry a settlement's invoice: what SMTP says about them moves the settlement."""

    _inherit = "mail.mail"

    emsp_settlement_id = fields.Many2one(
        "emsp.settlement", string="Settlement", readonly=True, index="btree_not_null"
    )

    def _send(self, *args, **kwargs):
        # EXTENDS mail, which leaves a mail as failed without a word when the server hangs up
        try:
            return super()._send(*args, **kwargs)
        except smtplib.SMTPServerDisconnected as error:
            for mail in self.filtered(lambda m: m.state == "exception"):
                mail._note_delivery(self.env["res.partner"], str(error))
            raise

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # EXTENDS mail; before super(), which may delete the mail
        delivered = self.env["res.partner"].union(*success_pids)
        for mail in self:
            mail._note_delivery(delivered, failure_reason or mail.failure_reason or failure_type)
        return super()._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    def _is_settlement_package(self):
        """Addressed to the partner; copies to followers among our own users do not count."""
        return bool(self.emsp_settlement_id and self.recipient_ids & self.partner_ids)

    def _trigger_queue(self):
        # sudo: the queue's cron belongs to the system.
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _note_delivery(self, delivered, reason):
        """Record on the settlement what was handed over to SMTP, and what was not.

        :param delivered: partners whose mail server took the message.
        :param str reason: why the others got nothing.
        """
        # sudo: the queue, or whoever presses "Send now", reports to a settlement it may not write.
        mail = self.sudo()
        if not mail._is_settlement_package():
            return
        addressed = mail.recipient_ids & mail.partner_ids
        if addressed & delivered:
            mail._note_handed_over(addressed & delivered)
        if addressed - delivered:
            mail._note_failure(addressed - delivered, reason)

    def _note_handed_over(self, partners):
        now = fields.Datetime.now()
        settlement = self.emsp_settlement_id
        self.env["emsp.exception"]._close("sending_failed", f"settlement:{settlement.id}", now)
        if settlement.state == "invoiced":
            settlement._set_sent(now, ", ".join(partners.mapped("email_normalized")))

    def _note_failure(self, partners, reason):
        settlement = self.emsp_settlement_id
        journal = self.env["emsp.exception"]._in_language_of(settlement.company_id)
        journal._open(
            "sending_failed",
            f"settlement:{settlement.id}",
            name=journal.env._(
                "Invoice %(invoice)s did not reach %(partner)s: %(reason)s",
                invoice=settlement.move_id.name,
                partner=", ".join(partners.mapped("display_name")),
                reason=" ".join((reason or "").split()),
            ),
            suggestion=journal.env._(
                "Correct the address or the outgoing mail server, then send again from the settlement."
            ),
            settlement_id=settlement.id,
            move_id=settlement.move_id.id,
            amount=settlement.move_id.amount_total,
            date=fields.Date.context_today(self),
        )

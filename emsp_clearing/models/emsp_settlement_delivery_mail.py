from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date
from odoo.tools.misc import human_size

MEGABYTE = 1024 * 1024
WORDS_KEPT = 500


class EmspSettlementDeliveryMail(models.Model):
    """Deliveries through Odoo's mail queue: the documents, links to them, or a notice of the portal."""

    _inherit = "emsp.settlement.delivery"

    def _start_mail(self):
        """Put the mail into the queue, or back into it; it is sent when this transaction is committed."""
        self.ensure_one()
        # sudo: mails belong to the system
        waiting = self.sudo().mail_ids
        if waiting:
            # What a process died with may have arrived: that is for a person to decide.
            free = waiting if self.is_unclear else waiting.filtered(lambda mail: not mail.emsp_handover_at)
            failed = free.filtered(lambda mail: mail.state == "exception")
            failed.write({"state": "outgoing", "emsp_handover_at": False})
            # Not written without need: the queue may be noting the server's answer right now.
            self._store_changes({"is_unclear": False})
        else:
            self._compose()
        self.env["mail.mail"]._trigger_queue()

    def _compose(self):
        self._record_files()
        package = self._prepare_package()
        context = {"emsp_delivery_id": self.id, "emsp_package": package}
        sending = self.env["account.move.send"].with_context(**context)
        sending._generate_and_send_invoices(self.move_id.with_context(**context), sending_methods=["email"])

    def _note_composed(self):
        """Keep whom the mail is for and which id it has.

        :raise UserError: it is for nobody.
        """
        self.invalidate_recordset(["mail_ids"])
        # sudo: mails belong to the system
        mails = self.sudo().mail_ids.filtered(lambda mail: mail._is_package()).sorted("id")
        if not mails:
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s was not sent: %(partner)s has no invoicing contact with an "
                    "e-mail address.",
                    invoice=self.move_id.name,
                    partner=self.partner_id.display_name,
                )
            )
        addresses = [partner.email_normalized for partner in mails.recipient_ids if partner.email_normalized]
        self._store(
            {
                "addressed_to": ", ".join(addresses),
                "reference": mails[-1].message_id,
                "mail_message_id": mails[-1].mail_message_id.id,
            }
        )

    def _prepare_package(self):
        """What the mail says of the documents; the template reads it from the context.

        :return: dict: `mode` "attached", "links" or "portal"; `prefix` of the subject.
        """
        localized = self.with_context(lang=self.move_id._sending_lang())
        mode = self._mode()
        contracts = self.move_id._sending_contracts_sudo()
        package = {
            "mode": mode,
            "is_copy": self.is_copy,
            "prefix": localized.env._("Copy: ") if self.is_copy else "",
            "portal_url": "",
        }
        if mode == "portal" or "both" in contracts.mapped("sending_by"):
            package["portal_url"] = (
                f"{self.get_base_url()}/my/settlements/{self.move_id._settlements()[:1].id}"
            )
        if mode == "links":
            package["files"] = [
                {"name": file.name, "size": human_size(file.file_size), "url": self._link(file)}
                for file in self._attachments_sudo()
            ]
            package["url"] = self._link()
            package["until"] = format_date(localized.env, self.link_until.date(), date_format="long")
        return package

    def _mode(self):
        if self.channel == "portal":
            return "portal"
        size = sum(file["size"] for file in self.files)
        return "links" if size > self.company_id.emsp_mail_max_mb * MEGABYTE else "attached"

    def _note_mail(self, mail, heard):
        """What SMTP says about one of the delivery's mails.

        :param heard: Heard, the server's own words, or None.
        """
        now = fields.Datetime.now()
        if mail.state != "sent":
            self._set_failed(mail.failure_reason or mail.failure_type, now)
            return
        others = self.mail_ids.filtered(lambda each: each != mail and each._is_package())
        if all(other.state == "sent" for other in others):
            # The id that the server has seen: a bounce names it.
            self._set_handed_over(now, heard and heard.reply[:WORDS_KEPT], reference=mail.message_id)
        if heard and heard.refused:
            self._set_bounced(heard.refused_text(), now)

    def _note_reply(self, reply):
        """The server's words to a message that it has taken."""
        self._store({"reply": reply[:WORDS_KEPT]})

    def _follow_mails(self, as_of):
        """Deliveries whose mail ended without a word to us: its process died, or it was cancelled."""
        for delivery in self.try_lock_for_update():
            mails = delivery.mail_ids.filtered(lambda mail: mail._is_package())
            if not mails:
                delivery._start_safely()
            elif mails.filtered("emsp_handover_at"):
                delivery._follow_interrupted(mails, as_of)
            elif mails.filtered(lambda mail: mail.state in ("exception", "cancel")):
                failed = mails.filtered(lambda mail: mail.state in ("exception", "cancel"))[0]
                delivery._set_failed(failed.failure_reason or self.env._("The mail was cancelled."), as_of)

from odoo import models
from odoo.tools import format_amount

# Rows that a mail lists.
LISTED = 30


class EmspDisputeNotice(models.Model):
    """Each side learns what the other one said: in the thread of each dispute, and by one mail for all."""

    _inherit = "emsp.dispute"

    def _tell_opened(self, opener):
        for dispute in self:
            body = dispute.explanation or dispute._label_of("reason")
            dispute._say(opener, body)
            dispute.message_subscribe(partner_ids=[*opener.ids, *dispute.user_id.partner_id.ids])
        # A CPO may have neither portal nor API of ours: it gets what it needs to answer.
        self._mail_other_side(opener, self.env._("disputed"), with_sheet=self[:1].direction == "raised")

    def _tell_step(self, target, words, speaker=None):
        speaker = speaker or self.env.user.partner_id
        for dispute in self:
            state = dispute._state_label(target)
            dispute._say(speaker, f"{state}: {words}" if words else state)
        self._mail_other_side(speaker, self[:1]._state_label(target))

    def _say(self, speaker, body, attachments=()):
        """:param attachments: list of (file name, bytes)."""
        self.with_context(emsp_mailed_together=True).message_post(
            body=body,
            author_id=speaker.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=list(attachments),
        )

    def _attach(self, speaker, attachments):
        """Put the files of whoever speaks into the thread of each dispute.

        :param speaker: res.partner. :param attachments: ir.attachment of a dialog; each dispute gets a copy.
        """
        for dispute in self if attachments else ():
            copies = attachments.copy({"res_model": dispute._name, "res_id": dispute.id})
            dispute.with_context(emsp_mailed_together=True).message_post(
                attachment_ids=copies.ids,
                author_id=speaker.id,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        # Forty disputes at once are one mail, not forty.
        if self.env.context.get("emsp_mailed_together"):
            return []
        return super()._notify_thread(message, msg_vals=msg_vals, **kwargs)

    def _label_of(self, name):
        return dict(self._fields[name]._description_selection(self.env))[self[name]]

    def _mail_other_side(self, speaker, event, with_sheet=False):
        """One mail for each person on the other side, whatever the number of disputes.

        :param bool with_sheet: with the disputes as a spreadsheet that can be answered in.
        """
        template = self.env.ref("emsp_clearing.mail_template_dispute")
        by_reader = {}
        for dispute in self:
            for reader in dispute._readers(speaker):
                by_reader.setdefault((reader, dispute.contract_id), self.browse())
                by_reader[reader, dispute.contract_id] |= dispute
        for (reader, contract), disputes in by_reader.items():
            localized = disputes.with_context(lang=reader.lang or self.env.lang)
            values = {
                "lang": localized.env.lang,
                "dispute_notice": localized._prepare_notice(reader, event),
            }
            # Of no record: the chatter of the contract is not where disputes are talked about.
            apart = {"email_to": reader.email_formatted, "model": False, "res_id": False}
            if with_sheet:
                apart["attachments"] = [localized._sheet_file()]
            template.with_context(**values).send_mail(contract.id, email_values=apart)

    def _readers(self, speaker):
        """:return: res.partner of those who are to learn what `speaker` said; with an address."""
        if speaker == self.env.ref("base.partner_root"):
            # What the clock brings about nobody said: both sides learn it.
            readers = self._people("us") | self._people("partner")
        else:
            is_partner = speaker.commercial_partner_id == self.partner_id.commercial_partner_id
            readers = self._people("us" if is_partner else "partner")
        return (readers - speaker).filtered("email_normalized")

    def _people(self, side):
        """:param str side: as `turn`. :return: res.partner of those who speak for it."""
        self.ensure_one()
        if side == "us":
            return self.user_id.partner_id
        return self.opened_by_id if self.direction == "received" else self.partner_id

    def _prepare_notice(self, reader, event):
        """What the mail says of these disputes; in the reader's words."""
        is_portal = not any(user._is_internal() for user in reader.user_ids)
        return {
            "event": event,
            # As text: a template shows nothing for the number 0.
            "count": str(len(self)),
            "more": max(0, len(self) - LISTED),
            "rows": [dispute._prepare_notice_row(is_portal) for dispute in self[:LISTED]],
        }

    def _prepare_notice_row(self, is_portal):
        url = self.get_portal_url() if is_portal else f"/odoo/emsp-disputes/{self.id}"
        return {
            "name": self.name,
            "cdr": self.ocpi_id,
            "reason": self._label_of("reason"),
            "state": self._state_label(self.state),
            "amount": format_amount(self.env, self.disputed_amount, self.currency_id),
            "due": self._local(self.due_at) if self.due_at else "",
            "answer": self.answer or self.explanation or "",
            "url": f"{self.get_base_url()}{url}",
        }

from datetime import timedelta

from odoo import api, fields, models

from .emsp_dispute_notice import LISTED

AHEAD = timedelta(hours=48)


class EmspDisputeReminder(models.Model):
    """Whoever must act is reminded once, two days before each deadline; by one mail for all disputes."""

    _inherit = "emsp.dispute"

    reminded_for = fields.Datetime(
        string="Reminded of", readonly=True, copy=False, help="The deadline of which a mail reminded last."
    )

    @api.model
    def _cron_remind(self, as_of=None):
        """Remind of what is due within 48 hours.

        :param datetime as_of: naive UTC; by default now.
        """
        as_of = as_of or fields.Datetime.now()
        soon = self.search(
            [
                ("is_open", "=", True),
                "|",
                "&",
                ("due_at", ">", as_of),
                ("due_at", "<=", as_of + AHEAD),
                "&",
                ("end_at", ">", as_of),
                ("end_at", "<=", as_of + AHEAD),
            ],
            order="due_at, id",
        )
        # Of two runs at once only one has the row; the other one finds it marked.
        due = soon.try_lock_for_update()
        due.invalidate_recordset(["reminded_for", "state", "due_at"])
        due = due.filtered(lambda dispute: dispute._is_to_be_reminded(as_of))
        for (person, __), disputes in due.grouped(lambda d: (d._people(d.turn), d.company_id)).items():
            # Without an address it stays due, until there is one.
            if person.email_normalized:
                disputes._mail_reminder(person, as_of)
        self.env["mail.mail"]._trigger_queue()

    def _next_deadline(self, as_of):
        """:return: the next instant that counts: until when to act, else when silence decides."""
        self.ensure_one()
        return min(instant for instant in (self.due_at, self.end_at) if instant and instant > as_of)

    def _is_to_be_reminded(self, as_of):
        if not self.is_open or not as_of < self.end_at:
            return False
        deadline = self._next_deadline(as_of)
        # Who was told less than two days before the deadline knows it.
        return deadline - AHEAD <= as_of and self.since <= deadline - AHEAD and self.reminded_for != deadline

    def _mail_reminder(self, person, as_of):
        """:param person: res.partner that must act on all of them."""
        localized = self.with_context(lang=person.lang or self.env.lang)
        template = self.env.ref("emsp_clearing.mail_template_dispute_reminder")
        values = {"lang": localized.env.lang, "reminder": localized._prepare_reminder(person, as_of)}
        # Of no record: a thread tells what both sides said.
        apart = {"email_to": person.email_formatted, "model": False, "res_id": False}
        template.with_context(**values).send_mail(self[0].id, email_values=apart)
        for dispute in self:
            dispute._store({"reminded_for": dispute._next_deadline(as_of)})

    def _prepare_reminder(self, person, as_of):
        is_portal = not any(user._is_internal() for user in person.user_ids)
        rows = []
        for dispute in self[:LISTED]:
            deadline = dispute._instant(dispute._next_deadline(as_of))
            rows.append({**dispute._prepare_notice_row(is_portal), "due": deadline})
        # As text: a template shows nothing for the number 0.
        return {"count": str(len(self)), "more": max(0, len(self) - LISTED), "rows": rows}

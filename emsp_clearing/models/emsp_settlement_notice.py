from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_amount

AHEAD = timedelta(hours=48)
LOCKED = ("locked", "invoiced", "sent", "settled")


class EmspSettlementNotice(models.Model):
    """What the partner is told of a control window: that it opened, that it ends in two days, that it ended.

    Each of them once: its mark is stored with the mail, in one transaction.
    """

    _inherit = "emsp.settlement"

    window_told_at = fields.Datetime(
        string="Opening notice", readonly=True, copy=False, help="When the partner was told of its list."
    )
    window_reminded_at = fields.Datetime(
        string="Reminder", readonly=True, copy=False, help="Sent 48 hours before the list locks."
    )
    window_closed_told_at = fields.Datetime(
        string="Closing notice", readonly=True, copy=False, help="Sent when the list has locked."
    )

    @api.model
    def _cron_notice_windows(self, as_of=None):
        """Send the notices that are due.

        :param datetime as_of: naive UTC; by default now.
        """
        as_of = as_of or fields.Datetime.now()
        for kind, domain in self._notice_domains(as_of).items():
            # Of two runs at once only one has the row; the other one finds it marked.
            due = self.search(domain, order="id").try_lock_for_update()
            due.invalidate_recordset()
            for settlement in due.filtered_domain(domain):
                settlement._tell_window(kind, as_of)
        self.env["mail.mail"]._trigger_queue()

    @api.model
    def _notice_domains(self, as_of):
        """:return: dict kind -> domain of the settlements whose notice is due."""
        in_window = [
            ("state", "=", "control"),
            # A CPO is told of no list: it is the one that claims the money.
            ("contract_id.partner_role", "=", "emsp"),
            ("contract_id.state", "!=", "suspended"),
            ("cut_off_at", "<=", as_of),
            ("lock_at", ">", as_of),
        ]
        return {
            # An empty list stays empty: there is nothing to look at.
            "opened": [
                *in_window,
                ("window_told_at", "=", False),
                "|",
                ("cdr_count", ">", 0),
                ("disputed_count", ">", 0),
            ],
            "ends": [
                *in_window,
                ("lock_at", "<=", as_of + AHEAD),
                ("approved_at", "=", False),
                ("window_reminded_at", "=", False),
                ("window_told_at", "!=", False),
            ],
            "closed": [
                ("state", "in", LOCKED),
                ("window_told_at", "!=", False),
                ("window_closed_told_at", "=", False),
            ],
        }

    def _tell_window(self, kind, as_of):
        """One notice to the partner's invoicing contact; without an address it stays due."""
        self.ensure_one()
        mark = {"opened": "window_told_at", "ends": "window_reminded_at", "closed": "window_closed_told_at"}
        person = self._invoice_partner()
        # Who was told less than two days before the end knows it.
        if kind == "ends" and self.window_told_at >= self.lock_at - AHEAD:
            return
        if not person.email_normalized:
            return
        self._mail_window(kind, person)
        self._store({mark[kind]: as_of})

    def _mail_window(self, kind, person):
        localized = self.with_context(lang=person.lang or self.partner_id.lang or self.env.lang)
        template = self.env.ref("emsp_clearing.mail_template_window")
        values = {"lang": localized.env.lang, "window": localized._prepare_window(kind)}
        # Of no record: the chatter of the settlement is ours.
        apart = {"email_to": person.email_formatted, "model": False, "res_id": False}
        template.with_context(**values).send_mail(self.id, email_values=apart)

    def _prepare_window(self, kind):
        """What the mail says; counts as text, because a template shows nothing for the number 0."""
        carried = self._carried_disputes()
        return {
            "kind": kind,
            "subject": self._window_subject(kind),
            "count": str(self.cdr_count),
            "amount": format_amount(self.env, self.amount_untaxed, self.currency_id),
            "disputed_count": str(self.disputed_count),
            "disputed_amount": format_amount(self.env, self.disputed_amount, self.currency_id),
            "carried_count": str(len(carried)),
            "carried_amount": format_amount(
                self.env, sum(carried.mapped("disputed_amount")), self.currency_id
            ),
            "until": f"{self._local(self.lock_at)} ({self.lock_at:%Y-%m-%d %H:%M} UTC)",
            "url": f"{self.get_base_url()}/my/settlements/{self.id}",
        }

    def _window_subject(self, kind):
        subjects = {
            "opened": self.env._("%(settlement)s: your list of sessions is open", settlement=self.name),
            "ends": self.env._("%(settlement)s: your control window ends soon", settlement=self.name),
            "closed": self.env._("%(settlement)s: your list of sessions is locked", settlement=self.name),
        }
        return subjects[kind]

    def _carried_disputes(self):
        """:return: the disputes of the list that were open at its lock: their sessions were not billed."""
        return self.dispute_ids.filtered(
            lambda dispute: not dispute.closed_at or dispute.closed_at > self.lock_at
        )

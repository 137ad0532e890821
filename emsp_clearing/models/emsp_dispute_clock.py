from odoo import api, fields, models
from odoo.fields import Domain

from ..core.dispute import run_out
from .emsp_dispute import aware


class EmspDisputeClock(models.Model):
    """What time alone brings about, and who is reminded of it."""

    _inherit = "emsp.dispute"

    is_overdue = fields.Boolean(
        compute="_compute_is_overdue",
        search="_search_is_overdue",
        help="Whoever must act has not, in time. The session stays unbilled meanwhile.",
    )

    @api.depends("due_at", "is_open")
    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for dispute in self:
            dispute.is_overdue = dispute.is_open and bool(dispute.due_at) and dispute.due_at <= now

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain([("is_open", "=", True), ("due_at", "<=", fields.Datetime.now())])
        return overdue if True in value else ~overdue

    @api.model
    def _cron_run_clocks(self, as_of=None):
        """Decide what silence decides.

        :param datetime as_of: naive UTC; by default now.
        """
        as_of = as_of or fields.Datetime.now()
        due = self.search(
            [("is_open", "=", True), "|", ("due_at", "<=", as_of), ("end_at", "<=", as_of)], order="id"
        )
        for dispute in due.try_lock_for_update():
            dispute._run_out(as_of)

    def _run_out(self, as_of):
        """The instant that counts is the one of the clock, not the one of the run."""
        self.ensure_one()
        due, end = self.due_at and aware(self.due_at), aware(self.end_at)
        target = run_out(self.state, due, end, aware(as_of))
        if not target:
            return
        at = self.end_at if as_of >= self.end_at else self.due_at
        dispute = self.with_context(lang=self.partner_id.lang or self.env.lang)
        words = dispute.env._("Nothing was said until %(date)s.", date=self._local(at))
        self._take_step(target, words, None, at, by_silence=True)
        self.settlement_id._refresh_totals()
        self._schedule()
        self._tell_step(target, words)

    def _schedule(self):
        """A to-do for the person responsible, as long as it is our turn."""
        self.activity_unlink(["mail.mail_activity_data_todo"])
        ours = self.filtered(lambda dispute: dispute.turn == "us" and dispute.user_id)
        # A mail of its own tells of the disputes.
        for dispute in ours.with_context(mail_activity_quick_update=True):
            dispute.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=dispute.contract_id._local_date(dispute.due_at),
                summary=self.env._("Answer dispute %(dispute)s", dispute=dispute.name),
                user_id=dispute.user_id.id,
            )

from datetime import timedelta

from odoo import api, fields, models

TODO = "mail.mail_activity_data_todo"
CLOSED = "emsp.exception.closed"


class EmspExceptionActivity(models.Model):
    """The owner gets a to-do: for an error at once, for a warning when it has stayed for some days.

    It is done when the exception closes, by whatever way, and moves with the owner.
    """

    _inherit = "emsp.exception"

    def _create_facts(self, facts):
        created = super()._create_facts(facts)
        created.filtered(lambda exception: exception.severity == "error")._schedule_todo()
        return created

    def write(self, vals):
        written = super().write(vals)
        if vals.get("state") == "closed":
            self._finish_todo_later()
        if "user_id" in vals:
            # sudo: the to-do of the former owner goes, which only that one could end.
            self.sudo()._hand_over_todo()
        return written

    def _hand_over_todo(self):
        for exception in self:
            todo = exception._todo()
            if todo and todo.user_id != exception.user_id:
                todo.unlink()
            if exception.severity == "error":
                exception._schedule_todo()

    def _todo(self):
        kind = self.env.ref(TODO)
        return self.activity_ids.filtered(
            lambda activity: activity.automated and activity.activity_type_id == kind
        )

    def _schedule_todo(self):
        """For those that are open, have an owner and no to-do of ours."""
        # sudo: facts are recorded whoever meets them; a to-do is for the owner, who must be able to read it.
        for exception in self.sudo().filtered(lambda each: each.state == "open" and each.user_id):
            if exception._todo() or not exception.with_user(exception.user_id).has_access("read"):
                continue
            exception.with_context(mail_activity_quick_update=True).activity_schedule(
                TODO,
                date_deadline=fields.Date.context_today(exception),
                summary=exception.name,
                note=exception.suggestion or "",
                user_id=exception.user_id.id,
            )

    @api.depends()
    def _compute_state(self):
        """EXTENDS emsp.exception: the books close an exception, too."""
        result = super()._compute_state()
        self.filtered(lambda exception: exception.id and exception.state == "closed")._finish_todo_later()
        return result

    def _finish_todo_later(self):
        """At the end of the transaction: a computation of fields is no place to write other records."""
        precommit = self.env.cr.precommit
        if CLOSED not in precommit.data:
            precommit.data[CLOSED] = set()
            precommit.add(self.browse()._finish_noted_todos)
        precommit.data[CLOSED].update(self.ids)

    def _finish_noted_todos(self):
        self.browse(self.env.cr.precommit.data.pop(CLOSED, ())).exists()._finish_todo()

    def _finish_todo(self):
        # sudo: the fact is over, whoever ended it.
        closed = self.sudo().filtered(lambda exception: exception.state == "closed")
        closed.activity_feedback([TODO], feedback=self.env._("The exception is closed."))

    @api.model
    def _cron_schedule_todos(self, as_of=None):
        """Warnings that have stayed become a to-do.

        :param as_of: naive UTC; by default now.
        """
        as_of = as_of or fields.Datetime.now()
        for (company,) in self._read_group([("state", "=", "open")], ["company_id"]):
            before = as_of - timedelta(days=company.emsp_exception_todo_days)
            self.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "open"),
                    ("user_id", "!=", False),
                    "|",
                    ("severity", "=", "error"),
                    "&",
                    ("severity", "=", "warning"),
                    ("opened_at", "<=", before),
                ]
            )._schedule_todo()

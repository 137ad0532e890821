from odoo import fields, models


class EmspSessionInbox(models.Model):
    """What people decide about sessions whose CDR is missing."""

    _name = "emsp.session"
    _inherit = ["emsp.session", "emsp.decision.mixin"]

    decision_ids = fields.One2many("emsp.cdr.decision", "session_id")

    def action_dismiss(self):
        return self._ask_for("dismiss")

    def _problem_of(self, action):
        self.ensure_one()
        if action in ("release", "void"):
            return self.env._(
                "Session %(session)s has no CDR. Dismiss it if none will come.", session=self.ocpi_id
            )
        if action == "dismiss" and not self.cdr_missing_since:
            return self.env._("The CDR of session %(session)s is not missing.", session=self.ocpi_id)
        return None

    def _held_by(self):
        return {session.id: ["missing_cdr"] for session in self if session.cdr_missing_since}

    def _carry_out(self, action, reason, assignee):
        # sudo: sessions are written by their senders alone; this is what people here say of them
        sessions, now = self.sudo(), fields.Datetime.now()
        if action == "dismiss":
            sessions.write({"cdr_missing_since": False, "cdr_dismissed_at": now})
            self.env["emsp.exception"]._close_missing_cdrs(self, now, reason)
        elif action == "assign":
            sessions.write({"user_id": assignee.id})

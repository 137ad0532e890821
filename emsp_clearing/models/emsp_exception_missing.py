from odoo import api, fields, models
from odoo.tools import format_date


class EmspExceptionMissing(models.Model):
    """Completed sessions without a CDR, in the journal."""

    _inherit = "emsp.exception"

    session_id = fields.Many2one(
        "emsp.session", readonly=True, check_company=True, ondelete="cascade", index="btree_not_null"
    )

    @api.model
    def _open_missing_cdrs(self, sessions, as_of):
        """:param sessions: emsp.session, just found to have no CDR."""
        return self._open_all([self._prepare_missing_fact(session, as_of) for session in sessions])

    @api.model
    def _prepare_missing_fact(self, session, as_of):
        env = self._in_language_of(session.company_id).env
        return {
            "kind": "cdr_missing",
            "fact_key": f"emsp.session:{session.id}",
            "name": env._(
                "Session %(session)s of %(connection)s ended on %(date)s; its CDR has not come.",
                session=session.ocpi_id,
                connection=session.connection_id.name,
                date=format_date(env, session._ended_at()),
            ),
            "suggestion": env._(
                "Ask the sender for the CDR: without it nothing is billed. If none will come, dismiss it in "
                "the inbox."
            ),
            "session_id": session.id,
            "company_id": session.company_id.id,
            "contract_id": session.contract_id.id,
            "partner_id": session.contract_id.partner_id.id,
            "user_id": session.contract_id.user_id.id,
            "currency_id": (session.currency_id or session.company_id.currency_id).id,
            "amount": session.stated_amount,
            "opened_at": as_of,
        }

    @api.model
    def _close_missing_cdrs(self, sessions, as_of, reason=None):
        """:param reason: why a person closes them. Without one, the CDRs came."""
        # sudo: a fact ends whoever ends it; see `_close`.
        found = self.sudo().search(
            [("kind", "=", "cdr_missing"), ("session_id", "in", sessions.ids), ("state", "=", "open")]
        )
        if reason:
            found.write({"close_reason": reason})
        found._set_closed(as_of)

    def action_close(self):
        closing = super().action_close()
        for exception in self.filtered("session_id.cdr_missing_since"):
            exception.session_id._decide("dismiss", exception.close_reason)
        return closing

    def action_open_session(self):
        self.ensure_one()
        return self.session_id.get_formview_action()

from datetime import datetime, timedelta

from odoo import fields

from .common import cdr_payload

# More than 90 days after the sessions of `cdr_payload()`: what comes now is held.
LATE = datetime(2027, 1, 4, 8, 0)


class InboxCommon:
    """Verbs of the inbox, for tests that build on EmspCommon."""

    def held(self, *numbers):
        """CDRs in quarantine that have a price."""
        return self._receive(*(cdr_payload(number) for number in numbers or (1,)), received_at=LATE)

    def completed_session(self, ocpi_id="S-1", ended_at=None, **vals):
        """A session of our chargers with the card of `cdr_payload()`."""
        ended_at = ended_at or datetime(2026, 10, 5, 8, 30)
        # sudo: sessions are written by their senders alone.
        session = (
            self.env["emsp.session"]
            .sudo()
            .create(
                {
                    "connection_id": self.connection.id,
                    "company_id": self.company.id,
                    "ocpi_key": f"FR*RVR*{ocpi_id}".upper(),
                    "ocpi_country_code": "FR",
                    "ocpi_party_id": "RVR",
                    "ocpi_id": ocpi_id,
                    "status": "COMPLETED",
                    "session_start_at": ended_at - timedelta(minutes=30),
                    "session_end_at": ended_at,
                    "last_updated": ended_at,
                    "token_country_code": "DE",
                    "token_party_id": "SMO",
                    "token_uid": "04A1B2C3D4E5F6",
                    "currency_id": self.env.ref("base.EUR").id,
                    "stated_amount": 6.4,
                    **vals,
                }
            )
        )
        return session.sudo(False)

    def missing_session(self, ocpi_id="S-M", **vals):
        """A session that was reported: it ended two days ago and has no CDR, though the connection sends."""
        first = fields.Datetime.now() - timedelta(days=10)
        self._receive(cdr_payload(900, start=first, minutes=30), received_at=fields.Datetime.now())
        session = self.completed_session(ocpi_id, fields.Datetime.now() - timedelta(days=2), **vals)
        self.env["emsp.session"].sudo()._cron_find_missing_cdrs()
        return session

    def inbox(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        rows = self.env["emsp.inbox"]
        return (rows.with_user(user).sudo(False) if user else rows).search(
            [("company_id", "=", self.company.id)]
        )

    def row(self, record, user=None):
        """The row of a CDR or session; empty when it does not wait."""
        link = "cdr_id" if record._name == "emsp.cdr" else "session_id"
        return self.inbox(user).filtered(lambda row: row[link].id == record.id)

    def decide(self, records, action, reason="Checked with the partner", user=None, assignee=None):
        """As a person does it in the dialog. :param records: rows of the inbox, CDRs or sessions."""
        own = records.with_user(user).sudo(False) if user else records
        opened = getattr(own, f"action_{action}")()
        dialog = own.env["emsp.inbox.decide"].browse(opened["res_id"])
        dialog.write({"reason": reason, **({"user_id": assignee.id} if assignee else {})})
        return dialog.action_decide()

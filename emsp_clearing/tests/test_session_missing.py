from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import cdr_payload
from .inbox_common import InboxCommon
from .test_access import AccessCommon

ENDED = datetime(2026, 10, 5, 8, 30)
DUE = ENDED + timedelta(hours=24)


@tagged("post_install", "-at_install")
class TestSessionMissing(InboxCommon, AccessCommon):
    """Completed sessions whose CDR does not come."""

    def setUp(self):
        super().setUp()
        # The connection sends CDRs since the first of the month.
        self._receive(cdr_payload(900, start=datetime(2026, 10, 1, 8, 0)))
        self.ruleset = self.env["emsp.validation.ruleset"]._default_of(self.company)

    def run_cron(self, as_of=DUE):
        self.env["emsp.session"].sudo()._cron_find_missing_cdrs(as_of)

    def exceptions(self, **values):
        domain = [("kind", "=", "cdr_missing"), ("company_id", "=", self.company.id)]
        return self.env["emsp.exception"].search(domain + [(n, "=", v) for n, v in values.items()])

    def test_session_is_reported_when_its_time_is_over_and_once(self):
        session = self.completed_session()
        self.run_cron(DUE - timedelta(seconds=1))
        self.assertFalse(session.cdr_missing_since)
        for hours in range(3):
            self.run_cron(DUE + timedelta(hours=hours))
        self.assertEqual((session.cdr_missing_since, session.contract_id), (DUE, self.contract))
        exception = self.exceptions()
        self.assertEqual(
            exception.name, "Session S-1 of Own chargers ended on 10/05/2026; its CDR has not come."
        )
        self.assertEqual((exception.partner_id, exception.amount), (self.partner, 6.4))
        self.assertEqual((exception.session_id, exception.severity), (session, "warning"))

    def test_cdr_that_comes_closes_the_report(self):
        session = self.completed_session()
        self.run_cron()
        self._receive(cdr_payload(), received_at=DUE)
        self.assertFalse(session.cdr_missing_since)
        self.assertEqual((self.exceptions().state, self.exceptions().close_reason), ("closed", False))

    def test_cdr_without_contract_has_come_too(self):
        session = self.completed_session()
        self.run_cron()
        token = {**cdr_payload()["cdr_token"], "country_code": "NL", "party_id": "ABC"}
        self._receive(cdr_payload(cdr_token=token, session_id="s-1"), received_at=DUE)
        self.run_cron(DUE + timedelta(hours=1))
        self.assertFalse(session.cdr_missing_since)
        self.assertEqual(self.exceptions().state, "closed")

    def test_session_that_is_called_invalid_after_all_is_not_missed(self):
        session = self.completed_session()
        self.run_cron()
        session.sudo().status = "INVALID"
        self.run_cron(DUE + timedelta(hours=1))
        self.assertFalse(session.cdr_missing_since)
        self.assertEqual(self.exceptions().state, "closed")

    def test_sessions_that_have_a_cdr_or_are_not_completed_are_not_missed(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        sessions = self.completed_session("S-1") | self.completed_session("S-2")
        sessions |= self.completed_session("S-3", status="ACTIVE")
        self.run_cron()
        self.assertFalse(sessions.filtered("cdr_missing_since"))

    def test_cdr_without_session_id_is_that_of_the_same_token_and_start(self):
        self._receive(cdr_payload(session_id=None))
        same = self.completed_session("S-1")
        other = self.completed_session("S-2", ENDED + timedelta(minutes=40))
        self.run_cron(DUE + timedelta(hours=1))
        self.assertEqual((same | other).filtered("cdr_missing_since"), other)

    def test_sessions_before_the_first_cdr_and_old_ones_are_not_reported(self):
        before = self.completed_session("S-1", datetime(2026, 9, 30, 8, 0))
        old = self.completed_session("S-2", datetime(2026, 10, 2, 8, 0))
        self.run_cron(datetime(2026, 12, 31, 9, 0))
        self.assertFalse((before | old).filtered("cdr_missing_since"))
        last = self.completed_session("S-3", datetime(2026, 10, 2, 10, 0))
        self.run_cron(datetime(2026, 12, 31, 9, 0))
        self.assertTrue(last.cdr_missing_since)

    def test_rule_of_the_partner_counts(self):
        session = self.completed_session()
        own = self.ruleset.copy({"partner_id": self.partner.id, "missing_cdr_grace_h": 48})
        self.run_cron(DUE)
        self.assertFalse(session.cdr_missing_since)
        self.run_cron(DUE + timedelta(hours=24))
        self.assertEqual(session.cdr_missing_since, DUE + timedelta(hours=24))
        own.missing_cdr = "off"
        other = self.completed_session("S-2", ENDED + timedelta(minutes=45))
        stranger = self.completed_session("S-3", ENDED, token_party_id="ABC")
        self.run_cron(DUE + timedelta(hours=30))
        self.assertFalse(other.cdr_missing_since)
        self.assertEqual(stranger.cdr_missing_since, DUE)
        self.assertFalse(stranger.contract_id)

    def test_nothing_is_reported_where_the_rule_is_off(self):
        self.env["emsp.validation.ruleset"].search([]).missing_cdr = "off"
        session = self.completed_session()
        self.run_cron()
        self.assertFalse(session.cdr_missing_since)

    def test_dismissed_session_is_not_reported_again(self):
        session = self.completed_session()
        self.run_cron()
        self.decide(session, "dismiss", "Free of charge", self.users["operator"])
        self.assertEqual(
            (self.exceptions().state, self.exceptions().close_reason), ("closed", "Free of charge")
        )
        self.run_cron(DUE + timedelta(days=1))
        self.assertFalse(session.cdr_missing_since)
        self.assertEqual(len(self.exceptions()), 1)
        decision = session.decision_ids
        self.assertEqual((decision.action, decision.held_by), ("dismiss", "missing_cdr"))
        with self.assertRaisesRegex(UserError, "is not missing"):
            self.decide(session, "dismiss")

    def test_exception_that_a_person_closes_dismisses_the_session(self):
        session = self.completed_session()
        self.run_cron()
        exception = self.exceptions().with_user(self.users["operator"]).sudo(False)
        exception.close_reason = "The charger was being tested"
        exception.action_close()
        self.assertFalse(session.cdr_missing_since)
        self.assertEqual(session.decision_ids.reason, "The charger was being tested")
        self.assertEqual(exception.state, "closed")

    def test_reader_dismisses_nothing(self):
        session = self.completed_session()
        self.run_cron()
        with self.assertRaises(AccessError):
            self.decide(session, "dismiss", user=self.users["user"])

    def test_many_sessions_cost_no_query_each(self):
        counts = []
        for first, count in ((0, 10), (100, 300)):
            for number in range(first, first + count):
                self.completed_session(f"S-{number}", ENDED + timedelta(seconds=number))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_cron(DUE + timedelta(days=1))
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(len(self.exceptions()), 310)
        # What grows are the rows of an INSERT and an UPDATE, in slices.
        self.assertLess(counts[1], counts[0] + 40)

from datetime import date, datetime

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import cdr_payload
from .inbox_common import InboxCommon
from .test_access import AccessCommon


@tagged("post_install", "-at_install")
class TestInbox(InboxCommon, AccessCommon):
    """One screen for what waits."""

    def stray(self, number=5, **changes):
        """A CDR of a party without a contract."""
        token = {**cdr_payload(number)["cdr_token"], "country_code": "NL", "party_id": "ABC"}
        return self._receive(cdr_payload(number, cdr_token=token, **changes))

    def test_held_cdr_is_told_with_its_rule_amount_and_deadline(self):
        row = self.row(self.held())
        self.assertEqual((row.kind, row.rule, row.ocpi_id), ("held", "received_late", "CDR-1"))
        self.assertEqual((row.partner_id, row.contract_id), (self.partner, self.contract))
        self.assertEqual((row.amount, row.currency_id.name), (6.4, "EUR"))
        self.assertEqual(row.deadline, date(2027, 1, 3))
        self.assertEqual(row.days_left, (date(2027, 1, 3) - fields.Date.today()).days)
        self.assertEqual(row.message, row.cdr_id.finding_ids.message)

    def test_first_finding_that_holds_and_still_counts_is_the_reason(self):
        cdr = self.held()
        first = cdr.finding_ids
        finding = {"cdr_id": cdr.id, "found_at": datetime(2027, 1, 5)}
        self.env["emsp.cdr.finding"].create(
            [
                {**finding, "rule": "vat", "code": "vat_rate", "severity": "note"},
                {**finding, "rule": "charging_speed", "code": "too_fast", "severity": "hold"},
            ]
        )
        self.assertEqual(self.row(cdr).rule, "received_late")
        first.sudo().superseded_at = datetime(2027, 1, 6)
        self.assertEqual(self.row(cdr).rule, "charging_speed")
        self.assertEqual(self.row(cdr).waiting_since, datetime(2027, 1, 5))

    def test_cdr_without_a_price_is_at_stake_with_what_it_states(self):
        row = self.row(self._receive(cdr_payload(currency="CHF", total_cost={"excl_vat": 9.5})))
        self.assertEqual((row.amount, row.currency_id.name), (9.5, "CHF"))
        self.grid.valid_to = date(2026, 9, 30)
        self.assertEqual(self.row(self._receive(cdr_payload(2))).rule, "price")

    def test_cdr_without_contract_says_why(self):
        row = self.row(self.stray())
        self.assertEqual((row.kind, row.rule), ("unattached", "no_contract"))
        self.assertFalse(row.partner_id)
        self.assertEqual(row.message, row.cdr_id.attach_message)

    def test_cdr_that_is_not_priced_waits_after_an_hour(self):
        cdr = self._receive(cdr_payload(), received_at=fields.Datetime.now(), rate=False)
        self.assertFalse(self.row(cdr))
        cdr._store({"received_at": fields.Datetime.subtract(fields.Datetime.now(), hours=2)})
        self.assertEqual((self.row(cdr).kind, self.row(cdr).rule), ("unrated", "unrated"))

    def test_missing_cdr_is_told_with_the_session(self):
        session = self.missing_session()
        row = self.row(session)
        self.assertEqual((row.kind, row.rule, row.amount), ("missing", "missing_cdr", 6.4))
        self.assertEqual((row.partner_id, row.waiting_since), (self.partner, session.cdr_missing_since))
        self.assertIn("has not come", row.message)

    def test_what_needs_nobody_is_not_there(self):
        cdrs = self._receive(cdr_payload(1), cdr_payload(2))
        cdrs[1]._void("Test")
        self.assertFalse(self.inbox())

    def test_rows_open_what_they_tell_of(self):
        cdr, session = self.stray(), self.missing_session()
        for record in (cdr, session):
            action = self.row(record).action_open()
            self.assertEqual((action["res_model"], action["res_id"]), (record._name, record.id))

    def test_person_and_last_comment_are_shown(self):
        cdr, session = self.held(), self.missing_session()
        for record in (cdr, session):
            self.decide(self.row(record), "comment", "First")
            self.decide(self.row(record), "assign", "Yours", assignee=self.users["operator"])
            self.assertEqual(self.row(record).last_comment, "Yours")
            self.assertEqual(self.row(record).user_id, self.users["operator"])

    def test_rows_of_both_kinds_are_decided_together(self):
        cdr, session = self.held(), self.missing_session()
        rows = self.row(cdr) | self.row(session)
        self.decide(rows, "comment", "Both", self.users["operator"])
        self.assertEqual((cdr.decision_ids | session.decision_ids).mapped("reason"), ["Both", "Both"])

    def test_release_of_a_missing_cdr_is_refused_for_all(self):
        cdr, session = self.held(), self.missing_session()
        with self.assertRaisesRegex(UserError, r"1 of 2(?s:.*)S-M: Session S-M has no CDR"):
            self.decide(self.row(cdr) | self.row(session), "release")
        with self.assertRaisesRegex(UserError, r"1 of 2(?s:.*)CDR-1 is not missing"):
            self.decide(self.row(cdr) | self.row(session), "dismiss")
        self.assertEqual((cdr.state, cdr.decision_count), ("quarantine", 0))
        self.assertTrue(session.cdr_missing_since)

    def test_rows_leave_with_their_decision(self):
        cdr, other, session = self.held(), self.stray(), self.missing_session()
        self.decide(self.row(cdr), "release", user=self.users["operator"])
        self.decide(self.row(other), "void", user=self.users["operator"])
        self.decide(self.row(session), "dismiss", user=self.users["operator"])
        self.assertFalse(self.inbox())
        self.assertEqual((cdr.state, other.state), ("open", "void"))

    def test_row_that_somebody_else_has_decided_meanwhile_is_told(self):
        cdr = self.held()
        row = self.row(cdr)
        self.decide(cdr, "void")
        self.env.flush_all()
        with self.assertRaisesRegex(UserError, "Somebody has decided"):
            row.action_release()

    def test_reader_sees_and_does_not_decide(self):
        row = self.row(self.held(), self.users["user"])
        self.assertEqual(row.read(["message", "last_comment"])[0]["last_comment"], False)
        with self.assertRaises(AccessError):
            row.action_release()
        with self.assertRaises(AccessError):
            row.write({"user_id": self.env.uid})

    def test_other_company_and_endpoint_see_nothing(self):
        rows = self.row(self.held())
        stranger = self._create_user("manager", self.env["res.company"].create({"name": "Other CPO"}))
        foreign = rows.with_user(stranger).sudo(False)
        self.assertFalse(foreign.search([]))
        with self.assertRaises(AccessError):
            foreign.read(["ocpi_id"])
        with self.assertRaises(AccessError):
            rows.with_user(self.users["endpoint"]).sudo(False).search([])

    def test_page_of_rows_costs_as_many_queries_as_one_row(self):
        self.held(*range(2, 42))
        names = ["message", "last_comment", "rule", "amount", "partner_id", "deadline"]
        counts = []
        # The first time fills caches.
        for limit in (1, 1, 40):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["emsp.inbox"].search([], limit=limit).read(names)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])

    def test_rows_are_grouped_by_reason_and_partner(self):
        self.held(2, 3)
        self.stray()
        groups = self.env["emsp.inbox"]._read_group(
            [("company_id", "=", self.company.id)], ["rule", "partner_id"], ["__count", "amount:sum"]
        )
        self.assertIn(("received_late", self.partner, 2, 12.8), groups)
        self.assertIn(("no_contract", self.env["res.partner"], 1, 6.4), groups)

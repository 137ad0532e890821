from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import cdr_payload
from .inbox_common import LATE, InboxCommon
from .test_access import AccessCommon

NOW = datetime(2027, 1, 6, 8, 0)


@tagged("post_install", "-at_install")
class TestCdrDecision(InboxCommon, AccessCommon):
    """Who decided what about a CDR, when and why."""

    def history(self, record):
        record.invalidate_recordset(["decision_ids"])
        return [(d.action, d.reason, d.user_id) for d in record.sudo().decision_ids]

    @freeze_time(NOW)
    def test_release_opens_the_cdr_from_now_on_and_is_written_down(self):
        cdr = self.held()
        self.decide(cdr, "release", "Late by agreement", self.users["operator"])
        self.assertEqual((cdr.state, cdr.available_at), ("open", NOW))
        decision = cdr.decision_ids
        self.assertEqual(self.history(cdr), [("release", "Late by agreement", self.users["operator"])])
        self.assertEqual((decision.held_by, decision.held_by_text), ("received_late", "Late CDR"))
        self.assertEqual(
            (decision.decided_at, decision.partner_id, decision.company_id),
            (NOW, self.partner, self.company),
        )

    def test_void_keeps_the_reason_on_the_cdr_and_in_its_history(self):
        cdr = self._receive(cdr_payload())
        self.decide(cdr, "void", "Test session", self.users["operator"])
        self.assertEqual((cdr.state, cdr.void_reason), ("void", "Test session"))
        self.assertEqual(self.history(cdr), [("void", "Test session", self.users["operator"])])
        self.assertFalse(cdr.decision_ids.held_by)

    def test_assign_and_comment_change_nothing_else(self):
        cdr = self.held()
        self.decide(cdr, "assign", "Please call them", self.users["manager"], self.users["operator"])
        self.decide(cdr, "comment", "Called on Monday", self.users["operator"])
        self.assertEqual((cdr.state, cdr.user_id), ("quarantine", self.users["operator"]))
        self.assertEqual([action for action, *__ in self.history(cdr)], ["comment", "assign"])
        self.assertEqual(cdr.decision_ids[-1].assigned_user_id, self.users["operator"])

    def test_comment_is_possible_on_what_is_locked_and_void_is_not(self):
        cdr = self._settle(cdr_payload()).cdr_ids
        self.decide(cdr, "comment", "Asked for by the auditor")
        with self.assertRaisesRegex(UserError, "Ask for a credit CDR"):
            self.decide(cdr, "void", "Too late")
        self.assertEqual([action for action, *__ in self.history(cdr)], ["comment"])

    def test_nothing_is_decided_without_a_reason(self):
        cdr = self.held()
        for action in ("release", "void", "comment"):
            for reason in (False, "   "):
                with self.subTest(action=action), self.assertRaisesRegex(UserError, "Write the reason"):
                    self.decide(cdr, action, reason)
        with self.assertRaisesRegex(UserError, "Choose who"):
            self.decide(cdr, "assign")
        self.assertEqual((cdr.state, cdr.decision_count), ("quarantine", 0))

    def test_cdr_without_a_price_is_not_released(self):
        cdr = self._receive(cdr_payload(currency="CHF"))
        with self.assertRaisesRegex(UserError, "has no price yet.*CHF"):
            self.decide(cdr, "release")
        self.assertEqual((cdr.state, cdr.decision_count), ("quarantine", 0))

    def test_one_that_cannot_be_released_stops_all_and_is_named(self):
        fine, free = self.held(2), self._receive(cdr_payload(3))
        with self.assertRaisesRegex(UserError, r"1 of 2(?s:.*)- CDR-3: CDR CDR-3 is not held: it is Open"):
            self.decide(fine | free, "release")
        self.assertEqual((fine.state, fine.decision_count), ("quarantine", 0))

    def test_many_that_cannot_be_voided_are_counted(self):
        cdrs = self._receive(*(cdr_payload(number) for number in range(2, 17)))
        cdrs._void("Test")
        with self.assertRaisesRegex(UserError, r"15 of 15(?s:.*)- and 5 more$"):
            self.decide(cdrs, "void")

    def test_only_who_works_for_the_company_is_assigned(self):
        elsewhere = self._create_user("operator", self.env["res.company"].create({"name": "Other CPO"}))
        with self.assertRaisesRegex(UserError, "does not work for"):
            self.decide(self.held(), "assign", assignee=elsewhere)

    def test_reader_and_endpoint_decide_nothing(self):
        cdr = self.held()
        for role in ("user", "endpoint"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.decide(cdr, "release", user=self.users[role])
        self.assertEqual(cdr.state, "quarantine")

    def test_history_is_append_only_for_everybody(self):
        cdr = self.held()
        self.decide(cdr, "comment")
        decision = cdr.decision_ids
        for user in (self.users["manager"], self.users["endpoint"]):
            own = decision.with_user(user).sudo(False)
            with self.assertRaises(UserError):
                own.write({"reason": "x"})
            with self.assertRaises(AccessError), mute_logger("odoo.models.unlink"):
                own.unlink()
            with self.assertRaises(AccessError):
                own.create(decision.copy_data()[0])
        with self.assertRaisesRegex(UserError, "kept as it was taken"):
            decision.sudo().write({"reason": "x"})
        with self.assertRaisesRegex(UserError, "kept as it was taken"):
            decision.sudo().unlink()

    def test_history_is_seen_by_readers_of_the_company_alone(self):
        cdr = self.held()
        self.decide(cdr, "comment", "Seen")
        reader = cdr.with_user(self.users["user"]).sudo(False)
        self.assertEqual((reader.decision_count, reader.decision_ids.reason), (1, "Seen"))
        stranger = self._create_user("manager", self.env["res.company"].create({"name": "Other CPO"}))
        decisions = self.env["emsp.cdr.decision"].with_user(stranger).sudo(False)
        self.assertFalse(decisions.search([]))
        with self.assertRaises(AccessError):
            decisions.browse(cdr.decision_ids.id).read(["reason"])

    def test_released_cdr_gets_the_control_window_that_opens_after_its_release(self):
        held = self._receive(
            cdr_payload(2, start=datetime(2026, 6, 1, 8, 0)), received_at=datetime(2026, 10, 6)
        )
        self.assertEqual(held.state, "quarantine")
        with freeze_time(datetime(2026, 11, 5, 12, 0)):
            self._run_due(datetime(2026, 11, 5, 12, 0))
            self.decide(held, "release")
        # The window of October has opened on the 2nd: it is in that of November.
        self._run_due(datetime(2026, 12, 3, 0, 0))
        self.assertEqual(held.settlement_id, self._settlement(11))

    def test_history_opens_from_the_cdr(self):
        cdr = self.held()
        self.decide(cdr, "comment")
        action = cdr.action_view_decisions()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), cdr.decision_ids)

    def test_thousand_are_decided_with_as_many_queries_as_a_hundred_but_for_their_rows(self):
        cdrs = self._receive(*(cdr_payload(number) for number in range(2, 1102)), received_at=LATE)
        few, many = cdrs[:100], cdrs[100:]
        counts = []
        for chosen in (few, many):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.decide(chosen, "release", user=self.users["operator"])
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(set(cdrs.mapped("state")), {"open"})
        self.assertEqual(len(cdrs.decision_ids), 1100)
        # Reads and inserts go in slices of some hundred rows.
        self.assertLess(counts[1], counts[0] + 60)

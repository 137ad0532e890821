from datetime import datetime

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..core.dispute import OPENER, OWNER
from ..models.emsp_dispute_opening import Complaint
from .dispute_common import IN_WINDOW, SECOND, DisputeCommon
from .settlement_common import CUT_OFF, LOCK, credit_of, priced

NEXT_CUT_OFF = datetime(2026, 12, 2, 23, 0)
NEXT_LOCK = datetime(2026, 12, 9, 23, 0)


@tagged("post_install", "-at_install")
class TestDispute(DisputeCommon):
    """What a dispute does to its CDR, the list, the lock and the next invoice."""

    def test_disputed_session_stays_on_the_list_and_leaves_its_amount(self):
        settlement, (first, __) = self._in_control()
        self.assertEqual(self._balance(settlement), (2, 16.7, 0, 0.0))
        dispute = self._dispute(first, explanation="The display said 8 kWh.", own_amount=5.62)
        self.assertEqual((first.state, first.settlement_id), ("disputed", settlement))
        self.assertEqual(self._balance(settlement), (1, 10.3, 1, 6.4))
        self.assertEqual((dispute.turn, dispute.is_open, dispute.disputed_amount), ("us", True, 6.4))
        self.assertEqual(dispute.due_at, datetime(2026, 11, 11, 23, 0))
        # 90 days after the session's end.
        self.assertEqual(dispute.end_at, datetime(2027, 1, 3, 8, 30))

    def test_tables_of_the_settlement_s_page_add_up_to_its_amount(self):
        settlement, (first, __) = self._in_control()
        self._dispute(first)
        self.assertEqual([row[2:] for row in settlement._portal_places()], [(1, 20.0, 10.3)])
        # 7.80 for 20 kWh, 1.50 for 30 minutes, 1.00 for the session
        amounts = [(row[1], float(row[3])) for row in settlement._portal_components()]
        self.assertEqual(amounts, [(1, 7.8), (1, 1.5), (1, 1.0)])

    def test_last_second_before_the_lock_is_in_time_and_the_lock_itself_is_not(self):
        __, (first, second) = self._in_control()
        self._dispute(first, at=LOCK - SECOND)
        with self.assertRaisesRegex(UserError, "control window closed on 2026-11-10 00:00 CET"):
            self._dispute(second, at=LOCK)
        self.assertEqual(second.state, "open")

    def test_lock_that_runs_late_still_refuses_what_came_after_its_instant(self):
        settlement, (first, __) = self._in_control()
        with self.assertRaisesRegex(UserError, "settled by a credit on a later invoice"):
            self._dispute(first, at=LOCK + SECOND)
        self._run_due(LOCK + 3600 * SECOND)
        self.assertEqual((settlement.state, settlement.move_id.amount_untaxed), ("invoiced", 16.7))

    def test_disputed_at_the_lock_is_carved_out_and_comes_back_on_the_next_list(self):
        settlement, (first, second) = self._in_control()
        dispute = self._dispute(first)
        self._run_due(LOCK)
        self.assertEqual((settlement.state, settlement.move_id.amount_untaxed), ("invoiced", 10.3))
        self.assertEqual((second.state, first.state, first.settlement_id.id), ("invoiced", "disputed", False))
        dispute._step("withdrawn", OPENER, at=LOCK + 60 * SECOND)
        self.assertEqual(first.state, "open")
        self._run_due(NEXT_CUT_OFF)
        self._run_due(NEXT_LOCK)
        later = self._settlement(11)
        self.assertEqual(
            (later.move_id.amount_untaxed, first.is_late, first.move_id), (6.4, True, later.move_id)
        )

    def test_withdrawn_within_the_window_returns_to_the_same_list(self):
        settlement, (first, __) = self._in_control()
        self._dispute(first)._step("withdrawn", OPENER, at=LOCK - SECOND)
        self.assertEqual((first.state, first.settlement_id), ("open", settlement))
        self._run_due(LOCK)
        self.assertEqual(settlement.move_id.amount_untaxed, 16.7)

    def test_withdrawn_after_the_instant_of_a_lock_that_has_not_run_goes_to_the_next_list(self):
        settlement, (first, __) = self._in_control()
        self._dispute(first)._step("withdrawn", OPENER, at=LOCK + SECOND)
        self._run_due(LOCK + 3600 * SECOND)
        self.assertEqual((settlement.move_id.amount_untaxed, first.state), (10.3, "open"))

    def test_accepted_session_is_credited_and_never_billed(self):
        settlement, (first, __) = self._in_control()
        dispute = self._dispute(first)
        dispute._step("upheld", OWNER, "The meter was broken.", at=IN_WINDOW + SECOND)
        credit = dispute.credit_cdr_id
        self.assertEqual((first.state, credit.state, credit.credited_cdr_id), ("void", "void", first))
        self.assertEqual(credit.ocpi_id, f"{dispute.name}-C")
        self.assertEqual((dispute.is_open, dispute.turn, dispute.agreed_amount), (False, False, 0.0))
        self._run_due(LOCK)
        self.assertEqual(settlement.move_id.amount_untaxed, 10.3)

    def test_corrected_amount_is_billed_by_a_new_cdr_with_a_window_of_its_own(self):
        settlement, (first, __) = self._in_control()
        payload = first.payload
        dispute = self._dispute(first, own_amount=5.62)
        dispute._step("corrected", OWNER, "8 kWh it is.", at=IN_WINDOW + SECOND)
        new = dispute.new_cdr_id
        self.assertEqual((first.state, first.payload), ("void", payload))
        self.assertEqual((new.state, new.amount_untaxed, new.settlement_id.id), ("open", 5.62, False))
        self.assertEqual(new.available_at, IN_WINDOW + SECOND)
        self._run_due(LOCK)
        self.assertEqual(settlement.move_id.amount_untaxed, 10.3)
        self._run_due(NEXT_CUT_OFF)
        self._run_due(NEXT_LOCK)
        invoice = self._settlement(11).move_id
        self.assertEqual(invoice.amount_untaxed, 5.62)
        self.assertEqual(invoice.invoice_line_ids.product_id.default_code, "EMSP-AGREED")

    def test_corrected_amount_lies_between_nothing_and_what_was_claimed(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        for amount in (0.0, 6.4, 7.0, -1.0):
            with self.subTest(amount=amount), self.assertRaisesRegex(UserError, r"between 0 and 6\.40"):
                dispute._step("corrected", OWNER, "So be it.", amount)
        self.assertEqual((dispute.state, first.state), ("opened", "disputed"))

    def test_rejection_is_accepted_contested_or_stands_by_silence(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in (1, 2, 3)))
        accepted, contested, silent = (self._dispute(cdr) for cdr in cdrs)
        day = 86400 * SECOND
        for dispute in (accepted, contested, silent):
            dispute._step("rejected", OWNER, "The meter is calibrated.", at=IN_WINDOW + day)
            self.assertEqual(dispute.turn, "partner")
        accepted._step("dismissed", OPENER, "All right.", at=IN_WINDOW + 2 * day)
        contested._step("contested", OPENER, "See the photo.", at=IN_WINDOW + 2 * day)
        self.assertEqual((accepted.cdr_id.state, contested.turn), ("open", "us"))
        with self.assertRaisesRegex(UserError, "cannot go from Contested again"):
            contested._step("rejected", OWNER, "Again no.", at=IN_WINDOW + 3 * day)
        contested._step("dismissed", OWNER, "The photo is of another charger.", at=IN_WINDOW + 3 * day)
        clocks = self.env["emsp.dispute"].sudo()
        clocks._cron_run_clocks(IN_WINDOW + 8 * day - SECOND)
        self.assertEqual(silent.state, "rejected")
        clocks._cron_run_clocks(IN_WINDOW + 8 * day)
        self.assertEqual(
            (silent.state, silent.is_by_silence, silent.cdr_id.state), ("dismissed", True, "open")
        )

    def test_silence_of_ours_costs_the_session_at_the_end(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        clocks = self.env["emsp.dispute"].sudo()
        clocks._cron_run_clocks(dispute.end_at - SECOND)
        self.assertEqual((dispute.state, dispute.is_overdue), ("opened", dispute.due_at <= datetime.now()))
        clocks._cron_run_clocks(dispute.end_at)
        self.assertEqual((dispute.state, dispute.is_by_silence, first.state), ("upheld", True, "void"))

    def test_information_that_does_not_come_leaves_the_decision_to_us(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        dispute._step("asked", OWNER, "Which card was it?", at=IN_WINDOW)
        clocks = self.env["emsp.dispute"].sudo()
        clocks._cron_run_clocks(IN_WINDOW + 5 * 86400 * SECOND)
        self.assertEqual((dispute.state, dispute.turn), ("opened", "us"))

    def test_dismissed_session_is_not_disputed_again(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        dispute._step("dismissed", OWNER, "No.", at=IN_WINDOW)
        with self.assertRaisesRegex(UserError, f"{dispute.name} was dismissed, and that is final"):
            self._dispute(first)

    def test_one_open_dispute_per_session(self):
        __, (first, __) = self._in_control()
        self._dispute(first)
        with self.assertRaisesRegex(UserError, "is disputed already"):
            self._dispute(first)

    def test_credit_cdr_of_the_sender_ends_with_the_dispute_open(self):
        """The CPO's own system took the session back while we had not answered yet."""
        payload = priced(1, 6.4)
        __, (first, __) = self._in_control(payload, priced(2, 10.3, energy=20.0))
        dispute = self._dispute(first)
        self._receive(credit_of(payload), received_at=IN_WINDOW)
        self.assertEqual((first.state, dispute.state), ("void", "upheld"))

    def test_rule_that_refuses_stops_a_correction_and_leaves_all_as_it_was(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first, own_amount=5.62)
        rules = self.env["emsp.validation.ruleset"].search([("company_id", "=", self.company.id)])
        rules.write({"energy_range": "refuse", "energy_range_max_kwh": 5})
        with self.assertRaisesRegex(UserError, "cannot be made: total_energy: The session took 10 kWh"):
            with self.env.cr.savepoint():
                dispute._step("corrected", OWNER, "8 kWh it is.", at=IN_WINDOW + SECOND)
        self.env.invalidate_all()
        self.assertEqual((dispute.state, first.state), ("opened", "disputed"))

    def test_what_is_missing_is_said(self):
        __, (first, __) = self._in_control()
        for complaint, text in (
            ({"reason": "nonsense"}, "Choose the reason"),
            ({"reason": "other"}, "Say what is wrong"),
            ({"own_amount": 6.4}, r"from 0 to less than 6\.40"),
            ({"own_amount": -0.01}, r"from 0 to less than 6\.40"),
        ):
            with self.subTest(complaint), self.assertRaisesRegex(UserError, text):
                self._dispute(first, **complaint)
        self.assertEqual(first.state, "open")

    def test_nobody_writes_or_deletes_a_dispute_past_its_course(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        with self.assertRaisesRegex(UserError, "follows its course"):
            dispute.write({"state": "dismissed"})
        with self.assertRaisesRegex(UserError, "is kept"):
            dispute.sudo().unlink()

    def test_approved_list_is_not_disputed_any_more(self):
        settlement, (first, second) = self._in_control()
        self._dispute(first)
        settlement._approve(self.opener, IN_WINDOW)
        with self.assertRaisesRegex(UserError, "was approved on"):
            self._dispute(second)
        self._run_due(LOCK)
        self.assertEqual((settlement.move_id.amount_untaxed, first.state), (10.3, "disputed"))

    def test_approval_locks_at_once_where_the_contract_says_so(self):
        self.contract.lock_on_approval = True
        settlement, (first, __) = self._in_control()
        run = settlement.with_context(queue_job__no_delay=True)
        run._approve(self.opener, IN_WINDOW)
        self.assertEqual((settlement.state, first.state), ("invoiced", "invoiced"))
        self.assertEqual(str(settlement.move_id.invoice_date), "2026-11-05")

    def test_approval_is_for_the_window_alone(self):
        settlement, __ = self._in_control()
        with self.assertRaisesRegex(UserError, "until 2026-11-10 00:00 CET"):
            settlement._approve(self.opener, LOCK)
        settlement._approve(self.opener, CUT_OFF)
        with self.assertRaisesRegex(UserError, "was approved already"):
            settlement._approve(self.opener, IN_WINDOW)

    def test_second_person_is_needed_above_the_contract_s_amount(self):
        self.contract.dispute_four_eyes_amount = 5.0
        __, (first, second) = self._in_control()
        big, small = self._dispute(first), self._dispute(second, own_amount=6.0)
        self.assertEqual(big._decide("upheld", "The meter was broken."), big)
        self.assertEqual((big.state, big.proposed_state), ("opened", "upheld"))
        # 10.30 - 6.00 = 4.30 are given up.
        self.assertFalse(small._decide("corrected", "Half of it."))
        self.assertEqual(small.state, "corrected")
        with self.assertRaisesRegex(UserError, "somebody else has to consent"):
            big.action_consent()
        big.with_user(self.operator).action_consent()
        self.assertEqual((big.state, big.closed_by_id, first.state), ("upheld", self.operator, "void"))

    def test_each_side_is_mailed_once_for_many(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in (1, 2, 3)))
        complaints = {cdr: Complaint("price") for cdr in cdrs}
        mails = self.env["mail.mail"].search([])
        disputes = self.env["emsp.dispute"]._open(complaints, "api", self.opener, IN_WINDOW)
        [mail] = self.env["mail.mail"].search([]) - mails
        self.assertIn("odile@rvr.example", mail.email_to)
        mails |= mail
        disputes.with_user(self.operator)._step("rejected", OWNER, "The grid says so.", at=IN_WINDOW)
        [mail] = self.env["mail.mail"].search([]) - mails
        self.assertIn("frieda@smo.example", mail.email_to)
        self.assertIn(disputes[2].name, mail.body_html)

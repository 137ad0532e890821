from datetime import date, datetime, timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, MID_MONTH, PERIOD_END, SettlementCommon

SECOND = timedelta(seconds=1)


@tagged("post_install", "-at_install")
class TestSettlementCalendar(SettlementCommon):
    def test_period_follows_the_contracts_zone_grace_and_window(self):
        settlement = self._settlement()
        # Midnight in Paris is 22:00 UTC in summer and 23:00 UTC in winter.
        self.assertEqual(settlement.period_start, datetime(2026, 9, 30, 22, 0))
        self.assertEqual(settlement.period_end, PERIOD_END)
        self.assertEqual((settlement.cut_off_at, settlement.lock_at), (CUT_OFF, LOCK))
        self.assertEqual(
            (settlement.date_first, settlement.date_last), (date(2026, 10, 1), date(2026, 10, 31))
        )
        self.assertEqual(settlement.invoice_date, date(2026, 11, 10))

    def test_each_period_is_opened_once(self):
        self._run_due(MID_MONTH)
        self._run_due(MID_MONTH + timedelta(days=1))
        self.assertEqual(len(self._settlement()), 1)
        self._run_due(PERIOD_END)
        self.assertEqual(len(self._settlement(11)), 1)

    def test_suspended_contract_opens_and_bills_nothing(self):
        self._receive(cdr_payload())
        self.contract.action_suspend()
        self._run_due(LOCK + timedelta(days=60))
        self.assertEqual(self.contract.settlement_ids.mapped("state"), ["collecting"])
        self.contract.state = "active"
        self._run_due(LOCK + timedelta(days=60))
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)

    def test_ended_contract_still_bills_its_last_sessions(self):
        self._receive(cdr_payload())
        self.contract.date_end = date(2026, 10, 20)
        self.contract.state = "ended"
        self.assertEqual(self._settle().move_id.amount_untaxed, 6.40)

    def test_session_belongs_to_the_local_month_in_which_it_ends(self):
        # 23:45 in Paris on 31 October to 00:15 on 1 November
        came_at = datetime(2026, 10, 31, 23, 20)
        self._receive(cdr_payload(start=datetime(2026, 10, 31, 22, 45)), received_at=came_at)
        self._run_due(CUT_OFF)
        self.assertEqual(self._settlement().cdr_count, 0)
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self.assertEqual(self._settlement(11).cdr_count, 1)

    def test_steps_are_jobs_that_are_enqueued_once(self):
        with trap_jobs() as trap:
            for __ in range(2):
                self.env["emsp.settlement"].sudo()._cron_run_due(CUT_OFF)
            trap.assert_jobs_count(1, only=self._settlement()._job_open_window)


@tagged("post_install", "-at_install")
class TestControlWindow(SettlementCommon):
    def test_list_closes_at_the_cut_off_and_not_before(self):
        self._receive(cdr_payload())
        self._run_due(CUT_OFF - SECOND)
        self.assertEqual((self._settlement().state, self._settlement().cdr_count), ("collecting", 1))
        self.assertFalse(self._cdrs().settlement_id)
        self._run_due(CUT_OFF)
        self.assertEqual(self._settlement().state, "control")
        self.assertEqual(self._cdrs().settlement_id, self._settlement())
        self.assertEqual(self._cdrs().state, "open")

    def test_cdr_that_comes_within_the_grace_is_on_the_list(self):
        self._receive(cdr_payload(), received_at=CUT_OFF)
        self._run_due(CUT_OFF)
        self.assertEqual(self._settlement().cdr_count, 1)

    def test_late_cdr_goes_to_the_next_list_and_is_marked(self):
        self._receive(cdr_payload(1))
        self._run_due(CUT_OFF)
        late = self._receive(cdr_payload(2), received_at=CUT_OFF + SECOND)
        self._run_due(LOCK)
        self.assertFalse(late.settlement_id)
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self.assertEqual(late.settlement_id, self._settlement(11))
        self.assertTrue(late.is_late)
        self.assertFalse(self._settlement().cdr_ids.is_late)

    def test_run_that_comes_months_late_gives_the_lists_of_punctual_ones(self):
        self._receive(cdr_payload(1))
        self._receive(cdr_payload(2), received_at=CUT_OFF + SECOND)
        november = datetime(2026, 11, 20, 8, 0)
        self._receive(cdr_payload(3, start=november), received_at=november + timedelta(days=1))
        self._run_due(datetime(2027, 3, 20))
        self.assertEqual(self._settlement().cdr_ids.mapped("ocpi_id"), ["CDR-1"])
        self.assertEqual(sorted(self._settlement(11).cdr_ids.mapped("ocpi_id")), ["CDR-2", "CDR-3"])
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)
        self.assertEqual(self._settlement(11).move_id.amount_untaxed, 12.80)

    def test_void_within_the_window_shrinks_the_list(self):
        first, second = self._receive(cdr_payload(1), cdr_payload(2))
        self._run_due(CUT_OFF)
        second._void("Test session of our own technician")
        self._run_due(LOCK)
        self.assertEqual(self._settlement().cdr_ids, first)
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)
        self.assertFalse(second.settlement_id)

    def test_quarantined_cdr_is_on_no_list_until_it_is_released(self):
        # The session ends 91 days before it comes: held until somebody decides.
        held = self._receive(cdr_payload(start=datetime(2026, 7, 7, 8, 0)))
        self.assertEqual(held.state, "quarantine")
        self._run_due(CUT_OFF)
        self.assertEqual(self._settlement().cdr_count, 0)
        held._release(CUT_OFF + SECOND)
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self.assertEqual(self._settlement(11).cdr_ids, held)

    def test_list_is_not_edited_by_hand(self):
        self._settle(cdr_payload())
        for vals in ({"state": "collecting"}, {"lock_at": MID_MONTH}, {"move_id": False}):
            with self.assertRaises(UserError):
                self._settlement().write(vals)
        with self.assertRaises(UserError):
            self._settlement().unlink()

    def test_terms_are_those_of_the_contract_when_the_window_opened(self):
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        self.contract.payment_term_id = self.env.ref("account.account_payment_term_45days")
        self._run_due(LOCK)
        self.assertEqual(
            self._settlement().move_id.invoice_payment_term_id,
            self.env.ref("account.account_payment_term_30days"),
        )


@tagged("post_install", "-at_install")
class TestSeal(SettlementCommon):
    def test_lock_seals_the_list(self):
        self._receive(cdr_payload(1), cdr_payload(2, energy=15.0))
        self._run_due(CUT_OFF)
        opened = self._settlement().list_hash
        self._run_due(LOCK - SECOND)
        self.assertEqual(self._settlement().state, "control")
        self._run_due(LOCK)
        self.assertEqual(self._settlement().list_hash, opened)
        self.assertEqual(set(self._cdrs().mapped("state")), {"invoiced"})

    def test_hash_changes_with_the_list(self):
        __, second = self._receive(cdr_payload(1), cdr_payload(2))
        self._run_due(CUT_OFF)
        opened = self._settlement().list_hash
        second._void("Double")
        self._run_due(LOCK)
        self.assertNotEqual(self._settlement().list_hash, opened)

    def test_locked_cdr_keeps_its_amount(self):
        self._settle(cdr_payload())
        with self.assertRaisesRegex(UserError, "control window closed on 2026-11-10 00:00 CET"):
            self._cdrs().write({"amount_untaxed": 1.0})
        with self.assertRaises(UserError):
            self._cdrs()._void("Too late")

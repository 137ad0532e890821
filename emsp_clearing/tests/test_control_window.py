from datetime import datetime, timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..core.dispute import OPENER, OWNER
from .common import cdr_payload
from .dispute_common import SECOND, DisputeCommon
from .settlement_common import CUT_OFF, LOCK, credit_of, priced

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestControlWindow(DisputeCommon):
    """Seven days, to the second: what counts within them, and what after."""

    def _weekly(self, **terms):
        """The contract by the week: Monday 12 to Sunday 18 October. :return: (settlement, CDR of 6.40)."""
        self.contract.settlement_ids.sudo().unlink()
        self.contract.write({"frequency": "weekly", **terms})
        self._run_due(datetime(2026, 10, 15))
        [cdr] = self._receive(
            cdr_payload(1, datetime(2026, 10, 14, 8, 0)), received_at=datetime(2026, 10, 14, 9, 0)
        )
        settlement = self.contract.settlement_ids.sudo().filtered(lambda s: s.date_first.day == 12)
        return settlement, cdr

    def test_list_opens_at_the_cut_off_and_not_a_second_before(self):
        settlement, [cdr] = self._settlement(), self._receive(priced(1, 6.4))
        self._run_due(CUT_OFF - SECOND)
        self.assertEqual((settlement.state, cdr.settlement_id.id), ("collecting", False))
        self._run_due(CUT_OFF)
        self.assertEqual((settlement.state, cdr.settlement_id), ("control", settlement))

    def test_sixth_day_is_in_time(self):
        settlement, (first, __) = self._in_control()
        self._dispute(first, at=CUT_OFF + 6 * DAY)
        self._run_due(LOCK)
        self.assertEqual(settlement.move_id.amount_untaxed, 10.3)

    def test_lock_comes_with_its_second(self):
        settlement, (first, __) = self._in_control()
        self._run_due(LOCK - SECOND)
        self.assertEqual((settlement.state, first.state), ("control", "open"))
        self._run_due(LOCK)
        self.assertEqual((settlement.state, first.state), ("invoiced", "invoiced"))

    def test_window_over_the_end_of_summer_time_lasts_an_hour_longer(self):
        """It ends at a local midnight: Paris goes from +02:00 to +01:00 on the 25th."""
        settlement, cdr = self._weekly()
        self.assertEqual(settlement.cut_off_at, datetime(2026, 10, 20, 22, 0))
        self.assertEqual(settlement.lock_at, datetime(2026, 10, 27, 23, 0))
        self.assertEqual(settlement.lock_at - settlement.cut_off_at, timedelta(hours=169))
        self._run_due(settlement.cut_off_at)
        # 168 hours after the opening it is still open.
        dispute = self._dispute(cdr, at=settlement.cut_off_at + timedelta(hours=168))
        self.assertEqual(dispute.state, "opened")
        dispute._step("withdrawn", OPENER, at=settlement.lock_at - SECOND)
        with self.assertRaisesRegex(UserError, "closed on 2026-10-28 00:00 CET"):
            self._dispute(cdr, at=settlement.lock_at)

    def test_window_of_other_length(self):
        settlement, cdr = self._weekly(control_days=3)
        self.assertEqual(settlement.lock_at, datetime(2026, 10, 23, 22, 0))
        self._run_due(settlement.cut_off_at)
        self._dispute(cdr, at=settlement.lock_at - SECOND)._step("withdrawn", OPENER, at=settlement.lock_at)
        self._run_due(settlement.lock_at)
        # Back a second too late: it is on the list of the week after.
        self.assertEqual((settlement.state, cdr.state), ("settled", "open"))

    def test_contract_without_a_window_locks_at_the_cut_off(self):
        settlement, cdr = self._weekly(control_days=0)
        self.assertEqual(settlement.lock_at, settlement.cut_off_at)
        self._run_due(settlement.lock_at)
        self._run_due(settlement.lock_at)
        self.assertEqual((settlement.state, cdr.state), ("invoiced", "invoiced"))

    def test_contract_that_changes_within_the_window_leaves_it_as_it_is(self):
        settlement, (first, __) = self._in_control()
        self.contract.write({"control_days": 1, "time_zone": "America/New_York"})
        self.assertEqual(settlement.lock_at, LOCK)
        dispute = self._dispute(first, at=LOCK - SECOND)
        self.assertEqual(dispute.state, "opened")

    def test_late_cdr_can_be_disputed_before_it_is_on_a_list(self):
        settlement, __ = self._in_control()
        [late] = self._receive(priced(3, 8.35, energy=15.0), received_at=CUT_OFF + DAY)
        self.assertFalse(late.settlement_id)
        self._dispute(late, at=CUT_OFF + 2 * DAY)
        self.assertEqual(late.state, "disputed")
        self._run_due(LOCK)
        self.assertEqual(settlement.move_id.amount_untaxed, 16.7)

    def test_disputed_at_the_lock_and_settled_later_is_billed_once(self):
        settlement, (first, __) = self._in_control()
        dispute = self._dispute(first, at=LOCK - SECOND)
        self._run_due(LOCK)
        dispute._step("rejected", OWNER, "The meter is calibrated.", at=LOCK + 3 * DAY)
        dispute._step("dismissed", OPENER, "Fine.", at=LOCK + 5 * DAY)
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self._run_due(datetime(2026, 12, 9, 23, 0))
        moves = self.contract.settlement_ids.sudo().move_id
        self.assertEqual(sorted(moves.mapped("amount_untaxed")), [6.4, 10.3])
        self.assertEqual((settlement.move_id.amount_untaxed, first.is_late), (10.3, True))

    def test_credit_cdr_after_the_lock_of_a_session_that_was_disputed_before(self):
        payload = priced(1, 6.4)
        settlement, (first, __) = self._in_control(payload, priced(2, 10.3, energy=20.0))
        self._dispute(first)._step("withdrawn", OPENER, at=LOCK - SECOND)
        self._run_due(LOCK)
        [credit] = self._receive(credit_of(payload), received_at=LOCK + DAY)
        self.assertEqual((first.state, credit.state, credit.amount_untaxed), ("invoiced", "open", -6.4))
        self.assertEqual(settlement.move_id.amount_untaxed, 16.7)

    def test_hash_of_the_list_at_the_cut_off_stays_while_it_shrinks(self):
        settlement, (first, __) = self._in_control()
        at_cut_off = settlement.list_hash
        self._dispute(first)
        self.assertEqual(settlement.list_hash, at_cut_off)
        self._run_due(LOCK)
        self.assertNotEqual(settlement.list_hash, at_cut_off)

    def test_everything_disputed_bills_nothing_and_moves_no_date(self):
        settlement, cdrs = self._in_control()
        for cdr in cdrs:
            self._dispute(cdr)
        self._run_due(LOCK)
        self.assertEqual((settlement.state, settlement.move_id.id), ("settled", False))
        self.assertEqual(cdrs.mapped("state"), ["disputed", "disputed"])

    def test_locked_cdr_is_refused_by_every_door_with_the_date(self):
        __, (first, __) = self._in_control()
        self._run_due(LOCK)
        closed = "control window closed on 2026-11-10 00:00 CET"
        doors = {
            "write": (lambda: first.write({"amount_untaxed": 1.0}), closed),
            "dispute": (lambda: self._dispute(first, at=LOCK + DAY), closed),
            "void": (lambda: first._decide("void", "Wrong."), "Ask for a credit CDR instead"),
        }
        for door, (attempt, text) in doors.items():
            with self.subTest(door=door), self.assertRaisesRegex(UserError, text):
                attempt()
        imported = self.env["emsp.cdr"].load([".id", "amount_untaxed"], [[str(first.id), "1.0"]])
        self.assertIn(closed, imported["messages"][0]["message"])
        self.assertEqual((first.state, first.amount_untaxed), ("invoiced", 6.4))

    def test_sessions_that_a_cpo_claims_from_us_lock_and_are_no_invoice_of_ours(self):
        self.contract.settlement_ids.sudo().unlink()
        self.contract.partner_role = "cpo"
        self.contract.party_ids.write({"country_code": "FR", "ocpi_party_id": "RVR"})
        self.connection.our_role = "EMSP"
        self._run_due(datetime(2026, 10, 15))
        [cdr] = self._receive(priced(1, 6.4))
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        self._run_due(LOCK)
        self._run_due(LOCK + DAY)
        self.assertEqual((cdr.state, cdr.settlement_id), ("locked", settlement))
        self.assertEqual((settlement.state, settlement.move_id.id), ("locked", False))

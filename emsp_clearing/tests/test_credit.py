from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of, priced

LATER = LOCK + timedelta(days=1)
NEXT_LOCK = LOCK + timedelta(days=31)


@tagged("post_install", "-at_install")
class TestCredit(SettlementCommon):
    def test_credit_before_the_lock_neutralises_both(self):
        payload = priced(1, 6.40)
        original = self._receive(payload, priced(2, 6.40))[0]
        self._run_due(CUT_OFF)
        credit = self._receive(credit_of(payload), received_at=CUT_OFF + timedelta(days=1))
        self.assertEqual((original.state, credit.state), ("void", "void"))
        self.assertEqual(credit.credited_cdr_id, original)
        self._run_due(LOCK)
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)

    def test_credit_after_the_invoice_is_a_credit_note(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        credit = self._receive(credit_of(payload), received_at=LATER)
        self.assertEqual((credit.state, credit.amount_untaxed), ("open", -6.40))
        self._run_due(NEXT_LOCK)
        move = self._settlement(11).move_id
        self.assertEqual((move.move_type, move.amount_untaxed, move.state), ("out_refund", 6.40, "posted"))
        self.assertEqual(
            [(line.name, line.price_subtotal) for line in move.invoice_line_ids if not line.product_id],
            [("Sessions of October 2026", 0.0)],
        )
        self.assertEqual(
            {line.emsp_unit: line.price_subtotal for line in move.invoice_line_ids if line.product_id},
            {"session": 1.00, "kwh": 3.90, "minute": 1.50},
        )

    def test_credit_is_set_off_against_the_sessions_of_the_next_period(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), priced(2, 8.35, energy=15.0), received_at=LATER)
        self._run_due(NEXT_LOCK)
        move = self._settlement(11).move_id
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_invoice", 1.95))
        # Both sessions were in October and cost the same but for the energy: what cancels has no line.
        self.assertEqual(
            [(line.display_type, line.price_subtotal) for line in move.invoice_line_ids],
            [("line_section", 0.0), ("product", 1.95)],
        )

    def test_credit_takes_back_what_was_billed_whatever_its_sender_states(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        credit = self._receive(credit_of(payload, total_cost={"excl_vat": 99.0}), received_at=LATER)
        self.assertEqual(credit.amount_untaxed, -6.40)

    def test_credit_that_a_rule_held_is_settled_when_it_is_released(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        rules = self.env["emsp.validation.ruleset"]._default_of(self.company)
        rules.cost_range_max_amount = 5
        credit = self._receive(credit_of(payload), received_at=LATER)
        self.assertEqual((credit.state, credit.finding_ids.code), ("quarantine", "cost_above_max"))
        credit._decide("release", "Agreed with the partner")
        self.assertEqual((credit.state, credit.amount_untaxed), ("open", -6.40))
        self.assertEqual(credit.credited_cdr_id.ocpi_id, "CDR-1")

    def test_credit_without_an_original_cannot_be_released(self):
        credit = self._receive(credit_of(cdr_payload(7)))
        with self.assertRaisesRegex(UserError, "names an original that is not known: CDR-7"):
            credit._decide("release", "Please")

    def test_credit_of_an_unknown_cdr_is_held(self):
        credit = self._receive(credit_of(cdr_payload(7)))
        self.assertEqual(credit.state, "quarantine")
        self.assertEqual(credit.finding_ids.mapped("code"), ["credit_orphan"])
        self.assertIn("CDR-7", credit.finding_ids.message)

    def test_second_credit_of_the_same_cdr_is_held(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), received_at=LATER)
        second = self._receive(credit_of(payload, "C2"), received_at=LATER)
        self.assertEqual(second.state, "quarantine")
        self.assertEqual(second.finding_ids.mapped("code"), ["credit_double"])
        self._run_due(NEXT_LOCK)
        self.assertEqual(self._settlement(11).move_id.amount_untaxed, 6.40)

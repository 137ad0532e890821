from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import emsp_settlement_split
from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of, priced

LATER = datetime(2026, 11, 12, 8, 0)
NEXT_LOCK = datetime(2026, 12, 9, 23, 0)


@tagged("post_install", "-at_install")
class TestInvoicePerSession(SettlementCommon):
    def setUp(self):
        super().setUp()
        self.contract.invoice_scope = "cdr"

    def test_each_session_has_its_own_invoice_and_annex(self):
        settlement = self._settle(cdr_payload(1), cdr_payload(2, energy=15.0), cdr_payload(3, energy=7.5))
        self.assertEqual(sorted(settlement.move_ids.mapped("amount_untaxed")), [5.43, 6.40, 8.35])
        self.assertEqual((settlement.state, settlement.move_count), ("invoiced", 3))
        self.assertFalse(settlement.move_id)
        for cdr in settlement.cdr_ids:
            self.assertEqual(cdr.move_id.amount_untaxed, cdr.amount_untaxed)
        self.assertEqual(len(settlement.move_ids.emsp_annex_id), 3)

    def test_invoices_are_made_in_portions_and_none_twice(self):
        numbers = range(1, 8)
        with patch.object(emsp_settlement_split, "SESSIONS_PER_RUN", 3):
            settlement = self._settle(*(cdr_payload(number) for number in numbers))
        self.assertEqual((settlement.state, len(settlement.move_ids)), ("invoiced", 7))
        self.assertEqual(len(settlement.cdr_ids.move_id), 7)

    def test_portion_that_fails_leaves_the_others_and_is_made_later(self):
        self._receive(*(cdr_payload(number) for number in range(1, 6)))
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        prepare = type(settlement)._prepare_document_vals
        made = []

        def failing(settlement, document, invoice_plan):
            made.append(document)
            if len(made) > 3:
                raise UserError(self.env._("No space left"))
            return prepare(settlement, document, invoice_plan)

        with (
            patch.object(emsp_settlement_split, "SESSIONS_PER_RUN", 2),
            patch.object(type(settlement), "_prepare_document_vals", failing),
        ):
            self._run_due(LOCK)
        self.assertEqual((settlement.state, len(settlement.move_ids)), ("locked", 2))
        self.assertEqual(settlement.blocked_reason, "No space left")
        self._run_due(LOCK)
        self.assertEqual((settlement.state, len(settlement.move_ids)), ("invoiced", 5))
        self.assertEqual(sum(settlement.move_ids.mapped("amount_untaxed")), 32.0)
        self.assertFalse(settlement.blocked_reason)

    def test_credit_is_a_credit_note_that_names_its_invoice(self):
        payload = priced(1, 6.40)
        invoice = self._settle(payload).move_ids
        self._receive(credit_of(payload), received_at=LATER)
        self._run_due(NEXT_LOCK)
        note = self._settlement(11).move_ids
        self.assertEqual((note.move_type, note.amount_untaxed), ("out_refund", 6.40))
        self.assertEqual(note.reversed_entry_id, invoice)
        self.assertEqual(invoice.payment_state, "reversed")

    def test_settlement_is_paid_when_all_its_invoices_are(self):
        settlement = self._settle(cdr_payload(1), cdr_payload(2))
        self.assertEqual((settlement.payment_state, settlement.amount_residual), ("not_paid", 14.72))
        first, second = settlement.move_ids
        first._reverse_moves([{"invoice_date": first.invoice_date}], cancel=True)
        self.assertEqual((settlement.payment_state, settlement.amount_residual), ("not_paid", 7.36))
        self._run_due(NEXT_LOCK)
        self.assertNotEqual(settlement.state, "settled")
        second._reverse_moves([{"invoice_date": second.invoice_date}], cancel=True)
        self._run_due(NEXT_LOCK)
        self.assertEqual((settlement.payment_state, settlement.state), ("reversed", "settled"))
        self.assertIn(settlement, settlement.search([("payment_state", "in", ("paid", "reversed"))]))


@tagged("post_install", "-at_install")
class TestCreditNotesOfTheirOwn(SettlementCommon):
    def setUp(self):
        super().setUp()
        self.contract.credit_scope = "own"
        self.payload = priced(1, 6.40)
        self.invoice = self._settle(self.payload, cdr_payload(2, energy=15.0)).move_id

    def test_credit_leaves_the_next_invoice_and_stands_on_a_note_of_its_own(self):
        november = cdr_payload(3, start=datetime(2026, 11, 12, 5, 0))
        self._receive(credit_of(self.payload), november, received_at=LATER)
        self._run_due(NEXT_LOCK)
        november = self._settlement(11)
        amounts = {move.move_type: move.amount_untaxed for move in november.move_ids}
        self.assertEqual(amounts, {"out_invoice": 6.40, "out_refund": 6.40})
        note = november.move_ids.filtered(lambda move: move.move_type == "out_refund")
        self.assertEqual(note.reversed_entry_id, self.invoice)
        # 17.68 less 7.36, each with the tax of 15 %: 14.75 + 2.21 = 16.96; 6.40 + 0.96 = 7.36
        self.assertEqual((self.invoice.amount_total, self.invoice.amount_residual), (16.96, 9.60))
        self.assertEqual((note.amount_residual, note.payment_state), (0.0, "paid"))

    def test_chain_is_seen_from_both_ends(self):
        credit = self._receive(credit_of(self.payload), received_at=LATER)
        self._run_due(NEXT_LOCK)
        note = self._settlement(11).move_id
        self.assertEqual((credit.move_id, credit.credited_cdr_id.move_id), (note, self.invoice))
        self.assertEqual(note.emsp_credited_move_ids, self.invoice)
        self.assertEqual(self.invoice.emsp_credit_move_ids, note)
        self.assertFalse(self.invoice.emsp_credited_move_ids | note.emsp_credit_move_ids)
        self.assertEqual(self.invoice.action_view_emsp_credits()["domain"], [("id", "in", note.ids)])

    def test_settlements_of_an_invoice_are_not_edited(self):
        with self.assertRaisesRegex(UserError, "follow from its sessions"):
            self.invoice.sudo(False).emsp_settlement_ids = False

    def test_invoice_that_bills_sessions_is_not_deleted(self):
        # A hashed journal does not even let it go back to draft.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        self._receive(cdr_payload(3, start=datetime(2026, 11, 12, 5, 0)), received_at=LATER)
        self._run_due(NEXT_LOCK)
        invoice = self._settlement(11).move_id
        invoice.button_draft()
        with self.assertRaisesRegex(UserError, "Correct it by a credit note"):
            invoice.unlink()

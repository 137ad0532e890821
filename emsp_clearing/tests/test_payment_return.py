from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .bank_common import OWN_IBAN
from .payment_common import PaymentCommon

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-26T22:00:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>S-1</Id><CreDtTm>2026-11-26T22:00:00+01:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">84.50</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{key}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs><Amt Ccy="EUR">84.50</Amt>
<CdtDbtInd>{side}</CdtDbtInd>{returned}</TxDtls></NtryDtls></Ntry>"""
RETURNED = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"


@freeze_time("2026-11-23 08:00:00")
@tagged("post_install", "-at_install")
class TestPaymentReturn(PaymentCommon):
    def setUp(self):
        super().setUp()
        self.charges = self.company_data["default_account_expense"]
        self.company.emsp_return_account_id = self.charges

    def test_returned_transfer_opens_its_credit_note_and_is_set_against_the_first_line(self):
        note, payment = self._refunded("RINV/2026/00801", 84.5)
        first = self._create_bank_line("SEPA transfer", -84.5, emsp_end_to_end_id="RINV/2026/00801")
        self.assertEqual(note.payment_state, "paid")
        back = self._create_bank_line(
            "SEPA return",
            84.5,
            emsp_end_to_end_id="RINV/2026/00801",
            emsp_bank_code="PMNT/ICDT/RRTN",
            emsp_return_reason="AC04",
        )
        self.assertEqual((note.payment_state, note.amount_residual), ("not_paid", 84.5))
        self.assertEqual(payment.state, "rejected")
        self.assertTrue(back.is_reconciled)
        self.assertTrue(first.is_reconciled)
        self.assertEqual(
            self._counterpart(back).matched_credit_ids.credit_move_id
            | self._counterpart(back).matched_debit_ids.debit_move_id,
            self._counterpart(first),
        )
        fact = self._exceptions("returned")
        self.assertEqual(fact.move_id, note)
        self.assertIn("AC04 - the account is closed", fact.name)

    def test_returned_transfer_is_read_from_the_banks_file(self):
        note, payment = self._refunded("RINV/2026/00811", 84.5)
        facts = {"end_to_end": "RINV/2026/00811"}
        sent = ENTRY.format(side="DBIT", day="2026-11-24", key="BK-1", code="ESCT", returned="", **facts)
        back = ENTRY.format(
            side="CRDT", day="2026-11-26", key="BK-2", code="RRTN", returned=RETURNED, **facts
        )
        lines = self._upload(CAMT.format(iban=OWN_IBAN, entries=sent + back).encode(), "camt.xml")
        self.assertEqual(lines.mapped("is_reconciled"), [True, True])
        returned = lines.filtered(lambda line: line.amount > 0)
        self.assertEqual(returned.emsp_returned_payment_id, payment)
        self.assertEqual((returned.emsp_bank_code, returned.emsp_return_reason), ("PMNT-ICDT-RRTN", "AC04"))
        self.assertEqual((note.payment_state, note.amount_residual), ("not_paid", 84.5))
        self.assertIn("AC04 - the account is closed", self._exceptions("returned").name)

    def test_returned_collection_opens_its_invoice_and_books_the_charge(self):
        invoice, payment = self._collected("INV/2026/00802", 119.0)
        first = self._create_bank_line("SEPA collection", 119.0, emsp_end_to_end_id="INV/2026/00802")
        self.assertEqual(invoice.payment_state, "paid")
        # 119.00 and 3.50 for the return.
        back = self._create_bank_line(
            "RUECKLASTSCHRIFT", -122.5, emsp_end_to_end_id="INV/2026/00802", emsp_return_reason="MS03"
        )
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("not_paid", 119.0))
        self.assertEqual(payment.payment_line_ids.emsp_outcome, "returned")
        self.assertTrue(back.is_reconciled)
        cost = back.line_ids.filtered(lambda line: line.account_id == self.charges)
        self.assertEqual(cost.balance, 3.5)
        self.assertEqual(self._counterpart(back).balance, 119.0)
        self.assertTrue(self._counterpart(first).reconciled)
        self.assertIn("3.50", self._exceptions("returned").name)

    def test_bank_that_keeps_its_charge_from_a_returned_transfer(self):
        note, __ = self._refunded("RINV/2026/00803", 84.5)
        self._create_bank_line("SEPA transfer", -84.5, emsp_end_to_end_id="RINV/2026/00803")
        back = self._create_bank_line(
            "SEPA return", 80.0, emsp_end_to_end_id="RINV/2026/00803", emsp_return_reason="AC01"
        )
        self.assertEqual(note.amount_residual, 84.5)
        cost = back.line_ids.filtered(lambda line: line.account_id == self.charges)
        self.assertEqual(cost.balance, 4.5)
        self.assertTrue(back.is_reconciled)

    def test_return_is_found_by_the_id_in_the_text_where_the_bank_says_that_it_is_one(self):
        invoice, __ = self._collected("INV/2026/00804", 119.0)
        self._create_bank_line("SEPA collection", 119.0, emsp_end_to_end_id="INV/2026/00804")
        self.assertEqual(invoice.payment_state, "paid")
        back = self._create_bank_line("RETOURE EREF INV/2026/00804 AM04", -119.0)
        self.assertEqual(invoice.amount_residual, 119.0)
        self.assertEqual(back.emsp_returned_payment_id.emsp_end_to_end_id, "INV/2026/00804")
        self.assertIn("AM04", self._exceptions("returned").name)

    def test_part_of_a_collective_booking_comes_back(self):
        first, __ = self._collected("INV/2026/00805", 100.0, release=False)
        second, payments = self._collected("INV/2026/00806", 50.0, due=date(2026, 11, 20))
        self.assertEqual(len(payments), 2)
        batch = self._create_bank_line("DEBIT ORDER", 150.0)
        items = (first | second).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        for item in items:
            batch._add_account_move_line(item, keep_current=True)
        batch.reconcile_bank_line()
        self.assertEqual((first | second).mapped("payment_state"), ["paid", "paid"])
        back = self._create_bank_line(
            "SEPA return", -50.0, emsp_end_to_end_id="INV/2026/00806", emsp_return_reason="AM04"
        )
        self.assertEqual((first.amount_residual, second.amount_residual), (0.0, 50.0))
        self.assertTrue(back.is_reconciled)

    def test_order_that_the_bank_books_as_one_sum_pays_all_its_documents(self):
        first, __ = self._collected("INV/2026/00812", 100.0, release=False)
        second, payments = self._collected("INV/2026/00813", 50.0, due=date(2026, 11, 20))
        batch = self._create_bank_line(f"SAMMLER {payments.payment_order_id.name}", 150.0)
        self.assertTrue(batch.is_reconciled)
        self.assertEqual((first | second).mapped("payment_state"), ["paid", "paid"])
        self._create_bank_line(
            "SEPA return", -50.0, emsp_end_to_end_id="INV/2026/00813", emsp_return_reason="AM04"
        )
        self.assertEqual((first.amount_residual, second.amount_residual), (0.0, 50.0))

    def test_transfer_of_the_partner_besides_is_not_taken_for_the_collection(self):
        invoice, payment = self._collected("INV/2026/00807", 119.0)
        # The partner pays by itself, and the collection comes back before the bank has booked it alone.
        paid = self._create_bank_line("Invoice INV/2026/00807", 119.0, emsp_end_to_end_id="SPREE-4711")
        self.assertEqual(invoice.payment_state, "paid")
        back = self._create_bank_line(
            "SEPA return", -119.0, emsp_end_to_end_id="INV/2026/00807", emsp_return_reason="MD06"
        )
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertTrue(paid.is_reconciled)
        self.assertFalse(back.is_reconciled)
        self.assertEqual(payment.payment_line_ids.emsp_outcome, "returned")

    def test_unknown_return_is_told_and_changes_nothing(self):
        invoice, payment = self._collected("INV/2026/00808", 119.0)
        self._create_bank_line("SEPA collection", 119.0, emsp_end_to_end_id="INV/2026/00808")
        for label, amount in (("RUECKLASTSCHRIFT", -119.0), ("RETOURE INV/2026/00808", -180.0)):
            with self.subTest(label=label):
                back = self._create_bank_line(label, amount)
                self.assertFalse(back.is_reconciled)
                self.assertEqual(invoice.payment_state, "paid")
                self.assertFalse(payment.payment_line_ids.emsp_outcome)
                facts = self._exceptions("returned").filtered(lambda f, b=back: f.statement_line_id == b)
                self.assertEqual(len(facts), 1)

    def test_reading_the_line_again_changes_nothing(self):
        invoice, __ = self._collected("INV/2026/00809", 119.0)
        self._create_bank_line("SEPA collection", 119.0, emsp_end_to_end_id="INV/2026/00809")
        back = self._create_bank_line(
            "SEPA return", -119.0, emsp_end_to_end_id="INV/2026/00809", emsp_return_reason="AM04"
        )
        back._match_open_lines()
        twin = self._create_bank_line(
            "SEPA return", -119.0, emsp_end_to_end_id="INV/2026/00809", emsp_return_reason="AM04"
        )
        self.assertEqual(invoice.amount_residual, 119.0)
        self.assertFalse(twin.is_reconciled)
        self.assertFalse(twin.emsp_returned_payment_id)

    def test_charge_without_an_account_waits_for_it(self):
        self.company.emsp_return_account_id = False
        invoice, __ = self._collected("INV/2026/00810", 119.0)
        self._create_bank_line("SEPA collection", 119.0, emsp_end_to_end_id="INV/2026/00810")
        back = self._create_bank_line(
            "SEPA return", -122.5, emsp_end_to_end_id="INV/2026/00810", emsp_return_reason="AM04"
        )
        self.assertEqual(invoice.amount_residual, 119.0)
        self.assertFalse(back.is_reconciled)
        self.assertIn("Set the account", self._exceptions("returned").suggestion)
        self.company.emsp_return_account_id = self.charges
        back._match_open_lines()
        self.assertTrue(back.is_reconciled)
        self.assertEqual(invoice.amount_residual, 119.0)

    def test_ordinary_payments_are_matched_as_before(self):
        invoice = self._create_document("INV/2026/00811", 119.0)
        line = self._create_bank_line("INV/2026/00811", 119.0)
        self.assertTrue(line.is_reconciled)
        self.assertEqual(invoice.payment_state, "paid")

    def _refunded(self, name, amount):
        note = self._create_document(name, amount, date(2026, 11, 24), move_type="out_refund")
        order = self._propose()
        self._release(order)
        return note, order.payment_ids

    def _collected(self, name, amount, release=True, **vals):
        invoice = self._collectable(name, amount, **vals)
        order = self._propose()
        if release:
            order = self.orders.search([("state", "=", "draft"), ("payment_type", "=", "inbound")])
            self._release(order)
        return invoice, order.payment_ids

    def _counterpart(self, line):
        return line.line_ids.filtered(lambda item: item.account_id.account_type == "asset_receivable")

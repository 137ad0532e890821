from odoo.tests import tagged

from .bank_common import BankCommon

IBAN = "DE89370400440532013000"


@tagged("post_install", "-at_install")
class TestBankMatchingPayers(BankCommon):
    """Who paid, money that goes out, and the ways back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_account(IBAN, cls.partner)

    def _bill(self, number, amount, **vals):
        return self._create_document(f"BILL/{number}", amount, move_type="in_invoice", ref=number, **vals)

    def test_account_and_exact_amount_are_enough(self):
        invoice = self._create_document("INV/2026/00401", 40.0)
        other = self._create_document("INV/2026/00402", 41.0)
        line = self._create_bank_line(
            "Charging in October", 40.0, account_number="DE89 3704 0044 0532 0130 00"
        )
        self.assertEqual((line.partner_id, line.is_reconciled), (self.partner, True))
        self.assertEqual((invoice.payment_state, other.payment_state), ("paid", "not_paid"))
        self.assertEqual(
            line.emsp_match_reason,
            "The payer's bank account is the partner's. The amount is what is open.",
        )

    def test_slash_of_a_payer_with_one_open_invoice_matches_no_other_amount(self):
        invoice = self._create_document("INV/2026/00403", 40.0)
        line = self._create_bank_line("/", 12.0, account_number=IBAN)
        self.assertEqual((line.is_reconciled, line.emsp_match_state), (False, "proposed"))
        self.assertEqual(invoice.payment_state, "not_paid")
        self.assertIn("INV/2026/00403", line.emsp_match_candidates)

    def test_two_invoices_of_the_amount_are_proposed_with_reasons(self):
        self._create_document("INV/2026/00404", 40.0)
        self._create_document("INV/2026/00405", 40.0)
        line = self._create_bank_line("/", 40.0, account_number=IBAN)
        self.assertFalse(line.is_reconciled)
        exception = self._exceptions("unmatched")
        self.assertIn("Several documents, or sets of documents, have this amount.", exception.name)
        for text in ("INV/2026/00404", "INV/2026/00405", "The amount is what is open.", "Beta Laden GmbH"):
            self.assertIn(text, exception.match_candidates)

    def test_part_of_an_account_number_is_no_account(self):
        line = self._create_bank_line("/", 40.0, account_number="0532013000")
        self.assertFalse(line.partner_id)

    def test_partner_that_only_resembles_the_name_is_not_taken(self):
        resembling = self._create_bank_line("/", 40.0, partner_name="Beta")
        same = self._create_bank_line("/", 40.0, partner_name="BETA LADEN GMBH")
        self.assertEqual((resembling.partner_id.id, same.partner_id), (False, self.partner))
        self.env["res.partner"].create({"name": "Beta Laden GmbH"})
        self.assertFalse(self._create_bank_line("/", 40.0, partner_name="Beta Laden GmbH").partner_id)

    def test_reference_from_the_account_of_another_partner_waits(self):
        invoice = self._create_document("INV/2026/00406", 40.0)
        stranger = self.env["res.partner"].create({"name": "Gamma Energie"})
        self._create_account("DE75512108001245126199", stranger)
        line = self._create_bank_line("INV/2026/00406", 40.0, account_number="DE75512108001245126199")
        self.assertEqual((line.is_reconciled, invoice.payment_state), (False, "not_paid"))
        self.assertIn("another partner's", self._exceptions("unmatched").name)

    def test_matched_payment_does_not_teach_a_bank_account(self):
        self._create_document("INV/2026/00407", 40.0)
        line = self._create_bank_line("INV/2026/00407", 40.0, account_number="DE75512108001245126199")
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self.partner.bank_ids.mapped("sanitized_acc_number"), [IBAN])

    def test_bill_is_paid_by_its_number_or_ours(self):
        bills = [self._bill(f"CPO-2026-00{number}", number * 10.0) for number in (1, 2)]
        first = self._create_bank_line("CPO-2026-001", -10.0)
        second = self._create_bank_line("Transfer", -20.0, emsp_end_to_end_id=bills[1].name)
        self.assertEqual((first.is_reconciled, second.is_reconciled), (True, True))
        self.assertEqual([bill.payment_state for bill in bills], ["paid", "paid"])
        self.assertEqual(first.partner_id, self.partner)

    def test_bill_is_not_paid_by_money_that_comes_in(self):
        bill = self._bill("CPO-2026-003", 10.0)
        self.assertFalse(self._create_bank_line("CPO-2026-003", 10.0).is_reconciled)
        self.assertEqual(bill.payment_state, "not_paid")

    def test_transfer_under_way_is_met_by_its_end_to_end_id(self):
        bill = self._bill("CPO-2026-004", 10.0)
        outstanding = self.env["account.account"].create(
            {
                "name": "Outstanding transfers",
                "code": "511999",
                "account_type": "asset_current",
                "reconcile": True,
            }
        )
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "supplier",
                "partner_id": self.partner.id,
                "amount": 10.0,
                "memo": "E2E-2026-77",
                "journal_id": self.journal.id,
            }
        )
        payment.outstanding_account_id = outstanding
        payment.action_post()
        payable = (bill.line_ids + payment.move_id.line_ids).filtered(
            lambda item: item.account_id.account_type == "liability_payable"
        )
        payable.reconcile()
        self.assertEqual(bill.payment_state, "in_payment")
        line = self._create_bank_line("SEPA transfer", -10.0, emsp_end_to_end_id="E2E-2026-77")
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bill.payment_state, "paid")
        self.assertTrue(payment.is_matched)

    def test_match_can_be_undone_and_then_waits_for_a_person(self):
        invoice = self._create_document("INV/2026/00408", 40.0)
        line = self._create_bank_line("INV/2026/00408", 40.0)
        line.unreconcile_bank_line()
        self.assertEqual((line.is_reconciled, invoice.payment_state), (False, "not_paid"))
        self.assertEqual((line.emsp_match_state, line.emsp_match_reason), ("person", False))
        __, suspense, others = line._seek_for_lines()
        self.assertEqual((suspense.balance, len(others)), (-40.0, 0))
        line._match_open_lines()
        self.assertTrue(line.is_reconciled)

    def test_result_is_that_of_the_reconcile_screen(self):
        by_itself = self._create_document("INV/2026/00409", 40.0)
        by_hand = self._create_document("INV/2026/00410", 40.0)
        ours = self._create_bank_line("INV/2026/00409", 40.0)
        self.patch(type(ours), "_match_open_lines", lambda self: None)
        theirs = self._create_bank_line("INV/2026/00410", 40.0)
        theirs.partner_id = self.partner
        theirs._add_account_move_line(by_hand.line_ids.filtered("date_maturity"))
        theirs.reconcile_bank_line()

        def seen(line, invoice):
            fields = ("is_reconciled", "checked", "state", "amount_residual")
            items = sorted(
                (
                    item.account_id.code,
                    item.balance,
                    item.amount_currency,
                    item.currency_id.name,
                    item.partner_id.id,
                    item.reconciled,
                    item.parent_state,
                    item.display_type,
                )
                for item in line.line_ids
            )
            return (
                [line[name] for name in fields],
                line.partner_id,
                line.move_id.partner_id,
                items,
                invoice.payment_state,
            )

        self.assertEqual(seen(ours, by_itself), seen(theirs, by_hand))

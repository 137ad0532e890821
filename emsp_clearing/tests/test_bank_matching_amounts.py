from datetime import date

from odoo import Command
from odoo.tests import tagged

from .bank_common import BankCommon

IBAN = "DE89370400440532013000"


@tagged("post_install", "-at_install")
class TestBankMatchingAmounts(BankCommon):
    """More, less, and in other currencies than what is open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_account(IBAN, cls.partner)
        cls.expense = cls.company_data["default_account_expense"]
        cls.company.emsp_charge_account_id = cls.expense
        cls.receivable = cls.partner.property_account_receivable_id

    def _entries(self, line):
        """Account -> balance of the entry, but for the bank's own account."""
        liquidity_lines, __, __ = line._seek_for_lines()
        return {
            account: round(sum(items.mapped("balance")), 2)
            for account, items in (line.line_ids - liquidity_lines).grouped("account_id").items()
        }

    def test_over_payment_of_a_known_payer_leaves_a_credit(self):
        invoice = self._create_document("INV/2026/00301", 40.0)
        line = self._create_bank_line("INV/2026/00301", 47.0, account_number=IBAN)
        self.assertTrue(line.is_reconciled)
        self.assertEqual(invoice.payment_state, "paid")
        credit = line.line_ids.filtered(
            lambda item: item.account_id == self.receivable and not item.reconciled
        )
        self.assertEqual((credit.balance, credit.partner_id), (-7.0, self.partner))
        fact = self._exceptions("gap")
        self.assertEqual((fact.direction, fact.amount, fact.severity), ("over", 7.0, "warning"))
        self.assertIn("INV/2026/00301 was paid over", fact.name)
        # A later invoice takes the credit up.
        later = self._create_document("INV/2026/00302", 7.0)
        (credit + later.line_ids.filtered(lambda item: item.account_id == self.receivable)).reconcile()
        self.assertEqual(fact.state, "closed")

    def test_amount_of_an_over_payment_is_what_is_left_of_the_credit(self):
        self._create_document("INV/2026/00331", 40.0)
        line = self._create_bank_line("INV/2026/00331", 47.0, account_number=IBAN)
        credit = line.line_ids.filtered(
            lambda item: item.account_id == self.receivable and not item.reconciled
        )
        later = self._create_document("INV/2026/00332", 3.0)
        later.js_assign_outstanding_line(credit.id)
        fact = self._exceptions("gap")
        self.assertEqual((fact.direction, fact.amount), ("over", 4.0))

    def test_amount_of_a_short_payment_is_what_is_still_open(self):
        invoice = self._create_document("INV/2026/00333", 40.0)
        self._create_bank_line("INV/2026/00333", 30.0)
        note = self._create_document("RINV/2026/00333", 4.0, move_type="out_refund")
        invoice.js_assign_outstanding_line(
            note.line_ids.filtered(lambda item: item.account_id == self.receivable).id
        )
        fact = self._exceptions("gap")
        self.assertEqual(fact.amount, 6.0)
        self.assertRegex(fact.name, r"30\.00.*came on.*6\.00.*still open")
        # A second part: what is open is what both leave.
        self._create_bank_line("INV/2026/00333", 2.5, date=date(2026, 11, 18))
        self.assertRegex(fact.name, r"2\.50.*came on.*3\.50.*still open")
        self.assertEqual(self._exceptions("gap"), fact)

    def test_invoice_of_which_nothing_is_paid_any_more_is_not_paid_short(self):
        self._create_document("INV/2026/00334", 40.0)
        line = self._create_bank_line("INV/2026/00334", 30.0)
        fact = self._exceptions("gap")
        line.action_undo_reconciliation()
        self.assertEqual(fact.state, "closed")

    def test_invoice_less_a_credit_note_in_one_sum_settles_both(self):
        invoice = self._create_document("INV/2026/00341", 40.0)
        note = self._create_document("RINV/2026/00341", 12.5, move_type="out_refund")
        line = self._create_bank_line("INV/2026/00341 less RINV/2026/00341", 27.5)
        self.assertTrue(line.is_reconciled)
        self.assertEqual((invoice | note).mapped("payment_state"), ["paid", "paid"])
        self.assertEqual(sorted(line.line_ids.mapped("balance")), [-40.0, 12.5, 27.5])
        self.assertIn("Credit notes of", line.emsp_match_reason)
        self.assertFalse(self._exceptions("gap"))

    def test_invoice_and_credit_note_that_are_not_the_amount_wait_for_a_person(self):
        invoice = self._create_document("INV/2026/00343", 100.0)
        note = self._create_document("RINV/2026/00343", 30.0, move_type="out_refund")
        line = self._create_bank_line("INV/2026/00343 less RINV/2026/00343", 80.0)
        self.assertFalse(line.is_reconciled)
        self.assertEqual((invoice | note).mapped("payment_state"), ["not_paid", "not_paid"])
        self.assertEqual(line.emsp_match_state, "proposed")
        self.assertRegex(line.emsp_match_reason, r"also names.*credit note.*70\.00")
        for document in (invoice, note):
            self.assertIn(f"/odoo/account.move/{document.id}", line.emsp_match_candidates)
        self.assertEqual(self._exceptions("unmatched").statement_line_id, line)

    def test_refund_that_also_names_an_invoice_is_no_part_of_the_refund(self):
        self._create_document("INV/2026/00344", 20.0)
        note = self._create_document("RINV/2026/00344", 50.0, move_type="out_refund")
        line = self._create_bank_line("RINV/2026/00344 - INV/2026/00344", -30.0)
        self.assertEqual((line.is_reconciled, note.amount_residual), (False, 50.0))
        self.assertEqual(line.emsp_match_state, "proposed")

    def test_credit_note_is_deducted_once(self):
        invoices = [self._create_document(f"INV/2026/0034{number}", 40.0) for number in (2, 3)]
        self._create_document("RINV/2026/00342", 12.5, move_type="out_refund")
        vals = {"journal_id": self.journal.id, "date": date(2026, 11, 16), "account_number": IBAN}
        self.env["account.bank.statement.line"].create(
            [{**vals, "payment_ref": invoice.name, "amount": 27.5} for invoice in invoices]
        )
        self.assertEqual([invoice.amount_residual for invoice in invoices], [0.0, 12.5])

    def test_over_payment_of_an_unknown_payer_validates_nothing(self):
        invoice = self._create_document("INV/2026/00303", 40.0)
        line = self._create_bank_line("INV/2026/00303", 47.0)
        self.assertEqual((line.is_reconciled, line.emsp_match_state), (False, "proposed"))
        self.assertEqual(invoice.amount_residual, 40.0)

    def test_what_a_bank_kept_is_booked_as_its_charge(self):
        invoice = self._create_document("INV/2026/00304", 40.0)
        line = self._create_bank_line("INV/2026/00304", 39.1)
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(self._entries(line), {self.receivable: -40.0, self.expense: 0.9})
        self.assertIn("is written off as a bank charge", line.emsp_match_reason)
        self.assertFalse(self._exceptions("gap"))

    def test_more_than_the_limit_stays_open(self):
        invoice = self._create_document("INV/2026/00305", 40.0)
        self._create_bank_line("INV/2026/00305", 38.99)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("partial", 1.01))

    def test_without_an_account_for_charges_nothing_is_written_off(self):
        self.company.emsp_charge_account_id = False
        invoice = self._create_document("INV/2026/00306", 40.0)
        self._create_bank_line("INV/2026/00306", 39.5)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("partial", 0.5))

    def _discounted(self, name, computation="included"):
        """100.00 plus 20 % tax, 2 % less within ten days: 117.60 until 20 November."""
        self.company.account_journal_early_pay_discount_loss_account_id = self.expense
        self.company.account_journal_early_pay_discount_gain_account_id = self.expense
        term = self.env["account.payment.term"].create(
            {
                "name": "2 % within 10 days",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": computation,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )
        tax = self.company_data["default_tax_sale"]
        self.assertEqual(tax.amount, 20.0)
        lines = [Command.create({"name": "Energy", "price_unit": 100.0, "tax_ids": [Command.set(tax.ids)]})]
        vals = {"invoice_payment_term_id": term.id, "invoice_date_due": False, "invoice_line_ids": lines}
        return self._create_document(name, 0.0, due=False, **{**vals, "invoice_date_due": False})

    def test_discount_is_written_off_with_its_tax(self):
        invoice = self._discounted("INV/2026/00307")
        self.assertEqual(invoice.amount_total, 120.0)
        line = self._create_bank_line("INV/2026/00307", 117.6)
        self.assertEqual(invoice.payment_state, "paid")
        entries = self._entries(line)
        tax_account = invoice.line_ids.filtered("tax_line_id").account_id
        # 2.40 less: 2.00 net and 0.40 tax.
        self.assertEqual(entries, {self.receivable: -120.0, self.expense: 2.0, tax_account: 0.4})
        self.assertIn("discount for early payment", line.emsp_match_reason)

    def test_discount_taken_too_late_stays_open(self):
        invoice = self._discounted("INV/2026/00308")
        self._create_bank_line("INV/2026/00308", 117.6, date=date(2026, 11, 21))
        self.assertEqual((invoice.payment_state, round(invoice.amount_residual, 2)), ("partial", 2.4))

    def test_discount_on_the_net_amount_leaves_the_tax(self):
        invoice = self._discounted("INV/2026/00309", "excluded")
        # 2 % of 100.00, tax as on the invoice: 118.00.
        line = self._create_bank_line("INV/2026/00309", 118.0)
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(self._entries(line), {self.receivable: -120.0, self.expense: 2.0})

    def test_invoice_in_foreign_currency_paid_in_it_on_our_account(self):
        dollar = self.setup_other_currency("USD")
        invoice = self._create_document("INV/2026/00310", 40.0, currency_id=dollar.id)
        # Rate 2: 20.00 EUR in the books; the bank gave 21.00 for it.
        line = self._create_bank_line(
            "INV/2026/00310", 21.0, foreign_currency_id=dollar.id, amount_currency=40.0
        )
        self.assertEqual((line.is_reconciled, invoice.payment_state), (True, "paid"))
        self.assertEqual(self._entries(line), {self.receivable: -21.0})
        exchange = invoice.line_ids.matched_credit_ids.exchange_move_id
        self.assertEqual(
            sum(exchange.line_ids.filtered(lambda i: i.account_id == self.receivable).mapped("balance")), 1.0
        )

    def test_journal_in_foreign_currency(self):
        dollar = self.setup_other_currency("USD")
        journal = self.env["account.journal"].create(
            {"name": "Dollars", "code": "BUSD", "type": "bank", "currency_id": dollar.id}
        )
        invoices = [
            self._create_document(f"INV/2026/0031{n}", n * 10.0, currency_id=dollar.id) for n in (1, 2)
        ]
        line = self._create_bank_line("INV/2026/00311 INV/2026/00312", 30.0, journal_id=journal.id)
        self.assertTrue(line.is_reconciled)
        self.assertEqual([invoice.payment_state for invoice in invoices], ["paid", "paid"])
        self.assertEqual(self._entries(line), {self.receivable: -15.0})

    def test_several_invoices_in_one_payment(self):
        invoices = [self._create_document(f"INV/2026/0032{n}", n * 10.0) for n in (1, 2, 3)]
        line = self._create_bank_line("INV/2026/00321, INV/2026/00323", 40.0)
        self.assertTrue(line.is_reconciled)
        self.assertEqual([invoice.payment_state for invoice in invoices], ["paid", "not_paid", "paid"])
        self.assertIn("What is open adds up to the amount.", line.emsp_match_reason)

    def test_advice_says_how_much_is_for_which(self):
        invoices = [self._create_document(f"INV/2026/0033{n}", 50.0) for n in (1, 2)]
        lines = type(self.env["account.bank.statement.line"])
        advice = [("INV/2026/00331", 50), ("INV-2026-00332", 30)]
        self.patch(lines, "_advised_amounts", lambda self: {line.id: advice for line in self})
        line = self._create_bank_line("see our advice", 80.0)
        self.assertTrue(line.is_reconciled)
        self.assertEqual([invoice.amount_residual for invoice in invoices], [0.0, 20.0])
        self.assertEqual(self._exceptions("gap").move_id, invoices[1])
        self.assertEqual(line.emsp_match_reason, "The remittance advice lists what is paid.")

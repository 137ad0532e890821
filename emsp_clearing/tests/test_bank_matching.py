import zipfile
from io import BytesIO

from odoo.exceptions import UserError
from odoo.tests import tagged

from .bank_common import OWN_IBAN, PAYMENTS_FILE, BankCommon

SECOND_IBAN = "FR1420041010050500013M02606"


@tagged("post_install", "-at_install")
class TestBankImport(BankCommon):
    def test_journal_that_keeps_its_suspense_lines_is_matched_and_undone_like_any_other(self):
        self.journal.reconcile_mode = "keep"
        invoice = self._create_document("INV/2026/00291", 40.0)
        line = self._create_bank_line("INV/2026/00291", 40.0)
        self.assertEqual((line.is_reconciled, invoice.payment_state), (True, "paid"))
        line.unreconcile_bank_line()
        self.assertEqual((line.is_reconciled, invoice.amount_residual), (False, 40.0))
        self.assertEqual(sorted(line.line_ids.mapped("balance")), [-40.0, 40.0])

    def test_file_imported_twice_books_once(self):
        lines = self._import(PAYMENTS_FILE)
        self.assertEqual(len(lines), 9)
        with self.assertRaisesRegex(UserError, "already imported"):
            self._import(PAYMENTS_FILE)
        with self.assertRaisesRegex(UserError, "already imported"):
            self._import(PAYMENTS_FILE, uploaded_as="download (2).xml")
        self.assertEqual(self.env["account.bank.statement.line"].search_count(self._in_journal()), 9)

    def test_monthly_file_books_only_what_the_daily_file_lacked(self):
        self._import(PAYMENTS_FILE)
        lines = self._import("camt053_month.xml")
        self.assertEqual(lines.mapped("amount"), [33.0])

    def test_two_equal_entries_of_one_day_are_both_booked(self):
        lines = self._import("camt053_twins.xml")
        self.assertEqual(lines.mapped("amount"), [25.0, 25.0])
        with self.assertRaisesRegex(UserError, "already imported"):
            self._import("camt053_twins.xml")

    def test_equal_entries_under_one_bank_reference_are_both_booked(self):
        # The bank gave both the reference of the batch they came in.
        lines = self._import("camt053_same_reference.xml")
        self.assertEqual(lines.mapped("amount"), [25.0, 25.0])

    def test_file_cut_off_is_refused_whole(self):
        with self.assertRaisesRegex(UserError, "camt053_cut_off.xml is damaged .* Nothing was imported"):
            self._import("camt053_cut_off.xml")
        self.assertFalse(self.env["account.bank.statement.line"].search_count(self._in_journal()))

    def test_entry_without_booking_date_is_refused_by_its_place(self):
        with self.assertRaisesRegex(UserError, "Entry 1 of statement STMT-2026-222 .*BookgDt"):
            self._import("camt053_no_booking_date.xml")

    def test_each_statement_goes_to_the_journal_of_its_account(self):
        second = self.journal.copy({"name": "Second bank", "code": "BNK9"})
        second.bank_account_id = self._create_account(SECOND_IBAN, self.company.partner_id)
        lines = self._import("camt053_two_accounts.xml")
        booked = {line.journal_id.bank_account_id.sanitized_acc_number: line.amount for line in lines}
        self.assertEqual(booked, {OWN_IBAN: 10.0, SECOND_IBAN: 20.0})

    def test_zip_of_daily_files_is_booked_account_by_account(self):
        second = self.journal.copy({"name": "Second bank", "code": "BNK9"})
        second.bank_account_id = self._create_account(SECOND_IBAN, self.company.partner_id)
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w") as members:
            for filename in ("camt053_two_accounts.xml", "camt053_twins.xml"):
                members.writestr(filename, self._read_file(filename))
        lines = self._upload(archive.getvalue(), "week.zip")
        booked = {
            journal: sorted(its.mapped("amount")) for journal, its in lines.grouped("journal_id").items()
        }
        self.assertEqual(booked, {self.journal: [10.0, 25.0, 25.0], second: [20.0]})

    def test_file_of_another_format_is_refused(self):
        with self.assertRaisesRegex(UserError, "not supported"):
            self._upload(b"date;amount\n2026-11-16;10.00\n", "bank.csv")

    def test_batch_without_amounts_is_booked_once_and_pending_entries_are_not(self):
        # One entry of 90.00 with three details that carry no amount; an entry of 5.00 is still pending.
        lines = self._import("camt053_batch_and_pending.xml")
        self.assertEqual(lines.mapped("amount"), [90.0])
        self.assertEqual(lines.payment_ref, "Part 1 Part 2 Part 3")

    def test_iso_references_are_kept_on_the_bank_line(self):
        lines = self._import(PAYMENTS_FILE)
        by_amount = {line.amount: line for line in lines}
        self.assertEqual(by_amount[200.0].emsp_creditor_reference, "RF65INV202600102")
        self.assertEqual(by_amount[200.0].payment_ref, "RF65INV202600102")
        self.assertEqual(by_amount[300.0].emsp_end_to_end_id, "INV-2026-00103")
        self.assertFalse(by_amount[100.0].emsp_end_to_end_id, "NOTPROVIDED is no reference")

    def _in_journal(self):
        return [("journal_id", "=", self.journal.id)]


@tagged("post_install", "-at_install")
class TestBankMatching(BankCommon):
    def test_bank_file_pays_what_it_names_and_leaves_the_rest_to_a_person(self):
        """The whole file of nine entries; amounts as in the file."""
        invoices = {
            number: self._create_document(f"INV/2026/{number}", amount)
            for number, amount in (
                ("00101", 100.0),
                ("00102", 200.0),
                ("00103", 300.0),
                ("00104", 50.0),
                ("00105", 100.0),
                ("00106", 30.0),
                ("00107", 30.0),
            )
        }
        # The partner pays by the RF reference printed on this invoice.
        invoices["00102"].payment_reference = "RF65 INV2 0260 0102"
        lines = {line.amount: line for line in self._import(PAYMENTS_FILE)}

        # Number inside a label, creditor reference, end-to-end id: paid in full.
        for number, amount in (("00101", 100.0), ("00102", 200.0), ("00103", 300.0)):
            self.assertEqual(invoices[number].payment_state, "paid", number)
            self.assertTrue(lines[amount].is_reconciled)
        reasons = {amount: lines[amount].emsp_match_reason for amount in (100.0, 200.0, 300.0)}
        self.assertEqual(
            reasons,
            {
                100.0: "The label of the payment contains INV/2026/00101. The amount is what is open.",
                200.0: "The creditor reference of the payment is RF65 INV2 0260 0102. "
                "The amount is what is open.",
                300.0: "The end-to-end id of the payment is INV/2026/00103. The amount is what is open.",
            },
        )

        # 48.00 for 50.00: matched, and the 2.00 that are open are an exception.
        self.assertEqual(invoices["00104"].payment_state, "partial")
        self.assertAlmostEqual(invoices["00104"].amount_residual, 2.0)
        self.assertEqual(self._exceptions("gap").mapped("amount"), [2.0])

        # 60.00 names two invoices of 30.00.
        self.assertTrue(lines[60.0].is_reconciled)
        self.assertEqual((invoices["00106"] | invoices["00107"]).mapped("payment_state"), ["paid", "paid"])

        # 120.00 for 100.00 of an unknown payer, "/", "2026": nothing is booked by itself.
        for amount in (120.0, 77.0, 500.0):
            self.assertFalse(lines[amount].is_reconciled, amount)
        self.assertEqual(invoices["00105"].payment_state, "not_paid")
        self.assertEqual(sorted(self._exceptions("unmatched").mapped("amount")), [77.0, 120.0, 500.0])
        # Money that went out for fees is no business of the clearing.
        self.assertFalse(self.env["emsp.exception"].search([("statement_line_id", "=", lines[-12.5].id)]))

    def test_reason_stands_in_the_history_of_the_invoice(self):
        invoice = self._create_document("INV/2026/00210", 40.0)
        self._create_bank_line("Thanks for INV/2026/00210", 40.0)
        self.assertIn("The label of the payment contains INV/2026/00210.", invoice.message_ids[0].preview)

    def test_label_of_a_slash_or_a_year_never_matches(self):
        invoice = self._create_document("INV/2026/00211", 40.0)
        for label in ("/", "2026", "INV", "00211", "INV/2026"):
            line = self._create_bank_line(label, 40.0, partner_id=self.partner.id)
            self.assertFalse(line.is_reconciled, label)
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_number_is_not_found_inside_a_longer_number(self):
        invoice = self._create_document("INV/2026/0021", 40.0)
        self._create_bank_line("Payment of INV/2026/00215", 40.0)
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_two_candidates_are_no_match(self):
        first = self._create_document("INV/2026/00212", 40.0, payment_reference="ORDER-4711")
        second = self._create_document("INV/2026/00213", 40.0, payment_reference="ORDER-4711")
        line = self._create_bank_line("ORDER-4711", 40.0)
        self.assertFalse(line.is_reconciled)
        self.assertEqual((first | second).mapped("payment_state"), ["not_paid", "not_paid"])
        exception = self._exceptions("unmatched")
        self.assertIn("Its text can be read as naming several documents.", exception.name)
        self.assertEqual(line.emsp_match_state, "proposed")
        for number in ("INV/2026/00212", "INV/2026/00213"):
            self.assertIn(number, exception.match_candidates)

    def test_contradicting_references_are_no_match(self):
        self._create_document("INV/2026/00214", 40.0)
        self._create_document("INV/2026/00215", 40.0)
        line = self._create_bank_line("INV/2026/00214", 40.0, emsp_end_to_end_id="INV/2026/00215")
        self.assertFalse(line.is_reconciled)

    def test_over_payment_waits_with_the_invoice_proposed(self):
        invoice = self._create_document("INV/2026/00216", 40.0)
        line = self._create_bank_line("INV/2026/00216", 45.0)
        self.assertFalse(line.is_reconciled)
        self.assertEqual(invoice.amount_residual, 40.0)
        proposed = line.reconcile_data_info["counterparts"]
        self.assertEqual(proposed, invoice.line_ids.filtered("date_maturity").ids)
        exception = self._exceptions("unmatched")
        self.assertEqual((exception.amount, exception.move_id), (45.0, invoice))
        line.reconcile_bank_line()
        self.assertEqual(exception.state, "closed")

    def test_second_payment_of_the_same_invoice_in_one_file_waits(self):
        invoice = self._create_document("INV/2026/00217", 40.0)
        first, second = self.env["account.bank.statement.line"].create(
            [
                {"journal_id": self.journal.id, "payment_ref": "INV/2026/00217", "amount": 40.0}
                for __ in range(2)
            ]
        )
        self.assertTrue(first.is_reconciled)
        self.assertFalse(second.is_reconciled)
        self.assertEqual(invoice.payment_state, "paid")

    def test_gap_closes_when_the_rest_is_paid_and_is_never_doubled(self):
        invoice = self._create_document("INV/2026/00218", 100.0)
        self._create_bank_line("INV/2026/00218", 60.0)
        gap = self._exceptions("gap")
        self.assertEqual((gap.amount, gap.move_id), (40.0, invoice))
        self._create_bank_line("INV/2026/00218", 30.0)
        self.assertEqual(self._exceptions("gap"), gap)
        self.assertEqual(gap.amount, 10.0)
        self._create_bank_line("INV/2026/00218", 10.0)
        self.assertEqual((gap.state, invoice.payment_state), ("closed", "paid"))

    def test_paid_instalment_is_no_gap(self):
        # 30 % at once and 70 % later: 30.00 of 100.00 is what was due.
        invoice = self._create_document("INV/2026/00219", 100.0, invoice_payment_term_id=self.pay_terms_b.id)
        self._create_bank_line("INV/2026/00219", 30.0)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("partial", 70.0))
        self.assertFalse(self._exceptions("gap"))

    def test_invoice_of_another_company_is_no_candidate(self):
        invoice = self._create_document("INV/2026/00220", 40.0)
        other = self.setup_other_company(name="Other CPO", currency_id=self.env.ref("base.EUR").id)
        line = self._create_bank_line("INV/2026/00220", 40.0, journal_id=other["default_journal_bank"].id)
        self.assertEqual(line.company_id, other["company"])
        self.assertFalse(line.is_reconciled)
        self.assertEqual(invoice.payment_state, "not_paid")
        self.assertFalse(
            self.env["emsp.exception"].search([("statement_line_id", "=", line.id)]),
            "a company without contracts has no exception journal",
        )

    def test_money_in_does_not_pay_a_credit_note_and_money_out_no_invoice(self):
        invoice = self._create_document("INV/2026/00221", 40.0)
        credit_note = self._create_document("RINV/2026/00222", 40.0, move_type="out_refund")
        self.assertFalse(self._create_bank_line("INV/2026/00221", -40.0).is_reconciled)
        self.assertFalse(self._create_bank_line("RINV/2026/00222", 40.0).is_reconciled)
        self.assertEqual((invoice | credit_note).mapped("payment_state"), ["not_paid", "not_paid"])
        line = self._create_bank_line("Transfer", -40.0, emsp_end_to_end_id="RINV-2026-00222")
        self.assertTrue(line.is_reconciled)
        self.assertEqual(credit_note.payment_state, "paid")

    def test_payment_in_another_currency_waits(self):
        dollar = self.setup_other_currency("USD")
        invoice = self._create_document("INV/2026/00223", 40.0, currency_id=dollar.id)
        self.assertFalse(self._create_bank_line("INV/2026/00223", 40.0).is_reconciled)
        self.assertIn("INV/2026/00223 is in USD", self._exceptions("unmatched").name)
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_payment_before_its_invoice_is_matched_again_from_the_journal(self):
        line = self._create_bank_line("INV/2026/00224", 40.0)
        exception = self._exceptions("unmatched")
        invoice = self._create_document("INV/2026/00224", 40.0)
        exception.action_match_again()
        self.assertTrue(line.is_reconciled)
        self.assertEqual((exception.state, invoice.payment_state), ("closed", "paid"))

    def test_bank_fee_rule_still_books_what_names_no_invoice(self):
        expense = self.company_data["default_account_expense"]
        self.env["account.reconcile.model"].create(
            {
                "name": "Bank fees",
                "company_id": self.company.id,
                "trigger": "auto_reconcile",
                "match_label": "contains",
                "match_label_param": "Account fees",
                "line_ids": [
                    (0, 0, {"account_id": expense.id, "amount_type": "percentage", "amount_string": "100"})
                ],
            }
        )
        line = self._create_bank_line("Account fees November", -12.5)
        self.assertTrue(line.is_reconciled)
        self.assertIn(expense, line.line_ids.account_id)

    def test_queries_of_a_line_do_not_grow_with_the_number_of_lines(self):
        """Eleven times the lines cost at most eleven times the queries."""

        def queries(numbers):
            for number in numbers:
                self._create_document(f"INV/2026/{number:05}", 40.0)
            vals = [
                {"journal_id": self.journal.id, "payment_ref": f"INV/2026/{number:05}", "amount": 40.0}
                for number in numbers
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            lines = self.env["account.bank.statement.line"].create(vals)
            self.env.flush_all()
            self.assertTrue(all(lines.mapped("is_reconciled")))
            return self.env.cr.sql_log_count - before

        queries([400])
        few, many = queries(range(410, 412)), queries(range(420, 442))
        self.assertLessEqual(many, few * 11)

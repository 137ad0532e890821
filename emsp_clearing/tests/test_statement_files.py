from datetime import date
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_path

from .bank_common import OWN_IBAN, BankCommon

MT940_FILE = "mt940_day.sta"
# As banks write them: the own account of the sample that its importer brings along.
SAMPLES = "account_statement_import_camt/tests/samples"
NEXT_DAY = b""":20:STMT171126
:25:FR7630006000011234567890189
:28C:00222/001
:60F:C261116EUR1237,50
:61:2611171117C10,00NTRFNONREF
:86:VIR BETA
:62F:C261117EUR1247,50
"""
DAY_AFTER = b""":20:STMT181126
:25:FR7630006000011234567890189
:28C:00223/001
:60F:C261117EUR1247,50
:61:2611181118C20,00NTRFNONREF
:86:VIR BETA
:62F:C261118EUR1267,50
"""
SAME_DAY = b""":20:STMT171126
:25:FR7630006000011234567890189
:28C:00222/002
:60F:C261117EUR1247,50
:61:2611171117C20,00NTRFNONREF
:86:VIR GAMMA
:61:2611171117D5,00NTRFNONREF
:86:FRAIS
:62F:C261117EUR1262,50
"""


@tagged("post_install", "-at_install")
class TestStatementFiles(BankCommon):
    def _upload_accepting(self, content, filename):
        """:return: the notifications of an import that accepts balances that do not add up."""
        wizard = self.env["account.statement.import"].create(
            {"statement_filename": filename, "statement_file": self._encoded(content)}
        )
        wizard.accept_balance_gap = True
        return wizard._import_file()["notifications"]

    def _count(self):
        return self.env["account.bank.statement.line"].search_count([("journal_id", "=", self.journal.id)])

    # --- MT940 ------------------------------------------------------------------------------------

    def test_mt940_is_booked_with_what_the_bank_tells(self):
        lines = self._import(MT940_FILE).sorted("amount")
        fee, payment = lines
        self.assertEqual(lines.mapped("amount"), [-12.5, 250.0])
        self.assertEqual((payment.payment_ref, payment.partner_name), ("INV/2026/00012", "BETA LADEN GMBH"))
        self.assertEqual((payment.date, fee.emsp_bank_code), (date(2026, 11, 16), "NCHG"))
        statement = lines.statement_id
        self.assertEqual((statement.balance_start, statement.balance_end_real), (1000.0, 1237.5))
        self.assertTrue(statement.is_valid and statement.is_complete)

    def test_second_statement_of_a_day_follows_the_first_whatever_their_lengths(self):
        lines = self._import(MT940_FILE)
        lines += self._upload(NEXT_DAY, "morning.sta") + self._upload(SAME_DAY, "evening.sta")
        self.assertEqual(lines.statement_id.mapped("is_valid"), [True] * 3)
        self.assertFalse(self._exceptions("statement_gap"))
        of_day = lines.filtered(lambda line: line.date == date(2026, 11, 17)).sorted("internal_index")
        # From 1237.50 on, in the order of the bank.
        self.assertEqual(of_day.mapped("running_balance"), [1247.5, 1267.5, 1262.5])

    def test_mt940_pays_the_invoice_that_it_names(self):
        invoice = self._create_document("INV/2026/00012", 250.0)
        self._import(MT940_FILE)
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))

    def test_mt940_imported_twice_books_once(self):
        self._import(MT940_FILE)
        with self.assertRaisesRegex(UserError, "already imported"):
            self._import(MT940_FILE, uploaded_as="again.txt")
        self.assertEqual(self._count(), 2)

    def test_monthly_mt940_books_only_what_the_daily_files_lacked(self):
        self._import(MT940_FILE)
        month = self._read_file(MT940_FILE).replace(b"00221/001", b"00011/001")
        month = month.replace(
            b":62F:C261116EUR1237,50", b":61:2611171117C10,00NTRFNONREF\n:86:VIR BETA\n:62F:C261117EUR1247,50"
        )
        self.assertEqual(self._upload(month, "month.sta").mapped("amount"), [10.0])
        with self.assertRaisesRegex(UserError, "already imported"):
            self._upload(NEXT_DAY, "next.sta")

    def test_broken_mt940_is_refused_whole_with_its_line(self):
        content = self._read_file(MT940_FILE).replace(b":61:2611161116D12,50", b":61:2613991116D12,50")
        with self.assertRaisesRegex(
            UserError, r"Line 7: it cannot be read: :61:261399.*Nothing was imported"
        ):
            self._upload(content, "broken.sta")
        self.assertEqual(self._count(), 0)

    def test_mt940_of_an_unknown_account_is_refused(self):
        content = self._read_file(MT940_FILE).replace(OWN_IBAN.encode(), b"FR1420041010050500013M02606")
        with self.assertRaisesRegex(UserError, "FR1420041010050500013M02606"):
            self._upload(content, "other.sta")

    # --- Balances -----------------------------------------------------------------------------------

    def test_statement_that_does_not_add_up_is_refused_with_its_figures(self):
        content = self._read_file(MT940_FILE).replace(b"EUR1237,50", b"EUR1337,50")
        with self.assertRaisesRegex(UserError, r"1000\.00 and entries 237\.50 are 1237\.50.*gives 1337\.50"):
            self._upload(content, "short.sta")
        self.assertEqual(self._count(), 0)

    def test_statement_that_does_not_add_up_is_booked_when_a_person_accepts_it(self):
        content = self._read_file(MT940_FILE).replace(b"EUR1237,50", b"EUR1337,50")
        notifications = self._upload_accepting(content, "short.sta")
        self.assertIn("does not add up", notifications[0])
        self.assertEqual(self._count(), 2)

    def test_missing_statement_is_an_exception_until_it_is_imported(self):
        self._import(MT940_FILE)
        late = self._upload(DAY_AFTER, "after.sta")
        gap = self._exceptions("statement_gap")
        self.assertEqual((gap.amount, gap.statement_line_id), (10.0, late))
        self.assertIn("00223/001", gap.name)
        self._upload(NEXT_DAY, "next.sta")
        self.assertEqual(gap.state, "closed")
        self.assertFalse(self._exceptions("statement_gap"))

    def test_statements_in_their_order_leave_no_exception(self):
        self._import(MT940_FILE)
        self._upload(NEXT_DAY, "next.sta")
        self._upload(DAY_AFTER, "after.sta")
        self.assertFalse(self._exceptions("statement_gap"))

    # --- CAMT.053 -----------------------------------------------------------------------------------

    def test_version_08_is_booked_with_its_batch_its_return_and_the_banks_codes(self):
        lines = self._import("camt053_v08.xml")
        booked = {line.amount: line for line in lines}
        self.assertEqual(sorted(booked), [-150.0, -45.0, 100.0, 200.0])
        self.assertEqual(booked[100.0].partner_name, "Beta Laden GmbH")
        self.assertEqual(booked[200.0].emsp_creditor_reference, "RF74202600021")
        codes = {amount: line.emsp_bank_code for amount, line in booked.items()}
        self.assertEqual(
            codes,
            {100.0: "PMNT-RCDT-ESCT", 200.0: "PMNT-RCDT-ESCT", -150.0: "PMNT-RDDT-PMDD", -45.0: "FRAIS"},
        )

    def test_reversal_names_the_payer_whose_payment_is_taken_back(self):
        lines = self._import("camt053_v08.xml")
        returned = lines.filtered(lambda line: line.amount == -150.0)
        self.assertEqual((returned.partner_name, returned.emsp_return_reason), ("Beta Laden GmbH", "MD06"))
        self.assertEqual(returned.account_number, "DE02100700009876543210")

    def test_camt_that_does_not_add_up_is_refused(self):
        content = self._read_file("camt053_v08.xml").replace(b">1105.00<", b">1205.00<")
        with self.assertRaisesRegex(UserError, "does not add up"):
            self._upload(content, "short.xml")

    def test_samples_of_the_importers_own_package_are_booked(self):
        chf = self.env.ref("base.CHF")
        chf.active = True
        accounts = {"NL77ABNA0574908765": self.company.currency_id, "CH1111000000123456789": chf}
        journals = self.env["account.journal"]
        for iban, currency in accounts.items():
            journal = self.journal.copy({"name": iban, "code": iban[-5:], "currency_id": currency.id})
            journal.bank_account_id = self._create_account(iban, self.company.partner_id)
            journals |= journal
        booked = {}
        for sample in ("test-camt053", "test-camt053-txdtls", "test-camt053.zip"):
            content = Path(file_path(f"{SAMPLES}/{sample}", filter_ext=())).read_bytes()
            # The packager changed amounts, so that most of them do not add up.
            self._upload_accepting(content, sample)
            lines = self.env["account.bank.statement.line"].search([("journal_id", "in", journals.ids)])
            booked[sample] = sum(line.amount for line in lines) - sum(booked.values())
        self.assertEqual(
            {sample: round(amount, 2) for sample, amount in booked.items()},
            # -754.25 - 664.05 + 1405.31; 2187.00 + 1296.00;
            # twice -754.25 - 594.05 + 1405.31.
            {"test-camt053": -12.99, "test-camt053-txdtls": 3483.00, "test-camt053.zip": 114.02},
        )

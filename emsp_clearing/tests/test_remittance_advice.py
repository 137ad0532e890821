from datetime import date
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_path

from .bank_common import BankCommon

PAYER_IBAN = "DE02100700009876543210"


@tagged("post_install", "-at_install")
class TestRemittanceAdvice(BankCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_account(PAYER_IBAN, cls.partner)
        cls.first = cls._create_document("INV/2026/00101", 100.0)
        cls.second = cls._create_document("INV/2026/00102", 250.0)

    def _load(self, *rows, **vals):
        content = "\n".join(("Rechnung;Zahlbetrag", *rows)).encode()
        wizard = self.env["emsp.remittance.import"].create(
            {
                "file": self._encoded(content),
                "filename": "avis.csv",
                "partner_id": self.partner.id,
                **vals,
            }
        )
        return self.env["emsp.remittance.advice"].browse(wizard.action_load()["res_id"])

    def _pay(self, amount, label="SAMMELZAHLUNG", **vals):
        return self._create_bank_line(label, amount, partner_id=self.partner.id, **vals)

    # --- It drives the match ------------------------------------------------------------------------

    def test_advice_waits_for_its_payment_and_splits_it_as_it_says(self):
        advice = self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00")
        self.assertEqual((advice.state, advice.total), ("waiting", 220.0))
        line = self._pay(220.0)
        self.assertTrue(line.is_reconciled)
        self.assertEqual((self.first.amount_residual, self.second.amount_residual), (0.0, 130.0))
        self.assertEqual((advice.state, advice.statement_line_id), ("used", line))

    def test_advice_that_comes_after_the_payment_matches_it(self):
        line = self._pay(220.0)
        self.assertFalse(line.is_reconciled)
        advice = self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00")
        self.assertTrue(line.is_reconciled)
        self.assertEqual(advice.state, "used")

    def test_advice_is_used_once(self):
        self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00")
        self._pay(220.0)
        again = self._pay(220.0)
        self.assertFalse(again.is_reconciled)
        self.assertEqual(self.second.amount_residual, 130.0)

    def test_advice_does_not_explain_the_payment_of_another(self):
        other = self.partner.copy({"name": "Delta"})
        self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00", partner_id=other.id)
        self.assertFalse(self._pay(220.0).is_reconciled)

    def test_two_payments_that_fit_are_left_to_a_person(self):
        lines = self._pay(220.0) + self._pay(220.0)
        advice = self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00")
        self.assertEqual(lines.mapped("is_reconciled"), [False, False])
        self.assertFalse(advice.statement_line_id)

    def test_advice_that_pays_too_much_on_a_document_is_not_booked_and_says_so(self):
        advice = self._load("INV/2026/00101;150,00", "INV/2026/00102;70,00")
        self.assertFalse(self._pay(220.0).is_reconciled)
        self.assertIn("100.00", advice.line_ids[0].problem)
        self.assertFalse(advice.line_ids[1].problem)

    def test_row_that_names_nothing_is_shown_and_nothing_is_booked(self):
        advice = self._load("INV/2026/00101;100,00", "INV/2025/99999;120,00")
        self.assertFalse(self._pay(220.0).is_reconciled)
        self.assertEqual(advice.line_ids[0].move_id, self.first)
        self.assertIn("no open document", advice.line_ids[1].problem)

    def test_advice_put_to_a_payment_of_another_amount_shows_the_difference(self):
        line = self._pay(221.0)
        advice = self._load("INV/2026/00101;100,00", "INV/2026/00102;120,00", statement_line_id=line.id)
        self.assertFalse(line.is_reconciled)
        self.assertEqual(advice.difference, 1.0)

    # --- Files that are refused ---------------------------------------------------------------------

    def test_same_advice_is_loaded_once(self):
        self._load("INV/2026/00101;100,00")
        with self.assertRaisesRegex(UserError, "loaded before"):
            self._load("INV/2026/00101;100,00")

    def test_list_of_nobody_is_refused(self):
        with self.assertRaisesRegex(UserError, "Choose the payer"):
            self._load("INV/2026/00101;100,00", partner_id=False)

    def test_row_that_cannot_be_read_is_named(self):
        with self.assertRaisesRegex(UserError, r"Line 3: “zwölf” is no amount.*Nothing was loaded"):
            self._load("INV/2026/00101;100,00", "INV/2026/00102;zwölf")

    def test_list_whose_total_differs_is_refused(self):
        with self.assertRaisesRegex(UserError, "Line 3: the total is 99.00, but the rows add up to 100.00"):
            self._load("INV/2026/00101;100,00", "Summe;99,00")

    # --- Notifications of the bank (CAMT.054) -------------------------------------------------------

    def _notify(self, content):
        wizard = self.env["account.statement.import"].create(
            {"statement_file": self._encoded(content), "statement_filename": "camt054.xml"}
        )
        action = wizard.import_file_button()
        return self.env["emsp.remittance.advice"].browse(action.get("res_id", []))

    def test_notification_books_nothing_and_splits_the_batch_of_the_statement(self):
        advice = self._notify(self._read_file("camt054_batch.xml"))
        lines = self.env["account.bank.statement.line"]
        self.assertFalse(lines.search_count([("journal_id", "=", self.journal.id)]))
        self.assertEqual((advice.total, advice.date), (300.0, date(2026, 11, 16)))
        self.assertEqual(advice.line_ids.mapped("reference"), ["INV/2026/00101", "INV/2026/00102"])
        line = self._create_bank_line("SAMMLER", 300.0)
        self.assertTrue(line.is_reconciled)
        self.assertEqual((self.first.amount_residual, self.second.amount_residual), (0.0, 50.0))

    def test_notification_after_the_statement_matches_the_batch(self):
        line = self._create_bank_line("SAMMLER", 300.0)
        self._notify(self._read_file("camt054_batch.xml"))
        self.assertTrue(line.is_reconciled)

    def test_notification_is_kept_once(self):
        content = self._read_file("camt054_batch.xml")
        self._notify(content)
        with self.assertRaisesRegex(UserError, "Nothing new"):
            self._notify(content)

    def test_notification_of_what_the_statement_has_in_detail_is_not_needed(self):
        content = self._read_file("camt054_batch.xml")
        statement = content.replace(b"camt.054", b"camt.053").replace(b"Ntfctn>", b"Stmt>")
        statement = statement.replace(b"BkToCstmrDbtCdtNtfctn", b"BkToCstmrStmt")
        self._upload(statement, "camt053.xml")
        with self.assertRaisesRegex(UserError, "Nothing new"):
            self._notify(content)

    def test_notification_of_the_importers_own_package_is_kept(self):
        iban = "NL77ABNA0574908765"
        sample = "account_statement_import_camt/tests/samples/test-camt054"
        content = Path(file_path(sample, filter_ext=())).read_bytes()
        currency = self.env.ref("base.CHF") if b'Ccy="CHF"' in content else self.company.currency_id
        currency.active = True
        journal = self.journal.copy({"code": "CAMT", "currency_id": currency.id})
        journal.bank_account_id = self._create_account(iban, self.company.partner_id)
        advice = self._notify(content)
        self.assertTrue(advice.line_ids)
        self.assertEqual(advice.journal_id, journal)

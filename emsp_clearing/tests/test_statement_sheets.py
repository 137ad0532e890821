from odoo.exceptions import UserError
from odoo.tests import tagged

from .bank_common import BankCommon

GERMAN = """Auftragskonto;Buchungstag;Verwendungszweck;Kundenreferenz (End-to-End);\
Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;Betrag
FR76;17.11.26;Gebühren;;Bank;;-2,50
FR76;16.11.26;Rechnung INV/2026/00012;RB-4711;Beta Laden GmbH;DE02100700009876543210;1.240,50
FR76;16.11.26;Parken;;Parkhaus;;12,00
FR76;16.11.26;Parken;;Parkhaus;;12,00
"""
DUTCH = """"Datum";"Naam / Omschrijving";"Tegenrekening";"Af Bij";"Bedrag (EUR)";"Mededelingen";\
"Saldo na mutatie"
"20261116";"Fees";"";"Af";"10,00";"Kosten";"90,00"
"20261116";"Delta";"NL83ABNA0412345678";"Bij";"100,00";"INV/2026/00021";"100,00"
"""
FRENCH = """Date;Libellé;Débit;Crédit
16/11/2026;VIR RECHARGE ALPES;;1785,40
16/11/2026;FRAIS;12,50;
"""


@tagged("post_install", "-at_install")
class TestStatementSheets(BankCommon):
    def _upload_sheet(self, text, mapping, encoding="cp1252"):
        wizard = (
            self.env["account.statement.import"]
            .with_context(journal_id=self.journal.id)
            .create(
                {
                    "statement_file": self._encoded(text.encode(encoding)),
                    "statement_filename": "bank.csv",
                    "sheet_mapping_id": self.env.ref(f"emsp_clearing.sheet_mapping_{mapping}").id,
                }
            )
        )
        return self.env["account.bank.statement"].browse(wizard._import_file()["statement_ids"]).line_ids

    def _count(self):
        return self.env["account.bank.statement.line"].search_count([("journal_id", "=", self.journal.id)])

    def test_german_file_is_booked_by_its_mapping(self):
        lines = self._upload_sheet(GERMAN, "de_camt")
        self.assertEqual(sorted(lines.mapped("amount")), [-2.5, 12.0, 12.0, 1240.5])
        payment = lines.filtered(lambda line: line.amount == 1240.5)
        self.assertEqual((payment.payment_ref, payment.ref), ("Rechnung INV/2026/00012", "RB-4711"))
        self.assertEqual(payment.account_number, "DE02100700009876543210")
        self.assertIn("Gebühren", lines.mapped("payment_ref"))

    def test_file_with_the_newest_line_first_has_its_balances_right(self):
        statement = self._upload_sheet(DUTCH, "nl_ing", "utf-8").statement_id
        self.assertEqual((statement.balance_start, statement.balance_end_real), (0.0, 90.0))

    def test_columns_for_debit_and_credit(self):
        lines = self._upload_sheet(FRENCH, "fr_debit_credit")
        self.assertEqual(sorted(lines.mapped("amount")), [-12.5, 1785.4])

    def test_sheet_imported_twice_books_once_and_a_longer_one_only_what_is_new(self):
        self._upload_sheet(GERMAN, "de_camt")
        with self.assertRaisesRegex(UserError, "already imported"):
            self._upload_sheet(GERMAN, "de_camt")
        longer = GERMAN + "FR76;18.11.26;INV/2026/00013;;Beta Laden GmbH;;860,00\n"
        self.assertEqual(self._upload_sheet(longer, "de_camt").mapped("amount"), [860.0])
        self.assertEqual(self._count(), 5)

    def test_line_that_cannot_be_read_is_named_and_nothing_is_booked(self):
        cases = [
            (GERMAN.replace(";12,00", ";zwölf", 1), "Line 4 .*zwölf.* is no amount"),
            (GERMAN.replace(";12,00", ";12.00", 1), "Line 4 .*12.00.* is no amount"),
            (GERMAN.replace("16.11.26;Rechnung", "2026-11-16;Rechnung"), "Line 3 .*2026-11-16"),
            (GERMAN.replace(";1.240,50", ""), "Line 3 "),
            (GERMAN.replace("Betrag", "Amount"), "Line 1: the heads .*Betrag"),
        ]
        for text, message in cases:
            with self.subTest(message=message), self.assertRaisesRegex(UserError, message):
                self._upload_sheet(text, "de_camt")
        self.assertEqual(self._count(), 0)

    def test_file_in_another_encoding_than_the_mapping_is_refused_with_its_line(self):
        with self.assertRaisesRegex(UserError, "Line 2: the file is not written in utf-8"):
            self._upload_sheet(DUTCH.replace("Fees", "Gebühren"), "nl_ing", "cp1252")

    def test_camt_file_is_read_as_such_though_the_journal_proposes_a_mapping(self):
        self.journal.default_sheet_mapping_id = self.env.ref("emsp_clearing.sheet_mapping_de_camt")
        wizard = (
            self.env["account.statement.import"]
            .with_context(journal_id=self.journal.id)
            .create(
                {
                    "statement_file": self._encoded(self._read_file("camt053_v08.xml")),
                    "statement_filename": "bank.xml",
                }
            )
        )
        self.assertTrue(wizard.sheet_mapping_id)
        wizard._import_file()
        self.assertEqual(self._count(), 4)

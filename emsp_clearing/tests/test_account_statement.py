import io
from datetime import date
from decimal import Decimal

from openpyxl import load_workbook

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ..core.money import from_float
from .bank_common import BankCommon


class StatementCommon(BankCommon):
    """An account of 2026: an opening, an invoice paid with a bank fee, a credit note, an open invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls._create_document(
            "INV/2025/00007", 40.0, date(2026, 1, 9), invoice_date=date(2025, 12, 10)
        )
        cls.paid = cls._create_document("INV/2026/00501", 100.0, date(2026, 12, 10))
        cls.open = cls._create_settlement_invoice("INV/2026/00502", 250.5, date(2026, 11, 20))
        cls._pay_with_fee(cls.paid, 98.0, 2.0, date(2026, 11, 25))
        cls.credit = cls._create_document(
            "RINV/2026/00001", 10.0, date(2026, 11, 30), "out_refund", invoice_date=date(2026, 11, 30)
        )

    @classmethod
    def _pay_with_fee(cls, invoice, amount, fee, day):
        """The bank kept a fee that we write off."""
        line = cls._create_bank_line("Ueberweisung Beta", amount, date=day, partner_id=cls.partner.id)
        __, suspense, __ = line._seek_for_lines()
        receivable = invoice.line_ids.filtered(lambda aml: aml.account_id.account_type == "asset_receivable")
        line.move_id.with_context(force_delete=True, skip_readonly_check=True).write(
            {
                "line_ids": [
                    Command.delete(suspense.id),
                    Command.create(
                        {
                            "name": "payment",
                            "account_id": receivable.account_id.id,
                            "partner_id": cls.partner.id,
                            "balance": -(amount + fee),
                        }
                    ),
                    Command.create(
                        {
                            "name": "fee",
                            "account_id": cls.company_data["default_account_expense"].id,
                            "balance": fee,
                        }
                    ),
                ]
            }
        )
        theirs = line.move_id.line_ids.filtered(lambda aml: aml.account_id == receivable.account_id)
        (theirs | receivable).reconcile()

    def _statement(self, date_from=date(2026, 1, 1), date_to=date(2026, 12, 31), **vals):
        return self.env["emsp.account.statement"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.partner.id,
                "date_from": date_from,
                "date_to": date_to,
                **vals,
            }
        )


@tagged("post_install", "-at_install")
class TestAccountStatement(StatementCommon):
    def test_balance_runs_from_the_opening_to_what_is_open(self):
        [(currency, made)] = self._statement()._make()
        self.assertEqual((currency.name, made.opening), ("EUR", Decimal("40.00")))
        self.assertEqual(
            [(row.movement.kind, row.movement.amount, row.balance) for row in made.rows],
            [
                ("invoice", Decimal("100.00"), Decimal("140.00")),
                ("invoice", Decimal("250.50"), Decimal("390.50")),
                ("payment", Decimal("-98.00"), Decimal("292.50")),
                ("write_off", Decimal("-2.00"), Decimal("290.50")),
                ("credit_note", Decimal("-10.00"), Decimal("280.50")),
            ],
        )
        self.assertEqual(
            [(item.name, item.amount) for item in made.items],
            [
                ("INV/2025/00007", Decimal("40.00")),
                ("INV/2026/00502", Decimal("250.50")),
                ("RINV/2026/00001", Decimal("-10.00")),
            ],
        )
        # As of 31 December: 356 days, 41 days, and a credit that is never overdue.
        self.assertEqual([str(band) for band in made.ageing], ["-10.00", "0", "250.50", "0", "40.00"])

    def test_statement_of_a_day_is_as_the_ledger_was_at_its_end(self):
        [(__, made)] = self._statement(date_to=date(2026, 11, 24))._make()
        self.assertEqual(made.closing, Decimal("390.50"))
        self.assertIn(
            ("INV/2026/00501", Decimal("100.00")), [(item.name, item.amount) for item in made.items]
        )

    def test_closing_balance_is_the_residual_of_the_ledger(self):
        [(currency, made)] = self._statement()._make()
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.partner.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        residual = sum(lines.mapped("amount_residual_currency"))
        self.assertEqual(made.closing, from_float(residual, currency.decimal_places))

    def test_each_currency_has_its_own_account_even_if_one_pays_the_other(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.env["res.currency.rate"].create(
            {"name": date(2026, 1, 1), "rate": 2.0, "currency_id": dollar.id, "company_id": self.company.id}
        )
        invoice = self._create_document("INV/2026/00503", 60.0, currency_id=dollar.id)
        credit = self._create_document("RINV/2026/00002", 10.0, move_type="out_refund")
        items = (invoice | credit).line_ids.filtered(lambda aml: aml.account_type == "asset_receivable")
        items.reconcile()
        accounts = {currency.name: made for currency, made in self._statement()._make()}
        self.assertEqual(accounts["USD"].closing, Decimal("40.00"))
        self.assertEqual(accounts["EUR"].closing, Decimal("280.50"))
        kinds = [row.movement.kind for row in accounts["USD"].rows]
        self.assertEqual(kinds, ["invoice", "offset"])

    def test_pdf_and_spreadsheet_say_the_same(self):
        self.journal.bank_account_id.bank_id = False
        statement = self._statement()
        pdf, name = statement._file("pdf")
        self.assertTrue(pdf.startswith(b"%PDF-"))
        self.assertEqual(name, "Statement of account Beta Laden GmbH 2026-12-31.pdf")
        content, __ = statement._file("xlsx")
        book = load_workbook(io.BytesIO(content))
        account, items = book.worksheets
        self.assertEqual((account.title, items.title), ("Account (EUR)", "Open items (EUR)"))
        rows = list(account.iter_rows(values_only=True))
        self.assertEqual(
            [cell.value for cell in list(account.columns)[7]][6:],
            [40, 140, 390.5, 292.5, 290.5, 280.5, 280.5],
        )
        self.assertEqual(rows[-1][5:], (350.5, 110, 280.5))

    def test_payment_names_the_open_documents_and_asks_for_the_balance(self):
        document = self._statement()._get_document()
        [part] = document["parts"]
        self.assertEqual(part["payment"]["reference"], "INV/2025/00007 INV/2026/00502")
        self.assertEqual(part["payment"]["amount"].replace("\xa0", " "), "280.50 €")
        self.assertTrue(part["payment"]["qr"].startswith("data:image/svg+xml"))

    def test_nothing_is_asked_for_when_the_balance_is_in_favour_of_the_partner(self):
        self._create_document("RINV/2026/00009", 500.0, move_type="out_refund")
        [part] = self._statement()._get_document()["parts"]
        self.assertTrue(part["in_favour"])
        self.assertEqual(part["payment"], {})

    def test_clearing_user_makes_it_for_partners_with_a_contract_alone(self):
        user = self._user("emsp_clearing.emsp_clearing_group_user")
        statement = self._statement().with_user(user)
        made = (
            self.env["emsp.account.statement"]
            .with_user(user)
            .create({"partner_id": self.partner.id, "company_id": self.company.id})
        )
        self.assertTrue(made._make())
        with self.assertRaises(AccessError):
            statement.read(["date_to"])
        with self.assertRaisesRegex(AccessError, "no roaming contract"):
            made.partner_id = self.partner_a

    def test_accountant_makes_it_for_every_partner_of_the_own_companies(self):
        accountant = self._user("account.group_account_invoice")
        statements = self.env["emsp.account.statement"].with_user(accountant)
        self.assertTrue(statements.create({"partner_id": self.partner_a.id, "company_id": self.company.id}))
        other = self.setup_other_company(name="Other CPO")["company"]
        self.assertNotIn(other, accountant.company_ids)
        with self.assertRaisesRegex(AccessError, "You do not work for"):
            statements.create({"partner_id": self.partner_a.id, "company_id": other.id})

    def test_statement_of_the_month_is_mailed_once_to_the_invoicing_contact(self):
        self.partner.email = "ap@beta.example"
        self.contract.write({"statement_by_mail": True, "state": "active"})
        contracts = self.env["emsp.contract"]
        contracts._cron_mail_statements(date(2026, 12, 1))
        contracts._cron_mail_statements(date(2026, 12, 2))
        mail = self.env["mail.mail"].search([("email_to", "ilike", "ap@beta.example")])
        self.assertEqual(len(mail), 1)
        self.assertIn("280.50", mail.body_html)
        self.assertEqual(mail.attachment_ids.name, "Statement of account Beta Laden GmbH 2026-11-30.pdf")
        self.assertEqual(self.contract.statement_mailed_until, date(2026, 11, 30))
        contracts._cron_mail_statements(date(2027, 1, 1))
        self.assertEqual(self.contract.statement_mailed_until, date(2026, 12, 31))

    def test_statement_waits_for_an_address(self):
        self.contract.write({"statement_by_mail": True, "state": "active"})
        self.env["emsp.contract"]._cron_mail_statements(date(2026, 12, 1))
        self.assertFalse(self.contract.statement_mailed_until)

    def _user(self, group):
        return new_test_user(
            self.env,
            login=f"statement.{group}",
            groups=f"base.group_user,{group}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )


@tagged("post_install", "-at_install")
class TestPortalStatement(StatementCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.partner"].create({"name": "Hexagone Mobilité SAS", "is_company": True})
        cls._create_login("statement.clerk", cls.partner)
        cls._create_login("statement.stranger", cls.other)

    @classmethod
    def _create_login(cls, login, partner):
        user = new_test_user(cls.env, login=login, password=login, groups="base.group_portal")
        user.partner_id.parent_id = partner

    def test_partner_reads_its_own_account_as_page_pdf_and_spreadsheet(self):
        self.authenticate("statement.clerk", "statement.clerk")
        period = "date_from=2026-01-01&date_to=2026-12-31"
        page = self.url_open(f"/my/statement?{period}")
        self.assertEqual(page.status_code, 200)
        self.assertIn("280.50", page.text)
        self.assertIn("INV/2026/00502", page.text)
        pdf = self.url_open(f"/my/statement/pdf?{period}")
        self.assertTrue(pdf.content.startswith(b"%PDF-"))
        self.assertIn("no-store", pdf.headers["Cache-Control"])
        sheet = self.url_open(f"/my/statement/xlsx?{period}")
        self.assertEqual(len(load_workbook(io.BytesIO(sheet.content)).worksheets), 2)

    def test_partner_without_a_contract_has_no_account(self):
        self.authenticate("statement.stranger", "statement.stranger")
        for url in ("/my/statement", "/my/statement/pdf", "/my/statement/xlsx"):
            self.assertEqual(self.url_open(url).status_code, 404)

    def test_partner_never_reads_the_account_of_another(self):
        self.env["emsp.contract"].create(
            {"name": "Theirs", "partner_id": self.other.id, "company_id": self.company.id}
        )
        self.authenticate("statement.stranger", "statement.stranger")
        page = self.url_open(f"/my/statement?partner_id={self.partner.id}&date_from=2025-01-01")
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("INV/2026/00502", page.text)
        saved = self._statement()
        self.assertEqual(self.url_open(f"/emsp/statement/{saved.id}/pdf").status_code, 404)

    def test_dates_that_are_none_count_as_not_given(self):
        self.authenticate("statement.clerk", "statement.clerk")
        for query in (
            "date_from=x&date_to=2026-99-99",
            "date_from=2027-01-01&date_to=2026-01-01",
            "company=999999",
        ):
            self.assertEqual(self.url_open(f"/my/statement?{query}").status_code, 200)
        self.assertEqual(self.url_open("/my/statement/exe").status_code, 404)

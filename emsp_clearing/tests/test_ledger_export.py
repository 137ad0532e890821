import csv
import hashlib
import io
from collections import Counter
from datetime import date
from decimal import Decimal
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .bank_common import BankCommon

ENTRIES = "emsp.ledger.export.entry"


class LedgerCommon(BankCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.csv_layout = cls.env.ref("emsp_clearing.emsp_ledger_layout_csv")
        cls.datev_layout = cls.env.ref("emsp_clearing.emsp_ledger_layout_datev")
        cls.company.write(
            {"emsp_datev_advisor": 29098, "emsp_datev_client": 55003, "emsp_datev_account_length": 6}
        )
        for kind in ("sale", "purchase"):
            cls.company_data[f"default_tax_{kind}"].amount = 20.0
        cls.invoice = cls._taxed("INV/2026/00001", 100.0)
        cls.bill = cls._taxed("BILL/1", 50.0, "in_invoice")

    @classmethod
    def _taxed(cls, name, amount, move_type="out_invoice"):
        kind = "sale" if move_type.startswith("out") else "purchase"
        tax = cls.company_data[f"default_tax_{kind}"]
        line = {"name": "Charging energy", "price_unit": amount, "tax_ids": [Command.set(tax.ids)]}
        return cls._create_document(name, 0, move_type=move_type, invoice_line_ids=[Command.create(line)])

    def _export(self, layout=None, **vals):
        export = self.env["emsp.ledger.export"].create(
            {
                "company_id": self.company.id,
                "layout_id": (layout or self.csv_layout).id,
                "date_first": date(2026, 11, 1),
                "date_last": date(2026, 11, 30),
                **vals,
            }
        )
        export.action_export()
        return export

    def _rows(self, export, encoding="utf-8-sig"):
        text = export.attachment_id.raw.decode(encoding)
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


@tagged("post_install", "-at_install")
class TestLedgerExport(LedgerCommon):
    def test_run_holds_its_file_figures_and_person(self):
        export = self._export()
        lines = (self.invoice | self.bill).line_ids
        self.assertEqual(export.item_count, len(lines))
        self.assertEqual(export.amount_debit, sum(lines.mapped("debit")))
        self.assertEqual(export.amount_debit, export.amount_credit)
        self.assertEqual(export.sha256, hashlib.sha256(export.attachment_id.raw).hexdigest())
        self.assertEqual((export.state, export.user_id), ("done", self.env.user))
        titles, *rows = self._rows(export)
        self.assertEqual(titles[:4], ["Accounting date", "Journal: code", "Entry: number", "Account: number"])
        self.assertEqual(len(rows), len(lines))
        self.assertEqual({row[2] for row in rows}, {self.invoice.name, self.bill.name})
        debits = sum(Decimal(row[9].replace(",", ".")) for row in rows)
        self.assertEqual(float(debits), export.amount_debit)

    def test_item_goes_to_a_target_once_unless_asked(self):
        first = self._export()
        with self.assertRaisesRegex(UserError, "all went to CSV"), self.env.cr.savepoint():
            self._export()
        later = self._taxed("INV/2026/00002", 10.0)
        second = self._export()
        self.assertEqual(second.item_count, len(later.line_ids))
        self.assertEqual(second.left_out_count, first.item_count)
        third = self._export(is_again=True)
        self.assertEqual(third.item_count, first.item_count + second.item_count)
        self.assertTrue(third.is_again)
        entries = self.env[ENTRIES].search([("export_id", "=", third.id)])
        self.assertTrue(all(entries.mapped("is_again")))
        self.assertEqual(self._export(self.datev_layout).item_count, third.item_count)

    def test_database_refuses_an_entry_that_goes_twice(self):
        export = self._export()
        insert = SQL(
            "INSERT INTO emsp_ledger_export_entry (export_id, layout_id, company_id, move_key, is_again) "
            "SELECT export_id, layout_id, company_id, move_key, is_again "
            "FROM emsp_ledger_export_entry WHERE export_id = %s",
            export.id,
        )
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env.cr.execute(insert)

    def _change(self, invoice, amount):
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = amount
        invoice.action_post()

    def test_entry_changed_after_its_export_is_told_once_by_the_next_run(self):
        first = self._export()
        self._change(self.invoice, 120.0)
        with (
            self.assertRaisesRegex(UserError, "Changed after they went there: INV/2026/00001. Tick"),
            self.env.cr.savepoint(),
        ):
            self._export()
        later = self._taxed("INV/2026/00002", 10.0)
        second = self._export()
        self.assertEqual({row[2] for row in self._rows(second)[1:]}, {later.name})
        self.assertEqual((second.changed_count, second.changed_entry_ids.move_id), (1, self.invoice))
        told = second.changed_entry_ids
        # 100.00 and 20 % of tax went with the first run; its figure stays.
        self.assertEqual((told.export_id, told.amount, told.change), (first, 120.0, "changed"))
        self._taxed("INV/2026/00003", 10.0)
        self.assertEqual(self._export().changed_count, 0)
        self._change(self.invoice, 130.0)
        self._taxed("INV/2026/00004", 10.0)
        self.assertEqual(self._export().changed_entry_ids.move_id, self.invoice)

    def test_changed_entry_goes_again_as_a_whole_when_asked(self):
        self._export()
        self._change(self.invoice, 120.0)
        export = self._export(takes_changed=True)
        rows = self._rows(export)[1:]
        self.assertEqual({row[2] for row in rows}, {self.invoice.name})
        self.assertEqual(sorted(row[9] for row in rows), ["0,00", "0,00", "144,00"])
        self.assertEqual((export.item_count, export.left_out_count, export.changed_count), (3, 3, 0))
        with self.assertRaisesRegex(
            UserError, "all went to CSV before. Tick Again to export them once more.$"
        ):
            self._export(takes_changed=True)

    def test_entry_that_is_not_posted_any_more_or_deleted_is_told(self):
        self._export()
        self.invoice.button_draft()
        self.bill.button_draft()
        self.bill.name = False
        self.bill.unlink()
        later = self._taxed("INV/2026/00002", 10.0)
        export = self._export(takes_changed=True)
        self.assertEqual({row[2] for row in self._rows(export)[1:]}, {later.name})
        told = export.changed_entry_ids
        self.assertEqual(
            [(entry.name, entry.change) for entry in told.sorted("name")],
            [("BILL/1", "deleted"), ("INV/2026/00001", "unposted")],
        )

    def test_payment_and_posting_again_without_a_change_are_no_change(self):
        self._export()
        self.invoice.button_draft()
        self.invoice.action_post()
        payment = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        payment.create({"payment_date": date(2026, 11, 20)})._create_payments()
        self._taxed("INV/2026/00002", 10.0)
        self.assertEqual(self._export().changed_count, 0)

    def test_drafts_other_periods_and_other_journals_stay_out(self):
        draft = self._taxed("INV/2026/00003", 10.0)
        draft.button_draft()
        export = self._export(journal_ids=[Command.set(self.invoice.journal_id.ids)])
        self.assertEqual({row[2] for row in self._rows(export)[1:]}, {self.invoice.name})
        with self.assertRaisesRegex(UserError, "no posted journal items"), self.env.cr.savepoint():
            self._export(date_first=date(2026, 1, 1), date_last=date(2026, 1, 31))

    def test_own_columns_separators_and_formats(self):
        layout = self.env["emsp.ledger.layout"].create(
            {
                "name": "Own",
                "separator": "|",
                "decimal_sign": ".",
                "date_format": "dmy_slashes",
                "encoding": "cp1252",
                "has_titles": False,
                "column_ids": [
                    Command.create({"source": source})
                    for source in ("date", "label", "partner_name", "balance", "base_taxes")
                ],
            }
        )
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.name = "=cmd|é"
        self.invoice.action_post()
        export = self._export(layout, journal_ids=[Command.set(self.invoice.journal_id.ids)])
        text = export.attachment_id.raw.decode("cp1252")
        [row] = [line for line in text.splitlines() if "cmd" in line]
        tax = self.invoice.invoice_line_ids.tax_ids.name
        self.assertEqual(row, f'10/11/2026|"\'=cmd|é"|Beta Laden GmbH|-100.00|{tax}')

    def test_layout_whose_signs_are_the_same_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "must not be the same"):
            self.csv_layout.copy({"separator": ",", "decimal_sign": ","})

    def test_run_that_is_done_stays_as_it_is(self):
        export = self._export()
        for change in (
            lambda: export.write({"date_last": date(2026, 12, 31)}),
            export.unlink,
            export.action_export,
        ):
            with self.assertRaises(UserError):
                change()

    def test_statements_do_not_grow_with_the_items(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._export(is_again=True)
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        for number in range(5, 15):
            self._taxed(f"INV/2026/{number:05}", 10.0)
        self.assertLessEqual(count(), few + 2)

    def test_accountants_export_and_nobody_else(self):
        def user(login, *groups):
            return new_test_user(
                self.env,
                login=login,
                groups=",".join(("base.group_user", *groups)),
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )

        accountant = user("ledger_accountant", "account.group_account_user")
        exports = self.env["emsp.ledger.export"].with_user(accountant)
        vals = {
            "layout_id": self.csv_layout.id,
            "date_first": date(2026, 11, 1),
            "date_last": date(2026, 11, 30),
        }
        export = exports.create(vals)
        export.action_export()
        self.assertTrue(export.attachment_id.raw)
        self.assertFalse(self.csv_layout.with_user(accountant).has_access("write"))
        self.assertTrue(
            self.csv_layout.with_user(user("ledger_chief", "account.group_account_manager")).has_access(
                "write"
            )
        )
        entries = self.env[ENTRIES].with_user(accountant)
        self.assertFalse(
            entries.has_access("write") or entries.has_access("create") or entries.has_access("unlink")
        )
        for results in ({"state": "done"}, {"sha256": "0" * 64}, {"attachment_id": export.attachment_id.id}):
            with self.assertRaisesRegex(UserError, "by the run alone"):
                exports.create({**vals, **results})
            with self.assertRaisesRegex(UserError, "by the run alone"):
                exports.create(vals).write(results)
        manager = user("ledger_manager", "emsp_clearing.emsp_clearing_group_manager")
        for action in (
            lambda: export.with_user(manager).read(["sha256"]),
            lambda: export.attachment_id.with_user(manager).read(["raw"]),
            lambda: self.env["emsp.ledger.export"].with_user(manager).create(vals),
        ):
            with self.assertRaises(AccessError):
                action()

    def test_runs_of_another_company_are_hidden(self):
        export = self._export()
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = new_test_user(
            self.env,
            login="ledger_stranger",
            groups="base.group_user,account.group_account_user",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        with self.assertRaises(AccessError):
            export.with_user(stranger).read(["sha256"])

    def test_fec_is_that_of_the_localisation(self):
        if "l10n_fr.fec.export.wizard" not in self.env:
            self.skipTest("the French localisation is not installed")
        self.company.vat = "FR23334175221"
        layout = self.env.ref("emsp_clearing.emsp_ledger_layout_fec")
        export = self._export(layout, date_first=date(2026, 1, 1), date_last=date(2026, 12, 31))
        self.assertEqual(export.attachment_id.name, "334175221FEC20261231.txt")
        lines = export.attachment_id.raw.decode().splitlines()
        self.assertEqual(len(lines[0].split("|")), 18)
        self.assertFalse(self.company.fiscalyear_lock_date)
        self.assertEqual(self._export(layout).state, "done")


@tagged("post_install", "-at_install")
class TestLedgerExportDatev(LedgerCommon):
    def test_rows_sum_to_the_ledger_for_every_account_and_side(self):
        payment = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        payment.create({"payment_date": date(2026, 11, 20)})._create_payments()
        self._create_bank_line("Fees", -3.5, date=date(2026, 11, 21))
        accounts = self.invoice.line_ids.account_id
        self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": date(2026, 11, 22),
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create({"name": "x", "account_id": account.id, "debit": debit, "credit": credit})
                    for account, debit, credit in (
                        (accounts[0], 10.01, 0),
                        (accounts[1], 20.02, 0),
                        (accounts[2], 0, 15.0),
                        (accounts[0], 0, 15.03),
                    )
                ],
            }
        ).action_post()
        export = self._export(self.datev_layout)
        first, titles, *rows = self._rows(export, "cp1252")
        self.assertEqual(first[:5], ["EXTF", "700", "21", "Buchungsstapel", "13"])
        self.assertEqual(first[10:16], ["29098", "55003", "20260101", "6", "20261101", "20261130"])
        self.assertEqual((len(first), len(titles)), (31, 125))
        self.assertEqual({len(row) for row in rows}, {125})
        found, expected = Counter(), Counter()
        for row in rows:
            amount = Decimal(row[0].replace(",", "."))
            found[row[6], row[1]] += amount
            found[row[7], "SH"["SH".index(row[1]) - 1]] += amount
        lines = self.env["account.move.line"].search(export.action_view_items()["domain"])
        self.assertEqual(len(lines), export.item_count)
        for line in lines:
            for side, amount in (("S", line.debit), ("H", line.credit)):
                if amount:
                    expected[line.account_id.code, side] += Decimal(str(round(amount, 2)))
        self.assertEqual(found, expected)
        self.assertEqual(float(sum(v for (__, side), v in found.items() if side == "S")), export.amount_debit)

    def test_invoice_says_its_number_partner_key_and_lock(self):
        self.company.emsp_datev_is_locked = True
        self.invoice.invoice_line_ids.tax_ids.emsp_datev_key = "40"
        export = self._export(self.datev_layout, journal_ids=[Command.set(self.invoice.journal_id.ids)])
        __, __, *rows = self._rows(export, "cp1252")
        revenue = self.invoice.invoice_line_ids.account_id.code
        [row] = [row for row in rows if row[6] == revenue]
        self.assertEqual((row[0], row[1], row[2], row[8]), ("100,00", "H", "EUR", "40"))
        self.assertEqual((row[9], row[10], row[11]), ("1011", "INV/2026/00001", "101226"))
        self.assertEqual(row[113], "1")
        self.assertEqual(export.attachment_id.name, "EXTF_Buchungsstapel_20261101_20261130.csv")

    def test_partners_with_numbers_of_their_own_are_the_accounts(self):
        self.partner.write({"emsp_datev_debtor": "1000001", "emsp_datev_creditor": "7000001"})
        export = self._export(self.datev_layout)
        __, __, *rows = self._rows(export, "cp1252")
        sales = [row for row in rows if row[10] == "INV/2026/00001"]
        revenue, tax = (
            self.invoice.line_ids.filtered(lambda line, kind=kind: line.display_type == kind).account_id.code
            for kind in ("product", "tax")
        )
        # 100.00 and 20 % of tax: from the customer's account, to the credit of revenue and tax.
        self.assertEqual(
            sorted((row[0], row[1], row[6], row[7]) for row in sales),
            sorted([("100,00", "H", revenue, "1000001"), ("20,00", "H", tax, "1000001")]),
        )
        bills = [row for row in rows if row not in sales]
        self.assertEqual({row[7] for row in bills}, {"7000001"})
        self.assertEqual({row[1] for row in bills}, {"S"})

    def test_partner_without_a_number_is_the_collective_account_or_refused(self):
        collective = self.invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        journals = {"journal_ids": [Command.set(self.invoice.journal_id.ids)]}
        export = self._export(self.datev_layout, **journals)
        __, __, *rows = self._rows(export, "cp1252")
        self.assertEqual({row[7] for row in rows}, {collective.account_id.code})
        self.company.emsp_datev_needs_personal = True
        with self.assertRaisesRegex(UserError, "Beta Laden GmbH has no DATEV customer number"):
            self._export(self.datev_layout, is_again=True, **journals)

    def test_number_is_of_one_partner_and_its_contacts_alone(self):
        other = self.env["res.partner"].create({"name": "Gamma Mobility", "is_company": True})
        self.partner.write({"emsp_datev_debtor": "1000001", "emsp_datev_creditor": "7000001"})
        for name, number in (("emsp_datev_debtor", "1000001"), ("emsp_datev_creditor", "7000001")):
            with (
                self.subTest(name),
                self.assertRaisesRegex(
                    ValidationError, f"number {number} of Gamma Mobility is that of Beta Laden GmbH already"
                ),
                self.env.cr.savepoint(),
            ):
                other[name] = number
        # Two at once, and one that is archived.
        both = other + other.copy({"name": "Delta"})
        with self.assertRaisesRegex(ValidationError, "already"), self.env.cr.savepoint():
            both.write({"emsp_datev_debtor": "1000002"})
        self.partner.active = False
        with self.assertRaisesRegex(ValidationError, "already"), self.env.cr.savepoint():
            other.emsp_datev_debtor = "1000001"
        contact = self.env["res.partner"].create({"name": "Accounts", "parent_id": self.partner.id})
        contact.emsp_datev_debtor = "1000001"
        elsewhere = self.env["res.company"].create({"name": "Other CPO"})
        other.with_company(elsewhere).emsp_datev_debtor = "10001" + "0" * (
            elsewhere.emsp_datev_account_length - 4
        )
        other.emsp_datev_debtor = "1000009"

    def test_number_is_of_a_company_and_one_digit_longer_than_accounts(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        self.partner.emsp_datev_debtor = "6999999"
        self.assertFalse(self.partner.with_company(other).emsp_datev_debtor)
        for name, number in (
            ("emsp_datev_debtor", "100001"),
            ("emsp_datev_debtor", "7000001"),
            ("emsp_datev_debtor", "100000a"),
            ("emsp_datev_creditor", "6999999"),
        ):
            with (
                self.subTest(number),
                self.assertRaisesRegex(ValidationError, "7 digits"),
                self.env.cr.savepoint(),
            ):
                self.partner[name] = number
        self.company.emsp_datev_account_length = 7
        with self.assertRaisesRegex(UserError, "The DATEV number 6999999 of Beta Laden GmbH is none"):
            self._export(self.datev_layout)

    def test_account_as_long_as_a_partner_number_is_refused(self):
        self.invoice.invoice_line_ids.account_id.code = "1000001"
        with self.assertRaisesRegex(UserError, "Account 1000001 .* at most 6"):
            self._export(self.datev_layout)

    def test_file_with_more_rows_than_datev_reads_is_refused(self):
        with (
            patch("odoo.addons.emsp_clearing.models.emsp_ledger_export_datev.MAX_ROWS", 3),
            self.assertRaisesRegex(UserError, "holds 3 rows, and these are 4"),
        ):
            self._export(self.datev_layout)

    def test_bill_has_the_number_of_its_vendor(self):
        self.bill.ref = "SMO-2026-7"
        export = self._export(self.datev_layout, journal_ids=[Command.set(self.bill.journal_id.ids)])
        __, __, *rows = self._rows(export, "cp1252")
        self.assertEqual({row[10] for row in rows}, {"SMO-2026-7"})

    def test_file_holds_one_fiscal_year_and_needs_the_numbers(self):
        with self.assertRaisesRegex(UserError, "one fiscal year"), self.env.cr.savepoint():
            self._export(self.datev_layout, date_first=date(2025, 12, 1))
        self.company.emsp_datev_client = 0
        with self.assertRaisesRegex(UserError, "advisor and client numbers"):
            self._export(self.datev_layout)

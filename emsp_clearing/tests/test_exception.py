from datetime import date, datetime

from odoo import Command
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .bank_common import BankCommon


@tagged("post_install", "-at_install")
class TestException(BankCommon):
    def test_late_opens_the_day_after_the_due_date_in_the_contracts_time_zone(self):
        # Due on 10 December. In Paris the 11th starts at 23:00 UTC of the 10th.
        invoice = self._create_settlement_invoice("INV/2026/00301", 120.0, date(2026, 12, 10))
        self._update_late(datetime(2026, 12, 10, 22, 59))
        self.assertFalse(self._exceptions("late"))
        self._update_late(datetime(2026, 12, 10, 23, 0))
        late = self._exceptions("late")
        self.assertEqual((late.move_id, late.amount, late.date), (invoice, 120.0, date(2026, 12, 10)))
        self.assertEqual(late.contract_id, self.contract)
        self.assertEqual(late.opened_at, datetime(2026, 12, 10, 23, 0))
        self.assertEqual(
            late.name.replace("\xa0", " "),
            "INV/2026/00301 of Beta Laden GmbH was due on 12/10/2026: 120.00 € is open.",
        )

    def test_late_is_there_once_however_often_the_run_is_made(self):
        self._create_settlement_invoice("INV/2026/00302", 120.0, date(2026, 12, 10))
        for day in (12, 13, 14):
            self._update_late(datetime(2026, 12, day, 6, 0))
        late = self._exceptions("late")
        self.assertEqual(len(late), 1)
        self.assertEqual(late.opened_at, datetime(2026, 12, 12, 6, 0))

    def test_late_closes_when_the_invoice_is_paid(self):
        invoice = self._create_settlement_invoice("INV/2026/00303", 120.0, date(2026, 12, 10))
        self._update_late(datetime(2026, 12, 12, 6, 0))
        late = self._exceptions("late")
        self._create_bank_line("INV/2026/00303", 20.0)
        self.assertEqual(late.state, "open")
        self._update_late(datetime(2026, 12, 13, 6, 0))
        self.assertEqual(late.amount, 100.0)
        self._create_bank_line("INV/2026/00303", 100.0)
        self.assertEqual((late.state, invoice.payment_state), ("closed", "paid"))
        self.assertTrue(late.closed_at)

    def test_late_closes_by_a_credit_note_too(self):
        invoice = self._create_settlement_invoice("INV/2026/00304", 120.0, date(2026, 12, 10))
        self._update_late(datetime(2026, 12, 12, 6, 0))
        late = self._exceptions("late")
        invoice._reverse_moves([{"date": date(2026, 12, 12)}], cancel=True)
        self.assertEqual(late.state, "closed")

    def test_late_closes_when_the_due_date_moves(self):
        invoice = self._create_settlement_invoice("INV/2026/00305", 120.0, date(2026, 12, 10))
        self._update_late(datetime(2026, 12, 12, 6, 0))
        late = self._exceptions("late")
        invoice.line_ids.filtered("date_maturity").date_maturity = date(2027, 1, 31)
        self._update_late(datetime(2026, 12, 13, 6, 0))
        self.assertEqual((late.state, late.closed_at), ("closed", datetime(2026, 12, 13, 6, 0)))

    def test_only_settlement_invoices_are_late(self):
        self._create_document("INV/2026/00306", 120.0, due=date(2026, 12, 1))
        self._update_late(datetime(2026, 12, 12, 6, 0))
        self.assertFalse(self._exceptions("late"))

    def test_late_run_costs_the_same_queries_for_one_invoice_and_for_ten(self):
        def queries(as_of):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._update_late(as_of)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self._create_settlement_invoice("INV/2026/00310", 120.0, date(2026, 12, 10))
        self._update_late(datetime(2026, 12, 12, 6, 0))
        one = queries(datetime(2026, 12, 13, 6, 0))
        for number in range(311, 320):
            self._create_settlement_invoice(f"INV/2026/00{number}", 120.0, date(2026, 11, number - 310))
        self._update_late(datetime(2026, 12, 14, 6, 0))
        self.assertEqual(len(self._exceptions("late")), 10)
        self.assertEqual(queries(datetime(2026, 12, 15, 6, 0)), one)

    def test_open_is_idempotent_while_open_and_opens_again_after_it_closed(self):
        journal = self.env["emsp.exception"]
        vals = {"name": "Mail bounced.", "company_id": self.company.id}
        first = journal._open("sending_failed", "settlement:1", **vals)
        self.assertEqual(journal._open("sending_failed", "settlement:1", **vals), first)
        self.assertNotEqual(journal._open("blocked", "settlement:1", **vals), first)
        journal._close("sending_failed", "settlement:1", datetime(2026, 12, 1, 8, 0))
        self.assertEqual((first.state, first.closed_at), ("closed", datetime(2026, 12, 1, 8, 0)))
        again = journal._open("sending_failed", "settlement:1", **vals)
        self.assertNotEqual(again, first)
        self.assertEqual(again.state, "open")

    def test_operator_closes_with_a_reason_and_not_without(self):
        operator = self._user("emsp_clearing.emsp_clearing_group_operator")
        exception = self._create_exception().with_user(operator)
        with self.assertRaisesRegex(UserError, "Write why"):
            exception.action_close()
        exception.close_reason = "Paid by netting"
        exception.action_close()
        self.assertEqual(exception.state, "closed")

    def test_clearing_user_reads_but_does_not_close(self):
        user = self._user("emsp_clearing.emsp_clearing_group_user")
        exception = self._create_exception().with_user(user)
        self.assertEqual(exception.state, "open")
        with self.assertRaises(AccessError):
            exception.close_reason = "Not mine to say"

    def test_clearing_user_without_accounting_rights_sees_what_the_journal_shows(self):
        invoice = self._create_document("INV/2026/00319", 100.0)
        self._create_bank_line("INV/2026/00319", 90.0)
        journal = self.env["emsp.exception"].with_user(self._user("emsp_clearing.emsp_clearing_group_user"))
        shown = {
            name: {"fields": {"display_name": {}}} for name in ("move_id", "statement_line_id", "partner_id")
        }
        [row] = journal.web_search_read([("kind", "=", "gap")], {"name": {}, **shown})["records"]
        self.assertEqual(row["move_id"]["id"], invoice.id)
        self.assertIn("is still open", row["name"])

    def test_fact_opened_by_another_transaction_meanwhile_is_tried_again(self):
        vals = {"kind": "blocked", "fact_key": "settlement:98", "name": "x", "company_id": self.company.id}
        journal = self.env["emsp.exception"].sudo()
        journal._create_facts([vals])
        with self.assertRaises(ConcurrencyError), mute_logger("odoo.sql_db"):
            journal._create_facts([vals])

    def test_user_of_another_company_sees_nothing(self):
        other = self.setup_other_company(name="Other CPO")["company"]
        user = self._user("emsp_clearing.emsp_clearing_group_user")
        user.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self._create_exception()
        self.assertFalse(self.env["emsp.exception"].with_user(user).search([]))

    def test_nobody_creates_or_deletes_exceptions_by_hand(self):
        operator = self._user("emsp_clearing.emsp_clearing_group_operator")
        with self.assertRaises(AccessError):
            self.env["emsp.exception"].with_user(operator).create(
                {"name": "x", "kind": "blocked", "fact_key": "x"}
            )
        with self.assertRaises(AccessError):
            self._create_exception().with_user(operator).unlink()

    def test_accountant_without_clearing_rights_imports_and_the_gap_is_recorded(self):
        accountant = self._user("account.group_account_user")
        self._create_document("INV/2026/00320", 100.0)
        lines = self.env["account.bank.statement.line"].with_user(accountant)
        line = lines.create({"journal_id": self.journal.id, "payment_ref": "INV/2026/00320", "amount": 90.0})
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self._exceptions("gap").amount, 10.0)

    def test_dialogs_and_buttons_open_what_they_name(self):
        invoice = self._create_document("INV/2026/00321", 100.0)
        line = self._create_bank_line("INV/2026/00321", 90.0)
        gap = self._exceptions("gap")
        self.assertEqual(gap.action_open_move()["res_id"], invoice.id)
        self.assertEqual(gap.action_open_statement_line()["domain"], [("id", "=", line.id)])
        self.assertEqual(gap.action_ask_close()["target"], "new")

    def _update_late(self, as_of):
        return self.env["emsp.exception"]._update_late(as_of)

    def _create_exception(self):
        return self.env["emsp.exception"]._open(
            "blocked", "settlement:99", name="It waits.", company_id=self.company.id
        )

    def _user(self, group):
        return new_test_user(
            self.env, login=f"user.{group}", groups=f"base.group_user,{group}", company_id=self.company.id
        )

from datetime import date
from functools import partial
from threading import Thread
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .bank_common import BankCommon
from .concurrency_common import ConcurrencyCommon


@tagged("post_install", "-at_install")
class TestBankMatchingBatch(BankCommon):
    """Many lines at once."""

    def _lines(self, numbers, amount=40.0):
        return self.env["account.bank.statement.line"].create(
            [
                {"journal_id": self.journal.id, "payment_ref": f"INV/2026/{number:05}", "amount": amount}
                for number in numbers
            ]
        )

    def test_line_that_cannot_be_booked_does_not_stop_the_others(self):
        numbers = range(501, 505)
        invoices = [self._create_document(f"INV/2026/{number:05}", 40.0) for number in numbers]
        lines_class = type(self.env["account.bank.statement.line"])
        prepare = lines_class._prepare_counterparts

        def refuse(line, *args):
            if line.payment_ref.endswith("502"):
                raise UserError(self.env._("The period is closed."))
            return prepare(line, *args)

        self.patch(lines_class, "_prepare_counterparts", refuse)
        lines = self._lines(numbers)
        self.assertEqual(lines.mapped("is_reconciled"), [True, False, True, True])
        self.assertEqual(
            [invoice.payment_state for invoice in invoices], ["paid", "not_paid", "paid", "paid"]
        )
        self.assertEqual(lines[1].emsp_match_state, "proposed")
        self.assertIn("It could not be booked: The period is closed.", self._exceptions("unmatched").name)

    def test_part_payments_of_one_file_pay_one_invoice_together(self):
        invoice = self._create_document("INV/2026/00510", 100.0)
        lines = self._lines([510, 510, 510])
        # 40 + 40 of 100; the third is more than what is left.
        self.assertEqual(lines.mapped("is_reconciled"), [True, True, False])
        self.assertEqual(invoice.amount_residual, 20.0)

    def test_candidates_are_found_in_a_constant_number_of_queries(self):
        def queries(numbers):
            for number in numbers:
                self._create_document(f"INV/2026/{number:05}", 40.0)
            with patch.object(type(self.env["account.bank.statement.line"]), "_match_open_lines"):
                lines = self._lines(numbers)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            documents, payments = lines._open_documents(), lines._payments()
            self.assertGreaterEqual(len(documents), len(payments))
            self.assertEqual(len(payments), len(lines))
            return self.env.cr.sql_log_count - before

        queries([600])
        self.assertEqual(queries(range(601, 603)), queries(range(610, 640)))


@tagged("post_install", "-at_install")
class TestTwoImportsAtOnce(ConcurrencyCommon):
    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            sales = env["account.journal"].search(
                [("type", "=", "sale"), ("default_account_id", "!=", False)], limit=1
            )
            self.company_id = sales.company_id.id
            env = env(context={"allowed_company_ids": [self.company_id]})
            vals = {"name": "Twice", "company_id": self.company_id}
            journals = env["account.journal"].create(
                [
                    {
                        **vals,
                        "code": "TWS",
                        "type": "sale",
                        "default_account_id": sales.default_account_id.id,
                    },
                    {**vals, "code": "TWB1", "type": "bank"},
                    {**vals, "code": "TWB2", "type": "bank"},
                ]
            )
            self.journal_ids = journals.ids
            self.account_ids = journals[1:].default_account_id.ids
            partner = env["res.partner"].create({"name": "Twice"})
            self.partner_id = partner.id
            self.addCleanup(self._take_out)
            invoice = env["account.move"].create(
                {
                    "name": "TWICE/2026/00001",
                    "move_type": "out_invoice",
                    "journal_id": journals[0].id,
                    "partner_id": partner.id,
                    "invoice_date": date(2026, 11, 10),
                    "invoice_line_ids": [
                        Command.create({"name": "Charging", "price_unit": 10.0, "tax_ids": []})
                    ],
                }
            )
            invoice.action_post()
            self.invoice_id = invoice.id
            # Here and below: other connections see what is committed alone; _take_out takes it back.
            self._commit(cr)

    def _take_out(self):
        with self._connect() as cr:
            moves = SQL("SELECT id FROM account_move WHERE journal_id IN %s", tuple(self.journal_ids))
            items = SQL("SELECT id FROM account_move_line WHERE move_id IN (%s)", moves)
            for query in (
                SQL(
                    "DELETE FROM emsp_exception WHERE statement_line_id IS NOT NULL AND move_id IN (%s)",
                    moves,
                ),
                SQL("DELETE FROM account_partial_reconcile WHERE debit_move_id IN (%s)", items),
                SQL("UPDATE account_move SET statement_line_id = NULL WHERE id IN (%s)", moves),
                SQL("DELETE FROM account_bank_statement_line WHERE move_id IN (%s)", moves),
                SQL("DELETE FROM mail_message WHERE model = 'account.move' AND res_id IN (%s)", moves),
                SQL("UPDATE account_move_line SET full_reconcile_id = NULL WHERE move_id IN (%s)", moves),
                SQL("DELETE FROM account_move_line WHERE move_id IN (%s)", moves),
                SQL("DELETE FROM account_move WHERE journal_id IN %s", tuple(self.journal_ids)),
                SQL(
                    "DELETE FROM account_payment_method_line WHERE journal_id IN %s", tuple(self.journal_ids)
                ),
                SQL("DELETE FROM account_journal WHERE id IN %s", tuple(self.journal_ids)),
                SQL("DELETE FROM account_account WHERE id IN %s", tuple(self.account_ids)),
                SQL("DELETE FROM mail_alias WHERE alias_name LIKE 'twice%%'"),
                SQL("DELETE FROM res_partner WHERE id = %s", self.partner_id),
            ):
                cr.execute(query)
            self._commit(cr)

    def _import(self, cr, place):
        context = {"allowed_company_ids": [self.company_id]}
        lines = api.Environment(cr, SUPERUSER_ID, context)["account.bank.statement.line"]
        vals = {"journal_id": self.journal_ids[place], "payment_ref": "TWICE/2026/00001", "amount": 10.0}
        line = lines.create({**vals, "date": date(2026, 11, 16)})
        return line.is_reconciled

    @mute_logger("odoo.sql_db")
    def test_invoice_is_paid_by_one_of_two_imports(self):
        results, conflicts = [], []
        second = Thread(target=self._replayed, args=(partial(self._import, place=2), results, conflicts))
        with self._connect() as cr:
            self.assertTrue(self._import(cr, 1))
            second.start()
            self._wait_until_blocked()
            self._commit(cr)
        second.join()
        self.assertEqual((results, len(conflicts)), ([False], 1))
        with self._connect() as cr:
            invoice = api.Environment(cr, SUPERUSER_ID, {})["account.move"].browse(self.invoice_id)
            self.assertEqual(invoice.payment_state, "paid")
            partials = invoice.line_ids.matched_credit_ids
            self.assertEqual(partials.mapped("amount"), [10.0])

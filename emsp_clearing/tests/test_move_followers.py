from contextlib import ExitStack
from unittest.mock import patch

from odoo.tests import tagged

from .bank_common import BankCommon

FOLLOWERS = ("emsp.exception", "emsp.settlement.delivery", "emsp.remittance.advice")


@tagged("post_install", "-at_install")
class TestMoveFollowers(BankCommon):
    """What is computed again when a move or a bank line changes is found without a look for each of them."""

    def _import(self, count):
        """:return: how often each of the models was searched while so many bank lines came."""
        with ExitStack() as stack:
            spies = [
                stack.enter_context(
                    patch.object(type(self.env[name]), "search", autospec=True, side_effect=search)
                )
                for name in FOLLOWERS
                for search in [type(self.env[name]).search]
            ]
            self.env["account.bank.statement.line"].create(
                [
                    {"journal_id": self.journal.id, "payment_ref": f"MERCI {number}", "amount": 7.0}
                    for number in range(count)
                ]
            )
            self.env.flush_all()
        return [spy.call_count for spy in spies]

    def test_more_bank_lines_need_no_more_searches(self):
        self.assertEqual(self._import(12), self._import(2))

    def test_exceptions_follow_a_move_whose_cache_was_emptied(self):
        invoice = self._create_document("INV/2026/00601", 40.0)
        self.env["account.bank.statement.line"].create(
            {"journal_id": self.journal.id, "payment_ref": "INV/2026/00601", "amount": 25.0}
        )
        [fact] = self.env["emsp.exception"].search([("move_id", "=", invoice.id), ("kind", "=", "gap")])
        self.assertEqual((fact.state, fact.amount), ("open", 15.0))
        self.env.invalidate_all()
        invoice.button_draft()
        self.assertEqual(fact.state, "closed")

    def test_exception_follows_a_bank_line_of_the_same_transaction(self):
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": self.journal.id, "payment_ref": "MERCI", "amount": 40.0}
        )
        [fact] = self.env["emsp.exception"].search([("statement_line_id", "=", line.id)])
        self.assertEqual(fact.state, "open")
        self._create_document("INV/2026/00602", 40.0)
        line.payment_ref = "INV/2026/00602"
        line._match_open_lines()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(fact.state, "closed")

    def test_what_follows_is_for_the_orm_alone(self):
        moves, lines = self.env["account.move"], self.env["account.bank.statement.line"]
        for model, name in ((moves, "emsp_exception_ids"), (lines, "emsp_line_exception_ids")):
            self.assertIn(name, model._fields)
            self.assertNotIn(name, model.fields_get())

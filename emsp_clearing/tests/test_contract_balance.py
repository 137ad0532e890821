from datetime import date, datetime, timedelta

from lxml import etree

from odoo import fields
from odoo.tests import tagged

from .bank_common import BankCommon
from .common import cdr_payload
from .settlement_common import SettlementCommon


@tagged("post_install", "-at_install")
class TestContractBalance(BankCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env["emsp.contract"])

    def test_balance_tells_billed_credited_paid_open_and_overdue(self):
        late = self._create_settlement_invoice("INV/2026/00901", 100.0, self.today - timedelta(days=40))
        self._create_settlement_invoice("INV/2026/00902", 250.5, self.today + timedelta(days=10))
        self._pay(late, 30.0)
        self._credit(late, 20.0)
        self.assertEqual(self._figures(), (350.5, 20.0, 30.0, 300.5, 50.0, 50.0))

    def test_paid_invoice_leaves_nothing_open(self):
        invoice = self._create_settlement_invoice("INV/2026/00903", 100.0, self.today - timedelta(days=5))
        self._pay(invoice, 100.0)
        self.assertEqual(self._figures(), (100.0, 0.0, 100.0, 0.0, 0.0, 0.0))

    def test_draft_and_cancelled_documents_count_nothing(self):
        invoice = self._create_settlement_invoice("INV/2026/00904", 100.0, self.today)
        invoice.button_draft()
        self.assertEqual(self._figures()[0], 0.0)

    def test_ageing_begins_the_day_after_the_due_date(self):
        for position, days in enumerate((0, 1, 30, 31, 60, 61, 90, 91)):
            name = f"INV/2026/0091{position}"
            self._create_settlement_invoice(name, 2.0**position, self.today - timedelta(days=days))
        groups = self.env["emsp.contract.balance"]._read_group(
            [("contract_id", "=", self.contract.id)], ["age_band"], ["open_amount:sum"]
        )
        self.assertEqual(groups, [("0", 1.0), ("1", 6.0), ("2", 24.0), ("3", 96.0), ("4", 128.0)])

    def test_balance_of_a_day_is_that_of_the_ledger_at_its_end(self):
        invoice = self._create_settlement_invoice("INV/2026/00921", 100.0, date(2026, 12, 10))
        self._pay(invoice, 60.0, date(2026, 12, 20))
        balances = self.env["emsp.contract.balance"]
        for day, expected in (
            (date(2026, 11, 9), None),
            (date(2026, 12, 10), (100.0, 0.0, "0", 0.0)),
            (date(2026, 12, 19), (100.0, 0.0, "1", 0.0)),
            (date(2026, 12, 20), (40.0, 60.0, "1", 40.0)),
        ):
            with self.subTest(day=day):
                row = balances.with_context(emsp_as_of=day).search([("move_id", "=", invoice.id)])
                found = (row.open_amount, row.received, row.age_band, row.gap) if row else None
                self.assertEqual(found, expected)
                balances.invalidate_model()

    def test_list_of_contracts_costs_as_many_queries_as_one_contract(self):
        contracts = self.contract | self.contract.copy() | self.contract.copy()
        self._create_settlement_invoice("INV/2026/00922", 100.0, self.today)
        counts = []
        for some in (self.contract, contracts):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(sum(some.mapped("balance_open")), 100.0)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def _figures(self):
        """:return: (billed, credited, paid, open, overdue, paid short)."""
        self.contract.invalidate_recordset()
        names = ("billed", "credited", "received", "open", "overdue", "gap")
        return tuple(self.contract[f"balance_{name}"] for name in names)

    def _pay(self, invoice, amount, day=None):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create(
            {"amount": amount, "payment_date": day or self.today, **self._outstanding()}
        )._create_payments()

    def _outstanding(self):
        """A method that books the payment: without an account it would leave the ledger as it is."""
        method = self.journal.inbound_payment_method_line_ids[:1]
        if not method.payment_account_id:
            method.payment_account_id = self.env["account.account"].create(
                {
                    "name": "Outstanding receipts",
                    "code": "511999",
                    "account_type": "asset_current",
                    "reconcile": True,
                }
            )
        return {"journal_id": self.journal.id, "payment_method_line_id": method.id}

    def _credit(self, invoice, amount):
        credit = invoice._reverse_moves([{"invoice_date": self.today, "date": self.today}])
        credit.invoice_line_ids.price_unit = amount
        credit.action_post()
        return credit


@tagged("post_install", "-at_install")
class TestSharedDocument(SettlementCommon):
    """A document of two settlements: a session is 6.40 net."""

    def test_shares_of_a_document_follow_its_sessions_and_sum_to_the_ledger(self):
        invoice, october, november = self._shared()
        rows = self.env["emsp.contract.balance"].search([("move_id", "=", invoice.id)])
        billed = {
            settlement: sum(row.billed for row in rows if row.settlement_id == settlement)
            for settlement in (october, november)
        }
        total = invoice.amount_total
        self.assertAlmostEqual(billed[october], round(total / 3, 2))
        self.assertAlmostEqual(sum(billed.values()), total)
        self.assertAlmostEqual(sum(rows.mapped("open_amount")), invoice.amount_residual)
        self.assertAlmostEqual(october.balance_open, billed[october])

    def test_contracts_sum_to_the_ledger_to_the_cent(self):
        invoice, october, __ = self._shared()
        other = self.contract.copy()
        # sudo: settlements are made by the calendar run alone.
        october.sudo()._store({"contract_id": other.id})
        self.env.invalidate_all()
        contracts = self.contract | other
        self.assertTrue(all(contracts.mapped("balance_open")))
        self.assertAlmostEqual(sum(contracts.mapped("balance_open")), invoice.amount_residual)
        self.assertAlmostEqual(sum(contracts.mapped("balance_billed")), invoice.amount_total)

    def test_settlements_show_their_shares_so_that_a_column_sums_to_the_ledger(self):
        invoice, october, november = self._shared()
        shares = (october | november).mapped("balance_open")
        self.assertAlmostEqual(sum(shares), invoice.amount_residual)
        for view_type in ("list", "kanban", "form"):
            arch = etree.fromstring(october.get_view(view_type=view_type)["arch"])
            self.assertTrue(arch.xpath("//field[@name='balance_open']"), view_type)
            whole = arch.xpath("//field[@name='amount_residual'][not(ancestor::page[@name='invoices'])]")
            self.assertFalse(whole, view_type)
        arch = etree.fromstring(october.get_view(view_type="list")["arch"])
        self.assertTrue(arch.xpath("//field[@name='balance_open'][@sum][@optional='show']"))

    def _shared(self):
        """:return: the document, the settlement with one of its three sessions, that with two."""
        self.contract.minimum_amount = 10
        october = self._settle(cdr_payload(1))
        start = datetime(2026, 11, 12, 8, 0)
        self._receive(
            cdr_payload(2, start=start),
            cdr_payload(3, start=start + timedelta(days=1)),
            received_at=start + timedelta(days=2),
        )
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self._run_due(datetime(2026, 12, 9, 23, 0))
        november = self._settlement(11)
        self.assertEqual(november.move_id, october.move_id)
        return november.move_id, october, november

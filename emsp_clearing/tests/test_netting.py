from datetime import date

from lxml import etree
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .dispute_common import DisputeCommon
from .netting_common import OCTOBER, NettingCommon

PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@tagged("post_install", "-at_install")
class TestNettingProposal(NettingCommon):
    def test_open_documents_of_both_sides_are_listed_with_the_balance(self):
        self._document("out_invoice", "INV/1", 1000.0)
        self._document("out_refund", "RINV/1", 40.0)
        self._document("in_invoice", "BETA-7", 300.0)
        self._document("in_refund", "BETA-G1", 25.5)
        netting = self._netting()
        self.assertEqual(
            sorted(netting.line_ids.mapped(lambda line: (line.document, line.side, line.amount_open))),
            [
                ("BETA-7", "theirs", 300.0),
                ("BETA-G1", "theirs", -25.5),
                ("INV/1", "ours", 1000.0),
                ("RINV/1", "ours", -40.0),
            ],
        )
        # 1000.00 - 40.00 and 300.00 - 25.50; the smaller one is set off.
        self.assertEqual((netting.amount_ours, netting.amount_theirs), (960.0, 274.5))
        self.assertEqual((netting.amount_cleared, netting.amount_balance), (274.5, 685.5))
        self.assertEqual(netting.direction, "receive")

    def test_documents_dated_or_due_in_the_period_are_listed_and_no_others(self):
        dated = self._document("out_invoice", "INV/2", 10.0, day=31, due=60)
        due = self._document("in_invoice", "BETA-1", 10.0, day=1, due=0, invoice_date="2026-09-01")
        due.line_ids.filtered("date_maturity").date_maturity = date(2026, 10, 1)
        self._document(
            "in_invoice", "BETA-2", 10.0, day=1, invoice_date="2026-09-01", invoice_date_due="2026-09-30"
        )
        netting = self._netting()
        self.assertEqual(netting.line_ids.move_line_id.move_id, dated | due)

    def test_paid_ordered_blocked_and_foreign_documents_are_left_out(self):
        kept = self._document("out_invoice", "INV/3", 100.0)
        blocked = self._document("in_invoice", "BETA-3", 50.0)
        blocked.action_toggle_block_payment()
        ordered = self._document("in_invoice", "BETA-4", 60.0)
        self.env.user.group_ids += self.env.ref("account_payment_batch_oca.group_account_payment")
        ordered.preferred_payment_method_line_id = self.env["account.payment.order"]._ensure_credit_transfer(
            self.company
        )
        ordered.create_account_payment_line()
        other = self._document("out_invoice", "INV/4", 70.0)
        other.sudo().emsp_settlement_ids = False
        draft = self._document("in_invoice", "BETA-5", 80.0)
        draft.button_draft()
        self.assertEqual(self._netting().line_ids.move_line_id.move_id, kept)

    def test_document_that_a_person_holds_back_is_left_out(self):
        kept = self._document("out_invoice", "INV/24", 100.0)
        self._document("in_invoice", "BETA-24", 50.0).emsp_hold_reason = "The meter is doubted."
        self.assertEqual(self._netting().line_ids.move_line_id.move_id, kept)

    def test_bill_of_a_contract_without_netting_is_left_out(self):
        bill = self._document("in_invoice", "BETA-25", 100.0)
        self.assertEqual(self._netting().line_ids.move_line_id.move_id, bill)
        other = self.payable_contract.copy({"name": "Without netting", "state": "active"})
        bill.emsp_vendor_settlement_ids = self.settlement_sudo.copy(
            {"name": "CLR/OTHER", "contract_id": other.id, "state": "locked"}
        )
        self.assertFalse(self._netting().line_ids)

    def test_invoice_shared_with_a_contract_without_netting_is_left_out(self):
        invoice = self._document("out_invoice", "INV/5", 100.0)
        self.assertEqual(self._netting().line_ids.move_line_id.move_id, invoice)
        other = self.contract.copy({"name": "Without netting", "state": "active"})
        invoice.sudo().emsp_settlement_ids += self.settlement_sudo.copy(
            {"name": "CLR/OTHER", "contract_id": other.id}
        )
        self.assertFalse(self._netting().line_ids)

    def test_document_of_before_the_clause_is_left_out(self):
        self._document("out_invoice", "INV/6", 100.0, day=5)
        bill = self._document("in_invoice", "BETA-6", 50.0, day=5)
        self.contract.netting_date = date(2026, 10, 6)
        self.assertEqual(self._netting().line_ids.move_line_id.move_id, bill)

    def test_both_contracts_must_have_agreed(self):
        self.payable_contract.is_netting_agreed = False
        with self.assertRaisesRegex(UserError, "not agreed on"):
            self._netting()

    def test_agreement_names_its_day_and_clause(self):
        with self.assertRaisesRegex(ValidationError, "the day and the clause"):
            self.contract.netting_reference = False

    def test_document_is_in_one_open_statement_only(self):
        self._document("out_invoice", "INV/7", 100.0)
        self._document("in_invoice", "BETA-8", 50.0)
        first = self._netting()
        self.assertEqual(len(first.line_ids), 2)
        self.assertFalse(self._netting().line_ids)
        second = self._netting()
        with self.assertRaisesRegex(IntegrityError, "one_statement"), mute_logger("odoo.sql_db"):
            first.line_ids[:1].sudo().copy({"netting_id": second.id}).flush_recordset()

    def test_document_taken_out_of_the_proposal_changes_its_sums(self):
        self._document("out_invoice", "INV/8", 100.0)
        self._document("in_invoice", "BETA-9", 50.0)
        hardware = self._document("in_invoice", "HW-1", 20.0)
        netting = self._netting()
        self.assertEqual(netting.amount_cleared, 70.0)
        line = netting.their_line_ids.filtered(lambda line: line.move_line_id.move_id == hardware)
        netting.write({"their_line_ids": [Command.delete(line.id)]})
        self.assertEqual((netting.amount_cleared, netting.amount_balance), (50.0, 50.0))

    def test_month_is_proposed_once_where_both_sides_have_something_open(self):
        today = date(2026, 11, 3)
        nettings = self.env["emsp.netting"]
        own = [("company_id", "=", self.company.id)]
        self._document("out_invoice", "INV/9", 100.0)
        nettings._cron_propose(today)
        self.assertFalse(nettings.search(own))
        self._document("in_invoice", "BETA-10", 50.0)
        nettings._cron_propose(today)
        nettings._cron_propose(today)
        netting = nettings.search(own)
        self.assertEqual((netting.date_first, netting.date_last, netting.state), (*OCTOBER, "draft"))
        netting.action_cancel()
        nettings._cron_propose(today)
        self.assertEqual(nettings.search(own), netting)


@tagged("post_install", "-at_install")
class TestNettingSettlement(NettingCommon):
    def test_one_entry_clears_both_ledgers_and_leaves_the_balance_on_the_later_invoice(self):
        first = self._document("out_invoice", "INV/11", 600.0, due=10)
        second = self._document("out_invoice", "INV/12", 400.0, due=30)
        bill = self._document("in_invoice", "BETA-11", 750.0)
        netting = self._settled()
        entry = netting.move_id
        self.assertEqual(entry.state, "posted")
        self.assertEqual(entry.journal_id.type, "general")
        self.assertEqual(
            sorted((line.account_id.account_type, line.debit, line.credit) for line in entry.line_ids),
            [
                ("asset_receivable", 0.0, 150.0),
                ("asset_receivable", 0.0, 600.0),
                ("liability_payable", 750.0, 0.0),
            ],
        )
        self.assertEqual((first.amount_residual, second.amount_residual, bill.amount_residual), (0, 250.0, 0))
        self.assertTrue(all(line.reconciled for line in entry.line_ids))
        self.assertEqual(
            (netting.state, netting.direction, netting.amount_balance), ("settled", "receive", 250.0)
        )
        self.assertFalse(entry.line_ids.tax_ids | entry.line_ids.tax_line_id)

    def test_vat_of_the_invoices_is_untouched(self):
        tax = self.company_data["default_tax_sale"]
        invoice = self._document(
            "out_invoice",
            "INV/13",
            0.0,
            invoice_line_ids=[
                Command.create({"name": "Charging", "price_unit": 100.0, "tax_ids": [Command.set(tax.ids)]})
            ],
        )
        self._document("in_invoice", "BETA-12", 30.0)
        taxes = invoice.amount_tax
        self.assertGreater(taxes, 0)
        lines = self.env["account.move.line"]
        domain = [
            ("company_id", "=", self.company.id),
            ("tax_line_id", "!=", False),
            ("parent_state", "=", "posted"),
        ]
        before = sum(lines.search(domain).mapped("balance"))
        self._settled()
        self.assertEqual(invoice.amount_tax, taxes)
        self.assertEqual(sum(lines.search(domain).mapped("balance")), before)

    def test_balance_that_we_owe_is_one_transfer_whatever_the_number_of_bills(self):
        self.env.user.group_ids += self.env.ref("account_payment_batch_oca.group_account_payment")
        self.env.user.group_ids += self.env.ref("account.group_validate_bank_account")
        account = self._create_account("DE89370400440532013000", self.partner)
        self._document("out_invoice", "INV/14", 100.0)
        vals = {"partner_bank_id": account.id}
        self._document("in_invoice", "BETA-13", 150.0, due=1, **vals)
        self._document("in_invoice", "BETA-14", 70.0, due=20, **vals)
        self._document("in_invoice", "BETA-15", 30.0, due=40, **vals)
        netting = self._settled()
        # 250.00 - 100.00: 50.00 of the first bill and the two others.
        self.assertEqual((netting.direction, netting.amount_balance), ("pay", 150.0))
        action = netting.action_pay_balance()
        order = self.env["account.payment.order"].browse(action["res_id"])
        self.assertEqual(netting.action_pay_balance()["res_id"], order.id)
        self.assertEqual(sorted(order.payment_line_ids.mapped("amount_currency")), [30.0, 50.0, 70.0])
        order.draft2open()
        order.open2generated()
        document = etree.fromstring(order.payment_file_id.raw)
        amounts = document.xpath("//p:CdtTrfTxInf/p:Amt/p:InstdAmt/text()", namespaces=PAIN)
        self.assertEqual(amounts, ["150.00"])
        [text] = document.xpath("//p:RmtInf/p:Ustrd/text()", namespaces=PAIN)
        self.assertEqual(text, netting.name)
        with self.assertRaisesRegex(UserError, "Cancel that first"):
            netting.action_cancel()

    def test_partner_that_owes_the_balance_gets_a_creditor_reference(self):
        invoice = self._document("out_invoice", "INV/15", 100.0)
        self._document("in_invoice", "BETA-16", 30.0)
        netting = self._settled()
        reference = netting.payment_reference
        self.assertRegex(reference, r"^RF\d\dNET\d{6}$")
        self.assertEqual(int("".join(str(int(c, 36)) for c in reference[4:] + reference[:4])) % 97, 1)
        line = self._create_bank_line(f"Ref. {reference}", 70.0)
        self.assertEqual((line.is_reconciled, invoice.amount_residual), (True, 0.0))
        with self.assertRaisesRegex(UserError, "no balance for us"):
            netting.action_pay_balance()

    def test_transfer_that_names_the_statement_pays_all_that_it_left_open(self):
        account = self._create_account("DE89370400440532013000", self.partner)
        invoices = self._document("out_invoice", "INV/21", 50.0, due=1)
        invoices |= self._document("out_invoice", "INV/22", 60.0, due=5)
        self._document("in_invoice", "BETA-21", 30.0)
        netting = self._settled()
        # 50.00 - 30.00 of the first one and all of the second one.
        self.assertEqual(invoices.mapped("amount_residual"), [20.0, 60.0])
        line = self._create_bank_line(netting.name, 80.0, account_number=account.acc_number)
        self.assertEqual((line.is_reconciled, invoices.mapped("amount_residual")), (True, [0.0, 0.0]))

    def test_bill_in_a_statement_is_not_proposed_for_payment_until_that_is_settled(self):
        self._create_account("DE89370400440532013000", self.partner)
        self._document("out_invoice", "INV/23", 30.0)
        self._document("in_invoice", "BETA-23", 100.0)
        netting = self._accepted()
        orders = self.env["account.payment.order"].with_company(self.company)
        self.assertFalse(orders._due_bills(self.company))
        netting.action_settle()
        self.assertEqual([due.amount for due in orders._due_bills(self.company)], [70.0])

    def test_undo_reopens_what_was_cleared(self):
        invoice = self._document("out_invoice", "INV/16", 100.0)
        bill = self._document("in_invoice", "BETA-17", 30.0)
        netting = self._settled()
        entry = netting.move_id
        with self.assertRaisesRegex(UserError, "Cancel the statement instead"):
            entry.button_draft()
        netting.action_cancel()
        self.assertEqual((invoice.amount_residual, bill.amount_residual), (100.0, 30.0))
        self.assertEqual(netting.state, "cancelled")
        self.assertEqual(sum(entry.reversal_move_ids.line_ids.mapped("balance")), 0)
        self.assertEqual(entry.reversal_move_ids.state, "posted")
        self.assertEqual(self._settled().amount_cleared, 30.0)

    def test_statement_that_the_books_have_overtaken_is_not_settled(self):
        self._document("out_invoice", "INV/17", 100.0)
        bill = self._document("in_invoice", "BETA-18", 30.0)
        netting = self._accepted()
        credit = self._document("in_refund", "BETA-G2", 10.0)
        items = (bill | credit).line_ids
        items.filtered(lambda item: item.account_id.account_type == "liability_payable").reconcile()
        with self.assertRaisesRegex(UserError, "BETA-18: its open amount has changed"):
            netting.action_settle()
        self.assertFalse(netting.move_id)

    def test_foreign_currency_is_cleared_to_the_cent_in_both(self):
        usd = self.setup_other_currency("USD", rates=[("2026-01-01", 1.1), ("2026-11-01", 1.3)])
        settlement_sudo = self._agree_further(currency_id=usd.id)
        for number, amount in (("INV/18", 33.33), ("INV/19", 66.67)):
            self._document("out_invoice", number, amount, currency_id=usd.id, settlement_sudo=settlement_sudo)
        bill = self._document("in_invoice", "BETA-19", 99.99, currency_id=usd.id)
        netting = self._settled(currency_id=usd.id)
        self.assertEqual(sum(netting.move_id.line_ids.mapped("amount_currency")), 0)
        self.assertEqual(sum(netting.move_id.line_ids.mapped("balance")), 0)
        self.assertEqual(bill.amount_residual, 0)
        self.assertEqual(netting.amount_balance, 0.01)

    def test_sides_that_are_equal_leave_nothing(self):
        invoice = self._document("out_invoice", "INV/20", 30.0)
        bill = self._document("in_invoice", "BETA-20", 30.0)
        netting = self._settled()
        self.assertEqual((netting.direction, netting.amount_balance), ("none", 0.0))
        self.assertEqual((invoice.amount_residual, bill.amount_residual), (0, 0))
        self.assertIn("Nothing to transfer", netting._get_netting_document()["balance"])


@tagged("post_install", "-at_install")
class TestNettingDisputes(DisputeCommon):
    def test_documents_of_both_sides_with_a_disputed_session_are_held_back(self):
        settlement, cdrs = self._in_control()
        invoice, bill, other = (
            self.env["account.move"].create({"move_type": kind, "partner_id": self.contract.partner_id.id})
            for kind in ("out_invoice", "in_invoice", "in_invoice")
        )
        cdrs[0]._store({"move_id": invoice.id})
        # The settlement is an eMSP's; the bill's own rule does not matter here.
        settlement.sudo()._store({"vendor_bill_ids": [Command.link(bill.id)]})
        documents = invoice | bill | other
        nettings = self.env["emsp.netting"]
        self.assertFalse(nettings._disputed_moves(documents))
        self._dispute(cdrs[0])
        self.assertEqual(nettings._disputed_moves(documents), invoice | bill)

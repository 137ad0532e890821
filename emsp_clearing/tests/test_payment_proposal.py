from datetime import date, datetime

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .payment_common import CPO_IBAN, PaymentCommon


@freeze_time("2026-11-23 08:00:00")
@tagged("post_install", "-at_install")
class TestPaymentProposal(PaymentCommon):
    # --- Collections ------------------------------------------------------------------------

    def test_invoice_is_collected_the_agreed_days_after_it_was_sent(self):
        # Sent on Friday the 20th, five days: Wednesday the 25th.
        invoice = self._collectable("INV/2026/00601", 119.0, sent_at=datetime(2026, 11, 20, 9))
        order = self._propose()
        self.assertEqual(order.payment_type, "inbound")
        self.assertEqual(order.date_scheduled, date(2026, 11, 25))
        self.assertEqual(order.payment_line_ids.move_line_id.move_id, invoice)
        self.assertEqual(order.payment_line_ids.mandate_id, self.mandate)
        self.assertEqual(order.state, "draft")

    def test_file_collects_on_the_agreed_day_though_the_invoice_is_due_earlier(self):
        # Due on the 24th; sent on Saturday the 21st, five days: Thursday the 26th.
        self._collectable("INV/2026/00616", 119.0, sent_at=datetime(2026, 11, 21, 9))
        __, message = self._read(self._make_file(self._propose()))
        self.assertEqual(message["PmtInf"][0]["ReqdColltnDt"], "2026-11-26")

    def test_invoice_is_not_collected_before_its_due_date(self):
        self._collectable("INV/2026/00602", 119.0, due=date(2026, 11, 27))
        self.assertEqual(self._propose().date_scheduled, date(2026, 11, 27))

    def test_invoice_whose_sending_is_not_proven_is_not_collected(self):
        invoice = self._collectable("INV/2026/00603", 119.0, sent_at=None)
        self.assertFalse(self._propose())
        self._hand_over(invoice, datetime(2026, 11, 12, 9))
        self.assertTrue(self._propose())

    def test_collection_moves_to_the_next_day_of_banks(self):
        # Due on Saturday 26 December; Friday is Christmas, so Monday the 28th.
        self._collectable("INV/2026/00604", 119.0, due=date(2026, 12, 26))
        with freeze_time("2026-12-21 08:00:00"):
            order = self._propose(date(2026, 12, 21))
        self.assertEqual(order.date_scheduled, date(2026, 12, 28))

    def test_what_is_due_later_is_not_proposed_yet(self):
        # Five days of banks from Monday the 23rd: until Monday the 30th.
        self._collectable("INV/2026/00605", 119.0, due=date(2026, 12, 1))
        self._collectable("INV/2026/00606", 20.0, due=date(2026, 11, 30))
        order = self._propose()
        self.assertEqual(order.total_company_currency, 20.0)

    def test_contract_without_direct_debit_is_not_collected(self):
        self._collectable("INV/2026/00607", 119.0)
        self.contract.payment_way = "transfer"
        self.assertFalse(self._propose())

    def test_one_order_for_each_day(self):
        self._collectable("INV/2026/00608", 10.0)
        self._collectable("INV/2026/00609", 20.0, due=date(2026, 11, 20))
        self._collectable("INV/2026/00610", 40.0, due=date(2026, 11, 27))
        orders = self._propose().sorted("date_scheduled")
        self.assertEqual(orders.mapped("date_scheduled"), [date(2026, 11, 25), date(2026, 11, 27)])
        self.assertEqual(orders.mapped("total_company_currency"), [30.0, 40.0])

    def test_second_run_proposes_nothing_twice_and_adds_what_is_new(self):
        self._collectable("INV/2026/00611", 10.0)
        order = self._propose()
        self.assertFalse(self._propose())
        self._collectable("INV/2026/00612", 20.0, due=date(2026, 11, 20))
        self.assertEqual(self._propose(), order)
        self.assertEqual(order.payment_line_ids.mapped("amount_currency"), [10.0, 20.0])

    def test_item_of_a_released_order_is_not_proposed_again(self):
        self._collectable("INV/2026/00613", 10.0)
        self._release(self._propose())
        self.assertFalse(self._propose())

    def test_missing_mandate_is_told_and_the_collection_follows_when_it_is_there(self):
        invoice = self._collectable("INV/2026/00614", 119.0)
        self.mandate.state = "draft"
        self.assertFalse(self._propose())
        fact = self._exceptions("payment_held")
        self.assertEqual(fact.move_id, invoice)
        self.assertIn("there is no valid mandate", fact.name)
        self.mandate.state = "valid"
        self.assertTrue(self._propose())
        self.assertEqual(fact.state, "closed")

    def test_contested_invoice_is_held_back_with_its_reason(self):
        invoice = self._collectable("INV/2026/00615", 119.0)
        invoice.emsp_hold_reason = "Spree contests two sessions"
        self.assertFalse(self._propose())
        self.assertIn("Spree contests two sessions", self._exceptions("payment_held").name)

    # --- Refunds ----------------------------------------------------------------------------

    def test_credit_note_is_refunded_less_open_invoices(self):
        self._create_document("INV/2026/00620", 30.0)
        note = self._credit_note("RINV/2026/00620", 100.0)
        line = self._propose().payment_line_ids
        # 100 less 30 that the partner still owes.
        self.assertEqual((line.move_line_id.move_id, line.amount_currency), (note, 70.0))

    def test_nothing_is_refunded_while_more_is_owed(self):
        self._create_document("INV/2026/00621", 130.0)
        self._credit_note("RINV/2026/00621", 100.0)
        self.assertFalse(self._propose())

    def test_contract_may_ask_for_the_whole_refund_or_for_none(self):
        self._create_document("INV/2026/00622", 30.0)
        self._credit_note("RINV/2026/00622", 100.0)
        self.contract.refund_way = "keep"
        self.assertFalse(self._propose())
        self.contract.refund_way = "refund"
        self.assertEqual(self._propose().payment_line_ids.amount_currency, 100.0)

    def test_what_was_paid_too_much_is_refunded(self):
        account = self.partner.property_account_receivable_id
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.journal.id,
                "date": date(2026, 11, 16),
                "line_ids": [
                    Command.create({"account_id": account.id, "partner_id": self.partner.id, "credit": 15.0}),
                    Command.create({"account_id": self.journal.default_account_id.id, "debit": 15.0}),
                ],
            }
        )
        entry.action_post()
        order = self._propose()
        self.assertEqual((order.payment_type, order.total_company_currency), ("outbound", 15.0))
        __, message = self._read(self._make_file(order))
        self.assertEqual(message["GrpHdr"]["NbOfTxs"], "1")

    def test_partner_without_a_contract_is_not_refunded(self):
        self.contract.state = "draft"
        self._credit_note("RINV/2026/00624", 100.0)
        self.assertFalse(self._propose())

    # --- Bills ------------------------------------------------------------------------------

    def test_bill_is_paid_less_the_credit_notes_of_the_cpo(self):
        bill = self._bill("BILL/2026/00630", 500.0)
        self._bill("RBILL/2026/00630", 20.0, move_type="in_refund")
        order = self._propose()
        line = order.payment_line_ids
        self.assertEqual((line.move_line_id.move_id, line.amount_currency), (bill, 480.0))
        self.assertEqual(line.partner_bank_id.sanitized_acc_number, CPO_IBAN)
        # Tomorrow is the first day that the bank reaches.
        self.assertEqual(order.date_scheduled, date(2026, 11, 24))

    def test_bill_that_is_paid_by_hand_is_left_alone(self):
        self.cpo_contract.bill_way = "hand"
        self._bill("BILL/2026/00631", 500.0)
        self.assertFalse(self._propose())

    def test_untrusted_account_is_told(self):
        self.cpo_account.allow_out_payment = False
        self._bill("BILL/2026/00632", 500.0)
        self.assertFalse(self._propose())
        self.assertIn("no trusted bank account", self._exceptions("payment_held").name)

    def test_other_currency_is_told(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self._bill("BILL/2026/00633", 500.0, currency_id=dollar.id)
        self.assertFalse(self._propose())
        self.assertIn("it is in USD", self._exceptions("payment_held").name)

    # --- Who and when -----------------------------------------------------------------------

    def test_person_who_manages_payments_proposes_without_rights_on_contracts(self):
        self._bill("BILL/2026/00640", 500.0)
        clerk = self._create_user("payment_clerk", "account_payment_batch_oca.group_account_payment")
        orders = self.orders.with_user(clerk)
        orders.action_propose()
        self.assertEqual(orders.search([("emsp_is_proposed", "=", True)]).total_company_currency, 500.0)

    def test_others_do_not_propose(self):
        accountant = self._create_user("bill_clerk", "account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.orders.with_user(accountant).action_propose()

    def test_company_without_a_bank_account_does_not_stop_the_cron(self):
        self.journal.bank_account_id = False
        self._bill("BILL/2026/00641", 500.0)
        self.orders._cron_propose(date(2026, 11, 23))
        self.assertIn("Set the IBAN on its bank journal", self._exceptions("payment_held").name)

    def _credit_note(self, name, amount):
        return self._create_document(name, amount, date(2026, 11, 24), move_type="out_refund")

    def _create_user(self, login, group):
        return new_test_user(
            self.env,
            login=login,
            groups=f"base.group_user,account.group_account_invoice,{group}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

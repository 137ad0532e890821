from datetime import date

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .bank_common import BankCommon


@tagged("post_install", "-at_install")
class TestPortalPayment(AccountPaymentCommon, BankCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.contract.partner_id
        contact = cls.env["res.partner"].create(
            {"name": "Accounts payable", "type": "invoice", "parent_id": cls.partner.id}
        )
        cls.late = cls._create_settlement_invoice("INV/2026/00601", 120.0, date(2026, 1, 10))
        cls.later = cls._create_document("INV/2026/00602", 30.0, date(2026, 2, 10))
        cls.to_contact = cls._create_document("INV/2026/00603", 7.0, date(2026, 2, 11), partner_id=contact.id)
        user = new_test_user(cls.env, login="payer", password="payer", groups="base.group_portal")
        user.partner_id.parent_id = cls.partner

    def test_settlement_tells_how_to_pay_what_is_open(self):
        [payment] = self.late.emsp_settlement_id._portal_payments()
        self.assertEqual(payment["amount"].replace("\xa0", " "), "120.00 €")
        self.assertEqual(payment["bank"]["iban"].replace(" ", ""), "FR7630006000011234567890189")
        self.assertTrue(payment["qr"].startswith("data:image/svg+xml"))
        self.authenticate("payer", "payer")
        page = self.url_open(f"/my/settlements/{self.late.emsp_settlement_id.id}")
        self.assertIn(f"/my/invoices/{self.late.id}?payment=True", page.text)
        self.assertIn("To pay", page.text)

    def test_paid_settlement_asks_for_nothing(self):
        self._pay(self.late)
        self.assertEqual(self.late.emsp_settlement_id._portal_payments(), [])

    def test_colleague_pays_all_that_is_overdue_of_one_addressee_at_once(self):
        self.authenticate("payer", "payer")
        page = self.url_open("/my/invoices/overdue")
        self.assertEqual(page.status_code, 200)
        # 120 and 30; the third invoice has another addressee and is paid after them.
        self.assertIn("150.00", page.text)

    def test_what_is_paid_already_is_not_asked_for_again(self):
        self._pay(self.late, 100.0)
        self.authenticate("payer", "payer")
        page = self.url_open("/my/invoices/overdue")
        self.assertIn("50.00", page.text)
        self.assertNotIn("150.00", page.text)

    def test_card_payment_settles_the_invoice_and_what_the_settlement_owes(self):
        settlement = self.late.emsp_settlement_id
        self.assertEqual(settlement.balance_open, 120.0)
        self._pay(self.late)
        self.assertEqual(self.late.amount_residual, 0.0)
        self.assertIn(self.late.payment_state, ("in_payment", "paid"))
        settlement.invalidate_recordset()
        self.assertEqual((settlement.balance_open, settlement.balance_received), (0.0, 120.0))

    def test_settlement_is_settled_when_the_money_of_the_card_is_on_the_bank_account(self):
        # sudo: settlements move by the calendar alone.
        settlement = self.late.emsp_settlement_id.sudo()
        settlement._store({"state": "sent"})
        payment = self._pay(self.late).payment_id
        settlement._settle_paid()
        self.assertEqual((self.late.payment_state, settlement.state), ("in_payment", "sent"))
        self._match_bank_line(payment)
        settlement.invalidate_recordset()
        settlement._settle_paid()
        self.assertEqual((self.late.payment_state, settlement.state), ("paid", "settled"))

    def _match_bank_line(self, payment):
        """The provider pays out."""
        outstanding, __, __ = payment._seek_for_lines()
        line = self._create_bank_line("Payout", payment.amount)
        __, suspense, __ = line._seek_for_lines()
        suspense.with_context(skip_readonly_check=True).write({"account_id": outstanding.account_id.id})
        ours = line.move_id.line_ids.filtered(lambda aml: aml.account_id == outstanding.account_id)
        (ours | outstanding).reconcile()

    def _pay(self, invoice, amount=None):
        transaction = self._create_transaction(
            "direct",
            amount=amount or invoice.amount_residual,
            currency_id=invoice.currency_id.id,
            partner_id=self.partner.id,
            reference=invoice.name,
            invoice_ids=[Command.set(invoice.ids)],
            state="done",
        )
        transaction._post_process()
        return transaction

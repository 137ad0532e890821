from datetime import date
from threading import Thread

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .concurrency_common import ConcurrencyCommon

TODAY = date(2026, 11, 23)
OWN_IBAN = "NL35INGB0002445588"
CPO_IBAN = "NL91ABNA0417164300"


@tagged("post_install", "-at_install")
class TestTwoProposals(ConcurrencyCommon):
    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.addCleanup(self._take_out)
            self._create_data(env)
            self._commit(cr)

    def _create_data(self, env):
        self.journal_ids = self.bank_ids = self.partner_ids = [0]
        self.move_id = self.contract_id = self.company_id = 0
        self.was_active = env.ref("base.EUR").active
        env.ref("base.EUR").active = True
        expense = env["account.account"].search([("account_type", "=", "expense")], limit=1)
        company = expense.company_ids[:1]
        env = env["res.company"].with_company(company).env
        self.company_id = company.id
        partners = env["res.partner"].create([{"name": "Two proposals"}] * 2)
        self.partner_ids = partners.ids
        banks = env["res.partner.bank"].create(
            [
                {"acc_number": iban, "partner_id": partner.id, "allow_out_payment": True}
                for iban, partner in ((CPO_IBAN, partners[0]), (OWN_IBAN, company.partner_id))
            ]
        )
        self.bank_ids = banks.ids
        journal = env["account.journal"].create(
            {
                "name": "Two proposals",
                "code": "TWO2",
                "type": "bank",
                "company_id": company.id,
                "bank_account_id": banks[1].id,
            }
        )
        purchases = env["account.journal"].create(
            {
                "name": "Two proposals, bills",
                "code": "TWO3",
                "type": "purchase",
                "company_id": company.id,
                "default_account_id": expense.id,
            }
        )
        self.journal_ids = (journal | purchases).ids
        self.contract_id = (
            env["emsp.contract"]
            .create(
                {
                    "name": "Two proposals",
                    "partner_id": partners[0].id,
                    "partner_role": "cpo",
                    "company_id": company.id,
                    "currency_id": env.ref("base.EUR").id,
                    "time_zone": "Europe/Paris",
                    "state": "active",
                }
            )
            .id
        )
        bill = env["account.move"].create(
            {
                "move_type": "in_invoice",
                "journal_id": purchases.id,
                "partner_id": partners[0].id,
                "currency_id": env.ref("base.EUR").id,
                "invoice_date": TODAY,
                "invoice_date_due": TODAY,
                "invoice_line_ids": [Command.create({"name": "Charging", "price_unit": 10.0, "tax_ids": []})],
            }
        )
        bill.action_post()
        self.move_id = bill.id

    def test_two_runs_at_once_never_pay_an_item_twice(self):
        outcomes = []
        with self._connect() as first, self._connect() as second:
            for cr in (first, second):
                # Both see the database as it is now.
                cr.execute("SELECT 1")
            self._propose(first)
            racer = Thread(target=self._propose_and_note, args=(second, outcomes))
            with mute_logger("odoo.sql_db"):
                racer.start()
                self._wait_until_blocked()
                self._commit(first)
                racer.join(60)
            second.rollback()
        self.assertEqual(outcomes, ["ConcurrencyError"])
        with self._connect() as third:
            self._propose(third)
            self._commit(third)
        self.assertEqual(self._paid(), [10.0])

    def _propose_and_note(self, cr, outcomes):
        try:
            self._propose(cr)
            outcomes.append("proposed")
        except ConcurrencyError:
            outcomes.append("ConcurrencyError")

    def _propose(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        company = env["res.company"].browse(self.company_id)
        env["account.payment.order"].with_company(company)._propose(company, TODAY)
        env.flush_all()

    def _paid(self):
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            lines = env["account.payment.line"].search([("partner_id", "in", self.partner_ids)])
            return lines.mapped("amount_currency")

    def _take_out(self):
        with self._connect() as cr:
            journals, partners = tuple(self.journal_ids), tuple(self.partner_ids)
            orders = SQL("SELECT id FROM account_payment_order WHERE journal_id IN %s", journals)
            cr.execute(
                SQL(
                    "DELETE FROM mail_message WHERE model = 'account.payment.order' AND res_id IN (%s)",
                    orders,
                )
            )
            cr.execute(SQL("DELETE FROM account_payment_line WHERE partner_id IN %s", partners))
            cr.execute(SQL("DELETE FROM account_payment_order WHERE journal_id IN %s", journals))
            cr.execute(
                SQL("DELETE FROM mail_message WHERE model = 'account.move' AND res_id = %s", self.move_id)
            )
            cr.execute(SQL("DELETE FROM account_move_line WHERE journal_id IN %s", journals))
            cr.execute(SQL("DELETE FROM account_move WHERE journal_id IN %s", journals))
            cr.execute(SQL("DELETE FROM emsp_exception WHERE company_id = %s", self.company_id))
            cr.execute(SQL("DELETE FROM emsp_contract WHERE id = %s", self.contract_id))
            cr.execute(SQL("DELETE FROM account_payment_method_line WHERE journal_id IN %s", journals))
            cr.execute(
                SQL("SELECT default_account_id FROM account_journal WHERE id = %s", self.journal_ids[0])
            )
            accounts = [row[0] for row in cr.fetchall() if row[0]]
            cr.execute(SQL("DELETE FROM account_journal WHERE id IN %s", journals))
            env = api.Environment(cr, SUPERUSER_ID, {})
            env.ref("base.EUR").active = self.was_active
            env["account.account"].browse(accounts).unlink()
            cr.execute(SQL("DELETE FROM res_partner_bank WHERE id IN %s", tuple(self.bank_ids)))
            cr.execute(SQL("DELETE FROM res_partner WHERE id IN %s", partners))
            self._commit(cr)

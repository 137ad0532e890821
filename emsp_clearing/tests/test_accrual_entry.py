from datetime import date, datetime
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, MID_MONTH
from .test_accrual import OCTOBER, AccrualCommon


@tagged("post_install", "-at_install")
class TestAccrualEntry(AccrualCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accounts = {
            name: cls.env["account.account"].create(
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(cls.company.ids)],
                }
            )
            for name, code, kind in (
                ("accrued_income", "468700", "asset_current"),
                ("accrued_expense", "408100", "liability_current"),
                ("revenue", "706900", "income"),
                ("expense", "604900", "expense"),
            )
        }
        cls.company.write(
            {
                "emsp_accrued_income_account_id": cls.accounts["accrued_income"].id,
                "emsp_accrued_expense_account_id": cls.accounts["accrued_expense"].id,
                "emsp_accrual_expense_account_id": cls.accounts["expense"].id,
            }
        )
        cls.income = cls.env.ref("emsp_clearing.product_energy").with_company(cls.company)
        cls.income = cls.income.product_tmpl_id.get_product_accounts()["income"]

    def _create_cpo_contract(self):
        cpo = self.partner.copy({"name": "Elbe Charging GmbH"})
        contract = self._create_contract(cpo, "DE", "ELB", partner_role="cpo", activate=False)
        contract.state = "active"
        return contract

    def _of(self, move):
        return sorted((line.account_id.code, line.balance) for line in move.line_ids)

    def test_entry_accrues_revenue_and_its_reversal_takes_it_back_the_next_day(self):
        self._in_control()
        accrual = self._accrual()
        move, reversal = accrual._propose()
        # 6.40 + 10.30
        self.assertEqual(
            self._of(move), sorted([(self.accounts["accrued_income"].code, 16.7), (self.income.code, -16.7)])
        )
        self.assertEqual((move.date, reversal.date), (date(2026, 10, 31), date(2026, 11, 1)))
        self.assertEqual((move.state, reversal.state), ("draft", "draft"))
        self.assertEqual(reversal.reversed_entry_id, move)
        self.assertEqual(accrual.state, "proposed")
        found = self.env["emsp.accrual"].search([("state", "=", "proposed")])
        self.assertEqual(found & accrual, accrual)
        self.assertNotIn(accrual, self.env["emsp.accrual"].search([("state", "in", ["draft", "posted"])]))
        self.assertEqual(move.line_ids.partner_id, self.partner)
        balances = {}
        for line in (move + reversal).line_ids:
            balances[line.account_id] = balances.get(line.account_id, 0) + line.balance
        self.assertEqual(set(balances.values()), {0.0})

    def test_credits_that_outweigh_reverse_the_sides(self):
        payload = cdr_payload(1)
        self._settle(payload)
        credit = {**payload, "id": "CDR-C", "credit": True, "credit_reference_id": "CDR-1"}
        self._receive({**credit, "total_cost": {"excl_vat": -6.4}}, received_at=datetime(2026, 11, 20))
        move, __ = self._accrual(date(2026, 11, 30), datetime(2026, 12, 3))._propose()
        self.assertEqual(
            self._of(move), sorted([(self.accounts["accrued_income"].code, -6.4), (self.income.code, 6.4)])
        )

    def test_revenue_account_of_the_settings_comes_first(self):
        self.company.emsp_accrual_revenue_account_id = self.accounts["revenue"]
        self._in_control()
        move, __ = self._accrual()._propose()
        self.assertEqual(self._of(move), [("468700", 16.7), ("706900", -16.7)])

    def test_sessions_at_a_cpo_are_accrued_cost(self):
        contract = self._create_cpo_contract()
        cdr = self._receive(cdr_payload())
        cdr._store({"contract_id": contract.id, "partner_id": contract.partner_id.id})
        accrual = self._accrual()
        self.assertEqual((accrual.amount_revenue, accrual.amount_cost), (0.0, 6.4))
        move, __ = accrual._propose()
        self.assertEqual(self._of(move), [("408100", -6.4), ("604900", 6.4)])

    def _lock_at_cpo(self):
        """:return: a CPO's settlement of October, locked, with one session of 6.40."""
        contract = self._create_cpo_contract()
        cdr = self._receive(cdr_payload())
        cdr._store({"contract_id": contract.id, "partner_id": contract.partner_id.id})
        self._run_due(MID_MONTH)
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        settlement = contract.settlement_ids.filtered(lambda found: found.date_first.month == 10)
        self.assertEqual((settlement.state, settlement.cdr_count), ("locked", 1))
        return settlement

    def _create_bill(self, settlement, day=OCTOBER, move_type="in_invoice"):
        return self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": settlement.partner_id.id,
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {"name": "October", "price_unit": 6.4, "account_id": self.accounts["expense"].id}
                    )
                ],
                "emsp_vendor_settlement_ids": [Command.set(settlement.ids)],
            }
        )

    def _cost(self, known_at=datetime(2026, 11, 12), day=OCTOBER):
        self.env["emsp.accrual"].search([("date", "=", day)]).unlink()
        return self._accrual(day, known_at).amount_cost

    def test_posted_bill_of_the_cpo_ends_the_accrued_cost(self):
        settlement = self._lock_at_cpo()
        self.assertEqual(self._cost(), 6.4)
        bill = self._create_bill(settlement)
        self.assertEqual(settlement.vendor_bill_ids, bill)
        self.assertEqual(self._cost(), 6.4)
        bill.action_post()
        self.assertEqual(self._cost(), 0.0)
        bill.button_draft()
        self.assertEqual(self._cost(), 6.4)
        bill.action_post()
        bill.emsp_vendor_settlement_ids = False
        self.assertEqual(self._cost(), 6.4)

    def test_bill_of_november_leaves_the_cost_in_the_books_of_october(self):
        settlement = self._lock_at_cpo()
        self._create_bill(settlement, date(2026, 11, 12)).action_post()
        self.assertEqual(self._cost(), 6.4)
        self.assertEqual(self._cost(day=date(2026, 11, 30)), 0.0)

    def test_credit_note_alone_bills_nothing(self):
        settlement = self._lock_at_cpo()
        self._create_bill(settlement, move_type="in_refund").action_post()
        self.assertEqual(self._cost(), 6.4)

    def _assert_refused(self, words, bill, **vals):
        with self.assertRaisesRegex(ValidationError, words), self.cr.savepoint():
            bill.write(vals)

    def test_bill_is_linked_to_locked_settlements_of_its_own_vendor_alone(self):
        settlement = self._lock_at_cpo()
        bill = self._create_bill(settlement)
        own = [Command.set(self.contract.settlement_ids[:1].ids)]
        self._assert_refused("is not one that Elbe", bill, emsp_vendor_settlement_ids=own)
        self._assert_refused("is not one that Spree", bill, partner_id=self.partner.id)
        later = settlement.contract_id.settlement_ids.filtered(lambda found: found.state == "collecting")
        later = [Command.set(later[:1].ids)]
        self._assert_refused("is not locked yet", bill, emsp_vendor_settlement_ids=later)
        with self.assertRaisesRegex(ValidationError, "is not one that"), self.cr.savepoint():
            self._create_bill(settlement, move_type="out_invoice")
        self.assertEqual(bill.emsp_vendor_settlement_ids, settlement)

    def test_who_books_bills_links_them_without_rights_to_write_settlements(self):
        settlement = self._lock_at_cpo()
        groups = "account.group_account_invoice,emsp_clearing.emsp_clearing_group_user"
        accountant = new_test_user(self.env, "bills", groups=groups, company_id=self.company.id)
        bill = self._create_bill(settlement)
        bill.emsp_vendor_settlement_ids = False
        bill.with_user(accountant).emsp_vendor_settlement_ids = settlement
        self.assertEqual(settlement.vendor_bill_ids, bill)
        with self.assertRaises(UserError):
            settlement.with_user(accountant).vendor_bill_ids = False

    def test_contract_in_another_currency(self):
        # The company of the tests counts in dollars; its contract is in euro, 0.8 of them for a dollar.
        self.env["res.currency.rate"].search([]).unlink()
        euro = self.env.ref("base.EUR")
        rates = self.env["res.currency.rate"]
        other = self.company.currency_id
        foreign = self.env.ref("base.CHF") if other == euro else euro
        foreign.active = True
        for day, rate in ((date(2026, 10, 31), 0.8), (date(2026, 11, 1), 0.5)):
            rates.create(
                {"name": day, "rate": rate, "currency_id": foreign.id, "company_id": self.company.id}
            )
        self._in_control()
        if foreign != euro:
            self.env.cr.execute(
                "UPDATE emsp_contract SET currency_id = %s WHERE id = %s", [foreign.id, self.contract.id]
            )
            self.env.invalidate_all()
        accrual = self._accrual()
        line = self._line(accrual)
        # 16.70 / 0.8 = 20.875: 20.88
        self.assertEqual((line.amount_accrued, line.balance), (16.7, 20.88))
        move, reversal = accrual._propose()
        self.assertEqual(
            sorted((each.amount_currency, each.balance) for each in move.line_ids),
            [(-16.7, -20.88), (16.7, 20.88)],
        )
        self.assertEqual(move.line_ids.currency_id, foreign)
        # The reversal keeps the rate of the entry, not that of its own day, so both sum to nothing.
        self.assertEqual(
            sorted((each.amount_currency, each.balance) for each in reversal.line_ids),
            [(-16.7, -20.88), (16.7, 20.88)],
        )
        for account in (move + reversal).line_ids.account_id:
            lines = (move + reversal).line_ids.filtered(lambda each, a=account: each.account_id == a)
            self.assertEqual((sum(lines.mapped("balance")), sum(lines.mapped("amount_currency"))), (0.0, 0.0))

    def test_posting_the_entry_posts_its_reversal(self):
        self._in_control()
        accrual = self._accrual()
        move, reversal = accrual._propose()
        with patch.object(fields.Date, "context_today", lambda *args: date(2026, 11, 5)):
            move.action_post()
        self.assertEqual((move.state, reversal.state, accrual.state), ("posted", "posted", "posted"))

    def test_reversal_of_a_coming_day_waits_for_it(self):
        self._in_control()
        move, reversal = self._accrual()._propose()
        with patch.object(fields.Date, "context_today", lambda *args: date(2026, 10, 31)):
            move.action_post()
        self.assertEqual((move.state, reversal.state, reversal.auto_post), ("posted", "draft", "at_date"))

    def test_second_proposal_replaces_the_first(self):
        self._in_control()
        accrual = self._accrual()
        first = accrual._propose()
        second = accrual._propose()
        self.assertFalse(first.exists())
        self.assertEqual(accrual.move_ids, second)
        # Counted again, the entry says something else and is gone.
        accrual.action_count()
        self.assertFalse(second.exists())
        self.assertEqual(accrual.state, "draft")

    def test_posted_entry_is_not_proposed_counted_or_deleted_again(self):
        self._in_control()
        accrual = self._accrual()
        accrual._propose()[0].action_post()
        for attempt in (
            accrual.action_propose,
            accrual.action_count,
            accrual.unlink,
            lambda: accrual.line_ids.write({"is_booked": False}),
            lambda: accrual.write({"date": date(2026, 9, 30)}),
        ):
            with self.assertRaisesRegex(UserError, "are posted"):
                attempt()

    def test_contract_that_is_not_to_be_booked_is_left_out(self):
        self._in_control()
        accrual = self._accrual()
        moves = accrual._propose()
        accrual.line_ids.is_booked = False
        self.assertFalse(moves.exists())
        self.assertEqual(accrual.amount_revenue, 0.0)
        with self.assertRaisesRegex(UserError, "nothing to book"):
            accrual._propose()

    def test_missing_account_is_named(self):
        self.company.emsp_accrued_income_account_id = False
        self._in_control()
        accrual = self._accrual()
        with self.assertRaisesRegex(UserError, "accounts of accrued income and accrued expense"):
            accrual._propose()

    def test_accountant_proposes_and_a_manager_without_accounting_does_not(self):
        self._in_control()
        accrual = self._accrual()

        def as_user(name, groups):
            user = new_test_user(
                self.env,
                login=name,
                groups=f"base.group_user,{groups}",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            return accrual.with_user(user).sudo(False)

        with self.assertRaises(AccessError):
            as_user("manager_only", "emsp_clearing.emsp_clearing_group_manager")._propose()
        books = "emsp_clearing.emsp_clearing_group_user,account.group_account_user"
        own = as_user("accountant", books)
        own.action_count()
        self.assertEqual(len(own._propose()), 2)

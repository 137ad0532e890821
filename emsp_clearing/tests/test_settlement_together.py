from datetime import datetime, timedelta

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, MID_MONTH, SettlementCommon, credit_of, priced

NOVEMBER = datetime(2026, 11, 12, 8, 0)
NEXT_LOCK = datetime(2026, 12, 9, 23, 0)
JANUARY_LOCK = datetime(2027, 1, 9, 23, 0)


@tagged("post_install", "-at_install")
class TestSettlementCarriedForward(SettlementCommon):
    """A session is 6.40 net: 1.00 + 10 kWh x 0.39 + 30 min x 0.05."""

    def setUp(self):
        super().setUp()
        self.contract.minimum_amount = 10

    def _november(self, *payloads):
        self._receive(*payloads, received_at=NOVEMBER + timedelta(days=1))
        self._run_due(NEXT_LOCK)
        return self._settlement(11)

    def test_amount_below_the_minimum_waits_for_the_next_invoice(self):
        october = self._settle(cdr_payload(1))
        self.assertEqual((october.state, october.carried_forward), ("locked", True))
        self.assertFalse(october.move_ids)
        self.assertFalse(october.blocked_reason)
        november = self._november(cdr_payload(2, start=NOVEMBER))
        move = november.move_id
        self.assertEqual((move.amount_untaxed, october.move_id), (12.80, move))
        self.assertEqual(move.emsp_settlement_ids, october | november)
        self.assertEqual(move.emsp_settlement_id, november)
        self.assertEqual((october.state, november.state), ("invoiced", "invoiced"))
        self.assertFalse(october.carried_forward)
        self.assertEqual((october | november).cdr_ids.move_id, move)

    def test_sessions_carried_forward_stand_under_their_month(self):
        self._settle(cdr_payload(1))
        move = self._november(cdr_payload(2, start=NOVEMBER)).move_id
        self.assertEqual(
            [(line.display_type, line.price_subtotal) for line in move.invoice_line_ids],
            [
                ("line_section", 0.0),
                *(("product", amount) for amount in (1.00, 3.90, 1.50)),
                ("line_section", 0.0),
                *(("product", amount) for amount in (1.00, 3.90, 1.50)),
            ],
        )
        names = move.invoice_line_ids.filtered(lambda line: not line.product_id).mapped("name")
        self.assertEqual(names, ["Sessions of November 2026", "Sessions of October 2026"])

    def test_amount_that_just_reaches_the_minimum_is_invoiced(self):
        self.contract.minimum_amount = 6.40
        self.assertEqual(self._settle(cdr_payload(1)).move_id.amount_untaxed, 6.40)

    def test_small_amount_is_carried_over_an_empty_month_and_over_another_small_one(self):
        october = self._settle(cdr_payload(1))
        november = self._november()
        self.assertEqual((october.state, november.state), ("locked", "settled"))
        december = datetime(2026, 12, 15, 8, 0)
        self._receive(cdr_payload(3, start=december), received_at=december + timedelta(days=1))
        self._run_due(JANUARY_LOCK)
        self.assertEqual(self._settlement(12).move_id.amount_untaxed, 12.80)
        self.assertEqual(october.move_id, self._settlement(12).move_id)

    def test_credit_takes_back_what_is_carried_forward_and_nothing_is_invoiced(self):
        payload = priced(1, 6.40)
        october = self._settle(payload)
        november = self._november(credit_of(payload))
        self.assertEqual((october.state, november.state), ("settled", "settled"))
        self.assertFalse(self.contract.settlement_ids.move_ids)
        self.assertEqual(set((october | november).cdr_ids.mapped("state")), {"locked"})

    def test_small_amount_of_a_contract_that_has_ended_is_invoiced_when_no_list_follows(self):
        october = self._settle(cdr_payload(1))
        self.contract.date_end = "2026-10-31"
        self.contract.action_end()
        self._run_due(datetime(2027, 1, 28))
        self.assertEqual(october.state, "locked")
        self._run_due(datetime(2027, 1, 31))
        self.assertEqual((october.state, october.move_id.amount_untaxed), ("invoiced", 6.40))

    def test_minimum_is_the_one_of_the_day_on_which_the_window_opened(self):
        self._receive(cdr_payload(1))
        self._run_due(CUT_OFF)
        self.contract.minimum_amount = 0
        self._run_due(LOCK)
        self.assertTrue(self._settlement().carried_forward)

    def test_run_again_leaves_what_is_carried_forward_alone(self):
        october = self._settle(cdr_payload(1))
        for __ in range(2):
            self._run_due(LOCK)
        self.assertEqual((october.state, len(october.move_ids)), ("locked", 0))

    def test_negative_minimum_is_refused(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.contract.minimum_amount = -1


@tagged("post_install", "-at_install")
class TestSettlementTogether(SettlementCommon):
    def setUp(self):
        super().setUp()
        self.other = self._create_contract(self.partner, "DE", "ODM", name="Second brand")
        (self.contract | self.other).shares_invoice = True
        self._run_due(MID_MONTH)
        token = {**cdr_payload()["cdr_token"], "party_id": "ODM", "uid": "OTHER"}
        self._receive(cdr_payload(1), cdr_payload(2, energy=15.0, cdr_token=token))

    def _settle_all(self):
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        return (self.contract | self.other).settlement_ids.sudo().filtered("cdr_count")

    def test_contracts_of_one_partner_share_an_invoice(self):
        settlements = self._settle_all()
        self.assertEqual(len(settlements), 2)
        move = settlements.move_ids
        # 6.40 of one contract and 8.35 of the other
        self.assertEqual((len(move), move.amount_untaxed, move.state), (1, 14.75, "posted"))
        self.assertEqual(settlements.mapped("state"), ["invoiced", "invoiced"])
        self.assertEqual(settlements.mapped("move_id"), move)
        sections = move.invoice_line_ids.filtered(lambda line: line.display_type == "line_section")
        self.assertEqual(set(sections.mapped("name")), {self.contract.display_name, self.other.display_name})

    def test_annex_of_a_shared_invoice_holds_the_sessions_of_both(self):
        move = self._settle_all().move_ids
        self.assertTrue(move.emsp_annex_id)
        self.assertEqual(str(move._sum_of_sessions()), "14.7500")

    def test_contract_that_does_not_share_has_its_own_invoice(self):
        self.other.shares_invoice = False
        moves = self._settle_all().move_ids
        self.assertEqual(sorted(moves.mapped("amount_untaxed")), [6.40, 8.35])

    def test_contracts_with_other_payment_terms_do_not_share(self):
        self.other.payment_term_id = self.env.ref("account.account_payment_term_15days")
        self.assertEqual(len(self._settle_all().move_ids), 2)

    def test_first_to_lock_waits_for_the_other(self):
        self._run_due(CUT_OFF)
        first, second = (self.contract | self.other).settlement_ids.sudo().filtered("cdr_count")
        first._job_lock(LOCK)
        first._job_invoice(LOCK)
        self.assertEqual((first.state, len(first.move_ids)), ("locked", 0))
        second.with_context(queue_job__no_delay=True)._job_lock(LOCK)
        self.assertEqual(first.move_id.amount_untaxed, 14.75)
        self.assertEqual(second.move_id, first.move_id)

    def test_suspended_contract_keeps_no_other_waiting(self):
        self._run_due(CUT_OFF)
        self.other.action_suspend()
        self._run_due(LOCK)
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)

    def test_two_small_amounts_that_reach_the_minimum_together_are_invoiced(self):
        (self.contract | self.other).minimum_amount = 10
        self.assertEqual(self._settle_all().move_ids.amount_untaxed, 14.75)

    def test_lines_carry_the_analytic_distribution_of_their_contract(self):
        plan = self.env["account.analytic.plan"].create({"name": "Brands"})
        accounts = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("First", "Second")]
        )
        self.contract.analytic_distribution = {str(accounts[0].id): 100}
        self.other.analytic_distribution = {str(accounts[1].id): 100}
        move = self._settle_all().move_ids
        sums = dict.fromkeys(accounts.ids, 0.0)
        for line in move.invoice_line_ids.filtered("product_id"):
            [account_id] = line.analytic_distribution
            sums[int(account_id)] += line.price_subtotal
        self.assertEqual([round(amount, 2) for amount in sums.values()], [6.40, 8.35])
        self.assertEqual(move.amount_untaxed, 14.75)

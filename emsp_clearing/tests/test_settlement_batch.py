from datetime import timedelta
from unittest.mock import patch

import psycopg2.errors

from odoo.exceptions import LockError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ..models import emsp_settlement_batch
from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, MID_MONTH, SettlementCommon
from .test_settlement_together import NEXT_LOCK, NOVEMBER

NUMBERS = ["CLR/2026/00001", "CLR/2026/00002", "CLR/2026/00003"]


@tagged("post_install", "-at_install")
class TestSettlementBatch(SettlementCommon):
    """Three partners with a session each: 6.40, 8.35 (15 kWh) and 10.30 (20 kWh)."""

    def setUp(self):
        super().setUp()
        self.contracts = self.contract
        payloads = [cdr_payload(1)]
        for number, party in ((2, "BBB"), (3, "CCC")):
            partner = self.partner.copy({"name": f"Partner {party}", "lang": "en_US"})
            self.contracts |= self._create_contract(partner, "DE", party)
            token = {**cdr_payload()["cdr_token"], "party_id": party, "uid": party}
            payloads.append(cdr_payload(number, energy=5.0 + 5 * number, cdr_token=token))
        self._run_due(MID_MONTH)
        self._receive(*payloads)
        self._run_due(CUT_OFF)
        # sudo: settlements move by the calendar alone
        self.settlements = self.contracts.settlement_ids.sudo().filtered("cdr_count").sorted("id")

    def _bills(self):
        """[(state of the settlement, number, net amount)]"""
        return [
            (settlement.state, settlement.move_id.name, settlement.move_id.amount_untaxed)
            for settlement in self.settlements
        ]

    def test_settlements_are_billed_by_one_job_each_with_its_own_documents(self):
        model = type(self.settlements)
        with patch.object(model, "_step_invoice", autospec=True, side_effect=model._step_invoice) as step:
            self._run_due(LOCK)
        self.assertEqual([len(call.args[0]) for call in step.call_args_list], [3])
        bills = self._bills()
        self.assertEqual([state for state, *__ in bills], ["invoiced"] * 3)
        self.assertEqual(sorted(number for __, number, ___ in bills), NUMBERS)
        self.assertEqual([amount for *__, amount in bills], [6.40, 8.35, 10.30])
        for settlement in self.settlements:
            self.assertEqual(settlement.cdr_ids.move_id, settlement.move_id)
            self.assertEqual(settlement.move_id.emsp_list_hash, settlement.list_hash)
        self.assertEqual(len(self.settlements.move_id.emsp_annex_id), 3)

    def test_one_that_cannot_be_billed_is_blocked_and_the_others_are_billed(self):
        faulty = self.settlements[1]
        # The e-invoice needs it, whatever the VAT; that is found out when all three are posted.
        faulty.contract_id.fiscal_position_id = self._home_position()
        faulty.partner_id.country_id = False
        self._run_due(LOCK)
        first, second, third = self._bills()
        self.assertEqual((first[0], second, third[0]), ("invoiced", ("locked", False, 0.0), "invoiced"))
        self.assertEqual(sorted([first[1], third[1]]), NUMBERS[:2])
        self.assertIn("is not valid", faulty.blocked_reason)
        self.assertFalse((self.settlements - faulty).filtered("blocked_reason"))
        exception = self.env["emsp.exception"].search([("settlement_id", "in", self.settlements.ids)])
        self.assertEqual((exception.settlement_id, exception.state), (faulty, "open"))
        self.assertEqual(faulty.cdr_ids.mapped("state"), ["locked"])
        faulty.partner_id.country_id = self.env.ref("base.de")
        self._run_due(LOCK)
        self.assertEqual((self._bills()[1], exception.state), (("invoiced", NUMBERS[2], 8.35), "closed"))

    def test_failure_of_the_program_keeps_nobody_else_back(self):
        faulty, model = self.settlements[1], type(self.settlements)
        plan = model._plan

        def failing(settlements, domain):
            if faulty in settlements:
                raise ZeroDivisionError
            return plan(settlements, domain)

        self.settlements._job_lock(LOCK)
        with (
            patch.object(model, "_plan", failing),
            patch.object(model, "_enqueue", autospec=True) as enqueue,
            mute_logger(emsp_settlement_batch.__name__),
        ):
            self.settlements._job_invoice(LOCK)
            self.assertEqual([state for state, *__ in self._bills()], ["locked"] * 3)
            alone = [call.args[0] for call in enqueue.call_args_list]
            self.assertEqual(alone, list(self.settlements))
            for settlement in self.settlements - faulty:
                settlement._job_invoice(LOCK)
            with self.assertRaises(ZeroDivisionError):
                faulty._job_invoice(LOCK)
        self.assertEqual([state for state, *__ in self._bills()], ["invoiced", "locked", "invoiced"])

    def test_job_that_dies_half_way_and_is_repeated_bills_each_once_without_a_gap(self):
        self.settlements._job_lock(LOCK)
        move_model = type(self.env["account.move"])
        attach = move_model._make_annex
        made = []

        def dying(move):
            attach(move)
            made.append(move.name)
            if len(made) == 2:
                raise psycopg2.errors.AdminShutdown

        with (
            patch.object(move_model, "_make_annex", dying),
            self.assertRaises(psycopg2.errors.AdminShutdown),
            self.env.cr.savepoint(),
        ):
            self.settlements._job_invoice(LOCK)
        self.assertEqual(self._bills(), [("locked", False, 0.0)] * 3)
        for __ in range(2):
            self.settlements._job_invoice(LOCK)
        self.assertEqual(sorted(number for __, number, ___ in self._bills()), NUMBERS)
        self.assertEqual(len(self.settlements.move_ids), 3)

    def test_two_periods_of_a_contract_are_billed_one_after_the_other(self):
        october, november = self.settlements[0], self._list_of_november()
        both = november | october
        both._store({"minimum_amount": 10})
        both._job_lock(NEXT_LOCK)
        both.with_context(queue_job__no_delay=True)._job_invoice(NEXT_LOCK)
        # 6.40 of each: billed together, not one before it is known what becomes of the other
        self.assertEqual((october.move_id, november.move_id.amount_untaxed), (november.move_id, 12.80))
        self.assertEqual(both.mapped("state"), ["invoiced", "invoiced"])

    def _list_of_november(self):
        self.contract.action_suspend()
        self._run_due(NOVEMBER)
        self.contract.action_activate()
        self._receive(cdr_payload(9, start=NOVEMBER), received_at=NOVEMBER + timedelta(days=1))
        november = self._settlement(11)
        november._job_open_window(NEXT_LOCK)
        return november

    def test_job_takes_so_many_sessions_and_what_is_blocked_alone(self):
        first, second, third = self.settlements
        batches = self.settlements._batches
        self.assertEqual(batches("invoice"), [self.settlements])
        self.assertEqual(batches("open_window"), [first, second, third])
        with patch.object(emsp_settlement_batch, "BATCH_CDRS", 2):
            self.assertEqual(batches("invoice"), [first | second, third])
        with patch.dict(emsp_settlement_batch.BATCH_SIZES, invoice=2):
            self.assertEqual(batches("invoice"), [first | second, third])
        second._block("No tax")
        self.assertEqual(batches("invoice"), [first, second, third])

    def test_job_is_put_off_while_another_posts_to_the_hashed_journal(self):
        self.settlements._job_lock(LOCK)
        journal = self.company._get_clearing_journal()
        self.assertTrue(journal.restrict_mode_hash_table)
        with (
            patch.object(type(journal), "lock_for_update", side_effect=LockError("taken")),
            self.assertRaises(RetryableJobError),
        ):
            self.settlements._job_invoice(LOCK)

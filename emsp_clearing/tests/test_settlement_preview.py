from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of, priced

DURING = datetime(2026, 10, 20, 10, 0)


@tagged("post_install", "-at_install")
class TestSettlementPreview(SettlementCommon):
    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env,
            "reader",
            groups="emsp_clearing.emsp_clearing_group_user",
            company_id=self.company.id,
            company_ids=[self.company.id],
        )

    def _preview(self, settlements=None):
        settlements = (settlements or self._settlement()).with_user(self.user)
        action = settlements.action_preview()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_preview_says_what_the_run_will_bill(self):
        self._receive(cdr_payload(1), cdr_payload(2, energy=15.0))
        [line] = self._preview().line_ids
        # 6.40 + 8.35, and 15 % of it: 2.2125
        self.assertEqual((line.session_count, line.amount_untaxed), (2, 14.75))
        self.assertEqual((line.amount_tax, line.amount_total), (2.21, 16.96))
        self.assertEqual((line.move_type, line.problem), ("out_invoice", ""))
        settlement = self._settle()
        self.assertEqual(settlement.move_id.amount_total, line.amount_total)

    def test_preview_leaves_nothing_behind(self):
        cdrs = self._receive(cdr_payload(1))
        settlement = self._settlement()
        moves = self.env["account.move"].search_count([])
        self._preview()
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertEqual((settlement.state, settlement.list_hash), ("collecting", False))
        self.assertEqual((cdrs.state, cdrs.move_id.id, cdrs.settlement_id.id), ("open", False, False))

    def test_preview_leaves_no_gap_in_the_numbers(self):
        self._receive(cdr_payload(1))
        for __ in range(3):
            self._preview()
        name = self._settle().move_id.name
        self.assertTrue(name.endswith("00001"), name)

    def test_preview_says_why_nothing_would_be_billed(self):
        self._receive(cdr_payload(1))
        self.contract.journal_id = self.company_data["default_journal_purchase"]
        [line] = self._preview().line_ids
        self.assertTrue(line.problem)
        self.assertEqual((line.amount_untaxed, line.session_count), (6.40, 1))
        self.contract.write({"journal_id": False, "minimum_amount": 50})
        self.assertIn("carried forward", self._preview().line_ids.problem)

    def test_preview_of_credits_alone_is_a_credit_note(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), received_at=datetime(2026, 11, 12))
        self._run_due(datetime(2026, 11, 12))
        [line] = self._preview(self._settlement(11)).line_ids
        self.assertEqual((line.move_type, line.amount_untaxed), ("out_refund", -6.40))

    def test_settlement_that_is_invoiced_is_not_previewed(self):
        settlement = self._settle(cdr_payload(1))
        self.assertFalse(self._preview(settlement).line_ids)

    def test_preview_shows_nothing_of_another_company(self):
        self._receive(cdr_payload(1))
        other = self._create_company(name="Other")
        self.user.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        preview = self.env["emsp.settlement.preview"].with_user(self.user)
        with self.assertRaises(AccessError):
            preview.create({"settlement_ids": [(6, 0, self._settlement().ids)]})._find(with_pdf=False)

    def test_run_now_says_when_nothing_is_due(self):
        with freeze_time(DURING):
            message = self._settlement().sudo(False).action_run_now()["params"]["message"]
        self.assertIn("waits for its date", message)
        self.assertEqual(self._settlement().state, "collecting")

    def test_run_now_goes_on_with_what_is_due(self):
        self._receive(cdr_payload(1))
        with freeze_time(CUT_OFF):
            step = self._settlement().sudo(False).with_context(queue_job__no_delay=True)
            message = step.action_run_now()["params"]["message"]
        self.assertEqual(
            (self._settlement().state, message), ("control", "Going on now: 1. Waiting for their date: 0.")
        )

    def test_reader_does_not_run_anything(self):
        with self.assertRaises(AccessError):
            self._settlement().with_user(self.user).action_run_now()

    def test_blocked_settlement_stands_out_until_it_goes_on(self):
        self._receive(cdr_payload(1))
        self.contract.journal_id = self.company_data["default_journal_purchase"]
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        settlement = self._settlement()
        self.assertEqual(settlement.attention, "blocked")
        settlement._store({"journal_id": False})
        settlement.sudo(False).with_context(queue_job__no_delay=True).action_run_now()
        self.assertEqual((settlement.state, settlement.attention), ("invoiced", "normal"))

import io
from datetime import datetime, timedelta

from openpyxl import load_workbook

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..core.verify import verify_list
from ..report.emsp_annex_reader import read_annex
from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of, priced

LATER = LOCK + timedelta(days=1)
NEXT_LOCK = LOCK + timedelta(days=31)


@tagged("post_install", "-at_install")
class TestCredit(SettlementCommon):
    def test_credit_before_the_lock_neutralises_both(self):
        payload = priced(1, 6.40)
        original = self._receive(payload, priced(2, 6.40))[0]
        self._run_due(CUT_OFF)
        credit = self._receive(credit_of(payload), received_at=CUT_OFF + timedelta(days=1))
        self.assertEqual((original.state, credit.state), ("void", "void"))
        self.assertEqual(credit.credited_cdr_id, original)
        self._run_due(LOCK)
        self.assertEqual(self._settlement().move_id.amount_untaxed, 6.40)

    def test_credit_after_the_invoice_is_a_credit_note(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        credit = self._receive(credit_of(payload), received_at=LATER)
        self.assertEqual((credit.state, credit.amount_untaxed), ("open", -6.40))
        self._run_due(NEXT_LOCK)
        move = self._settlement(11).move_id
        self.assertEqual((move.move_type, move.amount_untaxed, move.state), ("out_refund", 6.40, "posted"))
        self.assertEqual(
            [(line.name, line.price_subtotal) for line in move.invoice_line_ids if not line.product_id],
            [("Sessions of October 2026", 0.0)],
        )
        self.assertEqual(
            {line.emsp_unit: line.price_subtotal for line in move.invoice_line_ids if line.product_id},
            {"session": 1.00, "kwh": 3.90, "minute": 1.50},
        )

    def test_credit_is_set_off_against_the_sessions_of_the_next_period(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), priced(2, 8.35, energy=15.0), received_at=LATER)
        self._run_due(NEXT_LOCK)
        move = self._settlement(11).move_id
        self.assertEqual((move.move_type, move.amount_untaxed), ("out_invoice", 1.95))
        # Both sessions were in October and cost the same but for the energy: what cancels has no line.
        self.assertEqual(
            [(line.display_type, line.price_subtotal) for line in move.invoice_line_ids],
            [("line_section", 0.0), ("product", 1.95)],
        )

    def test_credit_takes_back_what_was_billed_whatever_its_sender_states(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        changes = {"total_cost": {"excl_vat": 99.0}, "total_energy": -99.0}
        credit = self._receive(credit_of(payload, **changes), received_at=LATER)
        self.assertEqual(credit.amount_untaxed, -6.40)
        self.assertEqual((credit.energy_kwh, credit.duration_s, credit.duration), (-10.0, -1800, -0.5))
        self.assertEqual(credit._portal_duration(credit.duration_s), "-30 min")
        self.assertEqual(credit._portal_duration(-5700), "-1 h 35 min")

    def test_credit_takes_its_energy_and_minutes_out_of_every_sum(self):
        # October: 10 kWh in 30 min. November: 15 kWh in 30 min for 8.35, less October's: 5 kWh, 0 min, 1.95.
        payload = priced(1, 6.40)
        self._settle(payload)
        own = priced(2, 8.35, energy=15.0, start=datetime(2026, 11, 12, 8, 0))
        self._receive(credit_of(payload), own, received_at=datetime(2026, 11, 13))
        self._run_due(NEXT_LOCK)
        settlement = self._settlement(11)
        self.assertEqual((settlement.cdr_count, settlement.energy_kwh), (2, 5.0))
        move = settlement.move_id
        self.assertEqual(move._get_document_sessions()["energy"], "5.000")
        [place] = move._get_place_rows()
        self.assertEqual(place["energy"], "5.000")
        annex = load_workbook(io.BytesIO(move.emsp_annex_id.raw))
        head, credit, __, total = annex["Sessions"].iter_rows(values_only=True)
        columns = [head.index(label) for label in ("CDR", "kWh", "Duration (min)", "Net (EUR)")]
        self.assertEqual([credit[column] for column in columns], ["CDR-C", -10, -30, -6.4])
        self.assertEqual([total[column] for column in columns], ["Total", 5, 0, 1.95])
        summary = {line[0]: line[1:] for line in annex["Summary"].iter_rows(values_only=True) if line[0]}
        self.assertEqual((summary["kWh"][0], summary["Duration (min)"][0]), (5, 0))
        self.assertEqual(summary["Parking Bellecour"][1:4], (2, 5, 1.95))
        self.assertTrue(verify_list(read_annex(move.emsp_annex_id.raw)).holds)

    def test_credit_note_says_without_a_sign_what_it_takes_back(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), received_at=LATER)
        self._run_due(NEXT_LOCK)
        settlement = self._settlement(11)
        self.assertEqual(settlement.energy_kwh, -10.0)
        self.assertEqual(settlement.move_id._get_document_sessions()["energy"], "10.000")
        [place] = settlement.move_id._get_place_rows()
        self.assertEqual(place["energy"], "10.000")

    def test_line_of_a_credit_takes_its_energy_and_minutes_back(self):
        self.contract.line_grouping = "cdr"
        payload = priced(1, 6.40)
        self._settle(payload)
        own = priced(2, 8.35, energy=15.0, start=datetime(2026, 11, 12, 8, 0))
        self._receive(credit_of(payload), own, received_at=datetime(2026, 11, 13))
        self._run_due(NEXT_LOCK)
        [line] = self._settlement(11).move_id.invoice_line_ids.filtered(lambda line: line.price_subtotal < 0)
        self.assertIn("-10.000 kWh · -30 min", line.name)
        self.assertEqual(line.price_subtotal, -6.40)

    def test_credit_that_a_rule_held_is_settled_when_it_is_released(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        rules = self.env["emsp.validation.ruleset"]._default_of(self.company)
        rules.cost_range_max_amount = 5
        credit = self._receive(credit_of(payload), received_at=LATER)
        self.assertEqual((credit.state, credit.finding_ids.code), ("quarantine", "cost_above_max"))
        credit._decide("release", "Agreed with the partner")
        self.assertEqual((credit.state, credit.amount_untaxed), ("open", -6.40))
        self.assertEqual(credit.credited_cdr_id.ocpi_id, "CDR-1")

    def test_credit_without_an_original_cannot_be_released(self):
        credit = self._receive(credit_of(cdr_payload(7)))
        with self.assertRaisesRegex(UserError, "names an original that is not known: CDR-7"):
            credit._decide("release", "Please")

    def test_credit_of_an_unknown_cdr_is_held(self):
        credit = self._receive(credit_of(cdr_payload(7)))
        self.assertEqual(credit.state, "quarantine")
        self.assertEqual(credit.finding_ids.mapped("code"), ["credit_orphan"])
        self.assertIn("CDR-7", credit.finding_ids.message)

    def test_second_credit_of_the_same_cdr_is_held(self):
        payload = priced(1, 6.40)
        self._settle(payload)
        self._receive(credit_of(payload), received_at=LATER)
        second = self._receive(credit_of(payload, "C2"), received_at=LATER)
        self.assertEqual(second.state, "quarantine")
        self.assertEqual(second.finding_ids.mapped("code"), ["credit_double"])
        self._run_due(NEXT_LOCK)
        self.assertEqual(self._settlement(11).move_id.amount_untaxed, 6.40)

from datetime import datetime

from odoo import Command
from odoo.tests import tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon

LATE = datetime(2026, 11, 5, 8, 0)
NEXT_LOCK = datetime(2026, 12, 9, 23, 0)


@tagged("post_install", "-at_install")
class TestSettlementLines(SettlementCommon):
    def _lines(self, move):
        return [(line.display_type, line.name, line.price_subtotal) for line in move.invoice_line_ids]

    def test_lines_by_location_group_stand_under_its_name(self):
        self.env["emsp.location.group"].create(
            {"name": "City centre", "company_id": self.company.id, "evse_prefixes": "FR*RVR*E2"}
        )
        self.contract.line_grouping = "location_group"
        move = self._settle(cdr_payload(1), cdr_payload(2), cdr_payload(20, energy=15.0)).move_id
        sections = [line for line in self._lines(move) if line[0] == "line_section"]
        self.assertEqual([name for __, name, __ in sections], ["City centre", "Other chargers"])
        # Two sessions of 10 and 15 kWh in the city: 2.00 + 9.75 + 3.00; one of 10 kWh elsewhere.
        self.assertEqual(
            [amount for kind, __, amount in self._lines(move) if kind == "product"],
            [2.00, 9.75, 3.00, 1.00, 3.90, 1.50],
        )
        self.assertEqual(move.amount_untaxed, 21.15)

    def test_lines_by_tariff_stand_under_its_name(self):
        self.contract.line_grouping = "tariff"
        move = self._settle(cdr_payload(1)).move_id
        self.assertEqual(self._lines(move)[0][:2], ("line_section", self.grid.display_name))
        self.assertEqual(move.amount_untaxed, 6.40)

    def test_one_line_for_each_session_in_the_order_of_time(self):
        self.contract.line_grouping = "cdr"
        early = datetime(2026, 10, 3, 6, 30)
        move = self._settle(cdr_payload(1), cdr_payload(2, start=early, energy=15.0)).move_id
        first, second = move.invoice_line_ids
        self.assertEqual((first.price_subtotal, second.price_subtotal), (8.35, 6.40))
        # Times of the charger's zone, in the partner's language
        self.assertIn("CDR-2 · 10/3/26, 8:30", first.name.replace("\u202f", " "))
        self.assertIn("15.000 kWh · 30 min", first.name)
        self.assertEqual(first.product_id, self.env.ref("emsp_clearing.product_session"))
        self.assertEqual((first.emsp_session_count, first.quantity), (1, 1.0))

    def test_line_of_a_session_is_in_the_language_of_the_partner(self):
        self.env["res.lang"]._activate_lang("de_DE")
        (self.partner | self.partner.child_ids).lang = "de_DE"
        self.contract.line_grouping = "cdr"
        line = self._settle(cdr_payload(1, energy=15.0)).move_id.invoice_line_ids
        # 10:00 in Lyon; 15.000 kWh would be a thousand times as much to a German.
        self.assertIn("05.10.26, 10:00", line.name)
        self.assertIn("15,000 kWh · 30 min", line.name)

    def test_one_line_for_each_session_and_tax(self):
        reduced = self.env["account.tax"].create(
            {"name": "5.5 %", "amount": 5.5, "type_tax_use": "sale", "company_id": self.company.id}
        )
        self.env.ref("emsp_clearing.product_time").taxes_id = [Command.set(reduced.ids)]
        self.contract.line_grouping = "cdr"
        move = self._settle(cdr_payload(1)).move_id
        # 1.00 + 3.90 at 15 % and 1.50 at 5.5 %: 0.735 + 0.0825, each tax rounded
        self.assertEqual(sorted(move.invoice_line_ids.mapped("price_subtotal")), [1.50, 4.90])
        self.assertEqual((move.amount_untaxed, move.amount_tax), (6.40, 0.82))

    def test_mixed_taxes_follow_the_products_of_the_components(self):
        reduced = self.env["account.tax"].create(
            {"name": "5.5 %", "amount": 5.5, "type_tax_use": "sale", "company_id": self.company.id}
        )
        income = self.company_data["default_account_revenue"].copy({"code": "401999", "name": "Parking"})
        self.env.ref("emsp_clearing.product_energy").with_company(self.company).write(
            {"taxes_id": [Command.set(reduced.ids)], "property_account_income_id": income.id}
        )
        move = self._settle(cdr_payload(1)).move_id
        energy = move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "kwh")
        self.assertEqual((energy.tax_ids, energy.account_id), (reduced, income))
        # 3.90 x 5.5 % = 0.2145 -> 0.21; 2.50 x 15 % = 0.375 -> 0.38
        self.assertEqual((move.amount_untaxed, move.amount_tax), (6.40, 0.59))

    def test_late_sessions_stand_under_their_month(self):
        self._receive(cdr_payload(1), received_at=LATE)
        self._receive(cdr_payload(2, start=datetime(2026, 11, 10, 8, 0)), received_at=datetime(2026, 11, 11))
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        self._run_due(NEXT_LOCK)
        names = [
            name for kind, name, __ in self._lines(self._settlement(11).move_id) if kind == "line_section"
        ]
        # No session of the period is taken for one of the month above it.
        self.assertEqual(names, ["Sessions of November 2026", "Sessions of October 2026"])

    def test_late_sessions_of_a_period_that_is_no_month(self):
        # Weeks from Monday: 9 to 15 November, and a session of 28 October that came on the 11th.
        self.contract.frequency = "weekly"
        self._run_due(datetime(2026, 11, 9, 8, 0))
        late = cdr_payload(1, start=datetime(2026, 10, 28, 8, 0))
        own = cdr_payload(2, start=datetime(2026, 11, 10, 8, 0))
        self._receive(late, own, received_at=datetime(2026, 11, 11))
        self._run_due(datetime(2026, 12, 20))
        moves = self.contract.settlement_ids.move_ids
        lines = self._lines(moves.filtered(lambda move: move.amount_untaxed == 12.80))
        names = [name for kind, name, __ in lines if kind == "line_section"]
        self.assertEqual(
            names, ["Sessions from November 9, 2026 to November 15, 2026", "Sessions of October 2026"]
        )

    def test_sessions_of_the_period_alone_have_no_heading(self):
        move = self._settle(cdr_payload(1)).move_id
        self.assertNotIn("line_section", move.invoice_line_ids.mapped("display_type"))

    def test_grouping_is_the_one_of_the_day_on_which_the_window_opened(self):
        self._receive(cdr_payload(1))
        self._run_due(CUT_OFF)
        self.contract.line_grouping = "cdr"
        self._run_due(LOCK)
        self.assertEqual(len(self._settlement().move_id.invoice_line_ids), 3)

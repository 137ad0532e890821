from copy import deepcopy

from odoo import Command
from odoo.tests import tagged

from .common import EmspCommon, cdr_payload

TARIFF = {
    "country_code": "FR",
    "party_id": "RVR",
    "id": "CPO-1",
    "currency": "EUR",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]},
        {
            "price_components": [{"type": "TIME", "price": 6, "vat": 20, "step_size": 60}],
            "restrictions": {"start_time": "08:00", "end_time": "20:00", "max_duration": 3600},
        },
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}


@tagged("post_install", "-at_install")
class TestTariffSource(EmspCommon):
    """Whose tariff prices a CDR: the contract's grid, or the one that comes with it."""

    def _receive_priced_by(self, source, *tariffs, **changes):
        self.contract.price_source = source
        return self._receive(cdr_payload(tariffs=list(tariffs), **changes))

    def _codes(self, cdr):
        return sorted(cdr.finding_ids.mapped("code"))

    def test_grid_rules_whatever_the_cdr_brings(self):
        cdr = self._receive_priced_by("grid", TARIFF)
        self.assertEqual((cdr.amount_untaxed, cdr.price_grid_id), (6.40, self.grid))
        self.assertEqual(cdr.priced_by, "AC-2026")

    def test_tariff_of_the_cdr_rules_where_the_contract_says_so(self):
        cdr = self._receive_priced_by("cdr", TARIFF, total_cost={"excl_vat": 8.0})
        # 10 kWh x 0.50 + 30 min x 6.00/h; the grid would give 6.40
        self.assertEqual((cdr.state, cdr.amount_untaxed), ("open", 8.0))
        self.assertEqual((cdr.priced_by, bool(cdr.price_grid_id)), ("CPO-1", False))
        self.assertEqual(self._codes(cdr), ["grid_mismatch"])
        self.assertIn("6.40 EUR", cdr.finding_ids.message)
        self.assertEqual(
            {part["component"]: part["amount"] for part in cdr.components}, {"ENERGY": "5.00", "TIME": "3.00"}
        )

    def test_explanation_says_the_conditions_with_their_values(self):
        cdr = self._receive_priced_by("cdr", TARIFF)
        self.assertIn("from 08:00, until 20:00, within 60.00 min", cdr.explanation_html)

    def test_cdr_without_a_tariff_is_priced_by_the_grid(self):
        cdr = self._receive_priced_by("cdr")
        self.assertEqual((cdr.amount_untaxed, cdr.price_grid_id), (6.40, self.grid))

    def test_contract_without_a_grid_holds_a_cdr_without_a_tariff(self):
        self.contract.write({"price_grid_ids": [Command.clear()], "price_source": "cdr"})
        self.contract.action_activate()
        cdr = self._receive_priced_by("cdr")
        self.assertEqual((cdr.state, self._codes(cdr)), ("quarantine", ["no_tariff"]))

    def test_period_names_its_tariff_among_several(self):
        dear = {**TARIFF, "id": "CPO-2", "elements": TARIFF["elements"][:1]}
        dear = deepcopy(dear)
        dear["elements"][0]["price_components"][0]["price"] = 0.9
        periods = deepcopy(cdr_payload()["charging_periods"])
        periods[0]["tariff_id"] = "cpo-2"
        cdr = self._receive_priced_by("cdr", TARIFF, dear, charging_periods=periods)
        self.assertEqual((cdr.amount_untaxed, cdr.priced_by), (9.0, "CPO-2"))

    def test_what_is_odd_about_the_tariff_is_a_finding_in_words(self):
        odd = deepcopy(TARIFF)
        odd["elements"][0]["price_components"][0]["price"] = 50
        cdr = self._receive_priced_by("cdr", odd, total_cost={"excl_vat": 503.0})
        finding = cdr.finding_ids.filtered(lambda finding: finding.code == "suspicious_price")
        self.assertEqual(finding.path, "tariffs[0].elements[0].price_components[0].price")
        self.assertEqual(finding.message, "The tariff: The price for energy is 50; <= 5 would be expected.")

    def test_included_tax_without_a_rate_is_held(self):
        self.connection.version = "2.3.0"
        total = {"before_taxes": 5.0, "taxes": []}
        cdr = self._receive_priced_by("cdr", {**TARIFF, "tax_included": "YES"}, total_cost=total)
        self.assertEqual(cdr.state, "quarantine")
        self.assertIn("tax_unknown", self._codes(cdr))

    def test_included_tax_is_taken_out_of_amount_and_unit_price(self):
        self.connection.version = "2.3.0"
        taxed = {**deepcopy(TARIFF), "tax_included": "YES", "elements": deepcopy(TARIFF["elements"][:1])}
        taxed["elements"][0]["price_components"][0].update(price=0.6, vat=20)
        total = {"before_taxes": 5.0, "taxes": [{"name": "TVA", "percentage": 20, "amount": 1.0}]}
        cdr = self._receive_priced_by("cdr", taxed, total_cost=total)
        # 10 kWh x 0.60 with 20 % are 5.00 without
        self.assertEqual(cdr.amount_untaxed, 5.0)
        [component] = cdr.components
        self.assertEqual((component["unit_price"], component["amount"]), ("0.5000", "5.00"))

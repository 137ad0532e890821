from datetime import date, datetime

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import EmspCommon, cdr_payload


@tagged("post_install", "-at_install")
class TestContract(EmspCommon):
    def _create_other(self, country_code="DE", party_id="SMO", **vals):
        partner = self.partner.copy({"name": "Havel Mobility", "vat": False})
        return self._create_contract(partner, country_code, party_id, activate=False, **vals)

    def test_reference_comes_from_the_sequence(self):
        self.assertRegex(self.contract.reference, r"^RC\d{5}$")
        self.assertNotEqual(self._create_other(party_id="HVL").reference, self.contract.reference)

    def test_party_belongs_to_one_contract_at_a_time(self):
        with self.assertRaisesRegex(ValidationError, r"DE\*SMO belongs to contract"):
            self._create_other()

    def test_party_may_move_to_a_contract_that_starts_after_the_end_of_the_first(self):
        self.contract.date_end = date(2026, 6, 30)
        self._create_other(date_start=date(2026, 7, 1))
        with self.assertRaisesRegex(ValidationError, r"DE\*SMO belongs to contract"):
            self.contract.date_end = date(2026, 7, 1)
        with self.assertRaises(ValidationError):
            self._create_other(date_start=date(2026, 6, 30))

    def test_party_is_two_letters_and_three_characters(self):
        for country_code, party_id in (("D1", "ABC"), ("DE", "AB"), ("DE", "A-B")):
            with self.subTest(party=(country_code, party_id)), self.assertRaises(ValidationError):
                self._create_other(country_code, party_id)

    def test_party_is_kept_in_capitals(self):
        party = self._create_other("de", "hvl").party_ids
        self.assertEqual((party.country_code, party.ocpi_party_id), ("DE", "HVL"))

    def test_activation_needs_a_party_and_a_grid(self):
        contract = self._create_other(party_id="HVL")
        contract.price_grid_ids = [Command.clear()]
        with self.assertRaisesRegex(UserError, "needs at least one OCPI party and one price grid"):
            contract.action_activate()

    def test_grids_of_a_contract_do_not_overlap(self):
        other = self._create_grid("AC-2", valid_from=date(2026, 6, 1))
        with self.assertRaisesRegex(ValidationError, "are both valid on 2026-06-01"):
            self.contract.price_grid_ids = [Command.link(other.id)]
        self.grid.valid_to = date(2026, 5, 31)
        self.contract.price_grid_ids = [Command.link(other.id)]
        with self.assertRaises(ValidationError):
            self.grid.valid_to = False

    def test_grid_has_the_contracts_currency(self):
        other = self._create_grid(
            "AC-USD", valid_from=date(2028, 1, 1), currency_id=self.env.ref("base.USD").id
        )
        with self.assertRaisesRegex(ValidationError, "is in USD"):
            self.contract.price_grid_ids = [Command.link(other.id)]

    def test_contract_in_use_is_not_deleted(self):
        self._receive(cdr_payload())
        with self.assertRaisesRegex(UserError, "End it instead"):
            self.contract.unlink()

    def test_unused_contract_is_deleted_with_its_parties(self):
        contract = self._create_other(party_id="HVL")
        party = contract.party_ids
        contract.unlink()
        self.assertFalse(party.exists())

    def test_what_was_settled_with_one_partner_stays_with_it(self):
        self._receive(cdr_payload())
        self._run_due(datetime(2026, 10, 15))
        other = self.partner.copy({"name": "Havel Mobility", "vat": False})
        for vals in ({"partner_id": other.id}, {"currency_id": self.env.ref("base.USD").id}):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "has settlements"):
                self.contract.write(vals)
        self.contract.write({"partner_id": self.partner.id, "name": "Roaming, renamed"})
        self.assertEqual(self.contract.name, "Roaming, renamed")

    def test_days_have_limits(self):
        for field in ("control_days", "grace_days"):
            with self.subTest(field=field), self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
                self.contract[field] = 31
                self.contract.flush_recordset()

    def test_counts_are_the_contracts_own(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        self.assertEqual(self.contract.cdr_count, 2)
        self.assertEqual(self._create_other(party_id="HVL").cdr_count, 0)


@tagged("post_install", "-at_install")
class TestPriceGrid(EmspCommon):
    def test_published_grid_never_changes(self):
        for vals in ({"currency_id": self.env.ref("base.USD").id}, {"code": "X"}, {"state": "draft"}):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "is published"):
                self.grid.write(vals)
        with self.assertRaises(UserError):
            self.grid.line_ids[0].price = 0.1
        with self.assertRaises(UserError):
            self.grid.line_ids[0].unlink()
        with self.assertRaises(UserError):
            self.grid.line_ids.create({"grid_id": self.grid.id, "component": "ENERGY", "price": 0.1})
        with self.assertRaises(UserError):
            self.grid.unlink()

    def test_grid_without_a_price_is_not_published(self):
        grid = self.env["emsp.price.grid"].create(
            {"name": "Empty", "code": "E", "company_id": self.company.id}
        )
        with self.assertRaisesRegex(UserError, "has no price yet"):
            grid.action_publish()

    def test_summary_names_the_prices(self):
        self.assertEqual(self.grid.summary, "1.00 EUR/session + 0.39 EUR/kWh + 0.05 EUR/min")

    def test_hours_are_hours_of_the_day(self):
        grid = self.env["emsp.price.grid"].create(
            {"name": "Night", "code": "N", "company_id": self.company.id}
        )
        for hour in ("24:00", "7:00", "07.00", "ab:cd", "12:60"):
            with (
                self.subTest(hour=hour),
                self.assertRaisesRegex(ValidationError, "is not an hour of the day"),
            ):
                grid.line_ids.create({"grid_id": grid.id, "price": 0.3, "hour_from": hour})

    def test_grid_compiles_into_an_ocpi_tariff(self):
        tariff = self.grid._to_tariff("FR", "RVR")
        self.assertEqual((tariff.key, tariff.currency), ("FR*RVR*AC-2026", "EUR"))
        [element] = tariff.elements
        # OCPI prices time by the hour: 0.05 per minute are 3.00.
        self.assertEqual(
            [(part.type, str(part.price)) for part in element.price_components],
            [("FLAT", "1.0000"), ("ENERGY", "0.3900"), ("TIME", "3.0000")],
        )

    def test_night_price_holds_at_night(self):
        grid = self.env["emsp.price.grid"].create(
            {
                "name": "Night",
                "code": "NIGHT",
                "company_id": self.company.id,
                "currency_id": self.env.ref("base.EUR").id,
                "valid_from": date(2026, 1, 1),
                "line_ids": [
                    Command.create({"component": "ENERGY", "price": 0.50}),
                    Command.create(
                        {"component": "ENERGY", "price": 0.25, "hour_from": "22:00", "hour_to": "06:00"}
                    ),
                ],
            }
        )
        grid.action_publish()
        self.contract.price_grid_ids = grid
        # 08:00 UTC is 10:00 in Paris, 20:00 UTC is 22:00
        day, night = self._receive(
            cdr_payload(1),
            cdr_payload(2, start=datetime(2026, 10, 5, 20)),
        )
        self.assertEqual((day.amount_untaxed, night.amount_untaxed), (5.00, 2.50))

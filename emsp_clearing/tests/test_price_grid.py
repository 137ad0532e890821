import base64
import json
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from itertools import count

from freezegun import freeze_time
from openpyxl import Workbook, load_workbook
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.emsp_price_grid_sheet import COLUMNS
from .common import EmspCommon, cdr_payload

NUMBERS = count(1)
FRIDAY = "2026-10-02"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY = dict.fromkeys(DAYS, True)
WORKDAYS = {**EVERY_DAY, "saturday": False, "sunday": False}


class PriceGridCommon(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.motorway = cls.env["emsp.location.group"].create(
            {"name": "Motorway", "company_id": cls.company.id, "location_codes": "loc-7\nLOC-8"}
        )
        cls.city = cls.env["emsp.location.group"].create(
            {"name": "City", "company_id": cls.company.id, "evse_prefixes": "FR*RVR*E1"}
        )
        cls.fleet = cls.env["emsp.customer.group"].create(
            {"name": "Fleet", "company_id": cls.company.id, "contract_prefixes": "de-smo-c9"}
        )
        cls.staff = cls.env["emsp.customer.group"].create(
            {"name": "Staff", "company_id": cls.company.id, "token_uids": "AA 11\nBB22"}
        )

    @classmethod
    def _draft(cls, *lines, code=None, **vals):
        """A draft of the company, with a line for each dict."""
        code = code or f"NEW-{next(NUMBERS)}"
        return cls.env["emsp.price.grid"].create(
            {
                "name": f"Grid {code}",
                "code": code,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "valid_from": date(2026, 1, 1),
                "line_ids": [
                    Command.create({"sequence": number, **line}) for number, line in enumerate(lines)
                ],
                **vals,
            }
        )

    def _use(self, *lines):
        """Let the contract price by a grid of these lines."""
        grid = self._draft(*lines)
        grid.action_publish()
        self.contract.price_grid_ids = grid
        return grid


def payload_at(location_id="LOC-1", evse_id="FR*RVR*E9001*1", number=1):
    """10 kWh in 30 minutes at a charger."""
    payload = cdr_payload(number)
    payload["cdr_location"].update(id=location_id, evse_id=evse_id)
    return payload


def payload_of(uid="04A1B2C3D4E5F6", contract_id="DE-SMO-C00012345-6", number=1):
    """10 kWh in 30 minutes by a driver, at a charger in no group."""
    payload = payload_at(number=number)
    payload["cdr_token"].update(uid=uid, contract_id=contract_id)
    return payload


@tagged("post_install", "-at_install")
class TestPriceGridLine(PriceGridCommon):
    def _text(self, **line):
        return self._draft(line).summary

    def test_line_reads_as_it_is_priced(self):
        for line, text in (
            ({"component": "FLAT", "price": 0.5}, "0.50 EUR/session"),
            ({"component": "TIME", "price": 0.0525}, "0.0525 EUR/min"),
            ({"component": "TIME", "price": 0.05, "step_size": 60}, "0.05 EUR per started minute"),
            (
                {"component": "PARKING_TIME", "price": 0.1, "step_size": 60},
                "0.10 EUR per started minute parked",
            ),
            (
                {"component": "PARKING_TIME", "price": 0.1, "free_minutes": 30},
                "0.10 EUR/min parked from minute 30 on",
            ),
            (
                {"component": "ENERGY", "price": 0.3, "hour_from": "22:00", "hour_to": "06:00"},
                "0.30 EUR/kWh 22:00-06:00",
            ),
            ({"component": "ENERGY", "price": 0.3, **WORKDAYS}, "0.30 EUR/kWh Mon-Fri"),
            (
                {"component": "ENERGY", "price": 0.3, **WORKDAYS, "wednesday": False},
                "0.30 EUR/kWh Mon, Tue, Thu, Fri",
            ),
            (
                {
                    "component": "ENERGY",
                    "price": 0.3,
                    "location_group_id": self.city.id,
                    "customer_group_id": self.fleet.id,
                },
                "0.30 EUR/kWh [City, Fleet]",
            ),
            ({"component": "MIN", "price": 1}, "at least 1.00 EUR"),
            ({"component": "MAX", "price": 40}, "at most 40.00 EUR"),
        ):
            with self.subTest(text=text):
                self.assertEqual(self._text(**line), text)

    def test_parking_is_sold_by_the_started_minute(self):
        with Form(self.env["emsp.price.grid"]) as form:
            form.name, form.code = "Parking", "P"
            with form.line_ids.new() as line:
                self.assertEqual((line.component, line.step_size), ("ENERGY", 1))
                line.component = "PARKING_TIME"
                self.assertEqual(line.step_size, 60)
                line.price = 0.08
        self.assertRegex(form.record.summary, "^0.08 [A-Z]+ per started minute parked$")

    def test_limit_forgets_what_only_a_price_can_have(self):
        with Form(self.env["emsp.price.grid"]) as form:
            form.name, form.code = "Limit", "L"
            with form.line_ids.new() as line:
                line.component = "TIME"
                line.hour_from, line.free_minutes, line.sunday = "08:00", 10, False
                line.component = "MAX"
                line.price = 30
        line = form.record.line_ids
        self.assertEqual((line.hour_from, line.free_minutes, line.step_size), (False, 0, 1))
        self.assertTrue(line.sunday)

    def test_limit_holds_always(self):
        for vals in (
            {"hour_from": "08:00"},
            {"hour_to": "08:00"},
            {"sunday": False},
            {"step_size": 60},
            {"free_minutes": 5},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaisesRegex(ValidationError, "holds at every hour and on every day"),
            ):
                self._draft({"component": "MAX", "price": 30, **vals})

    def test_only_prices_per_minute_have_free_minutes(self):
        for component in ("FLAT", "ENERGY"):
            with (
                self.subTest(component=component),
                self.assertRaisesRegex(ValidationError, "Only prices per minute have free minutes"),
            ):
                self._draft({"component": component, "price": 1, "free_minutes": 5})

    def test_negative_numbers_are_refused(self):
        for vals in ({"price": -1}, {"step_size": -1}, {"component": "TIME", "free_minutes": -1}):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                self._draft({"price": 1, **vals})

    def test_session_does_not_cost_more_than_at_most(self):
        least, most = {"component": "MIN", "price": 5}, {"component": "MAX", "price": 4.99}
        with self.assertRaisesRegex(ValidationError, "at least 5.00 EUR and at most 4.99 EUR"):
            self._draft(least, most)
        # Only fleets on the motorway get both limits.
        with self.assertRaisesRegex(ValidationError, "at least 5"):
            self._draft(
                {**least, "location_group_id": self.motorway.id},
                {**most, "customer_group_id": self.fleet.id},
            )
        grid = self._draft(least, {**most, "price": 5})
        low, high = grid.line_ids
        # Both move at once: what counts is what they come to.
        grid.line_ids = [
            Command.update(low.id, {"price": 6}),
            Command.update(high.id, {"price": 7}),
        ]
        high.price = 1
        with self.assertRaisesRegex(ValidationError, "at least 6"):
            grid.action_publish()

    def test_group_of_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        group = self.env["emsp.location.group"].create(
            {"name": "Theirs", "company_id": other.id, "location_codes": "X"}
        )
        with self.assertRaisesRegex(UserError, "compan"):
            self._draft({"price": 1, "location_group_id": group.id})

    def test_group_in_a_grid_is_not_deleted(self):
        self._draft({"price": 1, "location_group_id": self.city.id})
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.city.unlink()

    def test_group_of_nobody_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "holds no charger"):
            self.city.evse_prefixes = " \n"
        with self.assertRaisesRegex(ValidationError, "holds nobody"):
            self.staff.token_uids = False


@tagged("post_install", "-at_install")
class TestPriceGridPricing(PriceGridCommon):
    def _amounts(self, *payloads):
        return self._receive(*payloads).mapped("amount_untaxed")

    def test_charger_decides_the_price(self):
        self._use(
            {"price": 0.50},
            {"price": 0.60, "location_group_id": self.motorway.id},
            {"price": 0.40, "location_group_id": self.city.id},
        )
        amounts = self._amounts(
            payload_at("LOC-1", number=1),
            payload_at("LOC-7", number=2),
            payload_at("Loc - 8", number=3),
            payload_at("LOC-1", "fr*rvr*e1001*1", number=4),
            # in both: the motorway is the first group
            payload_at("LOC-7", "FR*RVR*E1001*1", number=5),
        )
        # 10 kWh at 0.50, 0.60, 0.60, 0.40, 0.60
        self.assertEqual(amounts, [5.00, 6.00, 6.00, 4.00, 6.00])

    def test_customer_decides_before_the_charger(self):
        self._use(
            {"price": 0.50},
            {"price": 0.60, "location_group_id": self.city.id},
            {"price": 0.30, "customer_group_id": self.fleet.id},
            {"price": 0.10, "customer_group_id": self.staff.id, "location_group_id": self.city.id},
        )
        in_the_city = {**payload_of("BB22", "DE-SMO-C1", number=4)}
        in_the_city["cdr_location"]["evse_id"] = "FR*RVR*E1"
        amounts = self._amounts(
            payload_of(number=1),
            payload_of(contract_id="DE-SMO-C90001", number=2),
            # staff elsewhere pay what everyone pays
            payload_of("aa11", number=3),
            in_the_city,
        )
        self.assertEqual(amounts, [5.00, 3.00, 5.00, 1.00])

    def test_order_of_the_groups_decides_where_several_match(self):
        self.city.sequence = 5
        self._use(
            {"price": 0.60, "location_group_id": self.motorway.id},
            {"price": 0.40, "location_group_id": self.city.id},
        )
        [amount] = self._amounts(payload_at("LOC-7", "FR*RVR*E1001*1"))
        self.assertEqual(amount, 4.00)

    def test_session_that_no_price_is_for_is_held(self):
        self._use({"price": 0.60, "location_group_id": self.motorway.id})
        cdr = self._receive(payload_at("LOC-1"))
        self.assertEqual((cdr.state, cdr.finding_ids.mapped("code")), ("quarantine", ["no_tariff"]))

    def test_groups_of_a_batch_are_read_once(self):
        grid = self._use(
            {"price": 0.50},
            {"price": 0.60, "location_group_id": self.motorway.id},
            {"price": 0.30, "customer_group_id": self.fleet.id},
        )
        cdrs = self._receive(
            *(payload_at("LOC-7" if number % 2 else "LOC-1", number=number) for number in range(6))
        )
        cdrs.fetch(["payload", "connection_id", "ocpi_version", "evse_id", "token_uid", "emaid"])
        cache = {}
        grid._tariff_for(cdrs[0], cache)
        grid._tariff_for(cdrs[1], cache)
        with self.assertQueryCount(0):
            tariffs = {grid._tariff_for(cdr, cache).tariff.id for cdr in cdrs}
        self.assertEqual(len(tariffs), 2)

    def test_first_minutes_are_free(self):
        self._use({"price": 0.39}, {"component": "TIME", "price": 0.05, "free_minutes": 15})
        payload = cdr_payload()
        payload["charging_periods"] = [
            {
                "start_date_time": f"2026-10-05T08:{minute:02}:00Z",
                "dimensions": [{"type": "ENERGY", "volume": 5.0}, {"type": "TIME", "volume": 0.25}],
            }
            for minute in (0, 15)
        ]
        # 10 kWh x 0.39, and the second quarter of an hour at 15 x 0.05: 3.90 + 0.75
        self.assertEqual(self._amounts(payload), [4.65])

    def test_session_costs_at_least_and_at_most(self):
        self._use(
            {"price": 0.50},
            {"component": "MIN", "price": 2},
            {"component": "MAX", "price": 8},
            {"component": "MAX", "price": 3, "customer_group_id": self.fleet.id},
        )
        amounts = self._amounts(
            cdr_payload(1, energy=1.0),
            cdr_payload(2, energy=10.0),
            cdr_payload(3, energy=20.0),
            payload_of(contract_id="DE-SMO-C9", number=4),
        )
        # 0.50 raised to 2, 5, 10 cut to 8, 5 cut to the fleet's 3
        self.assertEqual(amounts, [2.00, 5.00, 8.00, 3.00])

    def test_no_parking_fee_at_night(self):
        self._use(
            {
                "component": "PARKING_TIME",
                "price": 0.10,
                "step_size": 60,
                "hour_from": "08:00",
                "hour_to": "18:00",
                **WORKDAYS,
            },
        )
        payloads = [
            # Monday 08:00 UTC is 10:00 in Paris, 18:00 UTC is 20:00; the third is a Saturday
            cdr_payload(number, start=start)
            for number, start in enumerate(
                (datetime(2026, 10, 5, 8), datetime(2026, 10, 5, 18), datetime(2026, 10, 3, 8)), 1
            )
        ]
        for payload in payloads:
            # 0.1583 h are 570 s to the second: 9.5 minutes, 10 of them started
            payload["charging_periods"][0]["dimensions"] = [
                {"type": "ENERGY", "volume": 10.0},
                {"type": "PARKING_TIME", "volume": 0.1583},
            ]
        self.assertEqual(self._amounts(*payloads), [1.00, 0.00, 0.00])


@tagged("post_install", "-at_install")
class TestPriceGridVersions(PriceGridCommon):
    def _new_version(self, grid):
        return self.env["emsp.price.grid"].browse(grid.action_new_version()["res_id"])

    @freeze_time(FRIDAY)
    def test_new_version_is_a_draft_with_the_same_prices(self):
        version = self._new_version(self.grid)
        self.assertEqual(
            (version.code, version.version, version.previous_id, version.state),
            ("AC-2026", 2, self.grid, "draft"),
        )
        self.assertEqual((version.valid_from, version.valid_to), (date(2026, 10, 3), False))
        self.assertEqual(version.summary, self.grid.summary)
        self.assertEqual(version.display_name, "Grid AC-2026 (version 2)")
        self.assertFalse(version.contract_ids)
        self.assertEqual(self.grid.version_count, 2)
        self.assertEqual(
            self.env["emsp.price.grid"].search(self.grid.action_view_versions()["domain"]),
            self.grid | version,
        )

    @freeze_time(FRIDAY)
    def test_draft_that_is_there_is_opened_again(self):
        self.assertEqual(self._new_version(self.grid), self._new_version(self.grid))

    @freeze_time(FRIDAY)
    def test_version_starts_after_one_that_has_not_begun(self):
        future = self._create_grid("FUTURE", valid_from=date(2027, 1, 1), valid_to=date(2027, 12, 31))
        version = self._new_version(future)
        self.assertEqual((version.valid_from, version.valid_to), (date(2027, 1, 2), date(2027, 12, 31)))

    @freeze_time(FRIDAY)
    def test_published_version_takes_over_in_the_contracts(self):
        version = self._new_version(self.grid)
        version.valid_from = date(2026, 11, 1)
        version.line_ids.filtered(lambda line: line.component == "ENERGY").price = 0.49
        version.action_publish()
        self.assertEqual(self.grid.valid_to, date(2026, 10, 31))
        self.assertEqual(self.contract.price_grid_ids, self.grid | version)
        before, after = self._receive(
            cdr_payload(1, start=datetime(2026, 10, 31, 22, 30)),
            cdr_payload(2, start=datetime(2026, 10, 31, 23, 0)),
            received_at=datetime(2026, 11, 2),
        )
        # 23:00 UTC is midnight in Paris. 1.00 + 3.90 + 1.50, and 1.00 + 4.90 + 1.50
        self.assertEqual((before.price_grid_id, before.amount_untaxed), (self.grid, 6.40))
        self.assertEqual((after.price_grid_id, after.amount_untaxed), (version, 7.40))

    @freeze_time(FRIDAY)
    def test_earlier_end_of_the_previous_version_stays(self):
        self.grid.valid_to = date(2026, 10, 15)
        version = self._new_version(self.grid)
        self.assertEqual(version.valid_to, date(2026, 10, 15))
        version.write({"valid_from": date(2026, 11, 1), "valid_to": False})
        version.action_publish()
        self.assertEqual(self.grid.valid_to, date(2026, 10, 15))

    @freeze_time(FRIDAY)
    def test_version_starts_later_than_the_one_before(self):
        version = self._new_version(self.grid)
        version.valid_from = self.grid.valid_from
        with self.assertRaisesRegex(UserError, "Let it start later"):
            version.action_publish()

    @freeze_time(FRIDAY)
    def test_old_prices_come_back_as_a_version_after_the_last(self):
        second = self._new_version(self.grid)
        second.line_ids[0].price = 9
        second.action_publish()
        third = self._new_version(self.grid)
        self.assertEqual((third.version, third.previous_id), (3, second))
        self.assertEqual(third.summary, self.grid.summary)

    @freeze_time(FRIDAY)
    def test_tariff_id_names_the_version_from_the_second_on(self):
        version = self._new_version(self.grid)
        self.assertEqual(self.grid._to_tariff("FR", "RVR").id, "AC-2026")
        tariff = version._to_tariff("FR", "RVR")
        self.assertEqual(tariff.id, "AC-2026-2")
        self.assertEqual((tariff.start_date_time, tariff.end_date_time), (None, None))

    def test_code_is_unique_within_a_version(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self._draft({"price": 1}, code="AC-2026")

    def test_code_leaves_room_for_versions_and_groups(self):
        # 36, less 4 for "-999"
        self._draft({"price": 1}, code="C" * 32)
        with self.assertRaisesRegex(ValidationError, "Use a code of 32 characters"):
            self._draft({"price": 1}, code="C" * 33)
        # 7 more name the group
        grid = self._draft({"price": 1, "location_group_id": self.city.id}, code="D" * 25)
        self.assertEqual(len(grid._to_tariff("FR", "RVR", self.city).id), 32)
        with self.assertRaisesRegex(ValidationError, "Use a code of 25 characters"):
            self._draft({"price": 1, "location_group_id": self.city.id}, code="D" * 26)

    @freeze_time(FRIDAY)
    def test_code_is_no_name_of_a_version(self):
        self._new_version(self.grid)
        with self.assertRaisesRegex(ValidationError, "would have the same OCPI tariff id, ac-2026-2"):
            self._draft({"price": 1}, code="ac-2026-2")


@tagged("post_install", "-at_install")
class TestPriceGridScreen(PriceGridCommon):
    def test_warnings_follow_what_is_typed(self):
        with Form(self.env["emsp.price.grid"]) as form:
            form.name, form.code = "Typed", "TYPED"
            with form.line_ids.new() as line:
                line.price, line.hour_from, line.hour_to = 0.5, "08:00", "18:00"
            self.assertFalse(form.warnings)
            with form.line_ids.new() as line:
                line.price, line.hour_from, line.hour_to = 0.4, "17:00", "20:00"
            self.assertIn("hold at the same time in part; there line 1 sets the price", form.warnings)
            with form.line_ids.edit(1) as line:
                line.hour_from, line.hour_to = "17:00", "18:00"
            self.assertIn("Line 2 (0.40", form.warnings)
            self.assertIn("never applies: line 1 (0.50", form.warnings)
            with form.line_ids.edit(1) as line:
                # Not an hour yet: nothing is said until it is one.
                line.hour_from = "18"
            self.assertFalse(form.warnings)
            with form.line_ids.edit(1) as line:
                line.hour_from, line.hour_to = "18:00", "20:00"
            self.assertFalse(form.warnings)

    def test_warnings_tell_of_prices_that_were_hardly_meant(self):
        with Form(self.env["emsp.price.grid"]) as form:
            form.name, form.code = "Cents", "CENTS"
            form.currency_id = self.env.ref("base.EUR")
            with form.line_ids.new() as line:
                line.price = 39
            self.assertIn("The price for energy is 39; &lt;= 5 would be expected.", form.warnings)
            with form.line_ids.edit(0) as line:
                line.price = 0
            self.assertIn("Everything is free.", form.warnings)
            with form.line_ids.edit(0) as line:
                line.price, line.hour_from, line.hour_to = 0.39, "06:00", "23:59"
            self.assertIn("Hours end at 23:59", form.warnings)

    def test_warnings_show_names_as_text(self):
        self.city.name = "<b>City</b>"
        line = {"price": 1, "location_group_id": self.city.id}
        self.assertIn("&lt;b&gt;City", self._draft(line, line).warnings)

    def test_tariff_is_shown_as_a_partner_is_given_it(self):
        shown = json.loads(self.grid.tariff_json)
        self.assertEqual(
            shown,
            {
                "country_code": "FR",
                "party_id": "RVR",
                "id": "AC-2026",
                "currency": "EUR",
                "type": "REGULAR",
                "elements": [
                    {
                        "price_components": [
                            {"type": "FLAT", "price": 1, "step_size": 1},
                            {"type": "ENERGY", "price": 0.39, "step_size": 1},
                            {"type": "TIME", "price": 3, "step_size": 1},
                        ]
                    }
                ],
            },
        )

    def test_each_variant_is_shown_with_its_groups(self):
        grid = self._draft(
            {"price": 0.5},
            {"price": 0.4, "location_group_id": self.city.id},
            {"component": "MAX", "price": 9, "customer_group_id": self.fleet.id},
        )
        shown = grid.tariff_json
        for comment in (
            "// Chargers: all others. Customers: all others.",
            "// Chargers: City. Customers: all others.",
            "// Chargers: all others. Customers: Fleet.",
            "// Chargers: City. Customers: Fleet.",
        ):
            self.assertEqual(shown.count(comment), 1)
        last = json.loads(shown.rsplit("Fleet.\n", 1)[1])
        self.assertEqual(last["max_price"], {"excl_vat": 9})
        self.assertEqual(
            [element["price_components"][0]["price"] for element in last["elements"]], [0.4, 0.5]
        )

    def test_group_columns_wait_for_groups(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        here = self.env["emsp.price.grid"].new({"company_id": self.company.id})
        there = self.env["emsp.price.grid"].new({"company_id": other.id})
        self.assertEqual((here.has_location_groups, here.has_customer_groups), (True, True))
        self.assertEqual((there.has_location_groups, there.has_customer_groups), (False, False))


@tagged("post_install", "-at_install")
class TestPriceGridSheet(PriceGridCommon):
    def setUp(self):
        super().setUp()
        self.full = self._draft(
            {"component": "FLAT", "price": 1.0, "sequence": 1},
            {"component": "ENERGY", "price": 0.3999, "sequence": 2, "location_group_id": self.city.id},
            {
                "component": "PARKING_TIME",
                "price": 0.1,
                "sequence": 3,
                "step_size": 60,
                "free_minutes": 30,
                "hour_from": "08:00",
                "hour_to": "18:00",
                **WORKDAYS,
                "customer_group_id": self.staff.id,
            },
            {"component": "ENERGY", "price": 0.0, "sequence": 4, "hour_from": "22:00"},
            {"component": "MAX", "price": 40.5, "sequence": 5},
            code="FULL",
        )
        self.target = self._draft({"component": "TIME", "price": 7}, code="TARGET")

    def _lines(self, grid):
        return [tuple(line[column.field] for column in COLUMNS) for line in grid.line_ids.sorted("sequence")]

    def _import(self, content, grid=None):
        """:return: the import, after it was tried."""
        wizard = self.env["emsp.price.grid.import"].create(
            {
                "grid_id": (grid or self.target).id,
                "file": base64.b64encode(content),
                "filename": "prices.xlsx",
            }
        )
        wizard.action_import()
        return wizard

    def _file(self, *rows, heads=tuple(column.name for column in COLUMNS)):
        """A sheet with the row of labels left empty; `rows` hold values by column name."""
        workbook = Workbook()
        workbook.active.append(heads)
        workbook.active.append(["Label"] * len(heads))
        for row in rows:
            workbook.active.append([row.get(head) for head in heads])
        file = BytesIO()
        workbook.save(file)
        return file.getvalue()

    def _problems(self, *rows, **options):
        """The sentences about a file, which must not have changed anything."""
        before = self._lines(self.target)
        wizard = self._import(self._file(*rows, **options))
        self.target.invalidate_recordset()
        self.assertEqual(self._lines(self.target), before)
        items = str(wizard.problems or "").removesuffix("</ul>").split("<li>")[1:]
        return [item.removesuffix("</li>") for item in items]

    def test_what_is_exported_is_imported_the_same(self):
        wizard = self._import(self.full._to_sheet())
        self.assertFalse(wizard.problems)
        self.assertEqual(self._lines(self.target), self._lines(self.full))
        self.assertEqual(
            [line._to_core() for line in self.target.line_ids.sorted("sequence")],
            [line._to_core() for line in self.full.line_ids.sorted("sequence")],
        )

    def test_sheet_names_its_columns_and_holds_exact_prices(self):
        sheet = load_workbook(BytesIO(self.full._to_sheet())).active
        names = [cell.value for cell in sheet[1]]
        self.assertEqual(
            names[:6], ["component", "price", "step_size", "free_minutes", "hour_from", "hour_to"]
        )
        self.assertEqual(names[-3:], ["sunday", "location_group", "customer_group"])
        self.assertTrue(sheet.row_dimensions[1].hidden)
        self.assertEqual([sheet["E2"].value, sheet["N2"].value], ["From", "Chargers"])
        self.assertEqual(
            [Decimal(str(sheet[f"B{row}"].value)) for row in (4, 7)], [Decimal("0.3999"), Decimal("40.5")]
        )
        self.assertEqual(sheet.max_row, 7)

    def test_name_of_a_group_is_no_formula(self):
        self.city.name = "=1+1"
        sheet = load_workbook(BytesIO(self.full._to_sheet())).active
        self.assertEqual((sheet["N4"].value, sheet["N4"].data_type), ("=1+1", "s"))
        self.assertFalse(self._import(self.full._to_sheet()).problems)

    def test_cells_may_be_written_as_people_write_them(self):
        content = self._file(
            {"component": "per kWh", "price": "0.4", "location_group": " city "},
            {},
            {
                "component": "parking_time",
                "price": 1,
                "hour_from": time(8, 0),
                "monday": "x",
                "step_size": 60.0,
            },
        )
        self.assertFalse(self._import(content).problems)
        energy, parking = self.target.line_ids.sorted("sequence")
        self.assertEqual(
            (energy.component, energy.price, energy.location_group_id), ("ENERGY", 0.4, self.city)
        )
        self.assertTrue(all(energy[day] for day in DAYS))
        self.assertEqual(
            (parking.component, parking.hour_from, parking.step_size), ("PARKING_TIME", "08:00", 60)
        )
        self.assertEqual([day for day in DAYS if parking[day]], ["monday"])

    def test_columns_may_stand_in_any_order_and_be_left_out(self):
        content = self._file({"price": 0.4, "component": "ENERGY"}, heads=("price", "component"))
        self.assertFalse(self._import(content).problems)
        self.assertEqual((self.target.line_ids.price, self.target.line_ids.step_size), (0.4, 1))

    def test_every_bad_cell_is_told_and_nothing_is_saved(self):
        problems = self._problems(
            {"component": "ENERGY", "price": 0.4},
            {"component": "SOLAR", "price": 0.12345},
            {"component": "TIME", "price": "1.0,39", "step_size": 1.5, "hour_from": "25:00"},
            {"component": "FLAT", "price": -1, "free_minutes": 5, "location_group": "Moon"},
            {"component": "MAX", "price": 5, "hour_to": "10:00", "tuesday": "perhaps"},
            {"price": None, "step_size": 1},
        )
        self.assertEqual(
            problems,
            [
                "Row 4, column A (component): SOLAR is no kind of price; one of ENERGY, FLAT, MAX, MIN, "
                "PARKING_TIME, TIME is expected.",
                "Row 4, column B (price): 0.12345 has more than 4 decimals. Round it.",
                "Row 5, column B (price): 1.0,39 is no number; one such as 0.39 is expected.",
                "Row 5, column C (step_size): 1.5 is no whole number.",
                "Row 5, column E (hour_from): 25:00 is not an hour of the day: 00:00 to 23:59 is expected.",
                "Row 6, column B (price): A price is not negative.",
                "Row 6, column D (free_minutes): Only prices per minute have free minutes. "
                "Leave them empty here.",
                "Row 6, column N (location_group): There is no group Moon. Make it first.",
                "Row 7, column F (hour_to): What a session costs at least or at most holds at every hour "
                "and on every day, without billing step and free minutes. Leave them empty there.",
                "Row 7, column H (tuesday): perhaps is neither TRUE nor FALSE.",
                "Row 8, column A (component): An empty cell is no kind of price; one of ENERGY, FLAT, MAX, "
                "MIN, PARKING_TIME, TIME is expected.",
                "Row 8, column B (price): An empty cell is no number; one such as 0.39 is expected.",
            ],
        )

    def test_numbers_and_answers_typed_as_text_are_understood_in_the_languages_of_the_screens(self):
        content = self._file({"component": "TIME", "price": "0,39", "monday": "FAUX", "tuesday": "wahr"})
        self.assertFalse(self._import(content).problems)
        line = self.target.line_ids
        self.assertEqual((line.price, line.monday, line.tuesday), (0.39, False, True))

    def test_sheet_without_prices_is_told(self):
        self.assertEqual(self._problems(), ["The file holds no price."])

    def test_limits_that_contradict_each_other_save_nothing(self):
        content = self._file({"component": "MIN", "price": 5}, {"component": "MAX", "price": 4})
        with self.assertRaisesRegex(ValidationError, "at least 5"), self.cr.savepoint():
            self._import(content)
        self.env.invalidate_all()
        self.assertEqual(self.target.line_ids.price, 7)

    def test_other_files_are_refused_with_the_way_out(self):
        for content, message in (
            (b"no spreadsheet", r"prices.xlsx is no spreadsheet \(.xlsx\)"),
            (self._file(heads=("price", "kind")), "component is missing. Export a grid"),
            (b"x" * (2 * 1024 * 1024 + 1), "is too large"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(UserError, message):
                self._import(content)

    def test_published_grid_takes_no_import(self):
        with self.assertRaisesRegex(UserError, "is published"):
            self._import(self.full._to_sheet(), self.grid)


@tagged("post_install", "-at_install")
class TestPriceGridDownload(PriceGridCommon, HttpCase):
    def test_export_is_a_file_for_users(self):
        new_test_user(
            self.env,
            login="grid_reader",
            password="grid_reader",
            groups="emsp_clearing.emsp_clearing_group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.authenticate("grid_reader", "grid_reader")
        answer = self.url_open(self.grid.action_export_sheet()["url"])
        self.assertEqual(answer.status_code, 200)
        self.assertIn("AC-2026.xlsx", answer.headers["Content-Disposition"])
        sheet = load_workbook(BytesIO(answer.content)).active
        self.assertEqual([cell.value for cell in sheet["A"]][2:], ["FLAT", "ENERGY", "TIME"])


@tagged("post_install", "-at_install")
class TestPriceGridRoles(PriceGridCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.draft = cls._draft({"price": 0.4, "location_group_id": cls.city.id})
        cls.users = {
            role: new_test_user(
                cls.env,
                login=f"grid_{role}",
                groups=f"base.group_user,emsp_clearing.emsp_clearing_group_{role}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for role in ("user", "operator", "manager")
        }

    def _as(self, role, record):
        user = self.env.ref("emsp_clearing.user_ocpi") if role == "ocpi" else self.users[role]
        return record.with_user(user).sudo(False)

    def test_users_and_the_endpoint_read(self):
        for role in ("user", "operator", "ocpi"):
            for record in (self.city, self.fleet, self.draft, self.draft.line_ids):
                own = self._as(role, record)
                with self.subTest(role=role, model=record._name):
                    self.assertTrue(own.read(["display_name"]))
                    for change in (own.copy, own.unlink, lambda own=own: own.write({"sequence": 1})):
                        with self.assertRaises(AccessError):
                            change()

    def test_user_sees_the_whole_form(self):
        own = self._as("user", self.draft)
        self.assertTrue(own.tariff_json)
        self.assertFalse(own.warnings)
        self.assertTrue(own._to_sheet())

    def test_manager_sets_prices_up(self):
        city = self._as("manager", self.city)
        city.write({"name": "Old town"})
        city.copy().unlink()
        draft = self._as("manager", self.draft)
        draft.line_ids.price = 0.5
        draft.action_publish()
        version = draft.browse(draft.action_new_version()["res_id"])
        version.action_publish()
        self.assertEqual(self.draft.version_count, 2)

    def test_manager_of_another_company_sees_nothing(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = new_test_user(
            self.env,
            login="grid_stranger",
            groups="base.group_user,emsp_clearing.emsp_clearing_group_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for record in (self.city, self.fleet, self.draft):
            own = record.with_user(stranger).sudo(False)
            self.assertFalse(own.search([("id", "in", record.ids)]))
            with self.assertRaises(AccessError):
                own.read(["name"])

    def test_only_managers_import(self):
        for role in ("user", "operator", "ocpi"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self._as(role, self.env["emsp.price.grid.import"]).create({"grid_id": self.draft.id})
        wizard = self._as("manager", self.env["emsp.price.grid.import"]).create(
            {"grid_id": self.draft.id, "file": base64.b64encode(self.grid._to_sheet())}
        )
        wizard.action_import()
        self.assertEqual(len(self.draft.line_ids), 3)

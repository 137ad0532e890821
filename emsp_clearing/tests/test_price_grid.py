import base64
from datetime import date, datetime

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import cdr_payload
from .price_grid_common import WORKDAYS, PriceGridCommon, payload_at, payload_of

FRIDAY = "2026-10-02"


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

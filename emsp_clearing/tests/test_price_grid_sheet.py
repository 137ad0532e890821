import base64
import json
from datetime import time
from decimal import Decimal
from io import BytesIO

from openpyxl import Workbook, load_workbook

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from ..models.emsp_price_grid_sheet import COLUMNS
from .price_grid_common import DAYS, WORKDAYS, PriceGridCommon


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

from datetime import date, datetime
from unittest.mock import patch

from lxml import html

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import EmspCommon, cdr_payload
from .settlement_common import CUT_OFF, PERIOD_END, SettlementCommon

NOW = datetime(2026, 10, 15, 12, 0)


def rows_of(preview):
    """The texts of the table's body, row by row."""
    return [
        [" ".join(text.strip() for text in cell.itertext() if text.strip()) for cell in row.iterfind("td")]
        for row in html.fromstring(preview).iterfind(".//tbody/tr")
    ]


@tagged("post_install", "-at_install")
class TestChosenDay(SettlementCommon):
    def test_settlement_locks_on_the_chosen_day(self):
        self.contract.invoice_day = "15"
        self._run_due(PERIOD_END)
        november = self._settlement(11)
        # 1 December + 2 + 7 = the 10th at the earliest; the 15th, and seven days before it. Paris is UTC+1.
        self.assertEqual(november.invoice_date, date(2026, 12, 15))
        self.assertEqual(november.lock_at, datetime(2026, 12, 14, 23, 0))
        self.assertEqual(november.cut_off_at, datetime(2026, 12, 7, 23, 0))

    def test_settlement_that_has_opened_keeps_its_dates(self):
        october = self._settlement(10)
        self.contract.invoice_day = "15"
        self._run_due(PERIOD_END)
        self.assertEqual((october.invoice_date, october.cut_off_at), (date(2026, 11, 10), CUT_OFF))

    def test_invoice_is_dated_the_chosen_day(self):
        self.contract.invoice_day = "15"
        self._run_due(PERIOD_END)
        start = datetime(2026, 11, 5, 8, 0)
        self._receive(cdr_payload(start=start), received_at=datetime(2026, 11, 6))
        for as_of in (datetime(2026, 12, 7, 23, 0), datetime(2026, 12, 14, 23, 0)):
            self._run_due(as_of)
        november = self._settlement(11)
        self.assertEqual(november.move_id.state, "posted")
        self.assertEqual(november.move_id.invoice_date, date(2026, 12, 15))

    def test_cdr_after_the_least_grace_still_comes_on_a_list_that_closes_later(self):
        self.contract.invoice_day = "15"
        self._run_due(PERIOD_END)
        # 5 December: the grace of two days is over, the list is open until the 8th.
        start = datetime(2026, 11, 5, 8, 0)
        cdr = self._receive(cdr_payload(start=start), received_at=datetime(2026, 12, 5))
        self._run_due(datetime(2026, 12, 7, 23, 0))
        self.assertEqual(cdr.settlement_id, self._settlement(11))
        self.assertFalse(cdr.is_late)

    def test_weeks_after_a_month_that_is_still_due_take_none_of_its_sessions(self):
        self.contract.invoice_day = "5"
        self._run_due(PERIOD_END)
        # November locks on 5 January; its list closes on 29 December.
        self.contract.write({"frequency": "weekly", "invoice_day": False})
        self._run_due(datetime(2026, 12, 20))
        weeks = self.contract.settlement_ids.filtered(lambda s: s.date_first >= date(2026, 12, 1))
        # Tuesday 1 December is in a week of six days; then those from the 7th and the 14th.
        self.assertEqual(
            weeks.sorted("date_first").mapped("date_first"),
            [date(2026, 12, 1), date(2026, 12, 7), date(2026, 12, 14)],
        )
        self.assertEqual(set(weeks.mapped("invoice_date")), {date(2027, 1, 5)})
        cdr = self._receive(
            cdr_payload(start=datetime(2026, 11, 30, 8, 0)), received_at=datetime(2026, 12, 27)
        )
        self._run_due(datetime(2026, 12, 28, 23, 0))
        self.assertEqual((cdr.settlement_id, cdr.is_late), (self._settlement(11), False))

    def test_day_of_the_calendar_says_first_whom_the_invoice_is_for(self):
        settlement = self._settle(cdr_payload())
        self.assertEqual(
            settlement.calendar_title, f"{settlement.partner_id.display_name} · {settlement.name}"
        )
        calendar = self.env["emsp.settlement"].get_view(
            self.env.ref("emsp_clearing.emsp_settlement_view_calendar").id, "calendar"
        )
        self.assertIn('create_name_field="calendar_title"', calendar["arch"])

    def test_weekday_counts_for_weeks_and_the_day_for_months(self):
        self.contract.write({"invoice_day": "20", "invoice_weekday": "3"})
        self.assertEqual(self.contract._terms().invoice_day, 20)
        self.contract.frequency = "two_weekly"
        self.assertEqual(self.contract._terms().invoice_day, 3)
        self.contract.invoice_weekday = False
        self.assertIsNone(self.contract._terms().invoice_day)

    def test_months_that_could_share_an_invoice_day_are_refused(self):
        self.contract.write({"invoice_day": "31", "grace_days": 20})
        with self.assertRaisesRegex(ValidationError, "last 27 days together at most, and here they last 28"):
            self.contract.grace_days = 21
        self.contract.write({"frequency": "quarterly", "grace_days": 30})

    def test_day_that_does_not_exist_is_refused(self):
        for vals in ({"invoice_day": "32"}, {"invoice_day": "0"}, {"invoice_weekday": "7"}):
            with self.subTest(**vals), self.assertRaisesRegex(ValueError, "Wrong value"):
                self.contract.write(vals)


@tagged("post_install", "-at_install")
class TestCalendarPreview(EmspCommon):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(fields.Datetime, "now", lambda: NOW))
        self.env.ref("base.lang_en").date_format = "%m/%d/%Y"

    def test_preview_lists_six_periods_with_all_their_dates(self):
        self.contract.invalidate_recordset(["calendar_preview"])
        rows = rows_of(self.contract.calendar_preview)
        self.assertEqual(len(rows), 6)
        # 30 days after 10 November are 10 December.
        self.assertEqual(
            rows[0],
            [
                "Thu 10/01/2026",
                "Sat 10/31/2026",
                "Tue 11/03/2026",
                "Tue 11/10/2026",
                "Thu 12/10/2026",
                "",
            ],
        )
        self.assertEqual(
            rows[5][:4], ["Mon 03/01/2027", "Wed 03/31/2027", "Sat 04/03/2027", "Sat 04/10/2027"]
        )

    def test_preview_shows_what_is_not_saved_yet(self):
        with Form(self.contract) as form:
            form.invoice_day = "16"
            first = rows_of(form.calendar_preview)[0]
            self.assertEqual(first[2:4], ["Mon 11/09/2026", "Mon 11/16/2026"])
            form.frequency = "weekly"
            form.invoice_weekday = "0"
            # The week of 12 October: 19 October + 9 = the 28th, the Monday after it.
            self.assertEqual(rows_of(form.calendar_preview)[0][3], "Mon 11/02/2026")
            form.frequency = "monthly"
            form.invoice_day = False

    def test_preview_of_a_new_contract_begins_with_its_first_day(self):
        contract = self.env["emsp.contract"].new(
            {"frequency": "quarterly", "time_zone": "Europe/Paris", "date_start": date(2027, 2, 10)}
        )
        self.assertEqual(rows_of(contract.calendar_preview)[0][:2], ["Fri 01/01/2027", "Wed 03/31/2027"])

    def test_preview_ends_with_the_contract(self):
        self.contract.date_end = date(2026, 12, 15)
        self.assertEqual(len(rows_of(self.contract.calendar_preview)), 3)

    def test_preview_marks_invoices_after_the_15th_of_the_month_that_follows(self):
        self.assertNotIn("After the 15th", self.contract.calendar_preview)
        self.contract.invoice_day = "16"
        self.assertEqual(rows_of(self.contract.calendar_preview)[0][-1], "After the 15th")

    def test_settlement_that_has_opened_is_previewed_with_its_own_dates(self):
        self._run_due(datetime(2026, 10, 15))
        self.contract.invoice_day = "20"
        rows = rows_of(self.contract.calendar_preview)
        self.assertEqual(rows[0][3], "Tue 11/10/2026")
        self.assertEqual(rows[0][-1], self.contract.settlement_ids.name)
        self.assertEqual((rows[1][0], rows[1][3]), ("Sun 11/01/2026", "Sun 12/20/2026"))
        self.assertEqual(len(rows), 6)

    def test_due_dates_are_those_of_the_payment_term(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now, half at the end of the next month",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create(
                        {
                            "value": "percent",
                            "value_amount": 50,
                            "delay_type": "days_after_end_of_next_month",
                            "nb_days": 0,
                        }
                    ),
                ],
            }
        )
        self.contract.payment_term_id = term
        self.assertEqual(rows_of(self.contract.calendar_preview)[0][4], "Tue 11/10/2026 Thu 12/31/2026")
        self.contract.payment_term_id = False
        self.assertEqual(rows_of(self.contract.calendar_preview)[0][4], "Tue 11/10/2026")

    def test_partner_reads_it_in_its_own_language(self):
        self.assertFalse(self.contract.calendar_partner_preview)
        self.env["res.lang"]._activate_lang("de_DE")
        self.env.ref("base.lang_de").date_format = "%d.%m.%Y"
        self.partner.lang = "de_DE"
        self.assertEqual(rows_of(self.contract.calendar_partner_preview)[0][0], "Do. 01.10.2026")
        self.assertEqual(rows_of(self.contract.calendar_preview)[0][0], "Thu 10/01/2026")

    def test_days_that_do_not_go_together_are_told_instead_of_dates(self):
        contract = self.env["emsp.contract"].new(
            {
                "frequency": "monthly",
                "time_zone": "Europe/Paris",
                "date_start": date(2026, 1, 1),
                "invoice_day": "31",
                "grace_days": 25,
            }
        )
        self.assertIn("two months could fall on the same day", contract.calendar_preview)
        self.assertFalse(rows_of(contract.calendar_preview))

    def test_settlements_open_as_a_pipeline_and_have_a_calendar(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_settlement_action")
        modes = [mode for __, mode in action["views"]]
        self.assertEqual(modes, ["kanban", "list", "calendar", "form", "pivot", "graph"])

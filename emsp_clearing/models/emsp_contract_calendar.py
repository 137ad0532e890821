from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..core.calendar import MONTHLY_DAYS_MAX, WEEKS, is_invoiced_in_time, period_after, period_of

PREVIEW_PERIODS = 6
# Their dates do not follow the contract any more, and their invoice is still to come.
SET_STATES = ("collecting", "control")


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One line of the calendar; days are local. `name` is that of a settlement that has opened already."""

    name: str
    first_day: date
    last_day: date
    cut_off: date
    invoice_date: date
    is_in_time: bool


class EmspContractCalendar(models.Model):
    """On which days a contract closes its lists and dates its invoices, and a look at the next of them."""

    _inherit = "emsp.contract"

    invoice_day = fields.Selection(
        [*((str(day), str(day)) for day in range(1, 31)), ("31", "Last day of the month")],
        tracking=True,
        help="The list locks, and the invoice is dated, on the first such day after the period's end, the "
        "grace and the control days. Months that are shorter take their last day. Empty: on the day on "
        "which the control ends.",
    )
    invoice_weekday = fields.Selection(
        [
            ("0", "Monday"),
            ("1", "Tuesday"),
            ("2", "Wednesday"),
            ("3", "Thursday"),
            ("4", "Friday"),
            ("5", "Saturday"),
            ("6", "Sunday"),
        ],
        string="Weekday of the invoice",
        tracking=True,
        help="The list locks, and the invoice is dated, on the first such day after the period's end, the "
        "grace and the control days. Empty: on the day on which the control ends.",
    )
    calendar_preview = fields.Html(string="Next periods", compute="_compute_calendar_preview", sanitize=False)
    calendar_partner_preview = fields.Html(
        string="Next periods, for the partner", compute="_compute_calendar_preview", sanitize=False
    )

    @api.depends(
        "frequency",
        "time_zone",
        "grace_days",
        "control_days",
        "invoice_day",
        "invoice_weekday",
        "payment_term_id",
        "date_start",
        "date_end",
        "partner_id.lang",
    )
    @api.depends_context("lang")
    def _compute_calendar_preview(self):
        now = fields.Datetime.now()
        for contract in self:
            partner_lang = contract.partner_id.lang
            contract.calendar_preview = contract._render_calendar(now, self.env.lang)
            # The same twice helps nobody.
            is_other = partner_lang and partner_lang != (self.env.lang or "en_US")
            contract.calendar_partner_preview = is_other and contract._render_calendar(now, partner_lang)

    @api.constrains("frequency", "grace_days", "control_days", "invoice_day")
    def _check_invoice_day(self):
        for contract in self:
            if problem := contract._calendar_problem():
                raise ValidationError(problem)

    def _calendar_problem(self):
        """:return: why the days do not go together, as text; None when they do."""
        days = self.grace_days + self.control_days
        if self.frequency == "monthly" and self.invoice_day and days > MONTHLY_DAYS_MAX:
            return self.env._(
                "With a chosen invoice day, grace and control last %(most)s days together at most, and here "
                "they last %(days)s: two months could fall on the same day. Shorten one of them, or leave "
                "the invoice day empty.",
                most=MONTHLY_DAYS_MAX,
                days=days,
            )
        return None

    def _terms(self):
        day = self.invoice_weekday if self.frequency in WEEKS else self.invoice_day
        return replace(super()._terms(), invoice_day=int(day) if day else None)

    def _render_calendar(self, now, lang):
        """:return: the table of the next periods as Markup, in `lang`; empty while a term is missing."""
        contract = self.with_context(lang=lang)
        if not (contract.frequency and contract.time_zone and contract.date_start):
            return False
        problem = contract._calendar_problem()
        return contract.env["ir.qweb"]._render(
            "emsp_clearing.emsp_contract_calendar",
            {
                "contract": contract,
                "rows": [] if problem else contract._preview_rows(now),
                "problem": problem,
                "day_text": contract._day_text,
            },
        )

    def _day_text(self, day):
        """A date with its weekday, as the language writes both."""
        return f"{format_date(self.env, day, date_format='EEE')} {format_date(self.env, day)}"

    def _preview_rows(self, now):
        """The invoices still to come: first those of settlements that have opened, by their own dates.

        :param datetime now: naive UTC.
        :return: list of `PreviewRow`, as many as `PREVIEW_PERIODS`; fewer where the contract ends.
        """
        settlements = self._origin.settlement_ids.sorted("period_start")
        rows = [
            self._set_row(settlement) for settlement in settlements.filtered(lambda s: s.state in SET_STATES)
        ]
        rows = rows[-PREVIEW_PERIODS:]
        terms = self._terms()
        if last := settlements[-1:]:
            period = period_after(_aware(last.period_end), terms, _aware(last.cut_off_at))
        else:
            period = period_of(_aware(max(now, self._span()[0])), terms)
        while len(rows) < PREVIEW_PERIODS and not (self.date_end and period.first_day > self.date_end):
            rows.append(self._coming_row(period))
            period = period_after(period.end, terms, period.cut_off)
        return rows

    def _set_row(self, settlement):
        return PreviewRow(
            name=settlement.name,
            first_day=settlement.date_first,
            last_day=settlement.date_last,
            cut_off=_aware(settlement.cut_off_at).astimezone(ZoneInfo(settlement.time_zone)).date(),
            invoice_date=settlement.invoice_date,
            is_in_time=is_invoiced_in_time(settlement.date_last, settlement.invoice_date),
        )

    def _coming_row(self, period):
        return PreviewRow(
            name="",
            first_day=period.first_day,
            last_day=period.last_day,
            cut_off=period.cut_off.astimezone(ZoneInfo(self.time_zone)).date(),
            invoice_date=period.invoice_date,
            is_in_time=is_invoiced_in_time(period.last_day, period.invoice_date),
        )

    def _due_dates(self, invoice_date):
        """When an invoice of that date falls due, by the payment term: each date once, in order."""
        term = self.payment_term_id
        if not term:
            return [invoice_date]
        # The dates do not depend on the amount: a hundred shows all instalments.
        terms = term._compute_terms(
            date_ref=invoice_date,
            currency=self.currency_id,
            company=self.company_id,
            tax_amount=0.0,
            tax_amount_currency=0.0,
            sign=1,
            untaxed_amount=100.0,
            untaxed_amount_currency=100.0,
        )
        return sorted({line["date"] for line in terms["line_ids"]})


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)

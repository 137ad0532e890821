"""Settlement periods and control windows.

A period holds the sessions that end in it. It is sealed at the lock, which is the invoice date: the
first chosen day at or after the period's end + grace + control days, or that day itself where none is
chosen. Its list closes at the cut-off, the control days before. So a chosen day lengthens the grace and
never shortens a window. All boundaries are local midnights of the contract's zone, given as aware UTC
instants.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6}
WEEKS = {"weekly": 1, "two_weekly": 2}
# A Monday. Two-weekly periods are counted from here, so that they do not depend on a contract.
EPOCH = date(2024, 1, 1)
# A chosen day stands for the last one in months that are shorter.
LAST_DAY_OF_MONTH = 31
# The shortest month less a day: with no more grace and control, each month's invoice day is its own.
MONTHLY_DAYS_MAX = 27
# Of the month after: until then a service supplied to another member state is invoiced (Directive
# 2006/112/EC, Art. 222).
VAT_DEADLINE_DAY = 15


@dataclass(frozen=True, slots=True)
class Terms:
    """How a contract bills: frequency, IANA zone, calendar days of grace and of control, invoice day.

    `invoice_day` is a day of the month (1 to 31, the last day where the month is shorter), for weeks a
    day of the week (0 is Monday); None: the day on which the control ends. `grace_days` are then the
    least grace.
    :raise ValueError: for a frequency or a zone that is not known, for negative days, for an invoice
        day that does not exist, and for months that would share one.
    """

    frequency: str
    time_zone: str
    grace_days: int = 2
    control_days: int = 7
    invoice_day: int | None = None

    def __post_init__(self) -> None:
        if self.frequency not in MONTHS and self.frequency not in WEEKS:
            raise ValueError(f"expected one of {', '.join([*WEEKS, *MONTHS])}, got {self.frequency!r}")
        if self.grace_days < 0 or self.control_days < 0:
            raise ValueError(f"expected days >= 0, got {self.grace_days} and {self.control_days}")
        try:
            ZoneInfo(self.time_zone)
        # A folder of the database, such as "Europe", is an OSError.
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"expected an IANA time zone, got {self.time_zone!r}") from error
        self._check_invoice_day()

    def _check_invoice_day(self) -> None:
        if self.invoice_day is None:
            return
        first, last = (0, 6) if self.frequency in WEEKS else (1, LAST_DAY_OF_MONTH)
        if not first <= self.invoice_day <= last:
            raise ValueError(f"expected an invoice day from {first} to {last}, got {self.invoice_day}")
        days = self.grace_days + self.control_days
        if self.frequency == "monthly" and days > MONTHLY_DAYS_MAX:
            raise ValueError(
                f"expected at most {MONTHLY_DAYS_MAX} days of grace and control with an invoice day, "
                f"got {days}"
            )


@dataclass(frozen=True, slots=True)
class SettlementPeriod:
    """Instants are aware UTC, `end` excluded; days are local, both included."""

    start: datetime
    end: datetime
    cut_off: datetime
    lock_at: datetime
    first_day: date
    last_day: date
    invoice_date: date


def period_of(instant: datetime, terms: Terms) -> SettlementPeriod:
    """The period that a session which ends at `instant` belongs to.

    :raise ValueError: when `instant` is naive; it would be read in the zone of the machine.
    """
    _refuse_naive(instant)
    return _period(_first_day(instant.astimezone(ZoneInfo(terms.time_zone)).date(), terms), terms)


def period_after(end: datetime, terms: Terms, cut_off: datetime | None = None) -> SettlementPeriod:
    """The period that follows one that ended at `end`, maybe under other terms: no instant is in both.

    :param cut_off: of that one. The list of a later period never closes before it: it would take the
        sessions that are still due on the earlier list. So it closes, and locks, later instead.
    :raise ValueError: when an instant is naive.
    """
    period = period_of(end, terms)
    if period.start != end:
        period = replace(period, start=end, first_day=end.astimezone(ZoneInfo(terms.time_zone)).date())
    if cut_off is None:
        return period
    _refuse_naive(cut_off)
    return period if period.cut_off >= cut_off else _closing(period, _day_from(cut_off, terms), terms)


def next_period(period: SettlementPeriod, terms: Terms) -> SettlementPeriod:
    """The period that begins where `period` ends."""
    return period_of(period.end, terms)


def period_for_cdr(
    session_end: datetime, available_at: datetime, terms: Terms
) -> tuple[SettlementPeriod, bool]:
    """The first settlement whose window opens at or after the CDR became available.

    So it never comes on a list that is closed, and always has its full window.

    :return: the period, and whether the CDR was late for its own.
    :raise ValueError: when an instant is naive.
    """
    _refuse_naive(available_at)
    own = period = period_of(session_end, terms)
    while period.cut_off < available_at:
        period = next_period(period, terms)
    return period, period != own


def vat_deadline(last_day: date) -> date:
    """The 15th of the month that follows `last_day`, the last one of a period."""
    return date(last_day.year + last_day.month // 12, last_day.month % 12 + 1, VAT_DEADLINE_DAY)


def is_invoiced_in_time(last_day: date, invoice_date: date) -> bool:
    """Whether a period until `last_day` is invoiced by the 15th of the month that follows it."""
    return invoice_date <= vat_deadline(last_day)


def _first_day(day: date, terms: Terms) -> date:
    if terms.frequency in WEEKS:
        length = 7 * WEEKS[terms.frequency]
        return day - timedelta(days=(day - EPOCH).days % length)
    months = MONTHS[terms.frequency]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _next_first_day(first: date, terms: Terms) -> date:
    if terms.frequency in WEEKS:
        return first + timedelta(weeks=WEEKS[terms.frequency])
    months = first.month - 1 + MONTHS[terms.frequency]
    return date(first.year + months // 12, months % 12 + 1, 1)


def _period(first: date, terms: Terms) -> SettlementPeriod:
    following = _next_first_day(first, terms)
    zone = ZoneInfo(terms.time_zone)
    start, end = _midnight(first, zone), _midnight(following, zone)
    period = SettlementPeriod(
        start=start,
        end=end,
        cut_off=end,
        lock_at=end,
        first_day=first,
        last_day=following - timedelta(days=1),
        invoice_date=following,
    )
    return _closing(period, following + timedelta(days=terms.grace_days), terms)


def _closing(period: SettlementPeriod, earliest: date, terms: Terms) -> SettlementPeriod:
    """The period with the first cut-off from `earliest` on whose lock is an invoice day."""
    invoice_date = _invoice_day(earliest + timedelta(days=terms.control_days), terms)
    zone = ZoneInfo(terms.time_zone)
    return replace(
        period,
        cut_off=_midnight(invoice_date - timedelta(days=terms.control_days), zone),
        lock_at=_midnight(invoice_date, zone),
        invoice_date=invoice_date,
    )


def _invoice_day(earliest: date, terms: Terms) -> date:
    """The first chosen day at or after `earliest`."""
    if terms.invoice_day is None:
        return earliest
    if terms.frequency in WEEKS:
        return earliest + timedelta(days=(terms.invoice_day - earliest.weekday()) % 7)
    day = _day_of_month(earliest.year, earliest.month, terms.invoice_day)
    if day >= earliest:
        return day
    return _day_of_month(earliest.year + earliest.month // 12, earliest.month % 12 + 1, terms.invoice_day)


def _day_of_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _day_from(instant: datetime, terms: Terms) -> date:
    """The first local day that begins at or after `instant`."""
    zone = ZoneInfo(terms.time_zone)
    day = instant.astimezone(zone).date()
    return day if _midnight(day, zone) >= instant else day + timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, also where the clocks skip 00:00 (Cairo, Beirut)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _refuse_naive(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError(f"expected an aware instant, got {instant.isoformat()}")

"""Settlement periods and control windows.

A period holds the sessions that end in it. Its list closes at the cut-off (end + grace) and is
sealed at the lock (cut-off + control days), which is the invoice date. All boundaries are local
midnights of the contract's zone, given as aware UTC instants.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6}
WEEKS = {"weekly": 1, "two_weekly": 2}
# A Monday. Two-weekly periods are counted from here, so that they do not depend on a contract.
EPOCH = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a contract bills: frequency, IANA zone, calendar days of grace and of control.

    :raise ValueError: for a frequency or a zone that is not known, and for negative days.
    """

    frequency: str
    time_zone: str
    grace_days: int = 2
    control_days: int = 7

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


def period_after(end: datetime, terms: Terms) -> SettlementPeriod:
    """The period that follows one that ended at `end`, maybe under other terms: no instant is in both.

    :raise ValueError: when `end` is naive.
    """
    period = period_of(end, terms)
    if period.start == end:
        return period
    return replace(period, start=end, first_day=end.astimezone(ZoneInfo(terms.time_zone)).date())


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
    cut_off = following + timedelta(days=terms.grace_days)
    invoice_date = cut_off + timedelta(days=terms.control_days)
    zone = ZoneInfo(terms.time_zone)
    return SettlementPeriod(
        start=_midnight(first, zone),
        end=_midnight(following, zone),
        cut_off=_midnight(cut_off, zone),
        lock_at=_midnight(invoice_date, zone),
        first_day=first,
        last_day=following - timedelta(days=1),
        invoice_date=invoice_date,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, also where the clocks skip 00:00 (Cairo, Beirut)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _refuse_naive(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError(f"expected an aware instant, got {instant.isoformat()}")

"""Whether the charging periods lie one after the other within the session (OCPI 2.2.1, 10.4.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ..money import ZERO
from ..ocpi.types import format_date_time
from ..pricing.session import TIMES, Period, seconds_of
from .case import Case
from .findings import Finding, span

RULE = "period_order"


@dataclass(frozen=True, slots=True)
class PeriodOrder:
    """Seconds between clock and volumes, and outside the session; exactly as many pass."""

    tolerance_s: int = 60


def period_order(case: Case, params: PeriodOrder) -> Sequence[Finding]:
    """One finding for all periods with the same fault, at the first of them.

    A period ends where the next one starts, so a hole shows as volumes below the clock's time.
    """
    return (*_first(case, params), *_order(case), *_last(case, params), *_times(case, params))


def _first(case: Case, params: PeriodOrder) -> Iterator[Finding]:
    period = case.periods[0]
    if period.start != case.start and abs(seconds_of(period.start - case.start)) > params.tolerance_s:
        expected, found = format_date_time(case.start), format_date_time(period.start)
        yield Finding(RULE, "first_period_start", period.path, expected, found, span(params.tolerance_s))


def _order(case: Case) -> Iterator[Finding]:
    twice, is_sorted = [], True
    for period, following in pairwise(case.periods):
        if period.start == following.start:
            twice.append(following)
        is_sorted = is_sorted and period.index < following.index
    if not is_sorted:
        yield Finding(RULE, "periods_unsorted", "charging_periods")
    if twice:
        found = format_date_time(twice[0].start)
        yield Finding(RULE, "period_start_twice", twice[0].path, None, found, details=_count(twice))


def _last(case: Case, params: PeriodOrder) -> Iterator[Finding]:
    """Unless the session itself ends before it starts."""
    if case.periods[-1].start <= case.end or case.end < case.start:
        return
    late = [period for period in case.periods if seconds_of(period.start - case.end) > params.tolerance_s]
    if late:
        expected, found = format_date_time(case.end), format_date_time(late[0].start)
        tolerance = span(params.tolerance_s)
        yield Finding(RULE, "period_after_end", late[0].path, expected, found, tolerance, _count(late))


def _times(case: Case, params: PeriodOrder) -> Iterator[Finding]:
    odd = [
        (period, stated)
        for period in case.periods
        if (stated := _stated_seconds(period)) and abs(stated - period.seconds) > params.tolerance_s
    ]
    if odd:
        period, stated = odd[0]
        values = (span(period.seconds), span(stated), span(params.tolerance_s))
        count = _count([each for each, _ in odd])
        yield Finding(RULE, "period_time_differs", period.path, *values, count)


def _stated_seconds(period: Period) -> Decimal:
    total = ZERO
    for name in TIMES:
        if name in period.volumes:
            total += period.volumes[name]
    return total


def _count(periods: Sequence[Period]) -> dict[str, str]:
    return {"count": str(len(periods))}

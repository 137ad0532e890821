"""Whether the totals are those of the charging periods and of the clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .case import Case, whole_seconds
from .findings import Finding, kwh, plain, span

THOUSAND = Decimal(1000)
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class EnergySum:
    """kWh between the two sums; exactly as many pass."""

    tolerance_kwh: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class TimeSum:
    """Seconds between two durations; exactly as many pass."""

    tolerance_s: int = 60


def energy_sum(case: Case, params: EnergySum) -> Sequence[Finding]:
    """The total against the charging periods' ENERGY; a factor of 1000 has a code of its own."""
    held = case.sum_of("ENERGY")
    total, most = case.cdr.total_energy, params.tolerance_kwh
    if abs(held - total) <= most:
        return ()
    in_wh = abs(held * THOUSAND - total) <= most * THOUSAND or abs(held - total * THOUSAND) <= most * THOUSAND
    code = "energy_sum_in_wh" if in_wh and held and total else "energy_sum_differs"
    return (Finding("energy_sum", code, "total_energy", kwh(held), kwh(total), kwh(most)),)


def time_sum(case: Case, params: TimeSum) -> Sequence[Finding]:
    """The total time against the clock and the charging periods, the parking time against theirs.

    A total in seconds or minutes instead of hours is told as such, and nothing else of it. Charging
    periods without times are passed over; reserved time may count or not.
    """
    unit = _wrong_unit(case, params.tolerance_s)
    return (unit,) if unit else tuple(_differences(case, params.tolerance_s))


def _wrong_unit(case: Case, most: int) -> Finding | None:
    """Only for a total that is wrong in hours: a session of no time fits any unit."""
    total, clock = case.cdr.total_time, case.seconds
    if abs(case.stated_seconds - clock) <= most:
        return None
    if abs(total - clock) <= most and total > most:
        code = "total_time_in_seconds"
    elif abs(total * SECONDS_PER_MINUTE - clock) <= most and total > 1:
        code = "total_time_in_minutes"
    else:
        return None
    return Finding("time_sum", code, "total_time", span(clock), f"{plain(total)} h", span(most))


def _differences(case: Case, most: int) -> Iterator[Finding]:
    stated, tolerance = case.stated_seconds, span(most)
    charged, parked = case.sum_of("TIME"), case.sum_of("PARKING_TIME")
    reserved = case.sum_of("RESERVATION_TIME")
    if _differs(case.seconds, reserved, stated, most):
        values = (span(case.seconds), span(stated), tolerance)
        yield Finding("time_sum", "total_time_differs", "total_time", *values)
    held = charged + parked
    if held and _differs(held + reserved, reserved, stated, most):
        yield Finding("time_sum", "time_sum_differs", "total_time", span(held), span(stated), tolerance)
    if case.cdr.total_parking_time is not None:
        stated = whole_seconds(case.cdr.total_parking_time)
        if abs(parked - stated) > most:
            path = "total_parking_time"
            yield Finding("time_sum", "parking_sum_differs", path, span(parked), span(stated), tolerance)


def _differs(whole: Decimal, reserved: Decimal, stated: Decimal, most: int) -> bool:
    """With the reserved time and without."""
    return abs(whole - stated) > most and abs(whole - reserved - stated) > most

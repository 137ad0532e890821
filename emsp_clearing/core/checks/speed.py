"""Whether the charger can have delivered the energy in the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..money import ZERO
from ..pricing.session import SECONDS_PER_HOUR, Period
from ..pricing.taxes import HUNDRED
from .case import Case, whole_seconds
from .findings import Finding, NotEvaluated, Outcome, kw, kwh, percent, span

THOUSAND = Decimal(1000)
# An excess this large that a factor of 1000 explains is one of units.
WATT_HOURS_FROM = 10


@dataclass(frozen=True, slots=True)
class ChargingSpeed:
    """Percent above the connector's power; exactly as much passes.

    Charging periods below `min_period_s` seconds are not judged alone: meters and clocks count in steps.
    """

    tolerance_pct: Decimal = Decimal(5)
    min_period_s: int = 300


def charging_speed(case: Case, params: ChargingSpeed) -> Outcome:
    """Of the whole session while it charged, and of each charging period, where the whole passes."""
    power = case.facts.place.power_kw
    if power is None or power <= 0:
        return NotEvaluated("power_unknown")
    if case.seconds <= 0:
        return NotEvaluated("no_duration")
    seconds = max(case.seconds - _parking_seconds(case), ZERO)
    # What may be charged in a second, times the seconds of an hour and 100.
    rate = power * (HUNDRED + params.tolerance_pct)
    energy = case.cdr.total_energy
    if energy * SECONDS_PER_HOUR * HUNDRED > rate * seconds:
        return (_finding("total_energy", power, seconds, energy, params),)
    return _of_periods(case, power, rate, params)


def _parking_seconds(case: Case) -> Decimal:
    """As the CDR totals it, else as its charging periods have it."""
    stated = case.cdr.total_parking_time
    return case.sum_of("PARKING_TIME") if stated is None else whole_seconds(stated)


def _of_periods(case: Case, power: Decimal, rate: Decimal, params: ChargingSpeed) -> Sequence[Finding]:
    """One finding for all of them, at the first one."""
    first, count = None, 0
    for period in case.periods:
        energy = period.volumes.get("ENERGY")
        if not energy:
            continue
        seconds = _charging_seconds(period)
        if seconds < params.min_period_s or energy * SECONDS_PER_HOUR * HUNDRED <= rate * seconds:
            continue
        count += 1
        first = first or (period.path, power, seconds, energy)
    return (_finding(*first, params, count),) if first else ()


def _charging_seconds(period: Period) -> Decimal:
    """As stated, else by the clock."""
    stated = period.volumes.get("TIME")
    return period.seconds - period.volumes.get("PARKING_TIME", ZERO) if stated is None else stated


def _finding(
    path: str, power: Decimal, seconds: Decimal, energy: Decimal, params: ChargingSpeed, count: int = 0
) -> Finding:
    most = power * seconds / SECONDS_PER_HOUR
    code = "period_too_fast" if count else "too_fast"
    if energy > WATT_HOURS_FROM * most and energy <= THOUSAND * most:
        code = "energy_in_wh"
    details = {"power": kw(power), "duration": span(seconds)}
    if count:
        details["count"] = str(count)
    tolerance = percent(params.tolerance_pct)
    return Finding("charging_speed", code, path, kwh(most), kwh(energy), tolerance, details)

"""A CDR's charging periods with what had happened before each of them (OCPI 2.2.1, 10.4.6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from ..money import ZERO, round_money
from ..ocpi.objects import Cdr, ChargingPeriod
from ..ocpi.types import format_date_time
from .explanation import Note

SECONDS_PER_HOUR = Decimal(3600)
CHARGING = ("ENERGY", "TIME", "PARKING_TIME")
TIMES = ("TIME", "PARKING_TIME", "RESERVATION_TIME")
LOWEST = ("MIN_CURRENT", "MIN_POWER")
HIGHEST = ("MAX_CURRENT", "MAX_POWER")
ENERGY_TOLERANCE_KWH = Decimal("0.001")
# Peers round times to minutes, or to the 0.36 s of four decimals.
TIME_TOLERANCE_S = Decimal(60)


@dataclass(frozen=True, slots=True)
class Period:
    """A charging period; `index` is its place in the CDR.

    `volumes` by dimension: kWh, whole seconds, A, kW. `kwh_before`: energy of the session so far.
    `seconds_before`: since the first period that is no reservation.
    """

    index: int
    start: datetime
    end: datetime
    tariff_id: str | None
    volumes: Mapping[str, Decimal]
    kwh_before: Decimal
    seconds_before: Decimal

    @property
    def path(self) -> str:
        """Where it stands in the payload."""
        return f"charging_periods[{self.index}]"

    @property
    def is_reservation(self) -> bool:
        """Whether the connector was held and nothing else happened."""
        return _is_reservation(self.volumes)

    @property
    def seconds(self) -> Decimal:
        """Its length by the clock."""
        return seconds_of(self.end - self.start)


def seconds_of(duration: timedelta) -> Decimal:
    """A duration in seconds, exactly."""
    return Decimal(duration // timedelta(microseconds=1)).scaleb(-6)


def periods_of(cdr: Cdr) -> tuple[list[Period], list[Note]]:
    """The charging periods in order of time, and notes on what is odd about them.

    A1: periods that were not sorted are sorted. A period ends where the next one starts, the last
    one at the CDR's end. A2: times are snapped to whole seconds. A7: duration counts from the first
    period that is no reservation.
    """
    order = sorted(range(len(cdr.charging_periods)), key=lambda i: cdr.charging_periods[i].start_date_time)
    sent = [cdr.charging_periods[index] for index in order]
    volumes = [_volumes(period) for period in sent]
    bounds = pairwise([*(period.start_date_time for period in sent), cdr.end_date_time])
    charging = (period for period, held in zip(sent, volumes, strict=True) if not _is_reservation(held))
    charging_start = next((period.start_date_time for period in charging), cdr.start_date_time)
    kwh = ZERO
    periods = []
    for index, period, held, (start, end) in zip(order, sent, volumes, bounds, strict=True):
        since = max(seconds_of(start - charging_start), ZERO)
        periods.append(Period(index, start, end, period.tariff_id, held, kwh, since))
        kwh += held.get("ENERGY", ZERO)
    return periods, [*_order_notes(cdr, periods), *_volume_notes(cdr, periods)]


def _is_reservation(volumes: Mapping[str, Decimal]) -> bool:
    return bool(volumes.get("RESERVATION_TIME")) and not any(volumes.get(name) for name in CHARGING)


def _volumes(period: ChargingPeriod) -> dict[str, Decimal]:
    """Repeated dimensions are added up; of MIN_* the smallest counts, of MAX_* the largest."""
    volumes: dict[str, Decimal] = {}
    for dimension in period.dimensions:
        name, volume = dimension.type, dimension.volume
        if name in TIMES:
            volume = round_money(volume * SECONDS_PER_HOUR, 0)
        known = volumes.get(name)
        if known is None:
            volumes[name] = volume
        elif name in LOWEST:
            volumes[name] = min(known, volume)
        elif name in HIGHEST:
            volumes[name] = max(known, volume)
        else:
            volumes[name] = known + volume
    return volumes


def _order_notes(cdr: Cdr, periods: Sequence[Period]) -> Iterator[Note]:
    """What is odd about where the charging periods lie."""
    indexes = [period.index for period in periods]
    if indexes != sorted(indexes):
        yield Note("periods_unsorted", "charging_periods")
    if periods and periods[0].start != cdr.start_date_time:
        yield _instant_note("first_period_start", periods[0], cdr.start_date_time)
    for period, following in pairwise(periods):
        if period.start == following.start:
            yield _instant_note("period_start_twice", following, following.start)
    for period in periods:
        if period.start > cdr.end_date_time:
            yield _instant_note("period_after_end", period, cdr.end_date_time)


def _volume_notes(cdr: Cdr, periods: Sequence[Period]) -> Iterator[Note]:
    """What does not add up; A20: the volumes are priced all the same."""
    kwh = sum((period.volumes.get("ENERGY", ZERO) for period in periods), ZERO)
    if abs(kwh - cdr.total_energy) > ENERGY_TOLERANCE_KWH:
        yield _sum_note("energy_sum", "total_energy", kwh, cdr.total_energy)
    for period in periods:
        seconds = sum((period.volumes.get(name, ZERO) for name in TIMES), ZERO)
        if seconds and abs(seconds - period.seconds) > TIME_TOLERANCE_S:
            yield _sum_note("time_volume", period.path, period.seconds, seconds)
    if cdr.total_parking_time is not None:
        parked = sum((period.volumes.get("PARKING_TIME", ZERO) for period in periods), ZERO)
        stated = cdr.total_parking_time * SECONDS_PER_HOUR
        if abs(parked - stated) > TIME_TOLERANCE_S:
            yield _sum_note("parking_sum", "total_parking_time", parked, stated)


def _instant_note(code: str, period: Period, expected: datetime) -> Note:
    params = {"expected": format_date_time(expected), "found": format_date_time(period.start)}
    return Note(code, period.path, params)


def _sum_note(code: str, path: str, expected: Decimal, found: Decimal) -> Note:
    """kWh or seconds; trailing zeros say nothing here."""
    return Note(code, path, {"expected": f"{expected.normalize():f}", "found": f"{found.normalize():f}"})

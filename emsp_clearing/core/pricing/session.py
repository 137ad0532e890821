"""A session's charging periods with what had happened before each of them (OCPI 2.2.1, 10.4.6)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice, pairwise
from operator import gt
from typing import Protocol

import msgspec

from ..money import ZERO
from ..ocpi.objects import NOT_AVAILABLE
from ..ocpi.types import format_date_time
from .explanation import Note

SECONDS_PER_HOUR = Decimal(3600)
ONE = Decimal(1)
CHARGING = ("ENERGY", "TIME", "PARKING_TIME")
TIMES = ("TIME", "PARKING_TIME", "RESERVATION_TIME")
SECOND = timedelta(seconds=1)
NO_TIME = timedelta()
LOWEST = frozenset({"MIN_CURRENT", "MIN_POWER"})
HIGHEST = frozenset({"MAX_CURRENT", "MAX_POWER"})
# Readings of a running session, out of place in a CDR (OCPI 2.2.1, 10.4.3).
SESSION_ONLY = frozenset({"CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE"})
ENERGY_TOLERANCE_KWH = Decimal("0.001")
# Peers round times to minutes, or to the 0.36 s of four decimals.
TIME_TOLERANCE_S = Decimal(60)


class DimensionLike(Protocol):
    """`objects.Dimension`, however it was read."""

    @property
    def type(self) -> str: ...
    @property
    def volume(self) -> Decimal: ...


class PeriodLike(Protocol):
    """`objects.ChargingPeriod`, however it was read."""

    @property
    def start_date_time(self) -> datetime: ...
    @property
    def dimensions(self) -> Sequence[DimensionLike]: ...
    @property
    def tariff_id(self) -> str | None: ...


class PlaceLike(Protocol):
    """Of `objects.CdrLocation` what tells that nothing was plugged in."""

    @property
    def evse_uid(self) -> str | None: ...
    @property
    def connector_id(self) -> str | None: ...


class SessionLike(Protocol):
    """Of `objects.Cdr` what decides its price."""

    @property
    def start_date_time(self) -> datetime: ...
    @property
    def end_date_time(self) -> datetime: ...
    @property
    def currency(self) -> str: ...
    @property
    def cdr_location(self) -> PlaceLike: ...
    @property
    def charging_periods(self) -> Sequence[PeriodLike]: ...
    @property
    def total_energy(self) -> Decimal: ...
    @property
    def total_time(self) -> Decimal: ...
    @property
    def total_parking_time(self) -> Decimal | None: ...
    @property
    def credit(self) -> bool: ...


class Period(msgspec.Struct, gc=False):
    """A charging period; `index` is its place in the CDR.

    `volumes` by dimension: kWh, whole seconds, A, kW. `kwh_before`: energy of the session so far.
    `before`: time since the start of charging, which a reservation in front is no part of.
    """

    index: int
    start: datetime
    end: datetime
    tariff_id: str | None
    volumes: Mapping[str, Decimal]
    kwh_before: Decimal
    before: timedelta

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


def periods_of(cdr: SessionLike) -> list[Period]:
    """The charging periods in order of time.

    A1: periods that were not sorted are sorted. A period ends where the next one starts, the last
    one at the CDR's end. A2: times are snapped to whole seconds. A7: duration counts from the first
    period that is no reservation.
    """
    sent = cdr.charging_periods
    starts = [period.start_date_time for period in sent]
    order: Sequence[int] = range(len(sent))
    if any(map(gt, starts, islice(starts, 1, None))):
        order = sorted(order, key=starts.__getitem__)
        starts.sort()
    volumes = [_volumes(sent[index].dimensions) for index in order]
    charging_start = _charging_start(starts, volumes) or cdr.start_date_time
    kwh, periods, ends = ZERO, [], [*starts[1:], cdr.end_date_time]
    for index, start, end, held in zip(order, starts, ends, volumes, strict=True):
        before = start - charging_start if start > charging_start else NO_TIME
        periods.append(Period(index, start, end, sent[index].tariff_id, held, kwh, before))
        if "ENERGY" in held:
            kwh += held["ENERGY"]
    return periods


def _charging_start(starts: Sequence[datetime], volumes: Sequence[Mapping[str, Decimal]]) -> datetime | None:
    for start, held in zip(starts, volumes, strict=True):
        if not _is_reservation(held):
            return start
    return None


def has_charging(cdr: SessionLike, periods: Sequence[Period]) -> bool:
    """Whether anything was plugged in, as far as a CDR tells (A14).

    A connector that was never assigned is "#NA"; so is one that a sender does not know.
    """
    for period in periods:
        for name in CHARGING:
            if name in period.volumes and period.volumes[name]:
                return True
    place = cdr.cdr_location
    if NOT_AVAILABLE in (place.evse_uid, place.connector_id):
        return False
    return not all(period.is_reservation for period in periods)


def session_notes(cdr: SessionLike, periods: Sequence[Period]) -> Iterator[Note]:
    """What is odd about the periods or does not add up; A19, A20: the volumes count all the same."""
    yield from _order_notes(cdr, periods)
    yield from _period_notes(periods)
    yield from _total_notes(cdr, periods)


def _is_reservation(volumes: Mapping[str, Decimal]) -> bool:
    if "RESERVATION_TIME" not in volumes or not volumes["RESERVATION_TIME"]:
        return False
    return not any(volumes.get(name) for name in CHARGING)


def _volumes(dimensions: Sequence[DimensionLike]) -> dict[str, Decimal]:
    """Repeated dimensions are added up; of MIN_* the smallest counts, of MAX_* the largest."""
    volumes: dict[str, Decimal] = {}
    for dimension in dimensions:
        name, volume = dimension.type, dimension.volume
        if name in TIMES:
            volume = (volume * SECONDS_PER_HOUR).quantize(ONE, ROUND_HALF_UP)
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


def _order_notes(cdr: SessionLike, periods: Sequence[Period]) -> Iterator[Note]:
    """What is odd about where the charging periods lie."""
    if periods and periods[0].start != cdr.start_date_time:
        yield _instant_note("first_period_start", periods[0], cdr.start_date_time)
    is_sorted = True
    for period, following in pairwise(periods):
        is_sorted = is_sorted and period.index < following.index
        if period.start == following.start:
            yield _instant_note("period_start_twice", following, following.start)
    if not is_sorted:
        yield Note("periods_unsorted", "charging_periods")
    if periods and periods[-1].start > cdr.end_date_time:
        for period in periods:
            if period.start > cdr.end_date_time:
                yield _instant_note("period_after_end", period, cdr.end_date_time)


def _period_notes(periods: Sequence[Period]) -> Iterator[Note]:
    for period in periods:
        volumes = period.volumes
        if not SESSION_ONLY.isdisjoint(volumes):
            for name in sorted(SESSION_ONLY & volumes.keys()):
                yield Note("session_dimension", period.path, {"dimension": name, "found": name})
        seconds = ZERO
        for name in TIMES:
            if name in volumes:
                seconds += volumes[name]
        if seconds and abs(seconds - (period.end - period.start) // SECOND) > TIME_TOLERANCE_S:
            yield _sum_note("time_volume", period.path, period.seconds, seconds)


def _total_notes(cdr: SessionLike, periods: Sequence[Period]) -> Iterator[Note]:
    last = periods[-1] if periods else None
    kwh = last.kwh_before + last.volumes.get("ENERGY", ZERO) if last else ZERO
    if abs(kwh - cdr.total_energy) > ENERGY_TOLERANCE_KWH:
        yield _sum_note("energy_sum", "total_energy", kwh, cdr.total_energy)
    lasted = seconds_of(cdr.end_date_time - cdr.start_date_time)
    stated = cdr.total_time * SECONDS_PER_HOUR
    if abs(lasted - stated) > TIME_TOLERANCE_S:
        yield _sum_note("time_sum", "total_time", lasted, stated)
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

"""Where a tariff element applies, as sets: for telling which one hides another (OCPI 2.2.1, 11.4.6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from ..ocpi.objects import Tariff, TariffRestrictions
from ..ocpi.types import format_date_time
from .restrictions import WEEKDAYS

RESERVATIONS = (None, "RESERVATION", "RESERVATION_EXPIRES")
RANGES = ("kwh", "current", "power", "duration")
# Counted from the session's start, so never below zero; current and power are when energy flows back.
COUNTED = ("kwh", "duration")

MINUTES_PER_DAY = 24 * 60
WHOLE_DAY = (1 << MINUTES_PER_DAY) - 1
WHOLE_WEEK = (1 << 7 * MINUTES_PER_DAY) - 1
# Of local time ahead of UTC and behind it: a tariff's validity is in UTC, its dates are local.
AHEAD, BEHIND = timedelta(hours=14), timedelta(hours=12)


# -- times and dates ----------------------------------------------------------


def clock_of(text: str) -> time | None:
    """None where the engine would refuse it: no time, or one that is not local."""
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return None
    return clock if clock.tzinfo is None else None


def minute_of(text: str) -> int | None:
    """Minutes since midnight, 1440 for 24:00; None where it is no whole minute."""
    if text == "24:00":
        return MINUTES_PER_DAY
    clock = clock_of(text)
    if clock is None or clock.second or clock.microsecond:
        return None
    return clock.hour * 60 + clock.minute


def ordinal_of(text: str) -> int | None:
    """The proleptic Gregorian ordinal of a date, or None where the engine would refuse it."""
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


# -- when an element applies, as sets -----------------------------------------


@dataclass(frozen=True, slots=True)
class Extent:
    """Where an element applies, as a product of sets.

    `week`: a bit for each minute from Monday on. `start` and `end`: ordinals of the date window,
    the end not included; `first` and `last`: of the days in it that are of a right weekday.
    `bounds`: the numeric restrictions that exclude something.
    """

    reservation: str | None
    week: int
    start: int
    end: int
    first: int
    last: int
    bounds: Mapping[str, Decimal]

    def spans(self, other: "Extent") -> bool:
        """Whether it includes the other one but for the times of the week."""
        return (
            self.reservation == other.reservation
            and self.start <= other.first
            and other.last < self.end
            and all(_within(name, bound, other.bounds.get(name)) for name, bound in self.bounds.items())
        )


def _within(name: str, bound: Decimal, inner: Decimal | None) -> bool:
    if inner is None:
        return False
    return inner >= bound if name.startswith("min") else inner <= bound


NOWHERE = Extent(None, 0, 0, 0, 0, 0, {})


def extent_of(restrictions: TariffRestrictions | None, tariff: Tariff) -> Extent | None:
    """None where a time or date cannot be read, or a time is no whole minute."""
    held = restrictions or TariffRestrictions()
    hours, span = _hours(held), _span(held)
    if hours is None or span is None:
        return None
    if any(contradictions(held, tariff)):
        return NOWHERE
    start, end = span
    wanted = _days(held)
    # A week's worth from either end shows each weekday that occurs at all.
    first = [day for day in range(start, min(start + 7, end)) if _weekday(day) in wanted]
    last = [day for day in range(max(end - 7, start), end) if _weekday(day) in wanted]
    return Extent(
        reservation=held.reservation,
        week=sum(hours << _weekday(day) * MINUTES_PER_DAY for day in first),
        start=start,
        end=end,
        first=first[0],
        last=last[-1],
        bounds=_bounds(held),
    )


def minutes_of_week(restrictions: TariffRestrictions) -> int | None:
    """A bit for each minute of the week, from Monday on, that its hours and weekdays hold in.

    None where a time cannot be read, or is no whole minute.
    """
    hours = _hours(restrictions)
    if hours is None:
        return None
    return sum(hours << day * MINUTES_PER_DAY for day in _days(restrictions))


def _hours(restrictions: TariffRestrictions) -> int | None:
    """A5: equal bounds are the whole day; an end before the start passes midnight."""
    start, end = minute_of(restrictions.start_time or "00:00"), minute_of(restrictions.end_time or "00:00")
    if start is None or end is None:
        return None
    start %= MINUTES_PER_DAY
    length = (end - start) % MINUTES_PER_DAY or MINUTES_PER_DAY
    minutes = ((1 << length) - 1) << start
    return (minutes | minutes >> MINUTES_PER_DAY) & WHOLE_DAY


def _span(restrictions: TariffRestrictions) -> tuple[int, int] | None:
    """The date window as ordinals, the end not included; the whole calendar where it is open."""
    start = ordinal_of(restrictions.start_date) if restrictions.start_date else date.min.toordinal()
    end = ordinal_of(restrictions.end_date) if restrictions.end_date else date.max.toordinal() + 1
    return None if start is None or end is None else (start, end)


def _days(restrictions: TariffRestrictions) -> frozenset[int]:
    names = {name.upper() for name in restrictions.day_of_week or WEEKDAYS}
    return frozenset(number for number, name in enumerate(WEEKDAYS) if name in names)


def _weekday(ordinal: int) -> int:
    """0 is Monday, which ordinal 1 was."""
    return (ordinal - 1) % 7


def _bounds(restrictions: TariffRestrictions) -> dict[str, Decimal]:
    found = {}
    for what in RANGES:
        for name in (f"min_{what}", f"max_{what}"):
            bound = getattr(restrictions, name)
            if bound is not None and not (what in COUNTED and name.startswith("min") and bound <= 0):
                found[name] = Decimal(bound)
    return found


# -- what can never hold ------------------------------------------------------


def contradictions(restrictions: TariffRestrictions, tariff: Tariff) -> Iterator[tuple[str, str, str]]:
    """Why restrictions can never hold: field, what was expected of it, what it holds."""
    for what in RANGES:
        name, high = f"max_{what}", getattr(restrictions, f"max_{what}")
        lows = [getattr(restrictions, f"min_{what}"), 0 if what in COUNTED else None]
        low = max((bound for bound in lows if bound is not None), default=None)
        if high is not None and low is not None and high <= low:
            yield name, f"> {Decimal(low):f}", f"{Decimal(high):f}"
    if restrictions.reservation not in RESERVATIONS:
        yield "reservation", " or ".join(filter(None, RESERVATIONS)), restrictions.reservation or ""
    span = _span(restrictions)
    if span is not None:
        yield from _dates_never(restrictions, *span)
        yield from _dates_invalid(restrictions, tariff)


def _dates_never(restrictions: TariffRestrictions, start: int, end: int) -> Iterator[tuple[str, str, str]]:
    if start >= end:
        yield "end_date", f"after {restrictions.start_date}", restrictions.end_date or ""
        return
    occurring = {_weekday(day) for day in range(start, min(start + 7, end))}
    if not occurring & _days(restrictions):
        expected = ", ".join(WEEKDAYS[day] for day in sorted(occurring))
        yield "day_of_week", expected, ", ".join(restrictions.day_of_week)


def _dates_invalid(restrictions: TariffRestrictions, tariff: Tariff) -> Iterator[tuple[str, str, str]]:
    """Dates that the tariff's validity leaves out whatever the charger's zone is."""
    begins, ends = restrictions.start_date, restrictions.end_date
    start, end = tariff.start_date_time, tariff.end_date_time
    # Differences rather than sums: the calendar's first and last days have no neighbour.
    if begins and end and _midnight(begins) - end >= AHEAD:
        yield "start_date", f"before {format_date_time(end)}", begins
    if ends and start and start - _midnight(ends) >= BEHIND:
        yield "end_date", f"after {format_date_time(start)}", ends


def _midnight(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)

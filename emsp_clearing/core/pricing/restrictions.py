"""When a tariff element applies (OCPI 2.2.1, 11.4.6): restrictions made into tests of a moment.

All restrictions of an element hold together. Lower bounds are included, upper bounds are not.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ..errors import PricingError
from ..ocpi.objects import TariffRestrictions
from .session import SECONDS_PER_HOUR, Period

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
# `reservation` chooses among elements, it is no condition on a moment.
NAMES = tuple(field.name for field in fields(TariffRestrictions) if field.name != "reservation")
# A8: where a period lacks the value that a bound asks for, the next best one decides.
FALLBACKS = {
    "min_current": ("MIN_CURRENT", "CURRENT", "MAX_CURRENT"),
    "max_current": ("MAX_CURRENT", "CURRENT", "MIN_CURRENT"),
    "min_power": ("MIN_POWER", "POWER", "MAX_POWER"),
    "max_power": ("MAX_POWER", "POWER", "MIN_POWER"),
}
SECOND = timedelta(seconds=1)
WATT_HOUR = Decimal("0.001")
# 30 years
LONGEST = 10**9

Test = Callable[["Moment"], bool]


class Clock:
    """The charger's local time; looked up when a restriction asks for it, and never guessed."""

    __slots__ = ("_zone", "name")

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._zone: tzinfo | None = None

    def local(self, instant: datetime) -> datetime:
        """:raise PricingError: time_zone_unknown."""
        if self._zone is None:
            self._zone = zone_of(self.name)
        return instant.astimezone(self._zone)


class Moment(msgspec.Struct, gc=False):
    """A charging period at one instant: what restrictions are compared with.

    `kwh`: energy of the session so far. `since`: time since charging began.
    """

    period: Period
    clock: Clock
    instant: datetime
    kwh: Decimal
    since: timedelta
    _local: datetime | None = None

    @property
    def local(self) -> datetime:
        """The instant on the charger's clock."""
        if self._local is None:
            self._local = self.clock.local(self.instant)
        return self._local


@dataclass(frozen=True, slots=True)
class Conditions:
    """The restrictions of an element: `names` as set in it, and the `tests` that they are.

    `strengths` are the names of those on current and power, which never change within a period.
    """

    names: tuple[str, ...]
    tests: tuple[Test, ...]
    strengths: tuple[str, ...] = ()

    @property
    def is_steady(self) -> bool:
        """Whether nothing of them can change within a charging period."""
        return self.names == self.strengths


def first_moment(period: Period, clock: Clock) -> Moment:
    """What holds at the start of a period prices all of it."""
    return Moment(period, clock, period.start, period.kwh_before, period.before)


def last_moment(period: Period, clock: Clock) -> Moment:
    """The last second and the last watt-hour of a period (A22)."""
    instant = max(period.end - SECOND, period.start)
    kwh = period.kwh_before
    if "ENERGY" in period.volumes:
        kwh = max(kwh + period.volumes["ENERGY"] - WATT_HOUR, kwh)
    return Moment(period, clock, instant, kwh, period.before + (instant - period.start))


def compile_restrictions(restrictions: TariffRestrictions | None, path: str) -> Conditions:
    """:param path: of the restrictions in the tariff.
    :raise PricingError: invalid_time, invalid_date, when a bound cannot be read."""
    if restrictions is None:
        return NO_CONDITIONS
    names = tuple(name for name in NAMES if getattr(restrictions, name) not in (None, ()))
    tests: list[Test] = []
    if restrictions.start_time or restrictions.end_time:
        tests += _hours(restrictions, path)
    if restrictions.start_date or restrictions.end_date:
        tests.append(_dates(restrictions, path))
    if restrictions.day_of_week:
        tests.append(_weekdays(restrictions.day_of_week))
    tests += _bounds(restrictions)
    return Conditions(names, tuple(tests), tuple(name for name in names if name in FALLBACKS))


def unverifiable(conditions: Conditions, period: Period) -> list[str]:
    """Those of the restrictions that hold only because nothing is known against them (A8)."""
    return [name for name in conditions.strengths if _strength(name, period) is None]


def zone_of(name: str | None) -> ZoneInfo:
    """:raise PricingError: time_zone_unknown, for a name that is none or not in the database."""
    try:
        return ZoneInfo(name or "")
    # A folder of the database, such as "Europe", is an OSError.
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise PricingError(
            "time_zone_unknown",
            "cdr_location.time_zone",
            expected="an IANA time zone",
            got=name or "nothing",
        ) from error


def clock_time(text: str, path: str) -> time:
    """A time of day as a tariff spells it; 24:00 is understood.

    :raise PricingError: invalid_time.
    """
    try:
        clock = time.fromisoformat("00:00" if text == "24:00" else text)
    except ValueError as error:
        raise PricingError("invalid_time", path, expected="HH:MM", got=text) from error
    if clock.tzinfo is not None:
        raise PricingError("invalid_time", path, expected="local time", got=text)
    return clock


def calendar_date(text: str, path: str) -> date:
    """:raise PricingError: invalid_date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PricingError("invalid_date", path, expected="YYYY-MM-DD", got=text) from error


NO_CONDITIONS = Conditions((), ())


def _hours(restrictions: TariffRestrictions, path: str) -> list[Test]:
    """A5: equal bounds are the whole day; an end before the start passes midnight; 00:00 ends the day."""
    start = clock_time(restrictions.start_time or "00:00", f"{path}.start_time")
    end = clock_time(restrictions.end_time or "00:00", f"{path}.end_time")
    if start == end:
        return []
    if start < end:
        return [lambda moment: start <= moment.local.time() < end]
    return [lambda moment: (now := moment.local.time()) >= start or now < end]


def _dates(restrictions: TariffRestrictions, path: str) -> Test:
    first = date.min
    if restrictions.start_date:
        first = calendar_date(restrictions.start_date, f"{path}.start_date")
    if not restrictions.end_date:
        return lambda moment: first <= moment.local.date()
    end = calendar_date(restrictions.end_date, f"{path}.end_date")
    return lambda moment: first <= moment.local.date() < end


def _weekdays(names: tuple[str, ...]) -> Test:
    """A6: the weekday of the instant, also after midnight in hours that began the day before."""
    spelt = {name.upper() for name in names}
    days = frozenset(number for number, name in enumerate(WEEKDAYS) if name in spelt)
    return lambda moment: moment.local.weekday() in days


def _bounds(restrictions: TariffRestrictions) -> list[Test]:
    tests: list[Test] = []
    if (min_kwh := restrictions.min_kwh) is not None:
        tests.append(lambda moment: moment.kwh >= min_kwh)
    if (max_kwh := restrictions.max_kwh) is not None:
        tests.append(lambda moment: moment.kwh < max_kwh)
    if restrictions.min_duration is not None:
        shortest = _duration(restrictions.min_duration)
        tests.append(lambda moment: moment.since >= shortest)
    if restrictions.max_duration is not None:
        longest = _duration(restrictions.max_duration)
        tests.append(lambda moment: moment.since < longest)
    for name in FALLBACKS:
        bound = getattr(restrictions, name)
        if bound is not None:
            tests.append(_strength_test(name, bound))
    return tests


def _duration(seconds: int) -> timedelta:
    """No session lasts longer than a timedelta holds."""
    return timedelta(seconds=max(-LONGEST, min(seconds, LONGEST)))


def _strength_test(name: str, bound: Decimal) -> Test:
    lower = name.startswith("min")

    def holds(moment: Moment) -> bool:
        value = _strength(name, moment.period)
        if value is None:
            return True
        return value >= bound if lower else value < bound

    return holds


def _strength(name: str, period: Period) -> Decimal | None:
    """Current or power of a period; power may be its average."""
    for dimension in FALLBACKS[name]:
        if dimension in period.volumes:
            return period.volumes[dimension]
    if name.endswith("_power") and "ENERGY" in period.volumes and period.seconds > 0:
        return period.volumes["ENERGY"] * SECONDS_PER_HOUR / period.seconds
    return None

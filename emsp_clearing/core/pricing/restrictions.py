"""Which tariff element applies at an instant of a charging period (OCPI 2.2.1, 11.4.6).

All restrictions of an element hold together. Lower bounds are included, upper bounds are not.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import PricingError
from ..ocpi.objects import TariffRestrictions
from .session import SECONDS_PER_HOUR, Period, seconds_of

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
# `reservation` chooses among elements, it is no condition on an instant.
NAMES = tuple(field.name for field in fields(TariffRestrictions) if field.name != "reservation")
# A8: where a period lacks the value that a bound asks for, the next best one decides.
FALLBACKS = {
    "min_current": ("MIN_CURRENT", "CURRENT", "MAX_CURRENT"),
    "max_current": ("MAX_CURRENT", "CURRENT", "MIN_CURRENT"),
    "min_power": ("MIN_POWER", "POWER", "MAX_POWER"),
    "max_power": ("MAX_POWER", "POWER", "MIN_POWER"),
}


def met(
    restrictions: TariffRestrictions | None, period: Period, instant: datetime, time_zone: str | None
) -> tuple[str, ...] | None:
    """The names of the restrictions that hold at `instant`, or None where one does not.

    :raise PricingError: time_zone_unknown, when local time decides and no zone is known;
        invalid_time, invalid_date, when the tariff's own bounds cannot be read.
    """
    if restrictions is None:
        return ()
    names = tuple(_set_names(restrictions))
    for name in names:
        if not _holds(name, restrictions, period, instant, time_zone):
            return None
    return names


def unverifiable(reason: tuple[str, ...], period: Period) -> list[str]:
    """Those of the restrictions that hold only because nothing is known against them (A8)."""
    return [name for name in reason if name in FALLBACKS and _strength(name, period) is None]


def last_instant(period: Period) -> datetime:
    """The last second of a period, or its start if it has none."""
    return max(period.end - timedelta(seconds=1), period.start)


def _set_names(restrictions: TariffRestrictions) -> Iterator[str]:
    for name in NAMES:
        if getattr(restrictions, name) not in (None, ()):
            yield name


def _holds(
    name: str, restrictions: TariffRestrictions, period: Period, instant: datetime, time_zone: str | None
) -> bool:
    if name in ("start_time", "end_time"):
        return _in_hours(restrictions, _local(instant, time_zone).time())
    if name in ("start_date", "end_date"):
        return _in_dates(name, getattr(restrictions, name), _local(instant, time_zone).date())
    if name == "day_of_week":
        # A6: the weekday of the instant, also after midnight in hours that began the day before.
        today = WEEKDAYS[_local(instant, time_zone).weekday()]
        return today in {day.upper() for day in restrictions.day_of_week}
    value = _measured(name, period, instant)
    if value is None:
        return True
    bound = getattr(restrictions, name)
    return bool(value >= bound if name.startswith("min") else value < bound)


def _local(instant: datetime, time_zone: str | None) -> datetime:
    """The instant on the charger's clock; an unknown zone is refused, never guessed."""
    try:
        return instant.astimezone(ZoneInfo(time_zone or ""))
    # A folder of the database, such as "Europe", is an OSError.
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise PricingError(
            "time_zone_unknown",
            "cdr_location.time_zone",
            expected="an IANA time zone",
            got=time_zone or "nothing",
        ) from error


def _in_hours(restrictions: TariffRestrictions, now: time) -> bool:
    """A5: equal bounds are the whole day; an end before the start passes midnight; 00:00 ends the day."""
    start = _clock("start_time", restrictions.start_time or "00:00")
    end = _clock("end_time", restrictions.end_time or "00:00")
    if start == end:
        return True
    if start < end:
        return start <= now < end
    return now >= start or now < end


def _clock(name: str, text: str) -> time:
    try:
        clock = time.fromisoformat("00:00" if text == "24:00" else text)
    except ValueError as error:
        raise PricingError("invalid_time", f"restrictions.{name}", expected="HH:MM", got=text) from error
    if clock.tzinfo is not None:
        raise PricingError("invalid_time", f"restrictions.{name}", expected="local time", got=text)
    return clock


def _in_dates(name: str, bound: str, today: date) -> bool:
    try:
        day = date.fromisoformat(bound)
    except ValueError as error:
        raise PricingError(
            "invalid_date", f"restrictions.{name}", expected="YYYY-MM-DD", got=bound
        ) from error
    return today >= day if name == "start_date" else today < day


def _measured(name: str, period: Period, instant: datetime) -> Decimal | None:
    """What a numeric bound is compared with: kWh, s, A or kW; None where nothing is known."""
    if name.endswith("_kwh"):
        return period.kwh_before
    if name.endswith("_duration"):
        return period.seconds_before + seconds_of(instant - period.start)
    return _strength(name, period)


def _strength(name: str, period: Period) -> Decimal | None:
    """Current or power of a period; power may be its average."""
    for dimension in FALLBACKS[name]:
        if dimension in period.volumes:
            return period.volumes[dimension]
    if name.endswith("_power") and "ENERGY" in period.volumes and period.seconds > 0:
        return period.volumes["ENERGY"] * SECONDS_PER_HOUR / period.seconds
    return None

"""Days on which banks settle euro payments: the calendar of TARGET.

Closed are Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB,
long-term calendar for TARGET closing days). National holidays do not count.
"""

from datetime import date, timedelta
from functools import lru_cache

SATURDAY = 5
FIXED_CLOSING_DAYS = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous algorithm of 1876 (Meeus, Jones, Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, left = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - shift + 15) % 30
    quarter, odd = divmod(rest, 4)
    weekday = (32 + 2 * left + 2 * quarter - epact - odd) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def is_target_day(day: date) -> bool:
    if day.weekday() >= SATURDAY or (day.month, day.day) in FIXED_CLOSING_DAYS:
        return False
    sunday = easter(day.year)
    return day not in (sunday - 2 * ONE_DAY, sunday + ONE_DAY)


def next_target_day(day: date) -> date:
    """`day`, or the first one after it on which banks settle."""
    while not is_target_day(day):
        day += ONE_DAY
    return day


def add_target_days(day: date, count: int) -> date:
    """The `count`-th day after `day` on which banks settle; `day` itself need not be one.

    :raise ValueError: for a negative count.
    """
    if count < 0:
        raise ValueError(f"expected a count >= 0, got {count}")
    for __ in range(count):
        day = next_target_day(day + ONE_DAY)
    return day

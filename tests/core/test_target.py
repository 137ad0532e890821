from datetime import date

import pytest
from emsp_core.target import add_target_days, easter, is_target_day, next_target_day


@pytest.mark.parametrize(
    "sunday",
    # 1961 and 2038 are the extremes of half a century; 1818 the earliest date there is, 1943 the latest.
    [
        date(1818, 3, 22),
        date(1943, 4, 25),
        date(1961, 4, 2),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
    ],
)
def test_easter_is_the_sunday_of_the_almanac(sunday):
    assert easter(sunday.year) == sunday


def test_banks_are_closed_on_the_six_days_of_2026_and_at_weekends():
    year = [date.fromordinal(n) for n in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    closed = [day for day in year if day.weekday() < 5 and not is_target_day(day)]
    # 26 December 2026 is a Saturday.
    assert closed == [
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 12, 25),
    ]
    assert not any(is_target_day(day) for day in year if day.weekday() >= 5)


def test_a_closing_day_moves_to_the_next_open_one():
    # Thursday before Easter stays; Good Friday goes to Tuesday; Christmas 2026 (a Friday) to Monday the 28th.
    assert next_target_day(date(2026, 4, 2)) == date(2026, 4, 2)
    assert next_target_day(date(2026, 4, 3)) == date(2026, 4, 7)
    assert next_target_day(date(2026, 12, 25)) == date(2026, 12, 28)


def test_days_are_counted_in_open_ones():
    # Sunday 22 November: Monday is the first. Wednesday before Easter: Thursday, then Tuesday.
    assert add_target_days(date(2026, 11, 22), 1) == date(2026, 11, 23)
    assert add_target_days(date(2026, 4, 1), 2) == date(2026, 4, 7)
    assert add_target_days(date(2026, 4, 4), 0) == date(2026, 4, 4)
    with pytest.raises(ValueError, match="got -1"):
        add_target_days(date(2026, 4, 4), -1)

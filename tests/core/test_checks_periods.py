"""Rules on totals and charging periods: each tolerance just kept, and just missed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from charging import START, period, session
from checking import codes, judge
from emsp_core.ocpi.objects import ChargingPeriod, Dimension

HOUR = session(period(60, energy="10", time="1"))


def hours(seconds):
    return Decimal(seconds) / 3600


# --- energy_sum --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "total, expected",
    [
        ("10", []),
        ("10.01", []),
        ("10.0101", ["energy_sum_differs"]),
        ("9.99", []),
        ("9.9899", ["energy_sum_differs"]),
        ("0", ["energy_sum_differs"]),
        # a factor of 1000, to the same tolerance
        ("10000", ["energy_sum_in_wh"]),
        ("10010", ["energy_sum_in_wh"]),
        ("10010.1", ["energy_sum_differs"]),
        ("0.01", ["energy_sum_in_wh"]),
        ("0.02", ["energy_sum_in_wh"]),
        ("0.0201", ["energy_sum_differs"]),
    ],
)
def test_energy_total_is_that_of_the_periods(total, expected):
    cdr = session(period(30, energy="4"), period(30, energy="6"), total_energy=Decimal(total))
    assert codes("energy_sum", cdr) == expected


def test_energy_sum_tells_both_sums():
    (finding,) = judge("energy_sum", replace(HOUR, total_energy=Decimal("12.50")), tolerance_kwh="0.5")
    assert (finding.expected, finding.found, finding.tolerance) == ("10 kWh", "12.5 kWh", "0.5 kWh")


def test_nothing_at_all_adds_up():
    assert codes("energy_sum", session(period(5))) == []
    assert codes("time_sum", session(period(5))) == []
    assert codes("period_order", session(period(5))) == []


# --- time_sum ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (3600, []),
        (3660, []),
        (3661, ["total_time_differs", "time_sum_differs"]),
        (3540, []),
        (3539, ["total_time_differs", "time_sum_differs"]),
    ],
)
def test_time_total_is_that_of_clock_and_periods(seconds, expected):
    assert codes("time_sum", replace(HOUR, total_time=hours(seconds))) == expected


@pytest.mark.parametrize(
    "total, expected",
    [
        ("3600", ["total_time_in_seconds"]),
        ("3660", ["total_time_in_seconds"]),
        ("3661", ["total_time_differs", "time_sum_differs"]),
        ("60", ["total_time_in_minutes"]),
        ("61", ["total_time_in_minutes"]),
        ("61.1", ["total_time_differs", "time_sum_differs"]),
        ("0", ["total_time_differs", "time_sum_differs"]),
    ],
)
def test_time_total_in_another_unit(total, expected):
    assert codes("time_sum", replace(HOUR, total_time=Decimal(total))) == expected


def test_time_total_in_another_unit_is_told_as_sent():
    (finding,) = judge("time_sum", session(period(45), total_time=Decimal(2700)))
    assert (finding.code, finding.expected, finding.found) == ("total_time_in_seconds", "45 min", "2700 h")


def test_time_of_a_short_session_fits_in_hours():
    # 30 s: within the tolerance of nothing.
    cdr = session(period(1), end_date_time=START + timedelta(seconds=30), total_time=Decimal(0))
    assert codes("time_sum", cdr) == []


@pytest.mark.parametrize("parked, expected", [(1860, []), (1861, ["time_sum_differs"])])
def test_time_sum_has_charging_and_parking(parked, expected):
    cdr = session(period(30, time="0.5"), period(30, parking_time=str(hours(parked))))
    assert codes("time_sum", cdr) == expected


def test_time_sum_of_periods_without_times_is_passed_over():
    assert codes("time_sum", session(period(60, energy="10"))) == []


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (5460, []),
        (5461, ["total_time_differs", "time_sum_differs"]),
        (5340, []),
        (5339, ["total_time_differs", "time_sum_differs"]),
        (3660, []),
        (3661, ["total_time_differs", "time_sum_differs"]),
        (3540, []),
        (3539, ["total_time_differs", "time_sum_differs"]),
    ],
)
def test_reserved_time_may_count_or_not(seconds, expected):
    cdr = session(period(30, reservation_time="0.5"), period(60, time="1"), total_time=hours(seconds))
    assert codes("time_sum", cdr) == expected


@pytest.mark.parametrize("seconds, expected", [(1860, []), (1861, ["parking_sum_differs"])])
def test_parking_total_is_that_of_the_periods(seconds, expected):
    cdr = session(period(30, time="0.5"), period(30, parking_time="0.5"), total_parking_time=hours(seconds))
    assert codes("time_sum", cdr) == expected


# --- period_order --------------------------------------------------------------------------------------


def starting(*seconds, length=3600):
    """Periods without volumes that start so many seconds after the session."""
    periods = tuple(ChargingPeriod(START + timedelta(seconds=each), ()) for each in seconds)
    return session(period(0), charging_periods=periods, end_date_time=START + timedelta(seconds=length))


@pytest.mark.parametrize(
    "starts, expected",
    [
        ((0, 1800), []),
        ((60,), []),
        ((61,), ["first_period_start"]),
        ((-60,), []),
        ((-61,), ["first_period_start"]),
        ((1800, 0), ["periods_unsorted"]),
        ((0, 1800, 1800), ["period_start_twice"]),
        ((0, 3600), []),
        ((0, 3660), []),
        ((0, 3661), ["period_after_end"]),
        ((0, 3661, 3700, 3700, 30), ["periods_unsorted", "period_start_twice", "period_after_end"]),
    ],
)
def test_periods_follow_each_other_within_the_session(starts, expected):
    assert codes("period_order", starting(*starts)) == expected


def test_periods_are_told_by_their_place_as_sent():
    found = {finding.code: finding for finding in judge("period_order", starting(0, 3700, 3661, 30))}
    late = found["period_after_end"]
    assert (late.path, late.details) == ("charging_periods[2]", {"count": "2"})
    assert (late.expected, late.found) == ("2026-10-05T09:00:00Z", "2026-10-05T09:01:01Z")
    assert found["periods_unsorted"].path == "charging_periods"


def test_periods_after_an_end_before_the_start_are_that_rules_matter():
    assert codes("period_order", starting(0, length=-600)) == []


@pytest.mark.parametrize(
    "seconds, expected",
    [(1800, []), (1860, []), (1861, ["period_time_differs"]), (1740, []), (1739, ["period_time_differs"])],
)
def test_volumes_of_a_period_leave_no_hole(seconds, expected):
    split = str(hours(seconds) - Decimal("0.1"))
    cdr = session(period(30, time="0.5"), period(30, time="0.1", parking_time=split))
    assert codes("period_order", cdr) == expected


def test_holes_are_one_finding_with_their_count():
    cdr = session(period(30, time="0.5"), period(30, time="0.25"), period(30, time="0.25"))
    (finding,) = judge("period_order", cdr)
    assert (finding.path, finding.details) == ("charging_periods[1]", {"count": "2"})
    assert (finding.expected, finding.found, finding.tolerance) == ("30 min", "15 min", "1 min")


def test_repeated_dimensions_count_together():
    twice = (Dimension("ENERGY", Decimal(5)), Dimension("ENERGY", Decimal(5)), Dimension("TIME", Decimal(1)))
    cdr = replace(HOUR, charging_periods=(ChargingPeriod(START, twice),))
    assert codes("energy_sum", cdr) == codes("time_sum", cdr) == codes("period_order", cdr) == []

"""Rules on energy, cost, duration and speed: just inside each bound, on it and beyond."""

from dataclasses import replace
from decimal import Decimal

import pytest
from charging import period, session
from checking import codes, cost, judge, lasting, priced
from emsp_core.checks.facts import Facts, PlaceFacts
from emsp_core.ocpi.objects import CdrLocation


def powered(kilowatts):
    return Facts(place=PlaceFacts(power_kw=None if kilowatts is None else Decimal(kilowatts)))


# --- energy, cost, duration ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "energy, expected",
    [
        ("0.4999", ["energy_below_min"]),
        ("0.5", []),
        ("0.5001", []),
        ("149.9999", []),
        ("150", []),
        ("150.0001", ["energy_above_max"]),
        ("-1", ["energy_below_min"]),
    ],
)
def test_energy_range_includes_its_bounds(energy, expected):
    cdr = session(total_energy=Decimal(energy))
    assert codes("energy_range", cdr, min_kwh="0.5", max_kwh="150") == expected


@pytest.mark.parametrize(
    "energy, expected",
    [("0", []), ("1000", []), ("1000.0001", ["energy_above_max"]), ("-0.0001", ["energy_below_min"])],
)
def test_energy_range_as_shipped(energy, expected):
    assert codes("energy_range", session(total_energy=Decimal(energy))) == expected


def test_energy_finding_tells_bound_and_value_with_their_unit():
    (finding,) = judge("energy_range", session(total_energy=Decimal("1234.50")))
    assert (finding.path, finding.expected, finding.found) == ("total_energy", "1000 kWh", "1234.5 kWh")


@pytest.mark.parametrize(
    "ours, expected",
    [
        ("0", []),
        ("499.99", []),
        ("500", []),
        ("500.01", ["cost_above_max"]),
        ("-500", []),
        ("-500.01", ["cost_above_max"]),
    ],
)
def test_cost_range_is_about_our_price_without_its_sign(ours, expected):
    assert codes("cost_range", session(total_cost=cost("9999")), priced(ours)) == expected


def test_cost_range_takes_the_stated_cost_where_nothing_was_computed():
    (finding,) = judge("cost_range", session(total_cost=cost("500.005")))
    assert (finding.code, finding.path) == ("cost_above_max", "total_cost")
    assert (finding.expected, finding.found) == ("500.00 EUR", "500.01 EUR")
    assert codes("cost_range", session(total_cost=cost("0.99")), min_amount="1") == ["cost_below_min"]


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (0, ["duration_below_min"]),
        (59, ["duration_below_min"]),
        (60, []),
        (61, []),
        (172799, []),
        (172800, []),
        (172801, ["duration_above_max"]),
        # An end before the start has a rule of its own.
        (-1, []),
    ],
)
def test_duration_range_includes_its_bounds(seconds, expected):
    assert codes("duration_range", lasting(seconds), min_s=60, max_s=172800) == expected


def test_duration_as_shipped_is_a_week():
    assert codes("duration_range", lasting(7 * 86400)) == []
    (finding,) = judge("duration_range", lasting(7 * 86400 + 90))
    assert (finding.expected, finding.found) == ("7 d", "7 d 1 min 30 s")


@pytest.mark.parametrize(
    "seconds, energy, expected",
    [(0, "0.001", ["energy_in_no_time"]), (0, "0", []), (1, "5", []), (-1, "5", [])],
)
def test_energy_takes_time(seconds, energy, expected):
    assert codes("zero_time_energy", lasting(seconds, total_energy=Decimal(energy))) == expected


def test_cost_without_energy():
    cdr = session(period(10, time="0.1667"), total_cost=cost("1.50"))
    assert codes("no_energy", cdr) == ["cost_without_energy"]
    # Our price rules: nothing to pay, nothing to say.
    assert codes("no_energy", cdr, priced("0")) == []
    assert codes("no_energy", replace(cdr, total_cost=cost("0")), priced("2")) == ["cost_without_energy"]
    assert codes("no_energy", replace(cdr, total_energy=Decimal("0.01"))) == []
    unused = replace(cdr, cdr_location=CdrLocation(evse_uid="#NA", connector_id="#NA"))
    reserved = session(period(10, reservation_time="0.1667"), total_cost=cost("1.50"))
    assert codes("no_energy", reserved) == []
    assert codes("no_energy", replace(unused, charging_periods=reserved.charging_periods)) == []


# --- speed -----------------------------------------------------------------------------------------
# 22 kW for an hour and 5 % more: 23.1 kWh.


@pytest.mark.parametrize(
    "energy, expected",
    [("22", []), ("23.0999", []), ("23.1", []), ("23.1001", ["too_fast"]), ("40", ["too_fast"])],
)
def test_speed_passes_up_to_exactly_five_percent(energy, expected):
    assert codes("charging_speed", lasting(3600, total_energy=Decimal(energy)), powered("22")) == expected


def test_speed_tells_what_the_connector_delivers():
    (finding,) = judge("charging_speed", lasting(5400, total_energy=Decimal(40)), powered("22"))
    # 22 kW x 1.5 h
    assert (finding.path, finding.expected, finding.found) == ("total_energy", "33 kWh", "40 kWh")
    assert (finding.tolerance, finding.details) == ("5 %", {"power": "22 kW", "duration": "1 h 30 min"})


@pytest.mark.parametrize(
    "parking, energy, expected",
    [
        # Two hours, half an hour of them parked: 22 x 1.5 x 1.05 = 34.65 kWh.
        ("0.5", "34.65", []),
        ("0.5", "34.6501", ["too_fast"]),
        ("0", "46.2", []),
        ("0", "46.2001", ["too_fast"]),
        # All of it parked, or more than there is: nothing can have been charged.
        ("2", "0.0001", ["too_fast"]),
        ("3", "0", []),
    ],
)
def test_speed_counts_charging_time_only(parking, energy, expected):
    cdr = lasting(7200, total_energy=Decimal(energy), total_parking_time=Decimal(parking))
    assert codes("charging_speed", cdr, powered("22")) == expected


def test_speed_takes_parking_from_the_periods_where_no_total_tells():
    cdr = session(period(60, energy="23.2", time="1"), period(60, parking_time="1"))
    assert codes("charging_speed", cdr, powered("22")) == ["too_fast"]


@pytest.mark.parametrize(
    "energy, minutes, time, expected",
    [
        # A quarter of an hour: 5.5 kWh, with 5 % 5.775.
        ("5.775", 15, "0.25", []),
        ("5.7751", 15, "0.25", ["period_too_fast"]),
        # By the clock, where no TIME tells.
        ("5.775", 15, None, []),
        ("5.7751", 15, None, ["period_too_fast"]),
        # Below five minutes one step of the meter is too much: not judged alone.
        ("2", 4, None, []),
        ("2", 5, None, ["period_too_fast"]),
    ],
)
def test_speed_of_a_period_within_a_session_that_passes(energy, minutes, time, expected):
    volumes = {"energy": energy} if time is None else {"energy": energy, "time": time}
    cdr = session(period(60, energy="0", time="1"), period(minutes, **volumes))
    found = judge("charging_speed", cdr, powered("22"))
    assert [finding.code for finding in found] == expected
    assert all(finding.path == "charging_periods[1]" for finding in found)


def test_speed_of_many_periods_is_one_finding_with_their_count():
    fast = [period(10, energy="4", time="0.1667") for _ in range(3)]
    (finding,) = judge("charging_speed", session(period(60), *fast), powered("22"))
    assert (finding.path, finding.details["count"]) == ("charging_periods[1]", "3")


@pytest.mark.parametrize(
    "energy, expected",
    [
        # An hour at 22 kW: a factor of 1000 explains up to 22,000 and from ten times the most.
        ("220", ["too_fast"]),
        ("220.0001", ["energy_in_wh"]),
        ("22000", ["energy_in_wh"]),
        ("22000.0001", ["too_fast"]),
    ],
)
def test_speed_knows_watt_hours(energy, expected):
    assert codes("charging_speed", lasting(3600, total_energy=Decimal(energy)), powered("22")) == expected


@pytest.mark.parametrize("power", [None, "0", "-1"])
def test_speed_is_not_judged_where_the_power_is_unknown(power):
    assert codes("charging_speed", lasting(3600, total_energy=Decimal(99)), powered(power)) == "power_unknown"


@pytest.mark.parametrize("seconds", [0, -3600])
def test_speed_is_not_judged_without_a_duration(seconds):
    assert codes("charging_speed", lasting(seconds, total_energy=Decimal(99)), powered("22")) == "no_duration"

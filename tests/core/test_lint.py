"""Lint of tariffs: each code with a tariff that has it and its neighbour that must not."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from emsp_core.ocpi.objects import Price, PriceComponent, Tariff, TariffElement, TariffRestrictions
from emsp_core.pricing.lint import SEVERITIES, Lint, lint_tariff

WORKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
WEEKEND = ("SATURDAY", "SUNDAY")
NUMBERS = ("kwh", "current", "power")


def tariff(*elements, **options):
    options = {"currency": "EUR", **options}
    return Tariff(country_code="FR", party_id="RVR", id="T", elements=elements, **options)


def element(*components, **restrictions):
    """Components as type, price, and step size if it is not 1; numbers of restrictions as text."""
    for name, value in restrictions.items():
        if name.endswith(NUMBERS):
            restrictions[name] = Decimal(value)
    return TariffElement(
        tuple(PriceComponent(kind, Decimal(amount), *step) for kind, amount, *step in components),
        TariffRestrictions(**restrictions) if restrictions else None,
    )


def energy(amount="0.40", **restrictions):
    return element(("ENERGY", amount), **restrictions)


def limits(excl, incl=None):
    return Price(Decimal(excl), None if incl is None else Decimal(incl))


def utc(year, month, day, hour=0):
    return datetime(year, month, day, hour, tzinfo=UTC)


def found(subject, code, **options):
    """The lints of one code."""
    return [lint for lint in lint_tariff(subject, **options) if lint.code == code]


def paths(subject, code, **options):
    return [lint.path for lint in found(subject, code, **options)]


NIGHT_AND_DAY = tariff(energy("0.25", start_time="22:00", end_time="06:00"), energy("0.40"))

CASES = [
    # code, path, the tariff that has it, the one that must not
    ("missing_currency", "currency", tariff(energy(), currency=" "), tariff(energy(), currency="XTS")),
    ("unknown_currency", "currency", tariff(energy(), currency="EURO"), tariff(energy(), currency="eur")),
    (
        "unreadable_time",
        "elements[0].restrictions.start_time",
        tariff(energy(start_time="08:00+02:00")),
        tariff(energy(start_time="08:00")),
    ),
    (
        "unreadable_time",
        "elements[0].restrictions.end_time",
        tariff(energy(end_time="25:00")),
        tariff(energy(end_time="24:00")),
    ),
    (
        "unreadable_date",
        "elements[0].restrictions.end_date",
        tariff(energy(end_date="2026-02-29")),
        tariff(energy(end_date="2028-02-29")),
    ),
    (
        "time_format",
        "elements[0].restrictions.start_time",
        tariff(energy(start_time="08:00:00")),
        tariff(energy(start_time="08:00")),
    ),
    (
        "time_2400",
        "elements[0].restrictions.end_time",
        tariff(energy(start_time="18:00", end_time="24:00")),
        tariff(energy(start_time="18:00", end_time="00:00")),
    ),
    (
        "equal_times",
        "elements[0].restrictions.end_time",
        tariff(energy(start_time="08:00", end_time="08:00")),
        tariff(energy(start_time="08:00", end_time="20:00")),
    ),
    (
        "equal_times",
        "elements[0].restrictions.end_time",
        tariff(energy(start_time="00:00", end_time="00:00")),
        # One bound alone, and a whole day in so many words
        tariff(energy(end_time="00:00"), element(("TIME", "1"), start_time="00:00", end_time="24:00")),
    ),
    (
        "hole_of_a_minute",
        "elements[0].restrictions.end_time",
        tariff(energy(start_time="18:00", end_time="23:59"), energy(end_time="18:00")),
        tariff(energy(start_time="18:00", end_time="23:59"), energy(start_time="23:59", end_time="18:00")),
    ),
    (
        "never_holds",
        "elements[0].restrictions.max_kwh",
        tariff(energy(min_kwh="10", max_kwh="10")),
        tariff(energy(min_kwh="10", max_kwh="10.001")),
    ),
    (
        "never_holds",
        "elements[0].restrictions.max_kwh",
        tariff(energy(min_kwh="-5", max_kwh="0")),
        tariff(energy(min_kwh="-5", max_kwh="1")),
    ),
    (
        "never_holds",
        "elements[0].restrictions.max_duration",
        tariff(energy(max_duration=0)),
        tariff(energy(min_duration=0, max_duration=1)),
    ),
    (
        "never_holds",
        "elements[0].restrictions.max_power",
        tariff(energy(min_power="22", max_power="11")),
        # Power that flows back is negative
        tariff(energy(max_power="0")),
    ),
    (
        "never_holds",
        "elements[0].restrictions.max_current",
        tariff(energy(min_current="32", max_current="32")),
        tariff(energy(min_current="16", max_current="32")),
    ),
    (
        "never_holds",
        "elements[0].restrictions.end_date",
        tariff(energy(start_date="2026-05-01", end_date="2026-05-01")),
        tariff(energy(start_date="2026-05-01", end_date="2026-05-02")),
    ),
    (
        # 2026-05-01 is a Friday
        "never_holds",
        "elements[0].restrictions.day_of_week",
        tariff(energy(start_date="2026-05-01", end_date="2026-05-03", day_of_week=("SUNDAY",))),
        tariff(energy(start_date="2026-05-01", end_date="2026-05-04", day_of_week=("SUNDAY",))),
    ),
    (
        "never_holds",
        "elements[0].restrictions.reservation",
        tariff(element(("FLAT", "1"), reservation="EXPIRED")),
        tariff(element(("FLAT", "1"), reservation="RESERVATION_EXPIRES")),
    ),
    (
        # Midnight is reached 14 hours before UTC's at the earliest
        "never_holds",
        "elements[0].restrictions.start_date",
        tariff(energy(start_date="2026-05-02"), end_date_time=utc(2026, 5, 1, 10)),
        tariff(energy(start_date="2026-05-02"), end_date_time=utc(2026, 5, 1, 11)),
    ),
    (
        "never_holds",
        "elements[0].restrictions.end_date",
        tariff(energy(end_date="2026-05-02"), start_date_time=utc(2026, 5, 2, 12)),
        tariff(energy(end_date="2026-05-02"), start_date_time=utc(2026, 5, 2, 11)),
    ),
    (
        "never_holds",
        "end_date_time",
        tariff(energy(), start_date_time=utc(2026, 5, 1), end_date_time=utc(2026, 5, 1)),
        tariff(energy(), start_date_time=utc(2026, 5, 1), end_date_time=utc(2026, 5, 1, 1)),
    ),
    ("unreachable_element", "elements[1]", tariff(energy(), energy("0.25", max_kwh="5")), NIGHT_AND_DAY),
    (
        "unreachable_component",
        "elements[1].price_components[1]",
        tariff(energy(), element(("TIME", "1"), ("ENERGY", "0.25"))),
        tariff(energy(), element(("TIME", "1"), ("PARKING_TIME", "2"))),
    ),
    (
        "duplicate_component",
        "elements[0].price_components[2]",
        tariff(element(("ENERGY", "0.40"), ("TIME", "1"), ("ENERGY", "0.30"))),
        tariff(element(("ENERGY", "0.40"), ("TIME", "1"), ("PARKING_TIME", "1"))),
    ),
    (
        "suspicious_price",
        "elements[0].price_components[0].price",
        tariff(energy("-0.01")),
        tariff(energy("0")),
    ),
    (
        "suspicious_price",
        "elements[0].price_components[0].price",
        tariff(energy("5.01")),
        tariff(energy("5")),
    ),
    (
        "suspicious_price",
        "elements[0].price_components[1].price",
        tariff(element(("TIME", "60"), ("PARKING_TIME", "60.01"))),
        # Not euros, and a fee of no unit
        tariff(element(("TIME", "90"), ("ENERGY", "10"), ("FLAT", "200")), currency="CZK"),
    ),
    (
        "free_tariff",
        "elements",
        tariff(element(("ENERGY", "0"), ("TIME", "0"))),
        tariff(element(("ENERGY", "0"), ("TIME", "0.01"))),
    ),
    ("free_tariff", "elements", tariff(energy("0")), tariff(energy("0"), min_price=limits("0.50"))),
    (
        "step_size_ignored",
        "elements[0].price_components[0].step_size",
        tariff(element(("FLAT", "1", 60))),
        tariff(element(("FLAT", "1", 1), ("TIME", "1", 60))),
    ),
    (
        "negative_step",
        "elements[0].price_components[0].step_size",
        tariff(element(("TIME", "1", -1))),
        tariff(element(("TIME", "1", 0))),
    ),
    (
        "min_above_max",
        "min_price.excl_vat",
        tariff(energy(), min_price=limits("5.01"), max_price=limits("5")),
        tariff(energy(), min_price=limits("5"), max_price=limits("5")),
    ),
    (
        "min_above_max",
        "min_price.incl_vat",
        tariff(energy(), min_price=limits("4", "6"), max_price=limits("5", "5.50")),
        tariff(energy(), min_price=limits("4", "6"), max_price=limits("5")),
    ),
    (
        "limit_incl_below_excl",
        "max_price.incl_vat",
        tariff(energy(), max_price=limits("5", "4.99")),
        tariff(energy(), max_price=limits("5", "5")),
    ),
    (
        "unpriced_hours",
        "elements[0].price_components[0]",
        tariff(energy(start_time="08:00", end_time="20:00")),
        tariff(energy(start_time="08:00", end_time="20:00"), energy(start_time="20:00", end_time="08:00")),
    ),
]


@pytest.mark.parametrize(("code", "path", "odd", "sound"), CASES)
def test_code_is_given_where_it_holds_and_not_beside_it(code, path, odd, sound):
    assert paths(odd, code) == [path]
    assert paths(sound, code) == []


def test_every_code_has_a_case_of_its_own():
    assert {case[0] for case in CASES} | {"time_without_zone"} == set(SEVERITIES)


def test_sound_tariff_has_no_lint():
    assert lint_tariff(NIGHT_AND_DAY) == ()


def test_lint_says_what_was_expected_and_found():
    assert lint_tariff(tariff(energy(min_kwh="10", max_kwh="8.50"), energy())) == (
        Lint("never_holds", "elements[0].restrictions.max_kwh", {"expected": "> 10", "found": "8.50"}),
    )


@pytest.mark.parametrize(
    ("code", "severity"),
    [("unreadable_time", "error"), ("unreachable_element", "warning"), ("unpriced_hours", "info")],
)
def test_severity_goes_with_the_code(code, severity):
    assert Lint(code, "elements").severity == severity


# --- Times without a zone --------------------------------------------------------------------


@pytest.mark.parametrize(
    "restriction",
    [
        {"start_time": "08:00"},
        {"end_time": "08:00"},
        {"start_date": "2026-05-01"},
        {"end_date": "2026-05-01"},
        {"day_of_week": WEEKEND},
    ],
)
def test_local_restriction_needs_a_zone(restriction):
    subject = tariff(element(("TIME", "1"), max_kwh="5"), energy(**restriction), energy(**restriction))
    [name] = restriction
    assert paths(subject, "time_without_zone", time_zone_known=False) == [f"elements[1].restrictions.{name}"]
    assert paths(subject, "time_without_zone") == []


def test_restriction_that_is_not_local_needs_no_zone():
    subject = tariff(energy(max_kwh="5", min_duration=60), energy())
    assert paths(subject, "time_without_zone", time_zone_known=False) == []


# --- Which element includes another one ------------------------------------------------------

INCLUDED = [
    # the earlier element, the later one
    ({}, {}),
    ({}, {"min_kwh": "5", "start_time": "08:00", "day_of_week": WEEKEND}),
    ({"start_time": "08:00", "end_time": "20:00"}, {"start_time": "09:00", "end_time": "20:00"}),
    ({"start_time": "22:00", "end_time": "06:00"}, {"start_time": "23:00", "end_time": "05:59"}),
    ({"start_time": "22:00", "end_time": "06:00"}, {"end_time": "06:00"}),
    ({"start_time": "22:00", "end_time": "06:00"}, {"start_time": "22:00"}),
    ({"start_time": "22:00", "end_time": "22:00"}, {}),
    ({"start_time": "00:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "00:00"}),
    ({"day_of_week": ("FRIDAY", "monday")}, {"day_of_week": ("MONDAY",)}),
    ({"start_date": "2026-05-01"}, {"start_date": "2026-05-01", "end_date": "2026-06-01"}),
    # 2026-05-02 and -03 are a weekend, and the only Monday before the 11th is the 4th
    ({"day_of_week": WEEKEND}, {"start_date": "2026-05-02", "end_date": "2026-05-04"}),
    (
        {"start_date": "2026-05-04", "end_date": "2026-05-05"},
        {"start_date": "2026-05-01", "end_date": "2026-05-11", "day_of_week": ("MONDAY",)},
    ),
    ({"max_kwh": "10"}, {"max_kwh": "10"}),
    ({"min_kwh": "0"}, {}),
    ({"min_power": "11", "max_power": "43"}, {"min_power": "11", "max_power": "22"}),
    ({"max_current": "32"}, {"min_current": "6", "max_current": "16"}),
    ({"min_duration": 3600}, {"min_duration": 3601}),
    ({"reservation": "RESERVATION"}, {"reservation": "RESERVATION", "max_duration": 600}),
]

NOT_INCLUDED = [
    ({"max_kwh": "10"}, {}),
    ({"max_kwh": "10"}, {"max_kwh": "10.001"}),
    ({"min_kwh": "5"}, {"max_kwh": "10"}),
    # Current and power fall below zero
    ({"min_power": "0"}, {}),
    ({"max_power": "22"}, {"max_current": "32"}),
    ({"min_duration": 3601}, {"min_duration": 3600}),
    ({"start_time": "08:00", "end_time": "20:00"}, {"start_time": "08:00", "end_time": "20:01"}),
    ({"start_time": "22:00", "end_time": "06:00"}, {"start_time": "21:59", "end_time": "06:00"}),
    ({"start_time": "22:00", "end_time": "06:00"}, {"start_time": "06:00", "end_time": "22:00"}),
    ({"end_time": "23:59"}, {"start_time": "12:00"}),
    ({"day_of_week": WORKDAYS}, {"day_of_week": ("FRIDAY", "SATURDAY")}),
    ({"day_of_week": WEEKEND}, {"start_date": "2026-05-02", "end_date": "2026-05-05"}),
    ({"start_date": "2026-05-01", "end_date": "2026-06-01"}, {"start_date": "2026-05-01"}),
    ({"start_date": "2026-05-02"}, {"start_date": "2026-05-01", "end_date": "2026-06-01"}),
    ({"end_date": "2026-05-09"}, {"end_date": "2026-05-10"}),
    ({"reservation": "RESERVATION"}, {}),
    ({}, {"reservation": "RESERVATION"}),
    ({"reservation": "RESERVATION"}, {"reservation": "RESERVATION_EXPIRES"}),
    ({"reservation": "RESERVATION_EXPIRES"}, {"reservation": "RESERVATION"}),
    # Neither what never applies nor what cannot be read takes anything away
    ({"min_kwh": "5", "max_kwh": "5"}, {"max_kwh": "1"}),
    ({"start_time": "noon"}, {"start_time": "12:00"}),
    ({"start_time": "08:00:30"}, {"start_time": "09:00"}),
]


@pytest.mark.parametrize(("earlier", "later"), INCLUDED)
def test_element_within_an_earlier_one_is_never_chosen(earlier, later):
    subject = tariff(element(("TIME", "1"), **earlier), element(("TIME", "2"), **later))
    assert [(lint.path, lint.params) for lint in found(subject, "unreachable_element")] == [
        ("elements[1]", {"by": "elements[0]"})
    ]


@pytest.mark.parametrize(("earlier", "later"), NOT_INCLUDED)
def test_element_that_reaches_beyond_an_earlier_one_is_chosen_there(earlier, later):
    subject = tariff(element(("TIME", "1"), **earlier), element(("TIME", "2"), **later))
    assert found(subject, "unreachable_element") == []


def test_elements_may_take_all_hours_together():
    weekdays, weekend = energy("0.40", day_of_week=WORKDAYS), energy("0.30", day_of_week=WEEKEND)
    [lint] = found(tariff(weekdays, weekend, energy("0.50")), "unreachable_element")
    assert (lint.path, lint.params["by"]) == ("elements[2]", "elements[0], elements[1]")
    friday_off = replace(weekdays.restrictions, day_of_week=WORKDAYS[:4])
    subject = tariff(replace(weekdays, restrictions=friday_off), weekend, energy("0.50"))
    assert found(subject, "unreachable_element") == []


def test_hours_that_an_element_leaves_by_another_condition_are_not_taken():
    subject = tariff(
        energy("0.40", day_of_week=WORKDAYS, max_kwh="50"),
        energy("0.30", day_of_week=WEEKEND),
        energy("0.50"),
    )
    assert found(subject, "unreachable_element") == []


def test_component_is_taken_by_elements_that_have_it():
    subject = tariff(element(("FLAT", "1")), energy(max_kwh="5"), element(("FLAT", "2"), ("ENERGY", "0.30")))
    assert [(lint.path, lint.params) for lint in found(subject, "unreachable_component")] == [
        ("elements[2].price_components[0]", {"component": "FLAT", "by": "elements[0]"})
    ]


def test_second_component_of_a_type_is_a_duplicate_and_nothing_more():
    twice = element(("ENERGY", "0.40"), ("ENERGY", "0.30"), ("TIME", "1"))
    assert [lint.code for lint in lint_tariff(tariff(twice))] == ["duplicate_component"]
    assert paths(tariff(energy(), twice), "unreachable_component") == ["elements[1].price_components[0]"]


# --- Hours without a price -----------------------------------------------------------------------


def test_first_unpriced_minute_and_their_number_are_told():
    # Workdays 09:00 to 18:00 leave 168 - 5 x 9 = 123 hours of the week
    parking = {"start_time": "09:00", "end_time": "18:00", "day_of_week": WORKDAYS}
    subject = tariff(energy(), element(("PARKING_TIME", "5"), **parking))
    assert lint_tariff(subject) == (
        Lint(
            "unpriced_hours",
            "elements[1].price_components[0]",
            {"component": "PARKING_TIME", "from": "MONDAY 00:00", "minutes": str(123 * 60)},
        ),
    )


def test_hole_of_a_minute_is_seven_minutes_a_week():
    subject = tariff(energy("0.25", end_time="08:00"), energy(start_time="08:00", end_time="23:59"))
    assert [lint.code for lint in lint_tariff(subject)] == ["hole_of_a_minute", "unpriced_hours"]
    [lint] = found(subject, "unpriced_hours")
    assert (lint.params["from"], lint.params["minutes"]) == ("MONDAY 23:59", "7")


@pytest.mark.parametrize(
    "subject",
    [
        tariff(energy(), element(("FLAT", "1"), start_time="22:00", end_time="06:00")),
        tariff(element(("TIME", "1"), start_time="08:00", end_time="09:00", reservation="RESERVATION")),
        tariff(energy(max_kwh="10"), energy(min_kwh="10", max_kwh="20")),
        tariff(energy(start_time="noon")),
    ],
    ids=["fee", "reservation", "no hours", "unreadable"],
)
def test_nothing_is_said_of_hours_that_are_not_the_question(subject):
    assert found(subject, "unpriced_hours") == []


def test_reserved_hours_do_not_price_charging():
    reserved = element(("TIME", "1"), reservation="RESERVATION")
    subject = tariff(reserved, element(("TIME", "2"), start_time="08:00"))
    assert paths(subject, "unpriced_hours") == ["elements[1].price_components[0]"]

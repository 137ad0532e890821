"""Price grids: what they compile into, and what is reported about their lines."""

from dataclasses import astuple
from decimal import Decimal

import pytest
from emsp_core.ocpi.objects import Price, TariffRestrictions
from emsp_core.pricing.grid import (
    GridConflict,
    GridLine,
    Membership,
    compile_grid,
    find_conflicts,
    first_member,
    variants,
)

WORKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
WEEKEND = ("SATURDAY", "SUNDAY")


def line(component, amount="0.10", hours=None, **options):
    """:param hours: "HH:MM-HH:MM"."""
    start, end = hours.split("-") if hours else (None, None)
    return GridLine(component, Decimal(amount), start_time=start, end_time=end, **options)


def tariff(*lines, location_group=None, customer_group=None):
    return compile_grid(
        code="AC",
        country_code="FR",
        party_id="RVR",
        currency="EUR",
        lines=lines,
        location_group=location_group,
        customer_group=customer_group,
    )


def prices(compiled):
    """The elements' components as text, "ENERGY 0.39"."""
    return [
        [f"{part.type} {part.price}" for part in element.price_components] for element in compiled.elements
    ]


def conflicts(*lines):
    return [astuple(conflict) for conflict in find_conflicts(lines)]


# --- Elements ----------------------------------------------------------------------------


def test_lines_of_one_bracket_share_an_element():
    compiled = tariff(line("FLAT", "1.00"), line("ENERGY", "0.39"), line("TIME", "0.05", step_size=60))
    # 0.05 a minute are 3.00 an hour
    assert prices(compiled) == [["FLAT 1.00", "ENERGY 0.39", "TIME 3.00"]]
    assert compiled.elements[0].restrictions is None
    assert compiled.elements[0].price_components[2].step_size == 60


def test_brackets_come_before_what_always_holds():
    compiled = tariff(
        line("ENERGY", "0.50"),
        line("ENERGY", "0.25", "22:00-06:00"),
        line("ENERGY", "0.30", weekdays=WEEKEND),
    )
    assert prices(compiled) == [["ENERGY 0.25"], ["ENERGY 0.30"], ["ENERGY 0.50"]]
    assert compiled.elements[0].restrictions == TariffRestrictions(start_time="22:00", end_time="06:00")
    assert compiled.elements[1].restrictions == TariffRestrictions(day_of_week=WEEKEND)


@pytest.mark.parametrize("hours", ["00:00-00:00", "07:30-07:30"])
def test_whole_day_and_whole_week_restrict_nothing(hours):
    compiled = tariff(line("ENERGY", "0.50"), line("FLAT", "1.00", hours, weekdays=WORKDAYS + WEEKEND))
    assert prices(compiled) == [["ENERGY 0.50", "FLAT 1.00"]]


def test_of_two_equal_lines_the_first_counts():
    assert prices(tariff(line("ENERGY", "0.50"), line("ENERGY", "0.40"))) == [["ENERGY 0.50"]]


def test_tariff_says_nothing_of_its_validity():
    compiled = tariff(line("ENERGY"))
    assert (compiled.start_date_time, compiled.end_date_time, compiled.type) == (None, None, "REGULAR")


# --- Free minutes ------------------------------------------------------------------------


def test_free_minutes_are_a_price_of_zero_before_the_priced_element():
    compiled = tariff(
        line("ENERGY", "0.39"),
        line("PARKING_TIME", "0.10", free_minutes=30, step_size=60),
    )
    assert prices(compiled) == [["PARKING_TIME 0"], ["ENERGY 0.39", "PARKING_TIME 6.00"]]
    free, priced = compiled.elements
    # 30 min x 60 s
    assert free.restrictions == TariffRestrictions(max_duration=1800)
    assert free.price_components[0].step_size == 60
    assert priced.restrictions is None


def test_free_minutes_keep_their_bracket():
    compiled = tariff(
        line("PARKING_TIME", "0.02"),
        line("PARKING_TIME", "0.10", "08:00-18:00", weekdays=WORKDAYS, free_minutes=60),
    )
    assert prices(compiled) == [["PARKING_TIME 0"], ["PARKING_TIME 6.00"], ["PARKING_TIME 1.20"]]
    assert compiled.elements[0].restrictions == TariffRestrictions(
        start_time="08:00", end_time="18:00", day_of_week=WORKDAYS, max_duration=3600
    )


def test_each_component_has_its_own_free_minutes():
    compiled = tariff(line("TIME", "0.05", free_minutes=20), line("PARKING_TIME", "0.10", free_minutes=10))
    assert prices(compiled) == [["PARKING_TIME 0"], ["TIME 0"], ["TIME 3.00", "PARKING_TIME 6.00"]]
    assert [element.restrictions.max_duration for element in compiled.elements[:2]] == [600, 1200]


def test_free_minutes_of_a_line_that_never_applies_free_nothing():
    compiled = tariff(line("TIME", "0.05"), line("TIME", "0.01", free_minutes=10))
    assert prices(compiled) == [["TIME 3.00"]]


# --- Limits ------------------------------------------------------------------------------


def test_limits_are_of_the_tariff_and_no_elements():
    compiled = tariff(line("MIN", "1.00"), line("ENERGY", "0.39"), line("MAX", "40.00"))
    assert (compiled.min_price, compiled.max_price) == (Price(Decimal("1.00")), Price(Decimal("40.00")))
    assert prices(compiled) == [["ENERGY 0.39"]]


def test_more_special_limit_wins():
    lines = (
        line("MAX", "40.00"),
        line("MAX", "30.00", location_group="city"),
        line("MAX", "20.00", customer_group="fleet"),
    )
    found = {
        groups: tariff(*lines, location_group=groups[0], customer_group=groups[1]).max_price.excl_vat
        for groups in variants(lines)
    }
    assert found == {
        (None, None): Decimal("40.00"),
        ("city", None): Decimal("30.00"),
        (None, "fleet"): Decimal("20.00"),
        # who the customer is goes before where it was
        ("city", "fleet"): Decimal("20.00"),
    }


# --- Groups ------------------------------------------------------------------------------


def test_variant_holds_the_lines_of_its_groups_and_those_for_all():
    lines = (
        line("ENERGY", "0.50"),
        line("ENERGY", "0.45", location_group="city"),
        line("ENERGY", "0.60", location_group="motorway"),
        line("ENERGY", "0.40", customer_group="fleet"),
    )
    assert prices(tariff(*lines)) == [["ENERGY 0.50"]]
    assert prices(tariff(*lines, location_group="motorway")) == [["ENERGY 0.60"], ["ENERGY 0.50"]]
    assert prices(tariff(*lines, location_group="city", customer_group="fleet")) == [
        ["ENERGY 0.40"],
        ["ENERGY 0.45"],
        ["ENERGY 0.50"],
    ]


def test_group_goes_before_bracket():
    lines = (
        line("ENERGY", "0.25", "22:00-06:00"),
        line("ENERGY", "0.45", location_group="city"),
        line("ENERGY", "0.35", "22:00-06:00", location_group="city"),
        line("ENERGY", "0.30", customer_group="fleet", location_group="city"),
        line("ENERGY", "0.31", customer_group="fleet"),
    )
    assert prices(tariff(*lines, location_group="city", customer_group="fleet")) == [
        ["ENERGY 0.30"],
        ["ENERGY 0.31"],
        ["ENERGY 0.35"],
        ["ENERGY 0.45"],
        ["ENERGY 0.25"],
    ]


def test_variants_have_ids_of_their_own_that_stay():
    lines = (line("ENERGY"), line("ENERGY", location_group="city"), line("ENERGY", customer_group="city"))
    ids = [tariff(*lines, location_group=place, customer_group=who).id for place, who in variants(lines)]
    assert ids[0] == "AC"
    assert len(set(ids)) == 4
    assert all(len(each) == len("AC-") + 6 for each in ids[1:])
    # The id is what partners store: it must not change with a release.
    assert tariff(*lines, location_group="city").id == "AC-2GLIMJ"


def test_variants_are_every_pair_of_groups_and_none():
    lines = (line("ENERGY"), line("FLAT", location_group="A"), line("FLAT", customer_group="X"))
    assert variants(lines) == ((None, None), (None, "X"), ("A", None), ("A", "X"))
    assert variants(()) == ((None, None),)


# --- Conflicts ---------------------------------------------------------------------------


def test_day_and_night_and_the_rest_do_not_conflict():
    assert not conflicts(
        line("ENERGY"),
        line("ENERGY", hours="22:00-06:00"),
        line("ENERGY", hours="06:00-09:00"),
        line("TIME", hours="08:00-10:00"),
        line("MIN"),
        line("MAX"),
    )


def test_brackets_that_overlap_are_told():
    assert conflicts(line("TIME", hours="08:00-18:00"), line("TIME", hours="17:59-20:00")) == [
        ("overlap", 1, 0)
    ]
    assert not conflicts(line("TIME", hours="08:00-18:00"), line("TIME", hours="18:00-20:00"))


def test_night_overlaps_the_early_morning():
    assert conflicts(line("TIME", hours="22:00-06:00"), line("TIME", hours="05:00-07:00")) == [
        ("overlap", 1, 0)
    ]


def test_hours_on_other_weekdays_do_not_overlap():
    assert not conflicts(
        line("TIME", hours="08:00-18:00", weekdays=WORKDAYS),
        line("TIME", hours="08:00-18:00", weekdays=WEEKEND),
    )


def test_weekday_is_that_of_the_minute_also_after_midnight():
    # Monday's night is Monday 00:00-06:00 and 22:00-24:00: nothing of it lies on Tuesday.
    night = line("TIME", hours="22:00-06:00", weekdays=("MONDAY",))
    assert not conflicts(night, line("TIME", hours="00:00-06:00", weekdays=("TUESDAY",)))
    assert conflicts(night, line("TIME", hours="00:00-06:00", weekdays=("MONDAY",))) == [
        ("unreachable", 1, 0)
    ]


def test_missing_hour_is_the_edge_of_the_day():
    evening = GridLine("TIME", Decimal("0.10"), start_time="18:00")
    assert conflicts(evening, line("TIME", hours="23:59-00:00")) == [("unreachable", 1, 0)]
    assert not conflicts(evening, GridLine("TIME", Decimal("0.10"), end_time="18:00"))


def test_narrow_line_after_a_wide_one_is_unreachable_and_before_it_an_overlap():
    wide = line("ENERGY", hours="08:00-18:00")
    narrow = line("ENERGY", hours="10:00-11:00")
    assert conflicts(wide, narrow) == [("unreachable", 1, 0)]
    assert conflicts(narrow, wide) == [("overlap", 1, 0)]


def test_lines_that_together_fill_the_week_leave_nothing_to_a_third():
    assert conflicts(
        line("ENERGY"),
        line("ENERGY", hours="00:00-12:00"),
        line("ENERGY", hours="12:00-00:00"),
    ) == [("unreachable", 0, 1)]


def test_second_line_of_the_same_kind_is_unreachable():
    assert conflicts(line("ENERGY"), line("ENERGY"), line("MAX"), line("MAX")) == [
        ("unreachable", 1, 0),
        ("unreachable", 3, 2),
    ]


def test_order_is_that_of_the_elements():
    # The second line's bracket stands first, because a line before it opened that bracket.
    assert conflicts(
        line("FLAT", hours="10:00-11:00"),
        line("ENERGY", hours="08:00-18:00"),
        line("ENERGY", hours="10:00-11:00"),
    ) == [("overlap", 1, 2)]


def test_lines_of_other_groups_do_not_conflict():
    assert not conflicts(
        line("ENERGY"),
        line("ENERGY", location_group="A"),
        line("ENERGY", customer_group="A"),
        line("ENERGY", location_group="A", customer_group="A"),
    )
    assert find_conflicts(
        (
            line("ENERGY"),
            line("ENERGY", location_group="A"),
            line("ENERGY", hours="08:00-09:00"),
            line("ENERGY", location_group="A"),
        )
    ) == (GridConflict("unreachable", 3, 1),)


# --- Membership of a group ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("short_id", "long_id", "expected"),
    [
        ("LOC-1", None, True),
        ("loc - 1", "", True),
        ("LOC-10", None, False),
        (None, "FR*RVR*E10", True),
        ("LOC-2", "fr*rvr*e1", True),
        ("FR*RVR*E1", "LOC-1", False),
        (None, None, False),
        ("", "", False),
    ],
)
def test_member_is_who_has_the_id_or_one_that_begins_so(short_id, long_id, expected):
    group = Membership.of_texts(" LOC-1 \n\nloc-3", "FR *RVR* E1\r\n")
    assert group.holds(short_id, long_id) is expected


def test_group_without_entries_holds_nobody():
    for text in (None, "", " \n\t\n"):
        assert not Membership.of_texts(text, text)
        assert not Membership.of_texts(text, text).holds("", "")


def test_first_group_that_holds_one_of_the_ids_counts():
    groups = [
        ("city", Membership.of_texts("LOC-1", None)),
        ("motorway", Membership.of_texts("LOC-1\nLOC-2", "FR*RVR*E7")),
    ]
    assert first_member(groups, "LOC-1", "FR*RVR*E7") == "city"
    assert first_member(groups, "LOC-2", None) == "motorway"
    assert first_member(groups, None, "FR*RVR*E71") == "motorway"
    assert first_member(groups, "LOC-3", None) is None

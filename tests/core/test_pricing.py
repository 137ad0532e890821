"""The engine's explanation, its notes and its refusals; prices are worked out beside each case."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from emsp_core.errors import PricingError
from emsp_core.invoicing import split
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import (
    ChargingPeriod,
    Dimension,
    Price,
    PriceComponent,
    Tariff,
    TariffElement,
    TariffRestrictions,
)
from emsp_core.pricing.engine import PricingRules, price
from emsp_core.pricing.grid import GridLine, compile_grid

PARIS = PricingRules("Europe/Paris", 2)
# 2026-10-05 10:00 in Paris, a Monday; 10 kWh and half an hour of charging, then 20 minutes parked.
CDR = parse_cdr(
    json.dumps(
        {
            "country_code": "FR",
            "party_id": "RVR",
            "id": "CDR-1",
            "start_date_time": "2026-10-05T08:00:00Z",
            "end_date_time": "2026-10-05T08:50:00Z",
            "cdr_token": {
                "country_code": "DE",
                "party_id": "SMO",
                "uid": "04A1",
                "type": "RFID",
                "contract_id": "DE-SMO-C1",
            },
            "auth_method": "WHITELIST",
            "cdr_location": {
                "id": "L1",
                "address": "Place Bellecour",
                "city": "Lyon",
                "country": "FRA",
                "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
                "evse_uid": "1",
                "evse_id": "FR*RVR*E1",
                "connector_id": "1",
                "connector_standard": "IEC_62196_T2",
                "connector_format": "SOCKET",
                "connector_power_type": "AC_3_PHASE",
            },
            "currency": "EUR",
            "charging_periods": [
                {
                    "start_date_time": "2026-10-05T08:00:00Z",
                    "dimensions": [{"type": "ENERGY", "volume": 10}, {"type": "TIME", "volume": 0.5}],
                },
                {
                    "start_date_time": "2026-10-05T08:30:00Z",
                    "dimensions": [{"type": "PARKING_TIME", "volume": 0.3333}],
                },
            ],
            "total_cost": {"excl_vat": 7.5},
            "total_energy": 10,
            "total_time": 0.8333,
            "total_parking_time": 0.3333,
            "last_updated": "2026-10-05T08:51:00Z",
        }
    )
)


def grid(*lines):
    return compile_grid(code="G", country_code="FR", party_id="RVR", currency="EUR", lines=lines)


def line(component, amount, **options):
    return GridLine(component, Decimal(amount), **options)


def tariff(*elements, **options):
    return Tariff(country_code="FR", party_id="RVR", id="T", currency="EUR", elements=elements, **options)


def element(*components, **restrictions):
    return TariffElement(
        tuple(PriceComponent(kind, Decimal(amount), 1) for kind, amount in components),
        TariffRestrictions(**restrictions) if restrictions else None,
    )


def codes(explanation):
    return [note.code for note in explanation.notes]


# --- Price and explanation ---------------------------------------------------------------


def test_each_period_says_what_it_cost_and_why():
    lines = (
        line("FLAT", "1.00"),
        line("ENERGY", "0.39"),
        line("TIME", "0.05"),
        line("PARKING_TIME", "0.10", step_size=60),
    )
    explanation = price(CDR, [grid(*lines)], PARIS)
    # 1.00 + 10 x 0.39 + 30 min x 0.05 + 20 min x 0.10
    assert explanation.totals.excl == Decimal("8.40")
    found = [(segment.dimension, segment.billed_volume, segment.amount) for segment in explanation.segments]
    third = Decimal(1200) / 3600
    assert found[0] == ("ENERGY", Decimal(10), Decimal("3.90"))
    assert found[1] == ("TIME", Decimal("0.5"), Decimal("1.50"))
    assert found[2] == ("FLAT", Decimal(1), Decimal("1.00"))
    assert found[3][0] == "PARKING_TIME" and abs(found[3][1] - third) < Decimal("1e-20")
    assert found[3][2] == Decimal("2.00")
    assert [segment.start for segment in explanation.segments][3] == CDR.start_date_time + timedelta(
        minutes=30
    )


def test_segments_and_adjustment_sum_to_the_total():
    low = replace(grid(line("ENERGY", "0.39")), min_price=Price(Decimal("5.00"), None))
    explanation = price(CDR, [low], PARIS)
    # 3.90, raised to 5.00
    assert (explanation.totals.excl, explanation.adjustment.excl) == (Decimal("5.00"), Decimal("1.10"))
    assert sum(segment.amount for segment in explanation.segments) + Decimal("1.10") == Decimal("5.00")
    assert [(part.component, part.amount) for part in split(explanation)] == [
        ("ENERGY", Decimal("3.90")),
        ("LIMIT", Decimal("1.10")),
    ]


def test_session_is_rounded_once_at_the_end():
    # 10 x 0.00049 + 0.5 h x 0.0098 = 0.0049 + 0.0049: each alone would be rounded to nothing
    both = tariff(element(("ENERGY", "0.00049"), ("TIME", "0.0098")))
    assert price(CDR, [both], PARIS).totals.excl == Decimal("0.01")
    assert price(CDR, [both], PricingRules("Europe/Paris", 4)).totals.excl == Decimal("0.0098")


def test_started_minutes_are_billed_once_for_the_session():
    # 30 min and 20 s of parking in two periods: 1,220 s become 21 minutes, not 20 + 1 by period
    parked = ChargingPeriod(
        CDR.charging_periods[1].start_date_time + timedelta(minutes=10),
        (Dimension("PARKING_TIME", Decimal("0.1722")),),
    )
    first = replace(CDR.charging_periods[1], dimensions=(Dimension("PARKING_TIME", Decimal("0.1667")),))
    cdr = replace(CDR, charging_periods=(CDR.charging_periods[0], first, parked))
    explanation = price(cdr, [grid(line("PARKING_TIME", "0.10", step_size=60))], PARIS)
    assert explanation.totals.excl == Decimal("2.10")


def test_credit_has_the_sessions_segments_and_a_negative_total():
    explanation = price(replace(CDR, credit=True), [grid(line("ENERGY", "0.39"))], PARIS)
    assert explanation.totals.excl == Decimal("-3.90")
    assert explanation.segments[0].amount == Decimal("3.90")
    [part] = split(explanation)
    assert (part.quantity, part.amount) == (Decimal(-10), Decimal("-3.90"))


def test_explanation_is_stored_as_text_that_loses_nothing():
    explanation = price(CDR, [grid(line("ENERGY", "0.3999"))], PricingRules("Europe/Paris", 4))
    stored = json.loads(json.dumps(explanation.to_json()))
    assert stored["totals"]["excl"] == "3.9990"
    assert stored["rules"] == {"time_zone": "Europe/Paris", "precision": 4, "reservation_expired": None}
    [segment] = stored["segments"]
    assert (segment["unit_price"], segment["start"]) == ("0.3999", "2026-10-05T08:00:00Z")
    assert Decimal(segment["amount"]) == Decimal("3.999")
    assert stored["tariffs"][0]["elements"][0]["price_components"][0]["price"] == "0.3999"


# --- Which price holds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "amount"),
    [
        (("09:00", "10:00"), "5.00"),  # ends where the session starts
        (("10:00", "11:00"), "2.50"),
        (("22:00", "10:01"), "2.50"),  # past midnight
        ((None, "10:01"), "2.50"),
        (("10:01", None), "5.00"),
    ],
)
def test_hours_are_those_of_the_charger(hours, amount):
    cheap = line("ENERGY", "0.25", start_time=hours[0], end_time=hours[1])
    assert price(CDR, [grid(line("ENERGY", "0.50"), cheap)], PARIS).totals.excl == Decimal(amount)


def test_weekday_is_the_chargers():
    monday = line("ENERGY", "0.25", weekdays=("MONDAY",))
    sunday = line("ENERGY", "0.30", weekdays=("SUNDAY",))
    assert price(CDR, [grid(monday, sunday)], PARIS).totals.excl == Decimal("2.50")
    # 08:00 UTC on Monday is 22:00 on Sunday in Honolulu
    assert price(CDR, [grid(monday, sunday)], PricingRules("Pacific/Honolulu")).totals.excl == Decimal("3.00")


@pytest.mark.parametrize("zone", [None, "", "Europe", "Mars/Olympus", "../etc"])
def test_unknown_zone_is_refused_where_hours_decide_and_ignored_where_not(zone):
    night = grid(line("ENERGY", "0.25", start_time="22:00", end_time="06:00"))
    with pytest.raises(PricingError) as caught:
        price(CDR, [night], PricingRules(zone))
    assert (caught.value.code, caught.value.path) == ("time_zone_unknown", "cdr_location.time_zone")
    assert price(CDR, [grid(line("ENERGY", "0.25"))], PricingRules(zone)).totals.excl == Decimal("2.50")


def test_price_that_changes_within_a_period_is_noted_and_the_start_decides():
    cheap = line("ENERGY", "0.25", start_time="09:00", end_time="10:15")
    explanation = price(CDR, [grid(cheap, line("ENERGY", "0.50"))], PARIS)
    assert explanation.totals.excl == Decimal("2.50")
    assert [
        (note.code, note.path) for note in explanation.notes if note.params == {"dimension": "ENERGY"}
    ] == [("spans_price_change", "charging_periods[0]")]


def test_power_comes_from_the_energy_where_the_period_does_not_say():
    # 10 kWh in half an hour are 20 kW
    fast = tariff(element(("ENERGY", "0.60"), min_power=Decimal(20)), element(("ENERGY", "0.40")))
    slow = tariff(element(("ENERGY", "0.60"), min_power=Decimal("20.1")), element(("ENERGY", "0.40")))
    assert price(CDR, [fast], PARIS).totals.excl == Decimal("6.00")
    assert price(CDR, [slow], PARIS).totals.excl == Decimal("4.00")


def test_condition_that_cannot_be_seen_holds_and_is_noted():
    limited = tariff(element(("ENERGY", "0.60"), max_current=Decimal(16)), element(("ENERGY", "0.40")))
    explanation = price(CDR, [limited], PARIS)
    assert explanation.totals.excl == Decimal("6.00")
    assert [note.params for note in explanation.notes if note.code == "unverifiable"] == [
        {"restriction": "max_current"}
    ]


def test_volume_without_a_price_is_noted():
    explanation = price(CDR, [grid(line("TIME", "0.05"))], PARIS)
    unpriced = [
        (note.path, note.params["dimension"]) for note in explanation.notes if note.code == "unpriced"
    ]
    assert unpriced == [("charging_periods[0]", "ENERGY"), ("charging_periods[1]", "PARKING_TIME")]


# --- What does not add up ------------------------------------------------------------------------


def test_totals_that_differ_are_noted_and_the_periods_are_priced():
    cdr = replace(CDR, total_energy=Decimal(11), total_parking_time=Decimal(1))
    explanation = price(cdr, [grid(line("ENERGY", "0.39"), line("PARKING_TIME", "0.10"))], PARIS)
    assert explanation.totals.excl == Decimal("5.90")
    assert codes(explanation) == ["energy_sum", "parking_sum", "unpriced"]


def test_periods_out_of_order_are_sorted():
    cdr = replace(CDR, charging_periods=CDR.charging_periods[::-1])
    lines = (line("ENERGY", "0.39"), line("TIME", "0.05"), line("PARKING_TIME", "0.10"))
    assert price(cdr, [grid(*lines)], PARIS).totals == price(CDR, [grid(*lines)], PARIS).totals
    assert codes(price(cdr, [grid(*lines)], PARIS)) == ["periods_unsorted"]


# --- Refusals ----------------------------------------------------------------------------------------


def test_session_without_a_valid_tariff_is_refused():
    future = replace(grid(line("ENERGY", "0.39")), start_date_time=CDR.start_date_time + timedelta(seconds=1))
    for tariffs in ([], [future]):
        with pytest.raises(PricingError) as caught:
            price(CDR, tariffs, PARIS)
        assert caught.value.code == "no_tariff"


def test_other_currency_is_refused():
    with pytest.raises(PricingError) as caught:
        price(replace(CDR, currency="CHF"), [grid(line("ENERGY", "0.39"))], PARIS)
    assert (caught.value.code, caught.value.path) == ("currency_mismatch", "currency")


def test_period_that_names_an_unknown_tariff_is_refused():
    named = replace(CDR.charging_periods[0], tariff_id="ELSEWHERE")
    cdr = replace(CDR, charging_periods=(named,))
    with pytest.raises(PricingError) as caught:
        price(cdr, [grid(line("ENERGY", "0.39"))], PARIS)
    assert caught.value.path == "charging_periods[0].tariff_id"


@pytest.mark.parametrize("hour", ["25:00", "noon", "10:00+02:00"])
def test_hour_that_is_none_is_refused_by_name(hour):
    with pytest.raises(PricingError) as caught:
        price(CDR, [grid(line("ENERGY", "0.39", start_time=hour))], PARIS)
    assert (caught.value.code, caught.value.path) == ("invalid_time", "elements[0].restrictions.start_time")


# --- Price grids -----------------------------------------------------------------------------------


def test_grid_becomes_one_element_for_each_bracket_the_restricted_ones_first():
    night = {"start_time": "22:00", "end_time": "06:00"}
    compiled = grid(
        line("FLAT", "1.00"),
        line("ENERGY", "0.50"),
        line("ENERGY", "0.25", **night),
        line("TIME", "0.02", **night),
    )
    restricted, always = compiled.elements
    assert restricted.restrictions.start_time == "22:00"
    # 0.02 per minute are 1.20 per hour
    assert [(part.type, part.price) for part in restricted.price_components] == [
        ("ENERGY", Decimal("0.25")),
        ("TIME", Decimal("1.20")),
    ]
    assert [part.type for part in always.price_components] == ["FLAT", "ENERGY"]
    assert always.restrictions is None


def test_price_of_zero_is_a_price():
    explanation = price(CDR, [grid(line("ENERGY", "0"))], PARIS)
    assert explanation.totals.excl == Decimal("0.00")
    assert [segment.dimension for segment in explanation.segments] == ["ENERGY"]

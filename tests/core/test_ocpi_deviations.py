"""What peers send beside the specification: it is taken, understood, and told."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.deviations import Deviation, find_deviations
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import Price, Tax
from emsp_core.ocpi.tolerances import LAX

DATA = Path(__file__).parent / "data" / "ocpi"


def cdr_with(change, name="credit_cdr"):
    tree = json.loads((DATA / f"{name}.json").read_bytes())
    change(tree)
    return json.dumps(tree).encode()


def setting(*path):
    *way, field, value = path

    def change(tree):
        for step in way:
            tree = tree[step]
        tree[field] = value

    return change


@pytest.mark.parametrize("name", ["full_cdr", "credit_cdr", "reservation_cdr"])
def test_cdr_by_the_book_deviates_in_nothing(name):
    assert find_deviations((DATA / f"{name}.json").read_bytes()) == ()


def test_fields_the_text_requires_and_we_can_do_without_are_told():
    missing = find_deviations((DATA / "minimal_cdr.json").read_bytes())
    assert {each.code for each in missing} == {"missing"}
    assert [each.path for each in missing] == [
        *("cdr_token.country_code", "cdr_token.party_id", "cdr_token.type"),
        *("cdr_location.id", "cdr_location.address", "cdr_location.city", "cdr_location.country"),
        *("cdr_location.coordinates", "cdr_location.evse_uid", "cdr_location.evse_id"),
        *("cdr_location.connector_id", "cdr_location.connector_standard"),
        *("cdr_location.connector_format", "cdr_location.connector_power_type"),
    ]


def test_null_and_blank_optional_fields_are_absent_without_a_word():
    def change(tree):
        for name in ("authorization_reference", "meter_id", "signed_data", "tariffs", "remark"):
            tree[name] = None
        for name in ("total_parking_time", "total_time_cost", "invoice_reference_id"):
            tree[name] = ""
        tree["cdr_location"]["name"] = "  "
        tree["home_charging_compensation"] = None

    raw = cdr_with(change)
    cdr = parse_cdr(raw)
    assert (cdr.authorization_reference, cdr.meter_id, cdr.signed_data, cdr.remark) == (None,) * 4
    assert (cdr.total_parking_time, cdr.total_time_cost, cdr.invoice_reference_id) == (None,) * 3
    assert (cdr.tariffs, cdr.home_charging_compensation, cdr.cdr_location.name) == ((), False, None)
    assert find_deviations(raw) == ()


def test_texts_over_their_length_are_kept_whole():
    raw = cdr_with(setting("cdr_location", "address", "Hafenstraße " * 15))
    assert parse_cdr(raw).cdr_location.address == "Hafenstraße " * 15
    assert find_deviations(raw) == (
        Deviation("too_long", "cdr_location.address", "at most 45 characters", "180 characters"),
    )


def test_numbers_as_strings_are_taken_from_lax_connections_only():
    def change(tree):
        tree["total_energy"] = "7.25"
        tree["total_cost"]["excl_vat"] = "-3.19"
        tree["charging_periods"][0]["dimensions"][0]["volume"] = "7.250000000000000001"

    raw = cdr_with(change)
    with pytest.raises(PayloadError, match="expected a number, got '7.250000000000000001'"):
        parse_cdr(raw)
    cdr = parse_cdr(raw, tolerances=LAX)
    assert cdr.total_energy == Decimal("7.25")
    assert cdr.total_cost.excl_vat == Decimal("-3.19")
    assert cdr.charging_periods[0].dimensions[0].volume == Decimal("7.250000000000000001")
    assert [(each.code, each.path) for each in find_deviations(raw, tolerances=LAX)] == [
        ("text_for_number", "charging_periods[0].dimensions[0].volume"),
        ("text_for_number", "total_cost.excl_vat"),
        ("text_for_number", "total_energy"),
    ]


@pytest.mark.parametrize("text", ["abc", "7,25", "NaN", "Infinity", "1e400"])
def test_strings_that_are_no_number_are_refused_even_when_lax(text):
    with pytest.raises(PayloadError) as refusal:
        parse_cdr(cdr_with(setting("total_energy", text)), tolerances=LAX)
    assert refusal.value.path == "total_energy"
    assert refusal.value.params["got"] == repr(text)


def test_bare_number_is_a_price_without_vat():
    raw = cdr_with(setting("total_cost", -3.19))
    assert parse_cdr(raw).total_cost == Price(Decimal("-3.19"), None)
    assert find_deviations(raw) == (Deviation("number_for_price", "total_cost", "an object", "-3.19"),)


def test_price_of_ocpi_230_is_understood():
    # 3.19 before taxes, 19 % of it 0.6061: 3.7961 with them
    price = {
        "before_taxes": 3.19,
        "taxes": [{"name": "MwSt", "percentage": 19, "amount": 0.6}, {"name": "Rest", "amount": 0.0061}],
    }
    raw = cdr_with(setting("total_cost", price))
    taxes = (Tax("MwSt", Decimal("0.6"), Decimal(19)), Tax("Rest", Decimal("0.0061")))
    assert parse_cdr(raw).total_cost == Price(Decimal("3.19"), Decimal("3.7961"), taxes)
    assert [(each.code, each.path) for each in find_deviations(raw)] == [
        ("foreign_price", "total_cost.excl_vat"),
        ("unknown_field", "total_cost.before_taxes"),
        ("unknown_field", "total_cost.taxes"),
    ]
    without_taxes = cdr_with(setting("total_cost", {"before_taxes": 3.19}))
    assert parse_cdr(without_taxes).total_cost == Price(Decimal("3.19"), None)


def test_unknown_fields_and_codes_are_no_reason_to_refuse():
    def change(tree):
        tree["cdr_token"]["type"] = "EMAID"
        tree["cdr_location"]["connector_standard"] = "SAE_J3400"
        tree["charging_periods"][0]["dimensions"].append({"type": "NOISE", "volume": 41})
        tree["x_loyalty"] = {"points": 3}

    raw = cdr_with(change)
    cdr = parse_cdr(raw)
    assert cdr.cdr_token.type == "EMAID"
    assert cdr.cdr_location.connector_standard == "SAE_J3400"
    assert cdr.charging_periods[0].dimensions[1].type == "NOISE"
    assert [(each.code, each.path, each.found) for each in find_deviations(raw)] == [
        ("unknown_code", "cdr_token.type", "'EMAID'"),
        ("unknown_code", "cdr_location.connector_standard", "'SAE_J3400'"),
        ("unknown_code", "charging_periods[0].dimensions[1].type", "'NOISE'"),
        ("unknown_field", "x_loyalty", "an object"),
    ]


def test_alpha_2_country_of_the_location_is_mapped():
    raw = cdr_with(setting("cdr_location", "country", "de"))
    assert parse_cdr(raw).cdr_location.country == "DEU"
    assert find_deviations(raw) == (Deviation("not_alpha_3", "cdr_location.country", "DEU", "'de'"),)


def test_coordinates_as_numbers_and_a_time_zone_are_understood():
    def change(tree):
        tree["cdr_location"]["coordinates"] = {"latitude": 51.95033, "longitude": "7.63901"}
        tree["cdr_location"]["time_zone"] = "Europe/Berlin"

    location = parse_cdr(cdr_with(change)).cdr_location
    assert (location.latitude, location.longitude) == ("51.95033", "7.63901")
    assert location.time_zone == "Europe/Berlin"


def test_tariff_inside_a_cdr_belongs_to_its_owner_unless_it_says_otherwise():
    tariff = {"id": "T", "currency": "EUR", "elements": [], "country_code": "AT"}
    raw = cdr_with(setting("tariffs", [tariff]))
    assert parse_cdr(raw).tariffs[0].key == "AT*STW*T"
    assert [(each.code, each.path) for each in find_deviations(raw)] == [
        ("missing", "tariffs[0].party_id"),
        ("missing", "tariffs[0].last_updated"),
    ]


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "1970-1-1T00:00:00Z"])
def test_placeholder_for_unknown_times_is_taken_in_both_spellings(text):
    # OCPI 2.2.1, 10.3.1 (note): the second one stands in the text
    cdr = parse_cdr(cdr_with(setting("end_date_time", text)))
    assert cdr.end_date_time == datetime(1970, 1, 1, tzinfo=UTC)


def test_what_makes_no_sense_is_left_to_the_checks():
    def change(tree):
        tree["start_date_time"], tree["end_date_time"] = tree["end_date_time"], tree["start_date_time"]
        tree["charging_periods"][0]["start_date_time"] = "2026-02-03T05:00:00+02:00"
        tree["total_energy"] = -9.5
        tree["total_time"] = 2700

    cdr = parse_cdr(cdr_with(change))
    assert cdr.end_date_time < cdr.start_date_time
    assert cdr.charging_periods[0].start_date_time == datetime(2026, 2, 3, 3, tzinfo=UTC)
    assert (cdr.total_energy, cdr.total_time) == (Decimal("-9.5"), 2700)


def test_what_cannot_be_parsed_has_no_deviations_but_the_same_refusal():
    raw = cdr_with(setting("total_time", []))
    with pytest.raises(PayloadError, match="total_time: expected a number, got an empty list"):
        find_deviations(raw)

"""CDRs and tariffs of OCPI 2.1.1: the same objects as those of later versions."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.deviations import Deviation, find_deviations
from emsp_core.ocpi.normalise import parse_cdr, parse_tariff, tariff_payload, write_json
from emsp_core.ocpi.objects import (
    CdrLocation,
    CdrToken,
    DisplayText,
    Price,
    PriceComponent,
    Tariff,
    TariffElement,
    TariffRestrictions,
)

DATA = Path(__file__).parent / "data" / "ocpi" / "v211"
VERSION = "2.1.1"
ABSENT = object()


def raw(name="cdr"):
    return (DATA / f"{name}.json").read_bytes()


def changed(*changes, name="cdr"):
    """The payload with fields set or taken out: changed((("location", "id"), ABSENT))."""
    tree = json.loads(raw(name))
    for (*way, field), value in changes:
        node = tree
        for step in way:
            node = node[step]
        if value is ABSENT:
            del node[field]
        else:
            node[field] = value
    return json.dumps(tree).encode()


def deviations(payload):
    return [(each.code, each.path) for each in find_deviations(payload, VERSION)]


def refusal_of(payload, reader=parse_cdr):
    with pytest.raises(PayloadError) as refusal:
        reader(payload, VERSION)
    return refusal.value


def test_cdr_is_read_field_by_field():
    cdr = parse_cdr(raw(), VERSION)
    assert cdr.key == "NL*LDP*LDP-2024-118830"
    assert cdr.start_date_time == datetime(2024, 5, 17, 6, 58, 4, tzinfo=UTC)
    assert cdr.end_date_time == datetime(2024, 5, 17, 9, 10, 34, tzinfo=UTC)
    assert cdr.auth_method == "AUTH_REQUEST"
    assert cdr.meter_id == "0021-77-8813"
    assert cdr.currency == "EUR"
    assert cdr.total_cost == Price(Decimal("7.8585"), None)
    assert (cdr.total_energy, cdr.total_time) == (Decimal("17.046"), Decimal("2.2083"))
    assert cdr.total_parking_time == Decimal("0.5")
    assert cdr.remark == "Stekker ontgrendeld door app"
    assert cdr.last_updated == datetime(2024, 5, 17, 9, 11, tzinfo=UTC)
    assert find_deviations(raw(), VERSION) == ()


def test_what_the_version_has_no_field_for_is_left_open():
    cdr = parse_cdr(raw(), VERSION)
    assert (cdr.session_id, cdr.authorization_reference, cdr.signed_data) == (None,) * 3
    assert (cdr.total_fixed_cost, cdr.total_energy_cost, cdr.total_time_cost) == (None,) * 3
    assert (cdr.total_parking_cost, cdr.total_reservation_cost) == (None, None)
    assert (cdr.credit, cdr.credit_reference_id, cdr.home_charging_compensation) == (False, None, False)


def test_token_is_known_by_one_id_and_without_its_owner():
    assert parse_cdr(raw(), VERSION).cdr_token == CdrToken(
        uid="DE-NRG-C00482913-7", contract_id="DE-NRG-C00482913-7"
    )


def test_location_holds_the_evse_and_the_connector_of_the_session():
    assert parse_cdr(raw(), VERSION).cdr_location == CdrLocation(
        id="UTRECHT-JAARBEURS",
        name="Jaarbeurs P3",
        address="Croeselaan 2",
        city="Utrecht",
        postal_code="3521CA",
        country="NLD",
        latitude="52.084910",
        longitude="5.105300",
        evse_uid="P3-014",
        evse_id="NL*LDP*E0014*2",
        connector_id="2",
        connector_standard="IEC_62196_T2",
        connector_format="SOCKET",
        connector_power_type="AC_3_PHASE",
        time_zone="Europe/Amsterdam",
    )


def test_periods_keep_a_flat_dimension_that_has_no_use():
    first, second = parse_cdr(raw(), VERSION).charging_periods
    assert [(each.type, str(each.volume)) for each in first.dimensions] == [
        ("FLAT", "1"),
        ("ENERGY", "17.046"),
        ("TIME", "1.7083"),
        ("MAX_CURRENT", "15.8"),
        ("MIN_CURRENT", "6"),
    ]
    assert second.start_date_time == datetime(2024, 5, 17, 8, 40, 34, tzinfo=UTC)
    assert [(each.type, each.volume) for each in second.dimensions] == [("PARKING_TIME", Decimal("0.5"))]
    assert (first.tariff_id, second.tariff_id) == (None, None)


def test_tariff_inside_a_cdr_is_its_owners():
    (tariff,) = parse_cdr(raw(), VERSION).tariffs
    restrictions = TariffRestrictions(
        start_time="07:00",
        end_time="19:30",
        start_date="2024-01-01",
        end_date="2025-01-01",
        min_kwh=Decimal("0.5"),
        max_kwh=Decimal(60),
        min_power=Decimal("1.4"),
        max_power=Decimal("22.2"),
        min_duration=120,
        max_duration=43200,
        day_of_week=("MONDAY", "FRIDAY"),
    )
    flat, energy = PriceComponent("FLAT", Decimal("0.35")), PriceComponent("ENERGY", Decimal("0.37"), 10)
    parking = PriceComponent("PARKING_TIME", Decimal("2.40"), 900)
    assert tariff == Tariff(
        country_code="NL",
        party_id="LDP",
        id="P3-WEEK",
        currency="EUR",
        elements=(TariffElement((flat, energy), restrictions), TariffElement((parking,))),
        tariff_alt_text=(DisplayText("nl", "0,37 per kWh, daarna 2,40 per uur"),),
        tariff_alt_url="https://laadpalen.example/p3",
        last_updated=datetime(2023, 12, 21, 13, 37, tzinfo=UTC),
        version="2.1.1",
    )


def test_cdr_that_leaves_out_what_can_be_done_without_is_taken():
    cdr = parse_cdr(raw("bare_cdr"), VERSION)
    assert cdr.key == "**88-20240602-3"
    assert cdr.end_date_time == datetime(2024, 6, 2, 10, 45, tzinfo=UTC)
    assert cdr.cdr_token == CdrToken(uid="", contract_id="")
    assert (cdr.auth_method, cdr.cdr_location, cdr.tariffs) == ("", CdrLocation(), ())
    assert cdr.total_cost == Price(Decimal("3.30"), None)
    assert find_deviations(raw("bare_cdr"), VERSION) == (
        Deviation("missing", "stop_date_time", "a value", "nothing"),
        Deviation("unknown_field", "end_date_time", "nothing", "'2024-06-02T10:45:00Z'"),
        Deviation("missing", "auth_id", "a value", "nothing"),
        Deviation("missing", "auth_method", "a value", "nothing"),
        Deviation("missing", "location", "a value", "nothing"),
        Deviation("text_for_number", "total_cost", "a number", "'3.30'"),
    )


def test_of_two_ends_the_versions_own_counts():
    payload = changed((("end_date_time",), "2024-05-17T23:00:00Z"))
    assert parse_cdr(payload, VERSION).end_date_time == datetime(2024, 5, 17, 9, 10, 34, tzinfo=UTC)
    assert deviations(payload) == [("unknown_field", "end_date_time")]


EVSE = ("location", "evses", 0)


@pytest.mark.parametrize(
    ("evse_id", "uid", "location_id", "owner"),
    [
        ("NL*TNM*E1", "FR*ABC*E2", "DE*XYZ*L3", ("NL", "TNM")),
        ("BE-BEC-E041503003", "3256", "LOC1", ("BE", "BEC")),
        ("fr*55c*E78000*48", "1", "LOC1", ("fr", "55c")),
        ("E014", "DE*ABC*E2", "FR*XYZ", ("DE", "ABC")),
        (None, "P3-014", "FR*55C*P78000*VERSAILLES", ("FR", "55C")),
        (None, "P3-014", "AT-WEN", ("AT", "WEN")),
        # No separators, no such country, no operator: nothing to go by.
        ("NLTNME1", "P3-014", "LOC1", ("", "")),
        ("QQ*TNM*E1", "P3-014", "EV-001", ("", "")),
        ("NL*TNMX*E1", "NL*TN*E1", "NL", ("", "")),
        (None, None, None, ("", "")),
    ],
)
def test_owner_is_read_off_the_ids_of_evse_and_location(evse_id, uid, location_id, owner):
    payload = changed(((*EVSE, "evse_id"), evse_id), ((*EVSE, "uid"), uid), (("location", "id"), location_id))
    cdr = parse_cdr(payload, VERSION)
    assert (cdr.country_code, cdr.party_id) == owner
    assert (cdr.tariffs[0].country_code, cdr.tariffs[0].party_id) == owner


def test_owner_that_the_sender_names_counts_more_than_an_id():
    payload = changed((("country_code",), "DE"), (("party_id",), "HUB"))
    cdr = parse_cdr(payload, VERSION)
    assert (cdr.country_code, cdr.party_id) == ("DE", "HUB")
    assert deviations(payload) == [("unknown_field", "country_code"), ("unknown_field", "party_id")]


def test_half_an_owner_is_none():
    cdr = parse_cdr(changed((("country_code",), "DE")), VERSION)
    assert (cdr.country_code, cdr.party_id) == ("NL", "LDP")


def test_among_several_evses_none_is_taken_for_the_one():
    evses = json.loads(raw())["location"]["evses"]
    payload = changed((("location", "evses"), evses * 2))
    cdr = parse_cdr(payload, VERSION)
    location = cdr.cdr_location
    assert (location.evse_uid, location.evse_id, location.connector_power_type) == (None,) * 3
    assert (location.city, cdr.party_id) == ("Utrecht", "LDP")
    assert find_deviations(payload, VERSION) == (
        Deviation("not_one", "location.evses", "one entry", "2 entries"),
    )


def test_among_several_connectors_none_is_taken_for_the_one():
    connectors = json.loads(raw())["location"]["evses"][0]["connectors"]
    payload = changed(((*EVSE, "connectors"), connectors * 3))
    location = parse_cdr(payload, VERSION).cdr_location
    assert (location.evse_uid, location.connector_id, location.connector_standard) == ("P3-014", None, None)
    assert deviations(payload) == [("not_one", "location.evses[0].connectors")]


def test_location_without_evses_is_told():
    payload = changed((("location", "evses"), []))
    assert parse_cdr(payload, VERSION).cdr_location.evse_id is None
    assert deviations(payload) == [("not_one", "location.evses")]
    assert deviations(changed((("location", "evses"), ABSENT))) == [("missing", "location.evses")]


def test_country_of_two_letters_is_mapped_and_told():
    payload = changed((("location", "country"), "NL"))
    assert parse_cdr(payload, VERSION).cdr_location.country == "NLD"
    assert find_deviations(payload, VERSION) == (Deviation("not_alpha_3", "location.country", "NLD", "'NL'"),)


def test_numbers_as_strings_need_no_lax_connection():
    # the example of OCPI 2.1.1, 10.3.1 has a price as "2.00"
    price = ("tariffs", 0, "elements", 0, "price_components", 1, "price")
    payload = changed((price, "0.3700"), (("total_cost",), "7.8585"), (("total_energy",), "17.046"))
    assert parse_cdr(payload, VERSION) == parse_cdr(raw(), VERSION)
    assert find_deviations(payload, VERSION) == (
        Deviation(
            "text_for_number", "tariffs[0].elements[0].price_components[1].price", "a number", "'0.3700'"
        ),
        Deviation("text_for_number", "total_cost", "a number", "'7.8585'"),
        Deviation("text_for_number", "total_energy", "a number", "'17.046'"),
    )


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ({"excl_vat": 7.5, "incl_vat": 9.0}, Price(Decimal("7.5"), Decimal("9.0"))),
        ({"before_taxes": 7.5, "taxes": []}, Price(Decimal("7.5"), Decimal("7.5"))),
    ],
)
def test_price_of_a_later_version_is_understood(price, expected):
    payload = changed((("total_cost",), price))
    assert parse_cdr(payload, VERSION).total_cost == expected
    assert find_deviations(payload, VERSION) == (
        Deviation("price_for_number", "total_cost", "a number", "an object"),
    )


def test_fields_of_later_versions_are_understood_and_told():
    payload = changed(
        (("session_id",), "S-77"),
        (("credit",), True),
        (("credit_reference_id",), "LDP-2024-118001"),
        (("total_energy_cost",), 6.3085),
        (("signed_data",), {"encoding_method": "OCMF", "plain": None}),
        (("charging_periods", 1, "tariff_id"), "P3-WEEK"),
        (("tariffs", 0, "country_code"), "BE"),
        (("tariffs", 0, "start_date_time"), "2024-01-01T00:00:00+01:00"),
        (("tariffs", 0, "min_price"), 0.5),
        (("tariffs", 0, "max_price"), {"excl_vat": 40, "incl_vat": 48.4}),
        (("tariffs", 0, "elements", 1, "restrictions"), {"reservation": "RESERVATION"}),
        (("tariffs", 0, "elements", 1, "price_components", 0, "vat"), 21),
    )
    cdr = parse_cdr(payload, VERSION)
    assert (cdr.session_id, cdr.credit, cdr.credit_reference_id) == ("S-77", True, "LDP-2024-118001")
    assert cdr.total_energy_cost == Price(Decimal("6.3085"))
    assert cdr.signed_data == {"encoding_method": "OCMF", "plain": None}
    assert cdr.charging_periods[1].tariff_id == "P3-WEEK"
    (tariff,) = cdr.tariffs
    assert tariff.key == "BE*LDP*P3-WEEK"
    assert tariff.start_date_time == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert (tariff.min_price, tariff.max_price) == (
        Price(Decimal("0.5")),
        Price(Decimal(40), Decimal("48.4")),
    )
    assert tariff.elements[1].restrictions == TariffRestrictions(reservation="RESERVATION")
    assert tariff.elements[1].price_components[0].vat == 21
    found = deviations(payload)
    assert {code for code, _ in found} == {"unknown_field"}
    assert len(found) == 12


def test_codes_of_later_versions_are_kept_and_told():
    payload = changed(
        (("auth_method",), "COMMAND"),
        ((*EVSE, "connectors", 0, "power_type"), "AC_2_PHASE"),
        (("charging_periods", 1, "dimensions", 0, "type"), "RESERVATION_TIME"),
    )
    cdr = parse_cdr(payload, VERSION)
    assert (cdr.auth_method, cdr.cdr_location.connector_power_type) == ("COMMAND", "AC_2_PHASE")
    assert cdr.charging_periods[1].dimensions[0].type == "RESERVATION_TIME"
    found = find_deviations(payload, VERSION)
    assert {each.code for each in found} == {"unknown_code"}
    assert {each.expected for each in found} == {"a code of OCPI 2.1.1"}
    assert [each.found for each in found] == ["'COMMAND'", "'AC_2_PHASE'", "'RESERVATION_TIME'"]


REQUIRED = [
    *("id", "start_date_time", "stop_date_time", "currency", "charging_periods"),
    *("total_cost", "total_energy", "total_time", "last_updated"),
]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [ABSENT, None, " "], ids=["absent", "null", "blank"])
def test_missing_required_field_is_named(name, value):
    refusal = refusal_of(changed(((name,), value)))
    assert (refusal.code, refusal.path) == ("missing_field", name)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("total_cost",), [], "total_cost: expected a number, got an empty list"),
        (("total_cost",), "free", "total_cost: expected a number, got 'free'"),
        (("total_cost",), ABSENT, "total_cost: expected a number, got nothing"),
        (("total_cost",), {"incl_vat": 9}, "total_cost.excl_vat: expected a number, got nothing"),
        (("total_energy",), "1e400", None),
        (("charging_periods",), [], "charging_periods: expected a list with at least one entry, got an"),
        (("location",), "LOC1", "location: expected an object, got 'LOC1'"),
        (("location", "evses"), {"uid": "1"}, "location.evses: expected a list, got an object"),
        ((*EVSE, "connectors", 0, "id"), 2, "location.evses[0].connectors[0].id: expected a text, got 2"),
        (("stop_date_time",), "later", "stop_date_time: expected a date and time such as"),
        (
            ("tariffs", 0, "elements", 0, "price_components", 1, "price"),
            "a lot",
            "tariffs[0].elements[0].price_components[1].price: expected a number, got 'a lot'",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(path, value, message):
    payload = changed((path, value))
    refusal = refusal_of(payload)
    spelt = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    assert refusal.path.startswith(spelt)
    assert str(refusal).startswith(message or f"{spelt}: expected a number below 10^21")
    with pytest.raises(PayloadError):
        find_deviations(payload, VERSION)


def test_tariff_by_itself_has_no_owner():
    tariff = parse_tariff(raw("tariff"), VERSION)
    assert tariff.key == "**KERB-NIGHT"
    assert (tariff.currency, tariff.version) == ("EUR", "2.1.1")
    assert tariff.tariff_alt_text == (DisplayText("nl", "'s nachts 0,25 per kWh"),)
    assert tariff.tariff_alt_url == "https://laadpalen.example/kerb"
    assert tariff.last_updated == datetime(2024, 2, 1, tzinfo=UTC)
    night, weekend = tariff.elements
    assert night == TariffElement(
        (PriceComponent("ENERGY", Decimal("0.2500")),),
        TariffRestrictions(start_time="21:00", end_time="07:00"),
    )
    assert weekend == TariffElement(
        (PriceComponent("ENERGY", Decimal("0.41")), PriceComponent("PARKING_TIME", Decimal(3), 300)),
        TariffRestrictions(min_duration=60, day_of_week=("SATURDAY", "SUNDAY")),
    )


def test_tariff_survives_the_way_out_and_in():
    tariff = parse_tariff(raw("tariff"), VERSION)
    text = write_json(tariff_payload(tariff, VERSION))
    assert b'"price":0.2500' in text
    assert parse_tariff(text, VERSION) == tariff


def test_tariff_leaves_with_what_the_version_has_and_in_plain_numbers():
    full = Tariff(
        country_code="NL",
        party_id="LDP",
        id="T",
        currency="EUR",
        type="REGULAR",
        min_price=Price(Decimal(1), Decimal("1.21")),
        max_price=Price(Decimal(50)),
        start_date_time=datetime(2024, 1, 1, tzinfo=UTC),
        end_date_time=datetime(2025, 1, 1, tzinfo=UTC),
        tax_included="NO",
        preauthorize_amount=Decimal(40),
        elements=(
            TariffElement(
                (PriceComponent("TIME", Decimal(3), 60),), TariffRestrictions(reservation="RESERVATION")
            ),
            TariffElement(
                (PriceComponent("TIME", Decimal(9), 60),), TariffRestrictions(min_current=Decimal(32))
            ),
            TariffElement(
                (PriceComponent("ENERGY", Decimal("0.40"), 1, Decimal(21)),),
                TariffRestrictions(max_power=Decimal(22), day_of_week=("SUNDAY",)),
            ),
        ),
        last_updated=datetime(2024, 1, 1, tzinfo=UTC),
    )
    assert tariff_payload(full, VERSION) == {
        "id": "T",
        "currency": "EUR",
        "elements": [
            {
                "price_components": [{"type": "ENERGY", "price": Decimal("0.40"), "step_size": 1}],
                "restrictions": {"max_power": Decimal(22), "day_of_week": ["SUNDAY"]},
            }
        ],
        "last_updated": "2024-01-01T00:00:00Z",
    }


def test_tariff_that_names_its_owner_keeps_it():
    payload = changed((("country_code",), "NL"), (("party_id",), "LDP"), name="tariff")
    tariff = parse_tariff(payload, VERSION)
    assert tariff == replace(parse_tariff(raw("tariff"), VERSION), country_code="NL", party_id="LDP")


@pytest.mark.parametrize("name", ["id", "currency", "elements"])
def test_tariff_without_id_currency_or_elements_is_refused(name):
    refusal = refusal_of(changed(((name,), ABSENT), name="tariff"), parse_tariff)
    assert (refusal.code, refusal.path) == ("missing_field", name)

"""A CDR of OCPI 2.2.1 on its way in: what is taken, as what, and what is refused with which words."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import NOT_AVAILABLE, DisplayText, Price, PriceComponent, TariffRestrictions

DATA = Path(__file__).parent / "data" / "ocpi"
ABSENT = object()


def payload(name="full_cdr"):
    return (DATA / f"{name}.json").read_bytes()


def changed(path, value, name="full_cdr"):
    """The payload with one field set, or taken out: changed(("tariffs", 0, "id"), ABSENT)."""
    tree = json.loads(payload(name))
    *way, field = path
    node = tree
    for step in way:
        node = node[step]
    if value is ABSENT:
        del node[field]
    else:
        node[field] = value
    return json.dumps(tree).encode()


def spelt(path):
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]


def refusal_of(raw, **options):
    with pytest.raises(PayloadError) as refusal:
        parse_cdr(raw, **options)
    return refusal.value


def test_full_cdr_is_read_field_by_field():
    cdr = parse_cdr(payload())
    assert cdr.key == "FR*VLT*VLT-2026-0314-000417"
    assert cdr.start_date_time == datetime(2026, 3, 14, 17, 32, 10, tzinfo=UTC)
    assert cdr.end_date_time == datetime(2026, 3, 14, 19, 41, 55, tzinfo=UTC)
    assert cdr.session_id == "9f1c2b7e-6a55-4b8e-9d1e-0c1f5c3a7d21"
    assert cdr.auth_method == "AUTH_REQUEST"
    assert cdr.authorization_reference == "NRG-AUTH-77120934"
    assert cdr.meter_id == "IEM3155-22017734"
    assert cdr.currency == "EUR"
    assert cdr.total_cost == Price(Decimal("7.6859"), Decimal("9.22308"))
    assert cdr.total_fixed_cost == Price(Decimal(1), Decimal("1.2"))
    assert cdr.total_energy == 15
    assert cdr.total_energy_cost == Price(Decimal("5.59"), Decimal("6.708"))
    assert cdr.total_time == Decimal("2.1625")
    assert cdr.total_time_cost == Price(Decimal(0), Decimal(0))
    assert cdr.total_parking_time == Decimal("0.3653")
    assert cdr.total_parking_cost == Price(Decimal("1.0959"), Decimal("1.31508"))
    assert cdr.total_reservation_cost == Price(Decimal(0), None)
    assert cdr.remark == "Véhicule plein à 20 h 20"
    assert cdr.invoice_reference_id == "VLT-INV-2026-03"
    assert (cdr.credit, cdr.credit_reference_id) == (False, None)
    assert cdr.home_charging_compensation is False
    assert cdr.last_updated == datetime(2026, 3, 14, 19, 43, 2, tzinfo=UTC)


def test_token_and_location_of_the_full_cdr():
    cdr = parse_cdr(payload())
    token, location = cdr.cdr_token, cdr.cdr_location
    assert (token.country_code, token.party_id) == ("DE", "NRG")
    assert (token.uid, token.type) == ("04A2B9C2D15C80", "RFID")
    assert token.contract_id == "DE-NRG-C00482913-7"
    assert (location.id, location.name) == ("LYON-CORDELIERS", "Parking des Cordeliers, niveau -2")
    assert (location.address, location.postal_code) == ("Rue Claudia 3", "69002")
    assert (location.city, location.state, location.country) == ("Lyon", "Auvergne-Rhône-Alpes", "FRA")
    assert (location.latitude, location.longitude) == ("45.763420", "4.835965")
    assert (location.evse_uid, location.evse_id) == ("8812", "FR*VLT*E8812")
    assert (location.connector_id, location.connector_standard) == ("1", "IEC_62196_T2")
    assert (location.connector_format, location.connector_power_type) == ("SOCKET", "AC_3_PHASE")
    assert location.time_zone is None


def test_charging_periods_of_the_full_cdr():
    periods = parse_cdr(payload()).charging_periods
    assert [period.start_date_time.strftime("%H:%M:%S") for period in periods] == [
        "17:32:10",
        "19:00:00",
        "19:20:00",
    ]
    assert [[(each.type, str(each.volume)) for each in period.dimensions] for period in periods] == [
        [("ENERGY", "12.4"), ("TIME", "1.4639"), ("MAX_CURRENT", "48.2")],
        [("ENERGY", "2.6"), ("TIME", "0.3333")],
        [("PARKING_TIME", "0.3653")],
    ]
    assert {period.tariff_id for period in periods} == {"LYON-AC-DAY"}


def test_tariff_inside_the_full_cdr():
    (tariff,) = parse_cdr(payload()).tariffs
    assert tariff.key == "FR*VLT*LYON-AC-DAY"
    assert (tariff.currency, tariff.type) == ("EUR", "REGULAR")
    assert tariff.tariff_alt_text[1] == DisplayText("en", "€1 per session, €0.39 per kWh until 8 pm")
    assert tariff.min_price == Price(Decimal("1.5"), Decimal("1.8"))
    assert tariff.max_price == Price(Decimal(45))
    assert tariff.start_date_time == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert tariff.end_date_time == datetime(2026, 12, 31, 23, tzinfo=UTC)
    day, rest, reservation = tariff.elements
    assert day.price_components == (
        PriceComponent("FLAT", Decimal(1), 1, Decimal(20)),
        PriceComponent("ENERGY", Decimal("0.39"), 1, Decimal(20)),
    )
    assert day.restrictions == TariffRestrictions(
        start_time="07:00",
        end_time="20:00",
        start_date="2026-01-01",
        end_date="2027-01-01",
        min_kwh=Decimal(0),
        max_kwh=Decimal("80.5"),
        min_current=Decimal(6),
        max_current=Decimal(96),
        min_power=Decimal("1.4"),
        max_power=Decimal("22.1"),
        min_duration=60,
        max_duration=86400,
        day_of_week=("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"),
    )
    assert rest.restrictions is None
    assert reservation.price_components == (PriceComponent("TIME", Decimal("2.4"), 300, None),)
    assert reservation.restrictions == TariffRestrictions(reservation="RESERVATION")


def test_signed_data_stays_as_received_nulls_and_blanks_included():
    signed = parse_cdr(payload()).signed_data
    assert signed["encoding_method"] == "OCMF"
    assert signed["signed_values"][0]["plain_data"] == ""
    assert signed["signed_values"][1] == {
        "nature": "End",
        "plain_data": None,
        "signed_data": "T0NNRnx7IkZWIjoiMS4xIn0=",
    }


def test_cdr_of_required_fields_alone_is_taken():
    cdr = parse_cdr(payload("minimal_cdr"))
    assert cdr.total_cost == Price(Decimal("3.19"), None)
    assert (cdr.cdr_token.country_code, cdr.cdr_token.party_id) == (None, None)
    assert (cdr.cdr_location.id, cdr.cdr_location.evse_id, cdr.cdr_location.latitude) == (None, None, None)
    assert (cdr.tariffs, cdr.session_id, cdr.signed_data, cdr.total_energy_cost) == ((), None, None, None)
    assert cdr.charging_periods[0].tariff_id is None


def test_credit_cdr_keeps_the_signs_of_the_sender():
    cdr = parse_cdr(payload("credit_cdr"))
    assert cdr.credit is True
    assert cdr.credit_reference_id == "7734120"
    assert cdr.total_cost == Price(Decimal("-3.19"), Decimal("-3.7961"))
    assert cdr.total_energy_cost == Price(Decimal("3.19"), Decimal("3.7961"))
    assert cdr.total_energy == Decimal("7.25")


def test_unused_reservation_without_session_and_evse_is_taken():
    cdr = parse_cdr(payload("reservation_cdr"))
    assert cdr.session_id is None
    location = cdr.cdr_location
    assert {location.evse_uid, location.evse_id, location.connector_id} == {NOT_AVAILABLE}
    assert cdr.charging_periods[0].dimensions[0].type == "RESERVATION_TIME"


def test_without_tariffs_nothing_points_at_the_senders_prices():
    cdr = parse_cdr(payload()).without_tariffs()
    assert cdr.tariffs == ()
    assert {period.tariff_id for period in cdr.charging_periods} == {None}
    assert len(cdr.charging_periods[0].dimensions) == 3


def test_key_ignores_case_and_ids_stay_as_sent():
    cdr = parse_cdr(changed(("country_code",), "fr"))
    assert cdr.country_code == "fr"
    assert cdr.key == parse_cdr(payload()).key


REQUIRED = [
    *((name,) for name in ("id", "start_date_time", "end_date_time")),
    *((name,) for name in ("cdr_token", "auth_method", "cdr_location", "currency")),
    *((name,) for name in ("charging_periods", "total_cost", "total_energy", "total_time")),
    ("last_updated",),
    ("cdr_token", "uid"),
    ("cdr_token", "contract_id"),
    ("charging_periods", 1, "start_date_time"),
    ("charging_periods", 1, "dimensions"),
    ("charging_periods", 1, "dimensions", 0, "type"),
    ("charging_periods", 0, "dimensions", 2, "volume"),
    ("total_cost", "excl_vat"),
    ("total_parking_cost", "excl_vat"),
    ("tariffs", 0, "id"),
    ("tariffs", 0, "currency"),
    ("tariffs", 0, "elements"),
    ("tariffs", 0, "elements", 1, "price_components"),
    ("tariffs", 0, "elements", 1, "price_components", 1, "type"),
    ("tariffs", 0, "elements", 1, "price_components", 1, "price"),
]


@pytest.mark.parametrize("path", REQUIRED, ids=spelt)
@pytest.mark.parametrize(
    ("value", "got"), [(ABSENT, "nothing"), (None, "null"), ("", "''")], ids=["absent", "null", "blank"]
)
def test_missing_required_field_is_named_with_its_path(path, value, got):
    refusal = refusal_of(changed(path, value))
    assert refusal.code == "missing_field"
    assert refusal.path == spelt(path)
    assert str(refusal).startswith(f"{spelt(path)}: expected ")
    assert str(refusal).endswith(f", got {got}")


@pytest.mark.parametrize("name", ["country_code", "party_id"])
@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "blank"])
def test_owner_is_missing_only_where_the_caller_does_not_know_it(name, value):
    raw = changed((name,), value)
    refusal = refusal_of(raw)
    assert (refusal.code, refusal.path) == ("missing_field", name)
    cdr = parse_cdr(raw, owner=("FR", "VLT"))
    assert getattr(cdr, name) == {"country_code": "FR", "party_id": "VLT"}[name]
    assert cdr.tariffs[0].key.startswith(f"{cdr.country_code}*{cdr.party_id}*")


@pytest.mark.parametrize(
    ("path", "value", "expected", "got"),
    [
        (("id",), 7734120, "a text", "7734120"),
        (("start_date_time",), "yesterday", "a date and time such as 2025-06-02T10:00:00Z", "'yesterday'"),
        (("start_date_time",), 1773509530, "a date and time such as 2025-06-02T10:00:00Z", "1773509530"),
        (("cdr_token",), "04A2B9C2D15C80", "an object", "'04A2B9C2D15C80'"),
        (("cdr_location", "city"), ["Lyon"], "a text", "a list"),
        (("cdr_location", "coordinates"), "45.7,4.8", "an object", "'45.7,4.8'"),
        (("cdr_location", "coordinates", "latitude"), True, "a text such as '50.770774'", "true"),
        (("charging_periods",), {}, "a list with at least one entry", "an object"),
        (("charging_periods",), [], "a list with at least one entry", "an empty list"),
        (("charging_periods", 2), None, "an object", "null"),
        (("charging_periods", 2, "dimensions", 0, "volume"), "abc", "a number", "'abc'"),
        (("charging_periods", 2, "dimensions", 0, "volume"), "0.5", "a number", "'0.5'"),
        (("charging_periods", 2, "dimensions", 0, "volume"), False, "a number", "false"),
        (("charging_periods", 0, "dimensions", 1), "TIME", "an object", "'TIME'"),
        (("tariffs",), "LYON-AC-DAY", "a list", "'LYON-AC-DAY'"),
        (("tariffs", 0, "max_price", "excl_vat"), [], "a number", "an empty list"),
        (("tariffs", 0, "elements", 0, "price_components", 1, "step_size"), 1.5, "a whole number", "1.5"),
        (("tariffs", 0, "elements", 0, "restrictions", "max_duration"), 0.5, "a whole number", "0.5"),
        (("tariffs", 0, "elements", 0, "restrictions", "day_of_week", 3), 4, "a text", "4"),
        (("total_cost",), "7.69", "an object", "'7.69'"),
        (("total_energy_cost",), [], "an object", "an empty list"),
        (("credit",), "no", "true or false", "'no'"),
        (("remark",), "a\0b", "a text without NUL, which no database holds", r"'a\x00b'"),
        (("end_date_time",), "9999-12-31T23:59:59-01:00", "an instant between the years 1 and 9999", None),
    ],
)
def test_wrong_type_is_refused_where_it_stands(path, value, expected, got):
    refusal = refusal_of(changed(path, value))
    assert refusal.code == "invalid_field"
    assert refusal.path == spelt(path)
    assert refusal.params == {"expected": expected, "got": got or repr(value)}
    assert str(refusal) == f"{spelt(path)}: expected {expected}, got {got or repr(value)}"


@pytest.mark.parametrize("raw", ["[]", b'"CDR"', "7", "null", "true"])
def test_what_is_no_object_is_refused(raw):
    refusal = refusal_of(raw)
    assert refusal.path == ""
    assert refusal.params["expected"] == "an object"


def test_cdr_inside_a_list_is_refused_as_a_list():
    assert "expected an object, got a list" in str(refusal_of(b"[" + payload() + b"]"))


@pytest.mark.parametrize("number", ["1e400", "-1e21", "1e-401"])
def test_numbers_nobody_can_count_with_are_refused(number):
    raw = payload().replace(b'"total_energy": 15.0', b'"total_energy": ' + number.encode())
    assert refusal_of(raw).path == "total_energy"


def test_identifier_longer_than_an_index_can_hold_is_refused():
    assert parse_cdr(changed(("id",), "C" * 255)).id == "C" * 255
    refusal = refusal_of(changed(("id",), "C" * 256))
    assert str(refusal) == f"id: expected at most 255 characters, got '{'C' * 40}…'"


@pytest.mark.parametrize("number", ["0.1", "12345678901234567.1234", "1e-3", "0.3000000000000000444"])
def test_volumes_are_exact(number):
    raw = payload().replace(b'"volume": 12.4', b'"volume": ' + number.encode())
    assert parse_cdr(raw).charging_periods[0].dimensions[0].volume == Decimal(number)


def test_version_nobody_taught_us_is_refused():
    for version in ("2.1", "2.2", ""):
        refusal = refusal_of(payload(), version=version)
        assert refusal.code == "unsupported_version"
        assert str(refusal) == (
            f"unsupported_version: expected OCPI version 2.1.1, 2.2.1 or 2.3.0, got {version}"
        )

"""CDRs and tariffs of OCPI 2.3.0: taxes by name, and the way of a tariff out and in."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.deviations import Deviation, find_deviations
from emsp_core.ocpi.normalise import parse_cdr, parse_tariff, tariff_payload, write_json
from emsp_core.ocpi.objects import (
    CdrToken,
    DisplayText,
    Price,
    PriceComponent,
    Tariff,
    TariffElement,
    TariffRestrictions,
    Tax,
)
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data" / "ocpi" / "v230"
VERSION = "2.3.0"
ABSENT = object()


def raw(name="cdr"):
    return (DATA / f"{name}.json").read_bytes()


def changed(path, value, name="cdr"):
    """The payload with one field set, or taken out."""
    tree = json.loads(raw(name))
    *way, field = path
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
    assert cdr.key == "CA*BRH*BRH-25-90417"
    assert cdr.start_date_time == datetime(2025, 9, 12, 21, 4, tzinfo=UTC)
    assert cdr.end_date_time == datetime(2025, 9, 12, 21, 49, 30, tzinfo=UTC)
    assert cdr.session_id == "MTL-77-5521"
    assert cdr.cdr_token == CdrToken(
        country_code="CA",
        party_id="VOL",
        uid="CAVOLC00917334",
        type="EMAID",
        contract_id="CA-VOL-C00917334-K",
    )
    assert (cdr.auth_method, cdr.authorization_reference) == ("COMMAND", "VOL-66120")
    assert (cdr.cdr_location.evse_id, cdr.cdr_location.connector_standard) == ("CA*BRH*E77*2", "SAE_J3400")
    assert (cdr.cdr_location.state, cdr.cdr_location.country) == ("QC", "CAN")
    assert (cdr.cdr_location.latitude, cdr.cdr_location.longitude) == ("45.515310", "-73.561090")
    assert (cdr.meter_id, cdr.currency) == ("DC-4471", "CAD")
    (period,) = cdr.charging_periods
    assert [(each.type, str(each.volume)) for each in period.dimensions] == [
        ("TIME", "0.7583"),
        ("ENERGY", "31.25"),
        ("MAX_POWER", "61.4"),
    ]
    assert period.tariff_id == "BERRI-DC"
    assert (cdr.total_energy, cdr.total_time) == (Decimal("31.25"), Decimal("0.7583"))
    assert cdr.last_updated == datetime(2025, 9, 12, 21, 51, tzinfo=UTC)
    assert find_deviations(raw(), VERSION) == ()


def test_taxes_of_a_price_keep_name_rate_and_account():
    # 11.50 + 0.575 + 1.1471
    cdr = parse_cdr(raw(), VERSION)
    assert cdr.total_cost == Price(
        Decimal("11.50"),
        Decimal("13.2221"),
        (
            Tax("GST", Decimal("0.575"), Decimal(5), "81234 5678 RT0001"),
            Tax("QST", Decimal("1.1471"), Decimal("9.975"), "1012345678 TQ0001"),
        ),
    )


def test_price_without_any_tax_differs_from_one_that_does_not_say():
    cdr = parse_cdr(raw(), VERSION)
    assert cdr.total_fixed_cost == Price(Decimal(0), Decimal(0))
    assert cdr.total_time_cost == Price(Decimal("11.50"), None)


def test_tariff_inside_a_cdr():
    (tariff,) = parse_cdr(raw(), VERSION).tariffs
    energy = PriceComponent("ENERGY", Decimal("0.40"))
    time = PriceComponent("TIME", Decimal(15), 60, Decimal("14.975"))
    assert tariff == Tariff(
        country_code="CA",
        party_id="BRH",
        id="BERRI-DC",
        currency="CAD",
        type="AD_HOC_PAYMENT",
        min_price=Price(Decimal(2), Decimal("2.2995")),
        max_price=Price(Decimal(80)),
        preauthorize_amount=Decimal(50),
        elements=(
            TariffElement((time,), TariffRestrictions(min_power=Decimal(20))),
            TariffElement((energy,)),
        ),
        tax_included="NO",
        last_updated=datetime(2025, 8, 1, 12, tzinfo=UTC),
        version="2.3.0",
    )


def test_tariff_by_itself_is_read_field_by_field():
    tariff = parse_tariff(raw("tariff"), VERSION)
    assert tariff.key == "DK*STR*KAJ-ALL-IN"
    assert (tariff.currency, tariff.type, tariff.tax_included) == ("DKK", "REGULAR", "YES")
    assert tariff.tariff_alt_text == (DisplayText("da", "3,49 kr. pr. kWh inkl. moms"),)
    assert tariff.tariff_alt_url == "https://stroem.example/kaj"
    assert (tariff.min_price, tariff.max_price) == (Price(Decimal(8)), Price(Decimal(400), Decimal(500)))
    assert tariff.preauthorize_amount == Decimal("350.5")
    assert tariff.start_date_time == datetime(2024, 12, 31, 23, tzinfo=UTC)
    assert tariff.end_date_time == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert tariff.last_updated == datetime(2024, 12, 20, 10, 0, 0, 500_000, tzinfo=UTC)
    sunday, expired, rest = tariff.elements
    assert sunday.restrictions == TariffRestrictions(
        min_current=Decimal(6), max_current=Decimal("63.5"), day_of_week=("SUNDAY",)
    )
    assert expired.restrictions == TariffRestrictions(reservation="RESERVATION_EXPIRES")
    assert rest == TariffElement((PriceComponent("ENERGY", Decimal("3.99"), 1, Decimal(25)),))


def test_tariff_that_does_not_say_whether_taxes_are_in_it_is_told():
    payload = changed(("tariffs", 0, "tax_included"), ABSENT)
    assert parse_cdr(payload, VERSION).tariffs[0].tax_included is None
    assert deviations(payload) == [("missing", "tariffs[0].tax_included")]
    unclear = changed(("tariffs", 0, "tax_included"), "MAYBE")
    assert parse_cdr(unclear, VERSION).tariffs[0].tax_included == "MAYBE"
    assert find_deviations(unclear, VERSION) == (
        Deviation("unknown_code", "tariffs[0].tax_included", "a code of OCPI 2.3.0", "'MAYBE'"),
    )


@pytest.mark.parametrize(
    ("price", "expected", "found"),
    [
        (
            {"excl_vat": 11.5, "incl_vat": 13.2221},
            Price(Decimal("11.5"), Decimal("13.2221")),
            [
                ("unknown_field", "total_cost.excl_vat"),
                ("unknown_field", "total_cost.incl_vat"),
                ("foreign_price", "total_cost.before_taxes"),
            ],
        ),
        (
            {"excl_vat": 11.5},
            Price(Decimal("11.5"), None),
            [("unknown_field", "total_cost.excl_vat"), ("foreign_price", "total_cost.before_taxes")],
        ),
        (
            {"before_taxes": 11.5, "after_taxes": 13.2},
            Price(Decimal("11.5"), Decimal("13.2")),
            [("unknown_field", "total_cost.after_taxes")],
        ),
        (11.5, Price(Decimal("11.5"), None), [("number_for_price", "total_cost")]),
        (
            {"before_taxes": 10, "excl_vat": 99, "taxes": [{"amount": 1.5}]},
            Price(Decimal(10), Decimal("11.5"), (Tax("", Decimal("1.5")),)),
            [("unknown_field", "total_cost.excl_vat"), ("missing", "total_cost.taxes[0].name")],
        ),
    ],
)
def test_price_of_another_shape_is_understood_and_told(price, expected, found):
    payload = changed(("total_cost",), price)
    assert parse_cdr(payload, VERSION).total_cost == expected
    assert deviations(payload) == found


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"excl_vat": 2, "incl_vat": 2.5}, Price(Decimal(2), Decimal("2.5"))),
        ({"excl_vat": 2}, Price(Decimal(2))),
        # A whole Price is a limit whose taxes count, not their names.
        ({"before_taxes": 2, "taxes": [{"name": "VAT", "amount": 0.5}]}, Price(Decimal(2), Decimal("2.5"))),
        (2, Price(Decimal(2))),
    ],
)
def test_limit_of_another_shape_is_understood(limit, expected):
    payload = changed(("tariffs", 0, "min_price"), limit)
    assert parse_cdr(payload, VERSION).tariffs[0].min_price == expected
    assert {path.split("_price")[0] for _, path in deviations(payload)} == {"tariffs[0].min"}


def test_cdr_of_221_sent_as_230_is_the_same_cdr():
    payload = (DATA.parent / "full_cdr.json").read_bytes()
    ours, theirs = parse_cdr(payload, VERSION), parse_cdr(payload)
    assert (ours.total_cost, ours.total_reservation_cost) == (
        theirs.total_cost,
        theirs.total_reservation_cost,
    )
    assert ours.tariffs[0].max_price == theirs.tariffs[0].max_price
    assert {code for code, _ in deviations(payload)} == {"foreign_price", "unknown_field", "missing"}
    assert ("missing", "tariffs[0].tax_included") in deviations(payload)


def test_cdr_of_230_sent_as_221_is_understood_too():
    cdr = parse_cdr(raw(), "2.2.1")
    assert cdr.total_cost == parse_cdr(raw(), VERSION).total_cost
    assert (cdr.tariffs[0].tax_included, cdr.tariffs[0].preauthorize_amount) == ("NO", Decimal(50))
    found = find_deviations(raw(), "2.2.1")
    assert Deviation("unknown_code", "cdr_token.type", "a code of OCPI 2.2.1", "'EMAID'") in found
    assert {each.code for each in found} == {"foreign_price", "unknown_code", "unknown_field"}


NUMBER = "expected a number, got"


@pytest.mark.parametrize(
    ("path", "value", "refused", "reason"),
    [
        (("total_cost",), {"taxes": []}, ".before_taxes", f"{NUMBER} nothing"),
        (("total_cost",), {"before_taxes": "2"}, ".before_taxes", f"{NUMBER} '2'"),
        (("total_cost",), ABSENT, "", "expected an object, got nothing"),
        (("total_cost", "taxes", 1, "amount"), ABSENT, "", f"{NUMBER} nothing"),
        (("total_cost", "taxes", 0, "percentage"), "5 %", "", f"{NUMBER} '5 %'"),
        (("tariffs", 0, "max_price"), {"after_taxes": 9}, ".before_taxes", f"{NUMBER} nothing"),
        (("tariffs", 0, "preauthorize_amount"), {}, "", f"{NUMBER} an object"),
        (("tariffs", 0, "tax_included"), True, "", "expected a text, got true"),
        (("cdr_token", "contract_id"), None, "", "expected a text, got null"),
        (("cdr_location",), ABSENT, "", "expected an object, got nothing"),
        (("charging_periods",), [], "", "expected a list with at least one entry, got an empty list"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(path, value, refused, reason):
    spelt = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    assert str(refusal_of(changed(path, value))) == f"{spelt}{refused}: {reason}"


@pytest.mark.parametrize("name", ["country_code", "party_id", "id", "currency", "elements"])
def test_tariff_without_owner_id_currency_or_elements_is_refused(name):
    refusal = refusal_of(changed((name,), ABSENT, "tariff"), parse_tariff)
    assert (refusal.code, refusal.path) == ("missing_field", name)


def test_tariff_leaves_in_the_shape_of_the_version():
    payload = tariff_payload(parse_tariff(raw("tariff"), VERSION), VERSION)
    assert payload["tax_included"] == "YES"
    assert payload["min_price"] == {"before_taxes": Decimal("8.00")}
    assert payload["max_price"] == {"before_taxes": Decimal("400.00"), "after_taxes": Decimal("500.00")}
    assert payload["preauthorize_amount"] == Decimal("350.5")
    assert payload["elements"][2] == {
        "price_components": [
            {"type": "ENERGY", "price": Decimal("3.99"), "step_size": 1, "vat": Decimal("25.0")}
        ]
    }
    assert "version" not in payload


def test_tariff_of_another_version_leaves_without_taxes_included():
    tariff = parse_tariff((DATA.parent / "tariff.json").read_bytes())
    payload = tariff_payload(tariff, VERSION)
    assert payload["tax_included"] == "NO"
    assert payload["min_price"] == {"before_taxes": Decimal("0.50"), "after_taxes": Decimal("0.605")}


def test_tariff_of_230_leaves_as_221_without_what_221_does_not_have():
    payload = tariff_payload(parse_tariff(raw("tariff"), VERSION))
    assert payload["max_price"] == {"excl_vat": Decimal("400.00"), "incl_vat": Decimal("500.00")}
    assert not {"tax_included", "preauthorize_amount", "version"} & payload.keys()


def test_tariff_without_elements_comes_back_without_elements():
    empty = Tariff(
        country_code="DK",
        party_id="STR",
        id="E",
        currency="DKK",
        elements=(),
        tax_included="N/A",
        version=VERSION,
    )
    hollow = Tariff(
        country_code="DK",
        party_id="STR",
        id="H",
        currency="DKK",
        elements=(TariffElement((), TariffRestrictions()),),
        tax_included="N/A",
        version=VERSION,
    )
    for tariff in (empty, hollow):
        assert parse_tariff(write_json(tariff_payload(tariff, VERSION)), VERSION) == tariff


def optional(strategy):
    return st.none() | strategy


# What a payload can hold: no text of blanks alone, no NUL, no half of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
texts = texts.filter(lambda text: text.strip())
numbers = st.decimals(
    min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=None
)
instants = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
seconds = st.integers(min_value=0, max_value=10**9)
limits = st.builds(Price, numbers, optional(numbers))
components = st.builds(
    PriceComponent, texts, numbers, st.integers(min_value=0, max_value=10**9), optional(numbers)
)
restrictions = st.builds(
    TariffRestrictions,
    **dict.fromkeys(("start_time", "end_time", "start_date", "end_date", "reservation"), optional(texts)),
    **dict.fromkeys(("min_kwh", "max_kwh", "min_current", "max_current"), optional(numbers)),
    **dict.fromkeys(("min_power", "max_power"), optional(numbers)),
    **dict.fromkeys(("min_duration", "max_duration"), optional(seconds)),
    day_of_week=st.lists(texts, max_size=3).map(tuple),
)
elements = st.builds(TariffElement, st.lists(components, max_size=3).map(tuple), optional(restrictions))
tariffs = st.builds(
    Tariff,
    **dict.fromkeys(("country_code", "party_id", "id", "currency"), texts),
    **dict.fromkeys(("type", "tariff_alt_url"), optional(texts)),
    **dict.fromkeys(("min_price", "max_price"), optional(limits)),
    **dict.fromkeys(("start_date_time", "end_date_time", "last_updated"), optional(instants)),
    elements=st.lists(elements, max_size=3).map(tuple),
    tax_included=st.sampled_from(["YES", "NO", "N/A"]),
    preauthorize_amount=optional(numbers),
    tariff_alt_text=st.lists(st.builds(DisplayText, texts, texts), max_size=2).map(tuple),
    version=st.just(VERSION),
)


@given(tariffs)
def test_every_tariff_survives_the_way_out_and_in(tariff):
    assert parse_tariff(write_json(tariff_payload(tariff, VERSION)), VERSION) == tariff

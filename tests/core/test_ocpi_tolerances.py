"""Each tolerance by itself: what is taken and told with it, and refused by name without it."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi import modules
from emsp_core.ocpi.auth import credential_candidates, find_header_deviation
from emsp_core.ocpi.countries import to_alpha_2
from emsp_core.ocpi.deviations import Deviation, find_deviations
from emsp_core.ocpi.normalise import parse_cdr, parse_tariff
from emsp_core.ocpi.objects import Price
from emsp_core.ocpi.remarks import find_tolerated
from emsp_core.ocpi.tolerances import DEFAULT, LAX, STRICT, SWITCHES, Tolerances

DATA = Path(__file__).parent / "data" / "ocpi"
OWNER = ("FR", "RVR")
ABSENT = object()


def changed(file, *changes):
    """A payload of the data folder with fields set, or taken out."""
    tree = json.loads((DATA / file).read_bytes())
    for (*way, field), value in changes:
        node = tree
        for step in way:
            node = node[step]
        if value is ABSENT:
            del node[field]
        else:
            node[field] = value
    return json.dumps(tree).encode()


def parser_of(kind):
    return {"cdr": parse_cdr, "tariff": parse_tariff}.get(kind) or getattr(modules, f"parse_{kind}")


def test_by_default_nothing_is_refused_that_can_be_understood_but_numbers_as_text_and_headers():
    assert DEFAULT == Tolerances(
        text_numbers=False,
        missing_values=True,
        missing_owner=True,
        country_forms=True,
        price_forms=True,
        long_texts=True,
        header_forms=False,
    )
    assert set(STRICT) == {False}
    assert set(LAX) == {True}
    assert set(SWITCHES.values()) == set(Tolerances._fields)


@pytest.mark.parametrize(("tolerances", "is_selective"), [(DEFAULT, False), (LAX, False), (STRICT, True)])
def test_only_a_switch_that_is_off_costs_a_second_look(tolerances, is_selective):
    assert tolerances.is_selective is is_selective


# switch, kind, version, file, changes, deviation; what a refusal says of it is the same
CASES = [
    (
        *("text_numbers", "cdr", "2.2.1", "full_cdr.json", [(("total_energy",), "7.25")]),
        Deviation("text_for_number", "total_energy", "a number", "'7.25'"),
    ),
    (
        *("text_numbers", "session", "2.2.1", "modules/v221/session.json", [(("kwh",), "18.2375")]),
        Deviation("text_for_number", "kwh", "a number", "'18.2375'"),
    ),
    (
        *("missing_values", "cdr", "2.2.1", "full_cdr.json", [(("cdr_location", "coordinates"), ABSENT)]),
        Deviation("missing", "cdr_location.coordinates", "a value", "nothing"),
    ),
    (
        *("missing_values", "cdr", "2.1.1", "v211/cdr.json", [(("location",), None)]),
        Deviation("missing", "location", "a value", "nothing"),
    ),
    (
        *("missing_values", "location", "2.2.1", "modules/v221/location.json", [(("time_zone",), "")]),
        Deviation("missing", "time_zone", "a value", "nothing"),
    ),
    (
        *("missing_owner", "cdr", "2.2.1", "full_cdr.json", [(("party_id",), ABSENT)]),
        Deviation("missing_owner", "party_id", "a value", "nothing"),
    ),
    (
        *("missing_owner", "session", "2.3.0", "modules/v230/session.json", [(("country_code",), ABSENT)]),
        Deviation("missing_owner", "country_code", "a value", "nothing"),
    ),
    (
        *("missing_owner", "tariff", "2.2.1", "tariff.json", [(("party_id",), None)]),
        Deviation("missing_owner", "party_id", "a value", "nothing"),
    ),
    (
        *("country_forms", "cdr", "2.2.1", "full_cdr.json", [(("cdr_location", "country"), "NL")]),
        Deviation("not_alpha_3", "cdr_location.country", "NLD", "'NL'"),
    ),
    (
        *("country_forms", "cdr", "2.2.1", "full_cdr.json", [(("country_code",), "FRA")]),
        Deviation("not_alpha_2", "country_code", "FR", "'FRA'"),
    ),
    (
        *("country_forms", "cdr", "2.3.0", "v230/cdr.json", [(("cdr_token", "country_code"), "deu")]),
        Deviation("not_alpha_2", "cdr_token.country_code", "DE", "'deu'"),
    ),
    (
        *("country_forms", "location", "2.1.1", "modules/v211/location.json", [(("country",), "FR")]),
        Deviation("not_alpha_3", "country", "FRA", "'FR'"),
    ),
    (
        "country_forms",
        *("credentials", "2.2.1", "modules/v221/credentials.json", [(("roles", 0, "country_code"), "FRA")]),
        Deviation("not_alpha_2", "roles[0].country_code", "FR", "'FRA'"),
    ),
    (
        *("price_forms", "cdr", "2.2.1", "full_cdr.json", [(("total_cost",), 3.19)]),
        Deviation("number_for_price", "total_cost", "an object", "3.19"),
    ),
    (
        *("price_forms", "cdr", "2.2.1", "full_cdr.json", [(("total_cost",), {"before_taxes": 3.19})]),
        Deviation("foreign_price", "total_cost.excl_vat", "a number", "nothing"),
    ),
    (
        *("price_forms", "cdr", "2.3.0", "v230/cdr.json", [(("total_cost",), {"excl_vat": 3.19})]),
        Deviation("foreign_price", "total_cost.before_taxes", "a number", "nothing"),
    ),
    (
        *("price_forms", "cdr", "2.1.1", "v211/cdr.json", [(("total_cost",), {"excl_vat": 3.19})]),
        Deviation("price_for_number", "total_cost", "a number", "an object"),
    ),
    (
        *("long_texts", "cdr", "2.2.1", "full_cdr.json", [(("cdr_location", "address"), "x" * 46)]),
        Deviation("too_long", "cdr_location.address", "at most 45 characters", "46 characters"),
    ),
    (
        *("long_texts", "token", "2.2.1", "modules/v221/token.json", [(("issuer",), "x" * 65)]),
        Deviation("too_long", "issuer", "at most 64 characters", "65 characters"),
    ),
]
IDS = [f"{case[0]}-{case[1]}-{case[2]}-{case[5].code}" for case in CASES]


def given(case):
    switch, kind, version, file, changes, deviation = case
    owner = {} if kind == "credentials" else {"owner": OWNER}
    return switch, kind, version, changed(file, *changes), deviation, owner


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_a_switch_allows_is_taken_and_told(case):
    switch, kind, version, raw, deviation, owner = given(case)
    parser_of(kind)(raw, version, tolerances=DEFAULT._replace(**{switch: True}), **owner)
    if kind == "cdr":
        found = [each for each in find_deviations(raw, version) if each.code in SWITCHES]
    else:
        found = list(find_tolerated(raw, kind, version))
    assert deviation in found


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_a_switch_forbids_is_refused_by_name(case):
    switch, kind, version, raw, deviation, owner = given(case)
    with pytest.raises(PayloadError) as refused:
        parser_of(kind)(raw, version, tolerances=LAX._replace(**{switch: False}), **owner)
    error = refused.value
    is_missing = deviation.code.startswith("missing")
    assert error.code == ("missing_field" if is_missing else "invalid_field")
    assert (error.path, error.params["expected"], error.params["got"]) == (
        deviation.path,
        deviation.expected,
        deviation.found,
    )


# The tariff of the data folder has another deviation.
@pytest.mark.parametrize("case", [case for case in CASES if case[1] != "tariff"])
def test_a_switch_alone_is_enough(case):
    switch, kind, version, raw, _, owner = given(case)
    strict = STRICT._replace(**{switch: True})
    parse = parser_of(kind)
    assert parse(raw, version, tolerances=strict, **owner) == parse(raw, version, tolerances=LAX, **owner)


def test_numbers_as_text_are_211s_own():
    raw = changed("v211/cdr.json", (("total_energy",), "15.342"))
    assert parse_cdr(raw, "2.1.1", tolerances=STRICT).total_energy == Decimal("15.342")


def test_what_ocpi_asks_of_a_receiver_is_no_tolerance():
    raw = changed(
        "full_cdr.json",
        (("x_loyalty",), {"points": 3}),
        (("cdr_location", "connector_standard"), "SAE_J3400"),
        (("remark",), None),
        (("end_date_time",), "2026-02-03T05:00:00"),
    )
    cdr = parse_cdr(raw, tolerances=STRICT)
    assert cdr.end_date_time.tzinfo is not None


def test_owner_is_taken_from_the_caller():
    raw = changed("full_cdr.json", (("country_code",), ABSENT), (("party_id",), ABSENT))
    cdr = parse_cdr(raw, owner=OWNER)
    assert (cdr.country_code, cdr.party_id) == OWNER
    with pytest.raises(PayloadError, match="country_code: expected a text, got nothing"):
        parse_cdr(raw)


def test_country_of_a_party_comes_out_in_two_letters():
    raw = changed("full_cdr.json", (("country_code",), "fra"), (("cdr_token", "country_code"), "DEU"))
    cdr = parse_cdr(raw)
    assert (cdr.country_code, cdr.cdr_token.country_code) == ("FR", "DE")


@pytest.mark.parametrize(("code", "expected"), [("FRA", "FR"), ("nld", "NL"), ("fr", "fr"), ("XYZ", "XYZ")])
def test_three_letters_of_a_country_become_two(code, expected):
    assert to_alpha_2(code) == expected


def test_code_that_is_no_country_is_a_long_text():
    raw = changed("full_cdr.json", (("cdr_token", "country_code"), "XYZ"))
    assert find_deviations(raw) == (
        Deviation("too_long", "cdr_token.country_code", "at most 2 characters", "3 characters"),
    )


def test_text_in_place_of_a_price_needs_both_switches():
    raw = changed("full_cdr.json", (("total_cost",), "3.19"))
    assert parse_cdr(raw, tolerances=LAX).total_cost == Price(Decimal("3.19"))
    assert [each.code for each in find_deviations(raw)] == ["number_for_price", "text_for_number"]
    for name in ("price_forms", "text_numbers"):
        with pytest.raises(PayloadError):
            parse_cdr(raw, tolerances=LAX._replace(**{name: False}))


# --- Remarks ------------------------------------------------------------------------------------


def test_change_leaves_out_at_its_top_what_it_does_not_change():
    change = {"kwh": "3.5", "last_updated": "2026-02-03T05:00:00Z"}
    assert find_tolerated(change, "session", "2.2.1", is_change=True) == (
        Deviation("text_for_number", "kwh", "a number", "'3.5'"),
    )
    change = {"coordinates": {"latitude": "51.2"}, "last_updated": "2026-02-03T05:00:00Z"}
    assert [each.path for each in find_tolerated(change, "location", "2.2.1", is_change=True)] == [
        "coordinates.longitude"
    ]


@pytest.mark.parametrize("tree", [{"charging_periods": 5}, {"charging_periods": [None]}, {"cdr_token": []}])
def test_what_cannot_be_followed_is_passed_over(tree):
    assert find_tolerated(tree, "session", "2.2.1", is_change=True) == ()


def test_remark_reads_like_a_refusal():
    deviation = Deviation("text_for_number", "kwh", "a number", "'3.5'")
    assert str(deviation) == "kwh: expected a number, found '3.5'"


# --- The Authorization header -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("token abc-1", "'token'"),
        ("Bearer abc-1", "'Bearer'"),
        ("abc-1", "nothing"),
        ("secret words", "nothing"),
    ],
)
def test_header_in_another_form_is_told_without_the_token(header, found):
    assert credential_candidates(header, tolerances=STRICT) == ()
    assert credential_candidates(header, tolerances=STRICT._replace(header_forms=True))
    deviation = find_header_deviation(header)
    assert deviation == Deviation("header_form", "Authorization", "'Token' before the token", found)
    assert "abc-1" not in str(deviation)


def test_header_as_ocpi_has_it_is_no_deviation():
    assert find_header_deviation("Token abc-1") is None

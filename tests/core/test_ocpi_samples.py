"""Whole files: ours, and the collections beside the project where they exist."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.deviations import find_deviations
from emsp_core.ocpi.normalise import canonical, parse_cdr, parse_tariff, tariff_payload, write_json

OWN = Path(__file__).parent / "data" / "ocpi"
SHARED = Path(__file__).parents[2].parent / "shared"

VERSION = "2.2.1"
# OCPI posts one object, not a list.
REFUSED = {"list_body.json"}
# Made for a pricing program: times, tariff and totals without owner, token or location.
FRAGMENTS = {"tandemdrive"}


def shared_cases(folder, key):
    """Entries of the index for our version; none where the folder is not there."""
    index = SHARED / folder / "index.json"
    if not index.exists():
        return []
    return [case for case in json.loads(index.read_text())[key] if case["ocpi_version"] == VERSION]


def cdr_files():
    yield from sorted(OWN.glob("*_cdr.json"))
    for case in shared_cases("samples/deviations", "cases"):
        yield SHARED / "samples" / case["file"]
    for case in shared_cases("vectors", "cases"):
        if case["origin"] not in FRAGMENTS:
            yield SHARED / "vectors" / case["cdr_file"]


def tariff_files():
    yield from sorted(OWN.glob("tariff*.json"))
    yield from sorted((SHARED / "vectors" / "spec_examples" / VERSION).glob("tariff_[0-9]*.json"))


@pytest.mark.parametrize("file", cdr_files(), ids=lambda file: "/".join(file.parts[-3:]))
def test_cdr_file_is_read_to_the_last_digit(file):
    raw = file.read_bytes()
    if file.name in REFUSED:
        with pytest.raises(PayloadError, match="expected an object, got a list"):
            parse_cdr(raw, lax=True)
        return
    cdr = parse_cdr(raw, lax=True)
    tree = json.loads(raw, parse_float=Decimal)
    assert cdr.total_energy == Decimal(tree["total_energy"])
    assert [[each.volume for each in period.dimensions] for period in cdr.charging_periods] == [
        [Decimal(each["volume"]) for each in period["dimensions"]] for period in tree["charging_periods"]
    ]
    assert [tariff.id for tariff in cdr.tariffs] == [each["id"] for each in tree.get("tariffs") or []]


@pytest.mark.parametrize("file", tariff_files(), ids=lambda file: file.name)
def test_tariff_file_survives_the_way_in_and_out(file):
    tariff = parse_tariff(file.read_bytes())
    assert parse_tariff(write_json(tariff_payload(tariff))) == tariff


@pytest.mark.parametrize("file", cdr_files(), ids=lambda file: "/".join(file.parts[-3:]))
def test_cdr_file_in_another_layout_has_the_same_content(file):
    raw = file.read_bytes()
    tree = json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    assert canonical(write_json(tree)) == canonical(raw)


def test_documented_deviations_are_told_and_nothing_else():
    expected = {
        "no_evse_id.json": {"missing"},
        "long_address.json": {"too_long"},
        "numbers_as_strings.json": {"text_for_number"},
        "unknown_fields_enums.json": {"unknown_field", "unknown_code"},
        "price_230_shape.json": {"unknown_field"},
        "bare_number_cost.json": {"number_for_price"},
        "country_alpha2_case.json": {"not_alpha_3"},
    }
    for case in shared_cases("samples/deviations", "cases"):
        file = SHARED / "samples" / case["file"]
        if file.name not in REFUSED:
            found = {each.code for each in find_deviations(file.read_bytes(), lax=True)}
            assert found == expected.get(file.name, set()), file.name

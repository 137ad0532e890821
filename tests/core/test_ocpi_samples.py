"""Whole files of every version: ours, and the collections beside the project where they exist."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.deviations import find_deviations
from emsp_core.ocpi.normalise import canonical, parse_cdr, parse_tariff, tariff_payload, write_json
from emsp_core.ocpi.tolerances import LAX

OWN = Path(__file__).parent / "data" / "ocpi"
SHARED = Path(__file__).parents[2].parent / "shared"

OWN_FOLDERS = {"2.1.1": OWN / "v211", "2.2.1": OWN, "2.3.0": OWN / "v230"}
# OCPI posts one object, not a list.
REFUSED = {"list_body.json"}
# Made for a pricing program: times, tariff and totals without owner, token or location.
FRAGMENTS = {"tandemdrive"}
# A change of a tariff (PATCH), not a tariff.
PARTIAL = {"mod_tariffs_02.json"}

# Files of other projects, all of OCPI 2.1.1, with the field they are refused for.
THIRD_PARTIES = (
    *("ChargeMap+ocpi-protocol", "ShellRechargeSolutionsEU+ocpi-endpoints", "satimoto+go-ocpi"),
    *("shareandcharge+sharecharge-ocpi-bridge", "larsnaesbye+ndw-ocpi-receiver"),
)
NOTHING_TO_PRICE = ("invalid_field", "charging_periods")
NO_CURRENCY = ("missing_field", "currency")
THIRD_PARTY_REFUSALS = {
    "extracted/unmarshal_test.go.1.json": ("missing_field", "id"),
    "extracted/dto_test.go.1.json": NOTHING_TO_PRICE,
    "extracted/dto_test.go.2.json": NOTHING_TO_PRICE,
    "extracted/dto_test.go.4.json": NOTHING_TO_PRICE,
    "extracted/push_test.go.1.json": NOTHING_TO_PRICE,
    "extracted/push_test.go.3.json": NOTHING_TO_PRICE,
    "extracted/unmarshal_test.go.2.json": NOTHING_TO_PRICE,
    "mapper-test-objects/test-tariff1.json": NO_CURRENCY,
    "json/tariffs.json": NO_CURRENCY,
}


def label(value):
    return "/".join(value.parts[-3:]) if isinstance(value, Path) else None


def shared_cases(folder):
    """Entries of the index; none where the folder is not there."""
    index = SHARED / folder / "index.json"
    return json.loads(index.read_text())["cases"] if index.exists() else []


def vectors(kind):
    for case in shared_cases("vectors"):
        if case["origin"] not in FRAGMENTS:
            yield case["ocpi_version"], SHARED / "vectors" / case[kind]


def cdr_files():
    """Version and file."""
    for version, folder in OWN_FOLDERS.items():
        yield from ((version, file) for file in sorted(folder.glob("*cdr.json")))
    for case in shared_cases("samples/deviations"):
        yield case["ocpi_version"], SHARED / "samples" / case["file"]
    yield from vectors("cdr_file")


def tariff_files():
    """Version and file."""
    examples = SHARED / "vectors" / "spec_examples"
    for version, folder in OWN_FOLDERS.items():
        yield from ((version, file) for file in sorted(folder.glob("tariff*.json")))
        for pattern in ("tariff_[0-9]*.json", "mod_tariffs_*.json"):
            yield from ((version, file) for file in sorted((examples / version).glob(pattern)))
    yield from vectors("tariff_file")


def third_party_files():
    for name in THIRD_PARTIES:
        yield from sorted((SHARED / "samples" / name).rglob("*.json"))


def objects_with(fields, file):
    """The objects of a file that have these fields: itself, in a list, or in an OCPI answer."""
    # Two of the files are bodies without content.
    tree = json.loads(file.read_bytes() or b"{}", parse_float=Decimal, parse_int=Decimal)
    if isinstance(tree, dict):
        tree = tree.get("data", tree)
    for each in tree if isinstance(tree, list) else [tree]:
        if isinstance(each, dict) and fields <= each.keys():
            yield each


def objects_211(*fields):
    """Ours first, so that there is one where nothing lies beside the project."""
    for file in sorted(OWN_FOLDERS["2.1.1"].glob("*.json")):
        for tree in objects_with(set(fields), file):
            yield pytest.param(tree, None, id=file.stem)
    for file in third_party_files():
        refusal = THIRD_PARTY_REFUSALS.get("/".join(file.parts[-2:]))
        for number, tree in enumerate(objects_with(set(fields), file)):
            yield pytest.param(tree, refusal, id=f"{label(file)}-{number}")


def check_cdr(cdr, tree):
    """What pricing counts with has arrived to the last digit."""
    assert cdr.total_energy == Decimal(tree["total_energy"])
    assert [[each.volume for each in period.dimensions] for period in cdr.charging_periods] == [
        [Decimal(each["volume"]) for each in period["dimensions"]] for period in tree["charging_periods"]
    ]
    assert [tariff.id for tariff in cdr.tariffs] == [each["id"] for each in tree.get("tariffs") or []]


def prices_of(tree):
    return [
        Decimal(component["price"])
        for element in tree["elements"]
        for component in element["price_components"]
    ]


def check_tariff(tariff, tree):
    read = [component.price for element in tariff.elements for component in element.price_components]
    assert read == prices_of(tree)
    payload = write_json(tariff_payload(tariff, tariff.version))
    assert parse_tariff(payload, tariff.version) == as_written(tariff)


def as_written(tariff):
    """What a tariff is after the way out: 2.1.1 has no owner in it, 2.3.0 never leaves taxes open."""
    if tariff.version == "2.1.1":
        return replace(tariff, country_code="", party_id="")
    if tariff.version == "2.3.0":
        return replace(tariff, tax_included=tariff.tax_included or "NO")
    return tariff


@pytest.mark.parametrize(("version", "file"), cdr_files(), ids=label)
def test_cdr_file_is_read_to_the_last_digit(version, file):
    raw = file.read_bytes()
    if file.name in REFUSED:
        with pytest.raises(PayloadError, match="expected an object, got a list"):
            parse_cdr(raw, version, tolerances=LAX)
        return
    check_cdr(parse_cdr(raw, version, tolerances=LAX), json.loads(raw, parse_float=Decimal))


@pytest.mark.parametrize(("version", "file"), tariff_files(), ids=label)
def test_tariff_file_survives_the_way_in_and_out(version, file):
    raw = file.read_bytes()
    if file.name in PARTIAL:
        with pytest.raises(PayloadError, match="id: expected a text, got nothing"):
            parse_tariff(raw, version)
        return
    trees = list(objects_with({"elements"}, file))
    assert trees
    for tree in trees:
        check_tariff(parse_tariff(write_json(tree), version), tree)


@pytest.mark.parametrize(("version", "file"), cdr_files(), ids=label)
def test_cdr_file_in_another_layout_has_the_same_content(version, file):
    raw = file.read_bytes()
    tree = json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    assert canonical(write_json(tree)) == canonical(raw)


@pytest.mark.parametrize(("tree", "refused"), objects_211("charging_periods", "total_energy"))
def test_cdr_of_any_project_is_read_or_refused_for_one_reason(tree, refused):
    raw = write_json(tree)
    if refused:
        with pytest.raises(PayloadError) as refusal:
            parse_cdr(raw, "2.1.1")
        assert (refusal.value.code, refusal.value.path) == refused
        return
    check_cdr(parse_cdr(raw, "2.1.1"), tree)
    find_deviations(raw, "2.1.1")


@pytest.mark.parametrize(("tree", "refused"), objects_211("elements"))
def test_tariff_of_any_project_is_read_or_refused_for_one_reason(tree, refused):
    raw = write_json(tree)
    if refused:
        with pytest.raises(PayloadError) as refusal:
            parse_tariff(raw, "2.1.1")
        assert (refusal.value.code, refusal.value.path) == refused
        return
    check_tariff(parse_tariff(raw, "2.1.1"), tree)


def test_documented_deviations_are_told_and_nothing_else():
    expected = {
        "no_evse_id.json": {"missing"},
        "long_address.json": {"too_long"},
        "numbers_as_strings.json": {"text_for_number"},
        "unknown_fields_enums.json": {"unknown_field", "unknown_code"},
        "price_230_shape.json": {"foreign_price", "unknown_field"},
        "bare_number_cost.json": {"number_for_price"},
        "country_alpha2_case.json": {"not_alpha_3"},
        "v211_end_date_time_no_evse.json": {"missing", "unknown_field", "not_one"},
    }
    for case in shared_cases("samples/deviations"):
        file = SHARED / "samples" / case["file"]
        if file.name not in REFUSED:
            found = {
                each.code for each in find_deviations(file.read_bytes(), case["ocpi_version"], tolerances=LAX)
            }
            assert found == expected.get(file.name, set()), file.name


def worked_examples():
    """One of ours first, which does not deviate."""
    yield "2.2.1", OWN / "full_cdr.json"
    yield from vectors("cdr_file")


@pytest.mark.parametrize(("version", "file"), worked_examples(), ids=label)
def test_worked_examples_deviate_as_far_as_they_are_known_to(version, file):
    expected = {
        "spec211/cdr_example": {
            ("not_alpha_3", "location.country"),
            ("text_for_number", "tariffs[0].elements[0].price_components[0].price"),
        },
        "spec230/cdr_example": {("missing", "tariffs[0].tax_included")},
    }
    found = {(each.code, each.path) for each in find_deviations(file.read_bytes(), version, tolerances=LAX)}
    # Sessions of the derived cases are named after them.
    found.discard(("too_long", "session_id"))
    case = "/".join(file.parts[-3:-1])
    if case.startswith("py211/"):
        assert {("missing", "stop_date_time"), ("missing", "auth_id"), ("missing", "location")} <= found
    else:
        assert found == expected.get(case, set())

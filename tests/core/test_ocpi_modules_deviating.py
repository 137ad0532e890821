"""What of an object is understood although it deviates, and what cannot be read."""

import json
from decimal import Decimal

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi import modules, modules_v221
from emsp_core.ocpi.deviations import Deviation
from emsp_core.ocpi.json_text import read_json, write_json
from emsp_core.ocpi.modules import find_deviations
from emsp_core.ocpi.objects import CdrToken
from emsp_core.ocpi.tolerances import LAX
from module_files import (
    ABSENT,
    FILES,
    SCHEMAS,
    changed,
    deviations,
    file_of,
    parse,
    read,
    refusal,
    version_of,
)

INSTANT = "a date and time such as 2025-06-02T10:00:00Z"


# --- Tolerance --------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_file_has_no_deviation_but_a_number_as_text(file):
    found = deviations(file.read_bytes(), file.stem, version_of(file))
    assert {code for code, _ in found} <= {"text_for_number"}
    assert parse(file.stem, file.read_bytes(), version_of(file)).__class__.__module__.endswith("peer_objects")


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_tree_is_read_as_the_text_is(file):
    raw, version = file.read_bytes(), version_of(file)
    assert parse(file.stem, read_json(raw), version) == parse(file.stem, raw, version)


@pytest.mark.parametrize("kind", ["session", "token"])
@pytest.mark.parametrize(("sent", "read_as"), [("2.1.1", "2.2.1"), ("2.2.1", "2.1.1")])
def test_names_of_another_version_are_understood(kind, sent, read_as):
    tree = read_json(file_of(kind, sent).read_bytes())
    tree["total_cost"] = Decimal("7.30")
    theirs = parse(kind, tree, sent, owner=("FR", "RVR"))
    ours = parse(kind, tree, read_as, owner=("FR", "RVR"))
    same = ("start_date_time", "end_date_time", "kwh", "contract_id", "valid", "last_updated")
    for name in (name for name in same if hasattr(theirs, name)):
        assert getattr(ours, name) == getattr(theirs, name)
    if kind == "session":
        assert ours.cdr_token == theirs.cdr_token


def test_session_of_211_may_come_without_a_token():
    raw = changed("session", "2.1.1", ("auth_id",))
    assert parse("session", raw, "2.1.1").cdr_token == CdrToken(uid="", contract_id="")
    assert ("missing", "auth_id") in deviations(raw, "session", "2.1.1")


def test_connector_is_understood_in_the_words_of_the_other_version():
    connector = {"id": "1", "power_type": "DC", "voltage": 500, "amperage": 100, "tariff_id": "T"}
    found = modules.parse_connector(json.dumps(connector), "2.2.1")
    assert (found.max_voltage, found.max_amperage, found.tariff_ids) == (Decimal(500), Decimal(100), ("T",))
    connector = {"id": "1", "max_voltage": 500, "max_amperage": 100, "max_electric_power": 30000}
    found = modules.parse_connector(json.dumps({**connector, "tariff_ids": ["T", "U"]}), "2.1.1")
    assert (found.capacity_kw, found.tariff_ids) == (Decimal(30), ("T", "U"))


@pytest.mark.parametrize(
    ("tariffs", "expected"),
    [([{"id": "T", "elements": []}, {"id": 4}, "x", {}], ("T",)), ({"id": "T"}, ()), (None, ())],
)
def test_tariffs_in_place_of_their_ids_are_understood(tariffs, expected):
    raw = json.dumps({"id": "1", "tariffs": tariffs})
    assert modules.parse_connector(raw).tariff_ids == expected


def test_level_and_number_of_an_evse_may_be_numbers():
    evse = modules.parse_evse(b'{"uid": "E", "floor_level": -1, "physical_reference": 3}')
    assert (evse.floor_level, evse.physical_reference) == ("-1", "3")
    with pytest.raises(PayloadError, match="physical_reference: expected a text, got a list"):
        modules.parse_evse(b'{"uid": "E", "physical_reference": [3]}')


def test_null_and_blank_are_absent():
    raw = changed("token", "2.2.1", ("issuer",), "  ")
    assert parse("token", raw, "2.2.1").issuer is None
    raw = changed("location", "2.2.1", ("evses", 0, "connectors", 0, "tariff_ids"), None)
    assert parse("location", raw, "2.2.1").evses[0].connectors[0].tariff_ids == ()


def test_unknown_codes_and_fields_are_kept_out_of_the_way():
    tree = read_json(file_of("session", "2.2.1").read_bytes())
    tree |= {"status": "SUSPENDED", "x_partner": {"a": 1}, "meter_id": "m" * 300}
    assert parse("session", tree, "2.2.1").status == "SUSPENDED"
    assert deviations(write_json(tree), "session", "2.2.1") == [
        ("too_long", "meter_id"),
        ("unknown_code", "status"),
        ("unknown_field", "x_partner"),
    ]


def test_what_is_due_and_missing_is_told():
    raw = json.dumps({"uid": "1", "last_updated": "2025-01-01T00:00:00"})
    assert parse("evse", raw, "2.2.1").connectors == ()
    found = find_deviations(raw, modules_v221.Evse)
    assert [(each.code, each.path) for each in found] == [("missing", "status"), ("missing", "connectors")]


def test_value_of_a_later_version_is_told_and_taken():
    raw = file_of("token", "2.3.0").read_bytes()
    expected = Deviation("unknown_code", "type", "a code of OCPI 2.2.1", "'EMAID'")
    assert expected in find_deviations(raw, modules_v221.Token, "2.2.1")
    assert parse("token", raw, "2.2.1").type == "EMAID"


def test_country_comes_in_three_letters():
    raw = changed("location", "2.2.1", ("country",), "fr")
    assert parse("location", raw, "2.2.1").country == "FRA"
    assert ("not_alpha_3", "country") in deviations(raw, "location", "2.2.1")


def test_numbers_as_texts_are_for_lax_peers_and_for_211():
    raw = changed("session", "2.2.1", ("kwh",), "18.2375")
    assert parse("session", raw, "2.2.1", tolerances=LAX).kwh == Decimal("18.2375")
    assert refusal(raw, "session", "2.2.1") == ("invalid_field", "kwh", "a number", "'18.2375'")
    assert read("location", "2.1.1").evses[0].connectors[0].max_amperage == 32


# --- Refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "version", "path", "expected"),
    [
        ("session", "2.2.1", "country_code", "a text"),
        ("session", "2.2.1", "id", "a text"),
        ("session", "2.2.1", "start_date_time", INSTANT),
        ("session", "2.1.1", "start_datetime", INSTANT),
        ("session", "2.3.0", "kwh", "a number"),
        ("session", "2.3.0", "cdr_token", "an object"),
        ("session", "2.2.1", "status", "a text"),
        ("session", "2.2.1", "last_updated", INSTANT),
        ("token", "2.2.1", "party_id", "a text"),
        ("token", "2.2.1", "uid", "a text"),
        ("token", "2.2.1", "contract_id", "a text"),
        ("token", "2.1.1", "auth_id", "a text"),
        ("token", "2.2.1", "valid", "true or false"),
        ("token", "2.2.1", "whitelist", "a text"),
        ("location", "2.2.1", "party_id", "a text"),
        ("location", "2.1.1", "id", "a text"),
        ("credentials", "2.2.1", "token", "a text"),
        ("credentials", "2.2.1", "url", "a text"),
        ("credentials", "2.2.1", "roles", "a list with at least one entry"),
        ("credentials", "2.1.1", "party_id", "a text"),
        ("credentials", "2.1.1", "country_code", "a text"),
        ("version_details", "2.2.1", "endpoints", "a list"),
        ("authorization", "2.2.1", "allowed", "a text"),
        ("location_references", "2.2.1", "location_id", "a text"),
        ("invoice_reconciliation", "2.3.0", "invoice_id", "a text"),
        ("invoice_reconciliation", "2.3.0", "cdrs", "a list with at least one entry"),
    ],
)
def test_object_of_no_use_without_a_field_is_refused(kind, version, path, expected):
    raw = changed(kind, version, (path,))
    assert refusal(raw, kind, version) == ("missing_field", path, expected, "nothing")


@pytest.mark.parametrize(
    ("kind", "path", "value", "spelt", "expected", "got"),
    [
        ("session", ("charging_periods", 1, "dimensions", 0, "volume"), "x", None, "a number", "'x'"),
        ("session", ("total_cost",), {"incl_vat": 2}, "total_cost.excl_vat", "a number", "nothing"),
        ("session", ("last_updated",), "noon", None, INSTANT, "'noon'"),
        ("token", ("valid",), "yes", None, "true or false", "'yes'"),
        ("token", ("uid",), "u" * 256, None, "at most 255 characters", None),
        ("location", ("evses", 0, "uid"), ABSENT, None, "a text", "nothing"),
        ("location", ("evses", 0, "connectors", 1, "id"), ABSENT, None, "a text", "nothing"),
        ("location", ("evses", 0, "connectors", 0, "max_voltage"), [], None, "a number", "an empty list"),
        ("location", ("evses",), {}, None, "a list", "an object"),
        ("location", ("opening_times",), "always", None, "an object", "'always'"),
        ("credentials", ("roles",), [], None, "a list with at least one entry", "an empty list"),
        ("credentials", ("roles", 1, "party_id"), ABSENT, None, "a text", "nothing"),
        ("version_details", ("endpoints", 2, "url"), 4, None, "a text", "4"),
        ("authorization", ("token", "uid"), None, None, "a text", "null"),
        ("authorization", ("location", "evse_uids", 1), 7, None, "a text", "7"),
        ("invoice_reconciliation", ("cdrs",), [], None, "a list with at least one entry", "an empty list"),
        ("invoice_reconciliation", ("cdrs", 1), {"uid": "4"}, "cdrs[1].id", "a text", "nothing"),
        ("invoice_reconciliation", ("cdrs", 1), 4, None, "a text", "4"),
    ],
)
def test_unusable_value_is_refused_where_it_stands(kind, path, value, spelt, expected, got):
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    found = refusal(changed(kind, "2.2.1", path, value), kind, "2.2.1")
    assert found[1:3] == (spelt or steps, expected)
    assert got is None or found[3] == got


@pytest.mark.parametrize("kind", SCHEMAS)
def test_list_is_no_object(kind):
    assert refusal(b"[]", kind, "2.2.1") == ("invalid_field", "", "an object", "an empty list")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_unknown_version_is_refused(kind):
    with pytest.raises(PayloadError) as refused:
        parse(kind, b"{}", "2.0")
    assert refused.value.code == "unsupported_version"


@pytest.mark.parametrize(
    ("raw", "path", "expected"),
    [
        (b"{}", "", "a list"),
        (b'[{"version": "2.2.1", "url": "https://a"}, {"version": "2.1.1"}]', "[1].url", "a text"),
        (b'["2.2.1"]', "[0]", "an object"),
    ],
)
def test_list_of_versions_that_is_none_is_refused(raw, path, expected):
    with pytest.raises(PayloadError) as refused:
        modules.parse_versions(raw)
    assert (refused.value.path, refused.value.params["expected"]) == (path, expected)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_version_is_221_where_none_is_named(kind):
    version = "2.3.0" if kind == "invoice_reconciliation" else "2.2.1"
    raw = file_of(kind, version).read_bytes()
    assert getattr(modules, f"parse_{kind}")(raw) == parse(kind, raw, version)


def test_owner_may_come_from_elsewhere():
    raw = changed("location", "2.2.1", ("country_code",))
    assert parse("location", raw, "2.2.1", owner=("BE", "XYZ")).key == "BE*RVR*LYON-PART-DIEU"

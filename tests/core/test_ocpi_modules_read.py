"""Sessions, tokens, locations, credentials and the rest: what is read, and what cannot be."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi import modules, modules_v221
from emsp_core.ocpi.deviations import Deviation
from emsp_core.ocpi.json_text import read_json, write_json
from emsp_core.ocpi.modules import find_deviations
from emsp_core.ocpi.objects import CdrToken, ChargingPeriod, Dimension, DisplayText, Price, Tax
from emsp_core.ocpi.peer_objects import (
    BusinessDetails,
    Connector,
    Credentials,
    CredentialsRole,
    Endpoint,
    EnergyContract,
    Image,
    InvoiceReconciliation,
    LocationReferences,
    Token,
    Version,
    VersionDetails,
)
from emsp_core.ocpi.tolerances import LAX

DATA = Path(__file__).parent / "data" / "ocpi" / "modules"
VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
ABSENT = object()

SCHEMAS = {
    "authorization": modules_v221.AuthorizationInfo,
    "credentials": modules_v221.Credentials,
    "invoice_reconciliation": modules_v221.InvoiceReconciliation,
    "location": modules_v221.Location,
    "location_references": modules_v221.LocationReferences,
    "session": modules_v221.Session,
    "token": modules_v221.Token,
    "version_details": modules_v221.VersionDetails,
}
FILES = sorted(DATA.glob("v*/*.json"))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def version_of(file):
    return ".".join(file.parent.name[1:])


def file_of(kind, version):
    return DATA / f"v{version.replace('.', '')}" / f"{kind}.json"


def parse(kind, raw, version, **options):
    return getattr(modules, f"parse_{kind}")(raw, version, **options)


def read(kind, version, **options):
    return parse(kind, file_of(kind, version).read_bytes(), version, **options)


def changed(kind, version, path, value=ABSENT):
    """The payload of a file with one field set, or taken out."""
    tree = json.loads(file_of(kind, version).read_bytes())
    *way, field = path
    node = tree
    for step in way:
        node = node[step]
    if value is ABSENT:
        del node[field]
    else:
        node[field] = value
    return json.dumps(tree).encode()


def deviations(raw, kind, version, **options):
    found = find_deviations(raw, SCHEMAS[kind], version, **options)
    return [(each.code, each.path) for each in found]


# --- Every field ------------------------------------------------------------------------------


def test_session_is_read_field_by_field():
    session = read("session", "2.2.1")
    assert session.key == "FR*RVR*S-2025-004417"
    assert session.start_date_time == utc(2025, 6, 2, 8, 14, 5)
    assert session.end_date_time == utc(2025, 6, 2, 9, 2, 40)
    assert session.kwh == Decimal("18.2375")
    assert session.cdr_token == CdrToken(
        country_code="DE",
        party_id="SMO",
        uid="04A2B8CC117080",
        type="RFID",
        contract_id="DE-SMO-C00812344-5",
    )
    assert (session.auth_method, session.authorization_reference) == ("AUTH_REQUEST", "SMO-77120")
    assert (session.location_id, session.evse_uid, session.connector_id) == ("LYON-PART-DIEU", "LPD-03", "1")
    assert (session.location, session.meter_id, session.currency) == (None, "M-118", "EUR")
    assert session.charging_periods[1] == ChargingPeriod(
        utc(2025, 6, 2, 8, 56, 5), (Dimension("ENERGY", Decimal("0.3375")),)
    )
    assert session.charging_periods[0].tariff_id == "JOUR"
    assert session.total_cost == Price(Decimal("7.30"), Decimal("8.76"))
    assert (session.status, session.last_updated) == ("COMPLETED", utc(2025, 6, 2, 9, 2, 41, 250000))


def test_session_of_211_holds_its_location_and_one_id_for_the_token():
    session = read("session", "2.1.1", owner=("NL", "LDP"))
    assert session.key == "NL*LDP*LDP-S-771"
    assert session.start_date_time == utc(2024, 5, 17, 6, 58, 4)
    assert session.end_date_time == utc(2024, 5, 17, 9, 10, 34)
    assert session.cdr_token == CdrToken(uid="DE-NRG-C00482913-7", contract_id="DE-NRG-C00482913-7")
    assert (session.location_id, session.evse_uid, session.connector_id) == (
        "UTRECHT-JAARBEURS",
        "P3-014",
        "2",
    )
    assert (session.location.time_zone, session.location.evse_id) == ("Europe/Amsterdam", "NL*LDP*E0014*2")
    assert session.total_cost == Price(Decimal("7.8585"))


def test_session_of_230_has_taxes_by_name_and_runs_still():
    session = read("session", "2.3.0")
    assert (session.end_date_time, session.charging_periods) == (None, ())
    assert session.total_cost == Price(
        Decimal("11.50"),
        Decimal("13.2221"),
        (
            Tax("GST", Decimal("0.575"), Decimal(5), "81234 5678 RT0001"),
            Tax("QST", Decimal("1.1471"), Decimal("9.975")),
        ),
    )


def test_token_is_read_field_by_field():
    assert read("token", "2.2.1") == Token(
        country_code="DE",
        party_id="SMO",
        uid="04A2B8CC117080",
        type="RFID",
        contract_id="DE-SMO-C00812344-5",
        visual_number="SMO 0081 2344",
        issuer="Strom Mobil",
        group_id="FLEET-9",
        valid=True,
        whitelist="ALLOWED_OFFLINE",
        language="de",
        default_profile_type="GREEN",
        energy_contract=EnergyContract("Nordwind", "NW-4"),
        last_updated=utc(2025, 5, 30, 6),
    )


def test_token_of_211_calls_its_contract_auth_id():
    token = read("token", "2.1.1")
    assert (token.key, token.contract_id, token.valid) == (
        "**0455AA21*OTHER",
        "DE-NRG-C00482913-7",
        False,
    )
    assert read("token", "2.1.1", owner=("DE", "NRG")).key == "DE*NRG*0455AA21*OTHER"


def test_location_is_read_field_by_field():
    location = read("location", "2.2.1")
    assert (location.key, location.publish) == ("FR*RVR*LYON-PART-DIEU", False)
    assert (location.name, location.address, location.city, location.postal_code) == (
        *("Part-Dieu, niveau 2", "17 rue du Docteur Bouchut", "Lyon", "69003"),
    )
    assert (location.state, location.country) == ("Auvergne-Rhône-Alpes", "FRA")
    assert (location.latitude, location.longitude) == ("45.761390", "4.857270")
    assert (location.parking_type, location.time_zone) == ("PARKING_GARAGE", "Europe/Paris")
    assert location.operator == BusinessDetails(
        "Recharge Val de Rhône",
        "https://rvr.example",
        Image(
            *("https://rvr.example/logo.svg", "https://rvr.example/logo-s.svg", "OPERATOR", "svg"),
            *(Decimal(512), Decimal(256)),
        ),
    )
    assert (location.suboperator, location.owner) == (
        BusinessDetails("Parc Lyon"),
        BusinessDetails("Ville de Lyon"),
    )
    assert location.facilities == ("TRAIN_STATION", "MALL")
    assert location.directions == (DisplayText("fr", "Entrée par le sud"),)
    assert location.opening_times["regular_hours"][0]["period_end"] == "23:30"
    assert (location.charging_when_closed, location.energy_mix) == (True, {"is_green_energy": True})
    assert location.last_updated == utc(2025, 5, 1)


def test_evse_and_its_connectors_are_read_field_by_field():
    (evse,) = read("location", "2.2.1").evses
    assert (evse.uid, evse.evse_id, evse.status) == ("LPD-03", "FR*RVR*ELPD03", "AVAILABLE")
    assert (evse.capabilities, evse.parking_restrictions) == (("RFID_READER", "RESERVABLE"), ("EV_ONLY",))
    assert (evse.floor_level, evse.physical_reference) == ("-2", "B14")
    assert (evse.latitude, evse.longitude) == ("45.761391", "4.857271")
    assert evse.directions == (DisplayText("fr", "Derrière l'ascenseur"),)
    socket, cable = evse.connectors
    assert socket == Connector(
        id="1",
        standard="IEC_62196_T2",
        format="SOCKET",
        power_type="AC_3_PHASE",
        max_voltage=Decimal(230),
        max_amperage=Decimal(32),
        tariff_ids=("JOUR", "NUIT"),
        terms_and_conditions="https://rvr.example/conditions",
        last_updated=utc(2025, 1, 10, 12),
    )
    assert (cable.id, cable.max_electric_power, cable.tariff_ids) == ("2", Decimal(150000), ())


def test_evse_and_connector_are_read_by_themselves():
    tree = read_json(file_of("location", "2.2.1").read_bytes())["evses"][0]
    (whole,) = read("location", "2.2.1").evses
    assert parse("evse", tree, "2.2.1") == whole
    assert parse("connector", tree["connectors"][0], "2.2.1") == whole.connectors[0]


def test_location_of_211_has_a_voltage_an_amperage_and_one_tariff():
    location = read("location", "2.1.1", owner=("NL", "LDP"))
    assert (location.key, location.publish, location.parking_type) == (
        "NL*LDP*UTRECHT-JAARBEURS",
        True,
        None,
    )
    (connector,) = location.evses[0].connectors
    assert (connector.max_voltage, connector.max_amperage, connector.tariff_ids) == (
        Decimal(400),
        Decimal(32),
        ("P3-WEEK",),
    )


def test_location_of_230_has_a_help_phone_and_capabilities_of_connectors():
    location = read("location", "2.3.0")
    assert location.help_phone == "+1 514 555 0199"
    assert location.evses[0].connectors[0].capabilities == ("ISO_15118_2_PLUG_AND_CHARGE",)


def test_credentials_are_read_field_by_field():
    assert read("credentials", "2.2.1") == Credentials(
        "kP3-t0k3n.of/RVR",
        "https://rvr.example/ocpi/versions",
        (
            CredentialsRole(
                role="CPO",
                business_details=BusinessDetails("Recharge Val de Rhône"),
                party_id="RVR",
                country_code="FR",
            ),
            CredentialsRole(
                role="EMSP",
                business_details=BusinessDetails("Recharge Services", "https://rs.example"),
                party_id="RSE",
                country_code="FR",
            ),
        ),
    )
    assert read("credentials", "2.3.0").hub_party_id == "CAHUB"


@pytest.mark.parametrize("version", VERSIONS)
def test_flat_credentials_become_one_role_in_every_version(version):
    raw = file_of("credentials", "2.1.1").read_bytes()
    details = BusinessDetails("Laadpalen Utrecht", "https://ldp.example")
    assert parse("credentials", raw, version).roles == (
        CredentialsRole(business_details=details, party_id="LDP", country_code="NL"),
    )


def test_credentials_show_no_token_in_a_log():
    assert "kP3" not in repr(read("credentials", "2.2.1"))


def test_versions_and_their_details():
    versions = modules.parse_versions((DATA / "versions.json").read_bytes())
    assert versions[1] == Version("2.2.1", "https://rvr.example/ocpi/2.2.1")
    assert modules.versions_payload(versions) == json.loads((DATA / "versions.json").read_bytes())
    details = read("version_details", "2.2.1")
    assert details.endpoints[1] == Endpoint("cdrs", "https://rvr.example/ocpi/2.2.1/cdrs", "SENDER")
    assert read("version_details", "2.1.1").endpoints[1].role is None


@pytest.mark.parametrize(
    ("module", "role", "expected"),
    [
        ("cdrs", "SENDER", "/cdrs"),
        ("CDRs", "sender", "/cdrs"),
        ("cdrs", None, "/cdrs"),
        ("cdrs", "RECEIVER", "/roleless"),
        ("credentials", "RECEIVER", "/credentials"),
        ("tariffs", "SENDER", None),
    ],
)
def test_endpoint_is_found_by_module_and_role(module, role, expected):
    endpoints = (
        Endpoint("credentials", "/credentials", "SENDER"),
        Endpoint("cdrs", "/cdrs", "SENDER"),
        Endpoint("cdrs", "/roleless"),
    )
    assert VersionDetails("2.2.1", endpoints).find_url(module, role) == expected


def test_authorization_is_read_field_by_field():
    info = read("authorization", "2.2.1")
    assert (info.allowed, info.authorization_reference) == ("ALLOWED", "SMO-77120")
    assert (info.token.key, info.token.whitelist) == ("DE*SMO*04A2B8CC117080*RFID", "NEVER")
    assert info.location == LocationReferences("LYON-PART-DIEU", ("LPD-03", "LPD-04"))
    assert info.info == DisplayText("fr", "Bonne route")
    older = read("authorization", "2.1.1")
    assert (older.token, older.location.connector_ids) == (None, ("2",))


def test_token_of_an_authorization_may_have_its_owner_from_elsewhere():
    raw = changed("authorization", "2.2.1", ("token", "party_id"))
    assert parse("authorization", raw, "2.2.1").token.key == "DE**04A2B8CC117080*RFID"
    info = parse("authorization", raw, "2.2.1", owner=("DE", "NRG"))
    assert info.token.key == "DE*NRG*04A2B8CC117080*RFID"


def test_location_references_are_read():
    assert read("location_references", "2.2.1") == LocationReferences("LYON-PART-DIEU", ("LPD-03",))
    assert read("location_references", "2.3.0") == LocationReferences("BERRI")


def test_invoice_reconciliation_is_read_field_by_field():
    assert read("invoice_reconciliation", "2.2.1") == InvoiceReconciliation(
        country_code="FR",
        party_id="RVR",
        id="IR-2025-06-SMO",
        invoice_id="INV/2025/00412",
        cdrs=("CDR-1", "CDR-2"),
        total_cost=Price(Decimal("120.50"), Decimal("144.60")),
        currency="EUR",
        annex_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        dispute_url="https://rvr.example/disputes/IR-2025-06-SMO",
        last_updated=utc(2025, 7, 1, 4),
    )


def test_cdrs_of_a_record_may_be_objects_with_an_id():
    cdrs = ["A", {"id": "B", "total_energy": 4}, "C"]
    raw = changed("invoice_reconciliation", "2.3.0", ("cdrs",), cdrs)
    assert parse("invoice_reconciliation", raw, "2.3.0").cdrs == ("A", "B", "C")


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


def refusal(raw, kind, version):
    with pytest.raises(PayloadError) as refused:
        parse(kind, raw, version)
    error = refused.value
    return error.code, error.path, error.params["expected"], error.params["got"]


INSTANT = "a date and time such as 2025-06-02T10:00:00Z"


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

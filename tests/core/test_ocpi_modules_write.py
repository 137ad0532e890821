"""The way out: every object in every version, and what is left of it there."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi import modules, modules_v221
from emsp_core.ocpi.deviations import find_deviations
from emsp_core.ocpi.json_text import canonical, write_json
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import (
    CdrToken,
    ChargingPeriod,
    Dimension,
    Price,
    Tax,
)
from emsp_core.ocpi.peer_objects import (
    AuthorizationInfo,
    BusinessDetails,
    Connector,
    Credentials,
    CredentialsRole,
    Endpoint,
    Evse,
    Location,
    Session,
    Token,
    VersionDetails,
)

DATA = Path(__file__).parent / "data" / "ocpi"
KINDS = (
    *("authorization", "cdr", "credentials", "invoice_reconciliation", "location", "session", "token"),
    "version_details",
)
FILES = sorted((DATA / "modules").glob("v*/*.json"))
# Numbers as texts, and a type that says nothing, do not come back as they came.
RESPELT = {"v211/session.json", "v211/location.json"}
NOT_WRITTEN = {"location_references"}

every_version = pytest.mark.parametrize("version", ("2.1.1", "2.2.1", "2.3.0"))

# --- Files ------------------------------------------------------------------------------------


def version_of(file):
    return ".".join(file.parent.name[1:])


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.stem not in NOT_WRITTEN],
    ids=lambda file: f"{file.parent.name}-{file.stem}",
)
def test_file_comes_back_as_the_object_it_was(file):
    version, raw = version_of(file), file.read_bytes()
    parse = getattr(modules, f"parse_{file.stem}")
    write = getattr(modules, f"{file.stem}_payload")
    written = write_json(write(parse(raw, version), version))
    assert parse(written, version) == parse(raw, version)
    if f"{file.parent.name}/{file.name}" not in RESPELT and file.stem != "location":
        assert canonical(written) == canonical(raw)


def test_location_comes_back_with_all_but_what_is_only_let_through():
    raw = (DATA / "modules" / "v221" / "location.json").read_bytes()
    expected = json.loads(raw)
    for name in ("publish_allowed_to", "related_locations"):
        del expected[name]
    for name in ("status_schedule", "images"):
        del expected["evses"][0][name]
    written = write_json(modules.location_payload(modules.parse_location(raw)))
    assert canonical(written) == canonical(json.dumps(expected))


@pytest.mark.parametrize("name", ["full_cdr", "minimal_cdr", "credit_cdr", "reservation_cdr"])
def test_cdr_file_of_221_comes_back_as_the_object_it_was(name):
    cdr = parse_cdr((DATA / f"{name}.json").read_bytes())
    assert parse_cdr(write_json(modules.cdr_payload(cdr))) == cdr


@pytest.mark.parametrize(("version", "folder"), [("2.1.1", "v211"), ("2.3.0", "v230")])
def test_cdr_file_of_another_version_comes_back_as_the_object_it_was(version, folder):
    cdr = parse_cdr((DATA / folder / "cdr.json").read_bytes(), version)
    written = write_json(modules.cdr_payload(cdr, version))
    assert parse_cdr(written, version) == cdr
    # Only what the file has and a CDR needs not; nothing of ours.
    assert {each.code for each in find_deviations(written, version)} <= {"missing"}


# --- What a version lacks ---------------------------------------------------------------------

AT = datetime(2025, 6, 2, 8, tzinfo=UTC)


def full_cdr():
    return parse_cdr((DATA / "full_cdr.json").read_bytes())


def session(**values):
    facts = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "S-1",
        "start_date_time": AT,
        "kwh": Decimal("4.5"),
        "cdr_token": CdrToken(uid="U", type="EMAID", contract_id="C"),
        "status": "ACTIVE",
        "last_updated": AT,
    }
    return Session(**facts | values)


def token(**values):
    facts = {
        "country_code": "DE",
        "party_id": "SMO",
        "uid": "U",
        "contract_id": "C",
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": AT,
    }
    return Token(**facts | values)


def test_cdr_leaves_as_211_under_its_old_names():
    payload = modules.cdr_payload(full_cdr(), "2.1.1")
    assert payload["auth_id"] == full_cdr().cdr_token.contract_id
    assert payload["stop_date_time"] and payload["total_cost"] == full_cdr().total_cost.excl_vat
    (evse,) = payload["location"]["evses"]
    (connector,) = evse["connectors"]
    place = full_cdr().cdr_location
    assert (evse["uid"], evse["evse_id"], connector["id"]) == (
        place.evse_uid,
        place.evse_id,
        place.connector_id,
    )
    assert connector["power_type"] == place.connector_power_type
    unknown = {"country_code", "party_id", "session_id", "cdr_token", "cdr_location", "end_date_time"}
    unknown |= {"signed_data", "credit", "credit_reference_id", "total_energy_cost"}
    assert not unknown & payload.keys()
    assert all("tariff_id" not in period for period in payload["charging_periods"])


def test_marks_of_a_cdr_are_written_only_where_set():
    plain = modules.cdr_payload(replace(full_cdr(), credit=False, home_charging_compensation=False))
    assert not {"credit", "home_charging_compensation"} & plain.keys()
    credit = modules.cdr_payload(replace(full_cdr(), credit=True))
    assert credit["credit"] is True


def test_dimension_of_another_version_is_left_out_and_an_unknown_one_kept():
    told = ("ENERGY", "FLAT", "POWER", "X-OURS")
    period = ChargingPeriod(AT, tuple(Dimension(each, Decimal(1)) for each in told))
    payloads = {
        version: modules.session_payload(session(charging_periods=(period,)), version)
        for version in ("2.1.1", "2.2.1")
    }
    assert {
        version: [each["type"] for each in payload["charging_periods"][0]["dimensions"]]
        for version, payload in payloads.items()
    } == {"2.1.1": ["ENERGY", "FLAT", "X-OURS"], "2.2.1": ["ENERGY", "POWER", "X-OURS"]}


@pytest.mark.parametrize(
    ("kind", "version", "expected"),
    [
        ("EMAID", "2.3.0", "EMAID"),
        ("EMAID", "2.2.1", "OTHER"),
        ("APP_USER", "2.2.1", "APP_USER"),
        ("APP_USER", "2.1.1", "OTHER"),
        ("RFID", "2.1.1", "RFID"),
        ("KEY_FOB", "2.1.1", "KEY_FOB"),
    ],
)
def test_type_of_a_token_is_one_that_the_version_knows(kind, version, expected):
    assert modules.token_payload(token(type=kind), version)["type"] == expected
    if version != "2.1.1":
        held = session(cdr_token=CdrToken(uid="U", type=kind, contract_id="C"))
        assert modules.session_payload(held, version)["cdr_token"]["type"] == expected


def test_session_leaves_as_211_with_its_place_and_the_words_of_211():
    value = session(
        location_id="L", evse_uid="E", connector_id="1", status="RESERVATION", auth_method="COMMAND"
    )
    payload = modules.session_payload(value, "2.1.1")
    assert payload == {
        "id": "S-1",
        "start_datetime": "2025-06-02T08:00:00Z",
        "kwh": Decimal("4.5"),
        "auth_id": "C",
        "auth_method": "AUTH_REQUEST",
        "status": "PENDING",
        "location": {
            "id": "L",
            "type": "UNKNOWN",
            "evses": [
                {
                    "uid": "E",
                    "status": "UNKNOWN",
                    "connectors": [{"id": "1", "last_updated": "2025-06-02T08:00:00Z"}],
                    "last_updated": "2025-06-02T08:00:00Z",
                }
            ],
            "last_updated": "2025-06-02T08:00:00Z",
        },
        "last_updated": "2025-06-02T08:00:00Z",
    }
    newer = modules.session_payload(value)
    assert (newer["status"], newer["auth_method"]) == ("RESERVATION", "COMMAND")


@pytest.mark.parametrize(
    ("price", "version", "expected"),
    [
        (Price(Decimal(10)), "2.1.1", Decimal(10)),
        (Price(Decimal(10), Decimal(12)), "2.1.1", Decimal(10)),
        (Price(Decimal(10)), "2.2.1", {"excl_vat": Decimal(10)}),
        (Price(Decimal(10), Decimal(12)), "2.2.1", {"excl_vat": Decimal(10), "incl_vat": Decimal(12)}),
        (Price(Decimal(10)), "2.3.0", {"before_taxes": Decimal(10)}),
        (Price(Decimal(10), Decimal(10)), "2.3.0", {"before_taxes": Decimal(10), "taxes": []}),
        (
            Price(Decimal(10), Decimal(12)),
            "2.3.0",
            {"before_taxes": Decimal(10), "taxes": [{"name": "VAT", "amount": Decimal(2)}]},
        ),
        (
            Price(Decimal(10), Decimal(11), (Tax("GST", Decimal(1), Decimal(10)),)),
            "2.3.0",
            {
                "before_taxes": Decimal(10),
                "taxes": [{"name": "GST", "amount": Decimal(1), "percentage": Decimal(10)}],
            },
        ),
    ],
)
def test_price_leaves_in_the_shape_of_the_version(price, version, expected):
    assert modules.session_payload(session(total_cost=price), version)["total_cost"] == expected


@pytest.mark.parametrize(
    ("parking_type", "expected"),
    [(None, "UNKNOWN"), ("ON_STREET", "ON_STREET"), ("ALONG_MOTORWAY", "OTHER"), ("ON_DRIVEWAY", "OTHER")],
)
def test_location_leaves_as_211_with_a_type(parking_type, expected):
    location = Location(
        country_code="FR",
        party_id="RVR",
        id="L",
        parking_type=parking_type,
        help_phone="1",
        state="Rhône",
        evses=(
            Evse(
                uid="E",
                connectors=(
                    Connector(
                        id="1",
                        max_voltage=Decimal(230),
                        max_amperage=Decimal(16),
                        max_electric_power=Decimal(3680),
                        tariff_ids=("T", "U"),
                        capabilities=("X",),
                    ),
                ),
            ),
        ),
        last_updated=AT,
    )
    assert modules.location_payload(location, "2.1.1") == {
        "id": "L",
        "type": expected,
        "evses": [
            {
                "uid": "E",
                "connectors": [
                    {"id": "1", "voltage": Decimal(230), "amperage": Decimal(16), "tariff_id": "T"}
                ],
            }
        ],
        "last_updated": "2025-06-02T08:00:00Z",
    }
    newer = modules.location_payload(location, "2.2.1")
    assert "help_phone" not in newer and "capabilities" not in newer["evses"][0]["connectors"][0]
    assert modules.location_payload(location, "2.3.0")["help_phone"] == "1"


def test_credentials_leave_as_211_with_the_first_party():
    roles = (
        CredentialsRole(role="CPO", business_details=BusinessDetails("A"), party_id="AAA", country_code="FR"),
        CredentialsRole(role="EMSP", party_id="BBB", country_code="FR"),
    )
    value = Credentials("T", "https://a/versions", roles, "FRHUB")
    assert modules.credentials_payload(value, "2.1.1") == {
        "token": "T",
        "url": "https://a/versions",
        "business_details": {"name": "A"},
        "party_id": "AAA",
        "country_code": "FR",
    }
    assert "hub_party_id" not in modules.credentials_payload(value, "2.2.1")
    assert modules.credentials_payload(value, "2.3.0")["hub_party_id"] == "FRHUB"


def test_authorization_leaves_as_211_without_the_token():
    info = AuthorizationInfo(allowed="ALLOWED", token=token(), authorization_reference="R")
    assert modules.authorization_payload(info, "2.1.1") == {"allowed": "ALLOWED"}
    assert modules.authorization_payload(info)["token"]["contract_id"] == "C"


def test_endpoints_leave_as_211_without_a_role():
    details = VersionDetails("2.1.1", (Endpoint("cdrs", "https://a/cdrs", "RECEIVER"),))
    assert modules.version_details_payload(details, "2.1.1")["endpoints"] == [
        {"identifier": "cdrs", "url": "https://a/cdrs"}
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_version_is_not_written(kind):
    with pytest.raises(PayloadError) as refused:
        getattr(modules, f"{kind}_payload")(session(), "2.0")
    assert refused.value.code == "unsupported_version"


@pytest.mark.parametrize("kind", KINDS)
def test_version_is_221_where_none_is_named(kind):
    write = getattr(modules, f"{kind}_payload")
    version = "2.3.0" if kind == "invoice_reconciliation" else "2.2.1"
    value = session(total_cost=Price(Decimal(1)), cdr_token=CdrToken(uid="U", type="EMAID", contract_id="C"))
    assert write(value) == write(value, version)


@every_version
def test_written_objects_have_no_deviation(version):
    location = modules.parse_location((DATA / "modules" / "v221" / "location.json").read_bytes())
    written = write_json(modules.location_payload(replace(location, parking_type="ON_DRIVEWAY"), version))
    found = modules.find_deviations(written, modules_v221.Location, version)
    # A capability and a facility that came later; no peer is told to refuse them.
    assert {each.code for each in found} <= ({"unknown_code"} if version == "2.1.1" else set())

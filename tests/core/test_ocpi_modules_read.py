"""Sessions, tokens, locations, credentials and the rest: what is read, field by field."""

import json
from decimal import Decimal

import pytest
from emsp_core.ocpi import modules
from emsp_core.ocpi.json_text import read_json
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
from module_files import (
    DATA,
    VERSIONS,
    changed,
    file_of,
    parse,
    read,
    utc,
)


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

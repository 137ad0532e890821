"""OCPI 2.1.1 wants a whole location in sessions and CDRs, of which later versions tell a part."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from emsp_core.ocpi import modules
from emsp_core.ocpi.objects import CdrLocation, CdrToken
from emsp_core.ocpi.peer_objects import Connector, Evse, Location, Session

AT = datetime(2025, 6, 2, 8, tzinfo=UTC)
AT_TEXT = "2025-06-02T08:00:00Z"
OTHER = Connector(id="2", max_voltage=Decimal(400), max_amperage=Decimal(125), last_updated=AT)
USED = Connector(
    id="1",
    standard="IEC_62196_T2",
    format="SOCKET",
    power_type="AC_3_PHASE",
    max_voltage=Decimal(230),
    max_amperage=Decimal(32),
    tariff_ids=("T",),
    last_updated=AT,
)
PLACE = Location(
    country_code="FR",
    party_id="RVR",
    id="L",
    name="Parking",
    address="1 rue A",
    city="Lyon",
    country="FRA",
    latitude="45.7",
    longitude="4.8",
    parking_type="ON_STREET",
    time_zone="Europe/Paris",
    evses=(
        Evse(uid="X", evse_id="FR*RVR*E9", status="BLOCKED", connectors=(USED,), last_updated=AT),
        Evse(uid="e-1", evse_id="FR*RVR*E1", status="CHARGING", connectors=(OTHER, USED), last_updated=AT),
    ),
    last_updated=datetime(2024, 1, 1, tzinfo=UTC),
)
WHOLE = {
    "id": "L",
    "type": "ON_STREET",
    "name": "Parking",
    "address": "1 rue A",
    "city": "Lyon",
    "country": "FRA",
    "coordinates": {"latitude": "45.7", "longitude": "4.8"},
    "time_zone": "Europe/Paris",
    "evses": [
        {
            "uid": "E-1",
            "evse_id": "FR*RVR*E1",
            "status": "CHARGING",
            "connectors": [
                {
                    "id": "1",
                    "standard": "IEC_62196_T2",
                    "format": "SOCKET",
                    "power_type": "AC_3_PHASE",
                    "voltage": 230,
                    "amperage": 32,
                    "last_updated": AT_TEXT,
                }
            ],
            "last_updated": AT_TEXT,
        }
    ],
    "last_updated": AT_TEXT,
}


def session(**values):
    facts = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "S-1",
        "start_date_time": AT,
        "kwh": Decimal("4.5"),
        "cdr_token": CdrToken(uid="U", contract_id="C"),
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "status": "ACTIVE",
        "location_id": "L",
        "evse_uid": "E-1",
        "connector_id": "1",
        "last_updated": AT,
    }
    return Session(**facts | values)


def test_session_takes_along_the_evse_and_the_connector_that_were_used():
    payload = modules.session_payload(session(), "2.1.1", PLACE)
    assert payload["location"] == WHOLE


def test_own_words_of_a_session_hold():
    told = CdrLocation(id="L", name="P1", evse_uid="E-1", connector_id="1", connector_power_type="DC")
    location = modules.session_payload(session(location=told), "2.1.1", PLACE)["location"]
    assert (location["name"], location["city"]) == ("P1", "Lyon")
    [connector] = location["evses"][0]["connectors"]
    assert (connector["power_type"], connector["voltage"]) == ("DC", 230)


def test_evse_is_found_by_its_emi3_id_too():
    told = CdrLocation(id="L", evse_id="fr*rvr*e1", connector_id="1")
    [evse] = modules.session_payload(session(location=told), "2.1.1", PLACE)["location"]["evses"]
    assert (evse["uid"], evse["status"], evse["connectors"][0]["amperage"]) == ("e-1", "CHARGING", 32)


@pytest.mark.parametrize("place", [None, replace(PLACE, evses=())])
def test_what_nobody_has_described_is_unknown_or_left_out(place):
    location = modules.session_payload(session(), "2.1.1", place)["location"]
    assert location["type"] == ("ON_STREET" if place else "UNKNOWN")
    assert location["evses"] == [
        {
            "uid": "E-1",
            "status": "UNKNOWN",
            "connectors": [{"id": "1", "last_updated": AT_TEXT}],
            "last_updated": AT_TEXT,
        }
    ]


def test_session_without_a_place_gets_none():
    nowhere = session(location_id=None, evse_uid=None, connector_id=None)
    assert "location" not in modules.session_payload(nowhere, "2.1.1", PLACE)


def test_later_versions_tell_the_ids_alone():
    assert modules.session_payload(session(), "2.2.1", PLACE) == modules.session_payload(session(), "2.2.1")

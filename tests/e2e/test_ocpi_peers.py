"""Two instances of the add-on, a CPO's and an eMSP's, over nothing but HTTP: each in its own process
and database. They register, exchange everything in each version, and hold the same in the end."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from support import story
from support.ocpi_client import OcpiClient
from support.odoo_client import OdooClient
from support.server import OdooServer

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
CPO, EMSP = ("FR", "RVR"), ("DE", "SMO")
# What both sides know of a CDR, whatever version carried it.
CDR_FACTS = (
    "ocpi_id",
    "session_start_at",
    "session_end_at",
    "energy_kwh",
    "stated_amount",
    "is_credit",
    "evse_id",
)


class Peer:
    """One instance, and its end of the connection."""

    def __init__(self, server, role, own, other):
        self.url = server.url
        self.admin = OdooClient(server.url, server.database, "admin", "admin")
        for key, value in (("web.base.url", server.url), ("web.base.url.freeze", "True")):
            self.admin.call("ir.config_parameter", "set_param", key, value)
        # The demo's company and its own charge point system are a CPO's; an eMSP needs neither.
        self.chargers = self.admin.ref("emsp_clearing.emsp_ocpi_connection_cpms_demo")
        [((self.company, __),)] = self.records("emsp.ocpi.connection", "company_id", id=self.chargers)
        vals = {
            "name": "*".join(other),
            "company_id": self.company,
            "our_role": role,
            "peer_role": "EMSP" if role == "CPO" else "CPO",
            "country_code": other[0],
            "ocpi_party_id": other[1],
            "own_country_code": own[0],
            "own_party_id": own[1],
            "allow_private_network": True,
            "time_zone": "Europe/Paris",
            **dict.fromkeys((f"push_{name}" for name in self.pushes(role)), True),
        }
        self.connection = self.admin.call("emsp.ocpi.connection", "create", vals)

    @staticmethod
    def pushes(role):
        return ("locations", "tariffs", "sessions", "cdrs") if role == "CPO" else ("tokens",)

    def do(self, action):
        return self.admin.call("emsp.ocpi.connection", action, [self.connection])

    def write(self, **vals):
        self.admin.call("emsp.ocpi.connection", "write", [self.connection], vals)

    def facts(self):
        names = ["state", "version"]
        [row] = self.admin.search_read("emsp.ocpi.connection", [["id", "=", self.connection]], names)
        return row["state"], row["version"]

    def records(self, model, *names, **values):
        domain = [[name, "=", value] for name, value in values.items()]
        rows = self.admin.search_read(model, domain, list(names), order="id")
        return [tuple(row[name] for name in names) for row in rows]


@pytest.fixture(scope="module")
def peers(make_database, mailbox):
    with (
        OdooServer(make_database("cpo"), mailbox.port) as one,
        OdooServer(make_database("emsp"), mailbox.port) as two,
    ):
        yield Peer(one, "CPO", CPO, EMSP), Peer(two, "EMSP", EMSP, CPO)


@pytest.fixture(scope="module")
def chargers(peers):
    """Our own charge point system, which feeds the CPO's instance."""
    cpo, __ = peers
    action = cpo.admin.call("emsp.ocpi.connection", "action_new_token", [cpo.chargers])
    return OcpiClient(cpo.url, action["context"]["default_token"])


def put(chargers, module, body, version="2.2.1"):
    """What the charge point system tells of a location or a session."""
    address = "/".join((body["country_code"], body["party_id"], body["id"]))
    url = f"{chargers.base_url}/ocpi/emsp/{version}/{module}/{address}"
    answer = chargers.request("PUT", url, json=body)
    assert answer.is_taken, answer.text


def location(number):
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": f"LOC{number}",
        "publish": True,
        "name": "Parking Bellecour",
        "address": "Place Bellecour",
        "city": "Lyon",
        "country": "FRA",
        "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
        "time_zone": "Europe/Paris",
        "evses": [
            {
                "uid": f"U{number}",
                "evse_id": "FR*RVR*E1001*1",
                "status": "AVAILABLE",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_3_PHASE",
                        "max_voltage": 230,
                        "max_amperage": 32,
                        "last_updated": now(),
                    }
                ],
                "last_updated": now(),
            }
        ],
        "last_updated": now(),
    }


def session(number):
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": f"S{number}",
        "start_date_time": now(-3600),
        "kwh": 12.5,
        "cdr_token": {
            "country_code": "DE",
            "party_id": "SMO",
            "uid": "04A1B2",
            "type": "RFID",
            "contract_id": "DE-SMO-C1-1",
        },
        "auth_method": "WHITELIST",
        "location_id": f"LOC{number}",
        "evse_uid": f"U{number}",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": now(),
    }


def cdr(run, number):
    """22.5 kWh in 95 minutes: 0.50 + 9.45."""
    sold = story.Session(f"P{number}", "DE*SMO", "22.5", 95, 0, "9.95")
    # Each version has hours of its own: on one charger, two sessions at once would be held.
    hours = 3 * (1 + ["211", "221", "230"].index(run))
    return story.cdr(sold, datetime.now(UTC) - timedelta(hours=hours), run, number)


def now(seconds=0):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def register(cpo, emsp, version):
    """The eMSP registers at the CPO, which has given it a token."""
    emsp.write(highest_version=version)
    token = cpo.do("action_give_token")["context"]["default_token"]
    wizard = emsp.admin.call(
        "emsp.ocpi.connection.register",
        "create",
        {"connection_id": emsp.connection, "versions_url": f"{cpo.url}/ocpi/versions", "token": token},
    )
    emsp.admin.call("emsp.ocpi.connection.register", "action_register", [wizard])


def settle(*peers):
    """Until nobody has anything to tell any more."""
    for __ in range(2):
        for peer in peers:
            peer.admin.wait_for_jobs()


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_is_told_and_both_hold_the_same(peers, chargers, version):
    cpo, emsp = peers
    run = version.replace(".", "")

    register(cpo, emsp, version)
    assert (cpo.facts(), emsp.facts()) == (("registered", version), ("registered", version))

    # Pushed: a token to the CPO; location, session, tariffs and CDR to the eMSP.
    emsp.admin.call(
        "emsp.token",
        "create",
        {
            "ocpi_country_code": "DE",
            "ocpi_party_id": "SMO",
            "ocpi_id": f"UID{run}",
            "emaid": f"DE-SMO-C{run}-1",
            "company_id": emsp.company,
        },
    )
    put(chargers, "locations", location(run))
    put(chargers, "sessions", session(run))
    assert chargers.post_cdr(cdr(run, 1)).http_status == 201
    settle(cpo, emsp)
    for peer in peers:
        peer.do("action_push_now")
    settle(cpo, emsp)

    assert cpo.records("emsp.token", "ocpi_id", ocpi_id=f"UID{run}")
    for model in ("emsp.location", "emsp.session"):
        name = f"{'LOC' if model == 'emsp.location' else 'S'}{run}"
        assert len(emsp.records(model, "ocpi_id", ocpi_id=name)) == 1, model
    assert ("RVR-EU-1",) in emsp.records("emsp.tariff", "ocpi_id")

    # Pulled: what was not pushed, and nothing twice.
    cpo.write(push_cdrs=False)
    assert chargers.post_cdr(cdr(run, 2)).http_status == 201
    settle(cpo)
    emsp.do("action_pull_now")
    settle(cpo, emsp)
    cpo.write(push_cdrs=True)

    # Credited: OCPI 2.1.1 knows no credit CDRs.
    if version != "2.1.1":
        assert chargers.post_cdr(credit(cdr(run, 1))).http_status == 201
        settle(cpo)
        cpo.do("action_push_now")
        settle(cpo, emsp)
    ours = sorted(row for row in cpo.records("emsp.cdr", *CDR_FACTS) if run in row[0])
    theirs = sorted(row for row in emsp.records("emsp.cdr", *CDR_FACTS) if run in row[0])
    assert len(ours) == (2 if version == "2.1.1" else 3)
    assert theirs == ours

    emsp.do("action_unregister")
    assert (cpo.facts()[0], emsp.facts()[0]) == ("unregistered", "unregistered")


def credit(original):
    text = json.loads(json.dumps(original))
    cost = text["total_cost"]
    text.update(id=f"{original['id']}-C", credit=True, credit_reference_id=original["id"])
    text["total_cost"] = {name: -value for name, value in cost.items()}
    text["last_updated"] = now()
    return text


def test_partner_that_left_is_refused(peers):
    cpo, __ = peers
    answer = requests.get(f"{cpo.url}/ocpi/versions", headers={"Authorization": "Token bm9ib2R5"}, timeout=30)
    assert answer.status_code == 401

"""Every answer of ours, to a client by others: its schemas have nothing against it, and read what was meant.

What they have against the text itself stands in foreign_peer/faults.py and foreign_party.py."""

import pytest
from foreign_party import EVSE_UID, MODULES
from support.ocpi_objects import Operator, emaid, instant, token

OK, NEW = (200, 1000), (201, 1000)
REFUSED, ANOTHER, UNKNOWN = (400, 2001), (200, 2001), (404, 2000)


class Client:
    """The platform's requests to our modules."""

    def __init__(self, ours):
        self.peer = ours.peer
        __, self.urls = ours.endpoints()
        self.path = ours.peer.party.replace("*", "/")

    def url(self, module, *ids):
        return "/".join((self.urls[module], self.path, *ids))

    def expect(self, outcome, method, url, schema=None, body=None):
        """:return: the objects of the answer, as the schema reads them."""
        answer = self.peer.call(method, url, schema, body)
        assert answer.outcome == outcome, (method, url, answer)
        assert set(answer.problems) <= {EVSE_UID}, (method, url, answer.problems)
        return answer.data

    def expect_object(self, url, schema, content):
        assert self.expect(OK, "GET", url, schema) == [self.peer.read(schema, content)]


@pytest.fixture
def client(registered):
    return Client(registered)


@pytest.fixture
def operator(client, version):
    """What the foreign CPO has."""
    return Operator(client.peer.party, version, "FR*RVM", f"C{version.replace('.', '')}")


of_cpo = pytest.mark.parametrize("ours", ["CPO"], indirect=True)
of_emsp = pytest.mark.parametrize("ours", ["EMSP"], indirect=True)


@of_cpo
def test_locations_of_a_foreign_cpo(client, operator):
    location = operator.location()
    [evse] = location["evses"]
    [connector] = evse["connectors"]
    parts = {
        client.url("locations", location["id"]): ("locations.Location", location),
        client.url("locations", location["id"], evse["uid"]): ("locations.EVSE", evse),
        client.url("locations", location["id"], evse["uid"], "1"): ("locations.Connector", connector),
    }
    whole, middle, least = parts
    for url in parts:
        client.expect(UNKNOWN, "GET", url)
    client.expect(NEW, "PUT", whole, body=location)
    client.expect(OK, "PUT", whole, body=location)
    for url, (schema, content) in parts.items():
        client.expect_object(url, schema, content)
        client.expect(OK, "PUT", url, body=content)

    client.expect(REFUSED, "PATCH", whole, body={"name": "Parking Terreaux"})
    client.expect(OK, "PATCH", whole, body={"name": "Parking Terreaux", "last_updated": instant()})
    client.expect(OK, "PATCH", middle, body={"status": "CHARGING", "last_updated": instant()})
    client.expect(OK, "PATCH", least, body={"format": "CABLE", "last_updated": instant()})
    [changed] = client.expect(OK, "GET", whole, "locations.Location")
    assert (changed["name"], changed["evses"][0]["status"]) == ("Parking Terreaux", "CHARGING")
    assert changed["evses"][0]["connectors"][0]["format"] == "CABLE"
    client.expect(REFUSED, "PUT", client.url("locations", "ANOTHER"), body=location)
    client.expect((405, 2000), "DELETE", whole)


@of_cpo
def test_sessions_and_tariffs_of_a_foreign_cpo(client, operator, version):
    session, tariff = operator.session(4.5), operator.tariff()
    for module, content in (("sessions", session), ("tariffs", tariff)):
        url = client.url(module, content["id"])
        client.expect(UNKNOWN, "GET", url)
        client.expect(NEW, "PUT", url, body=content)
        client.expect(OK, "PUT", url, body=content)
        client.expect_object(url, MODULES[module], content)
        client.expect(REFUSED, "PUT", url, body={**content, "currency": 7})

    url = client.url("sessions", session["id"])
    client.expect(OK, "PATCH", url, body={"kwh": 6.25, "last_updated": instant()})
    assert client.expect(OK, "GET", url, "sessions.Session")[0]["kwh"] == 6.25

    url = client.url("tariffs", tariff["id"])
    patched = OK if version == "2.1.1" else (405, 2000)
    client.expect(patched, "PATCH", url, body={"currency": "CHF", "last_updated": instant()})
    client.expect(OK, "DELETE", url)
    client.expect(UNKNOWN, "GET", url)


@of_cpo
def test_cdrs_of_a_foreign_cpo(client, operator):
    cdr = operator.cdr(1)
    client.expect(UNKNOWN, "GET", client.url("cdrs", cdr["id"]))
    answers = [client.peer.call("POST", client.urls["cdrs"], body=cdr) for __ in range(2)]
    changed = client.peer.call("POST", client.urls["cdrs"], body={**cdr, "total_energy": 23})
    assert [each.outcome for each in (*answers, changed)] == [NEW, OK, ANOTHER]
    assert [each.problems for each in (*answers, changed)] == [[], [], []]
    [location] = {each.headers["location"] for each in (*answers, changed)}
    client.expect_object(location, "cdrs.Cdr", cdr)

    nameless = {name: value for name, value in cdr.items() if name != "currency"}
    client.expect(REFUSED, "POST", client.urls["cdrs"], body={**nameless, "id": "NONE"})
    client.expect(REFUSED, "POST", client.urls["cdrs"], body=[cdr])
    client.expect(REFUSED, "POST", client.urls["cdrs"], body="text")
    client.expect((405, 2000), "PUT", client.urls["cdrs"], body=cdr)


@of_cpo
def test_our_tokens_for_a_foreign_cpo(registered, client, operator, version):
    uids = [f"T{version.replace('.', '')}{number}" for number in range(3)]
    for number, uid in enumerate(uids):
        vals = {"ocpi_id": uid, "emaid": f"FR-RVM-C0000{uid[1:]}-1", "is_valid": number != 2}
        registered.admin.call("emsp.token", "create", {**vals, "company_id": registered.company})
    read = []
    url = f"{client.urls['tokens']}?limit=2"
    while url:
        answer = client.peer.call("GET", url, "tokens.Token")
        assert (answer.outcome, answer.problems, len(answer.data) <= 2) == (OK, [], True)
        read += answer.data
        url = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    assert int(answer.headers["x-total-count"]) == len(read)
    ours = {each["uid"].upper(): each["valid"] for each in read if each["uid"].upper() in uids}
    assert ours == dict(zip(uids, (True, True, False), strict=True))

    good, __, blocked = (f"{client.urls['tokens']}/{uid}/authorize" for uid in uids)
    location = operator.location()
    place = {"location_id": location["id"], "evse_uids": [location["evses"][0]["uid"]]}
    [info] = client.expect(OK, "POST", good, "tokens.AuthorizationInfo", place)
    assert (info["allowed"], info["location"]["location_id"].upper()) == ("ALLOWED", location["id"])
    [info] = client.expect(OK, "POST", blocked, "tokens.AuthorizationInfo")
    assert (info["allowed"], info["location"]) == ("BLOCKED", None)
    client.expect((404, 2004), "POST", f"{client.urls['tokens']}/NOBODY/authorize")
    client.expect(REFUSED, "POST", good, body={"evse_uids": 7})
    client.expect(REFUSED, "GET", f"{client.urls['tokens']}?limit=none")


@of_emsp
def test_lists_for_a_foreign_emsp(registered, foreign_sides, client, version):
    chargers = foreign_sides["EMSP", "2.1.1"].charge_point_system()
    chosen = Operator("FR*RVR", "2.2.1", client.peer.party, f"D{version.replace('.', '')}")
    location = chosen.location()
    for module, content in (("locations", location), ("sessions", chosen.session(3))):
        url = f"{chargers.base_url}/ocpi/emsp/2.2.1/{module}/FR/RVR/{content['id']}"
        assert chargers.request("PUT", url, json=content).is_taken
    for number in range(3):
        assert chargers.post_cdr({**chosen.cdr(number), "tariffs": []}).http_status == 201
    registered.admin.wait_for_jobs()

    listed = {
        module: client.expect(OK, "GET", client.urls[module], schema) for module, schema in MODULES.items()
    }
    names = {module: [each["id"].upper() for each in listed[module]] for module in listed}
    assert [name for name in names["cdrs"] if name.endswith(chosen.run)] == [
        f"CDR{number}-{chosen.run}" for number in range(3)
    ]
    assert chosen.name("SES") in names["sessions"] and location["id"] in names["locations"]
    assert names["tariffs"] == ["RVR-EU-1" if version == "2.1.1" else "RVR-FR-1"]
    assert client.expect(OK, "GET", f"{client.urls['cdrs']}?date_from=2999-01-01T00:00:00Z", "cdrs.Cdr") == []
    client.expect(REFUSED, "GET", f"{client.urls['cdrs']}?date_from=now")

    [read] = [each for each in listed["locations"] if each["id"].upper() == location["id"]]
    url = f"{client.urls['locations']}/{location['id']}"
    assert client.expect(OK, "GET", url, "locations.Location") == [read]
    [evse] = read["evses"]
    url = f"{url}/{evse['uid']}"
    assert client.expect(OK, "GET", url, "locations.EVSE") == [evse]
    assert client.expect(OK, "GET", f"{url}/1", "locations.Connector") == evse["connectors"]
    client.expect(UNKNOWN, "GET", f"{url}/2")


@of_emsp
def test_tokens_of_a_foreign_emsp(client, version):
    content = token(client.peer.party, version, f"G{version.replace('.', '')}")
    url = client.url("tokens", content["uid"])
    client.expect(UNKNOWN, "GET", url)
    client.expect(NEW, "PUT", url, body=content)
    client.expect(OK, "PUT", url, body=content)
    client.expect_object(url, "tokens.Token", content)
    client.expect(OK, "PATCH", url, body={"valid": False, "last_updated": instant()})
    [changed] = client.expect(OK, "GET", url, "tokens.Token")
    contract = changed["auth_id" if version == "2.1.1" else "contract_id"]
    assert (changed["valid"], contract.upper()) == (False, emaid(client.peer.party))
    client.expect(REFUSED, "PATCH", url, body={"valid": True})
    client.expect(REFUSED, "PUT", client.url("tokens", "ANOTHER"), body=content)


def test_strangers_and_strange_paths(client):
    url = client.urls["credentials"]
    client.expect(UNKNOWN, "GET", url.replace("credentials", "nothing"))
    client.expect((405, 2000), "PATCH", url, body={})
    client.peer.token = "nobody"
    for address in client.urls.values():
        client.expect((401, 2000), "GET", address)

"""A platform by others, which shares no line with this project, registers, pushes and is pulled, on either
side of the house. What it has wrong of OCPI stands in foreign_peer/faults.py."""

import pytest
from foreign_party import EVSE_UID, MODULES, TOO_YOUNG
from support.ocpi_objects import Operator, emaid, token

# The package's own name of `stop_date_time`, which we give back as we got it.
END_211 = "cdrs.Cdr.end_date_time: unknown field"


of_cpo = pytest.mark.parametrize("ours", ["CPO"], indirect=True)
of_emsp = pytest.mark.parametrize("ours", ["EMSP"], indirect=True)
# By the contract: per session, kWh and hour of charging or parking.
PRICES = {
    "2.1.1": ("RVR-EU-1", {"FLAT": 0.5, "ENERGY": 0.42, "PARKING_TIME": 4.8}),
    "2.2.1": ("RVR-FR-1", {"FLAT": 1.0, "ENERGY": 0.39, "TIME": 3.0}),
}


@pytest.fixture(scope="module")
def chargers(foreign_sides):
    return foreign_sides["EMSP", "2.1.1"].charge_point_system()


def test_foreign_platform_registers_renews_its_token_and_leaves(ours, version):
    peer = ours.peer
    peer.token = ours.give_token()
    listed = peer.call("GET", ours.versions_url, "versions.Version")
    assert [problem.partition(";")[0] for problem in listed.problems] == [TOO_YOUNG]
    __, endpoints = ours.endpoints()
    assert set(endpoints) == {"credentials", "tokens", *MODULES}

    url, schema = endpoints["credentials"], "credentials.Credentials"
    refused = peer.call("POST", url, schema=None, body={**peer.introduce(), "token": ""})
    assert (refused.outcome, refused.problems) == ((400, 2001), [])
    registered = peer.call("POST", url, schema, body=peer.introduce())
    assert (registered.outcome, registered.problems) == ((200, 1000), [])
    form = "plain" if version == "2.1.1" else "base64"
    assert ours.facts() == ("registered", version, form)
    assert party_of(registered.data[0]) == ("fr", "rvm" if peer.role == "CPO" else "rvr")

    peer.token = registered.data[0]["token"]
    again = peer.call("POST", url, schema=None, body=peer.introduce())
    assert (again.outcome, again.problems) == ((405, 2000), [])
    renewed = peer.call("PUT", url, schema, body=peer.introduce())
    assert (renewed.outcome, renewed.problems) == ((200, 1000), [])
    assert renewed.data[0]["token"] != peer.token
    peer.token = renewed.data[0]["token"]
    told = peer.call("GET", url, schema)
    assert (told.outcome, told.problems, told.data) == ((200, 1000), [], renewed.data)

    left = peer.call("DELETE", url)
    assert (left.outcome, left.problems) == ((200, 1000), [])
    assert ours.facts()[0] == "unregistered"
    stranger = peer.call("GET", url)
    assert (stranger.outcome, stranger.problems) == ((401, 2000), [])


def party_of(credentials):
    party = credentials.get("roles", [credentials])[0]
    return party["country_code"].lower(), party["party_id"].lower()


@of_cpo
def test_objects_of_a_foreign_cpo_arrive_as_they_are(registered, version):
    ours, peer = registered, registered.peer
    operator = Operator(peer.party, version, "FR*RVM", f"A{version.replace('.', '')}")
    offered = {
        "locations": operator.location(),
        "tariffs": operator.tariff(),
        "sessions": operator.session(12.5),
        "cdrs": operator.cdr(1),
    }
    for module, content in offered.items():
        peer.offer(module, content)
    ours.exchange("action_pull_now")

    details_url, endpoints = ours.endpoints()
    check_held(ours, endpoints, offered)
    facts = ("energy_kwh", "stated_amount", "evse_id")
    [(kwh, amount, evse_id)] = ours.records("emsp.cdr", operator.name("CDR1"), *facts)
    assert (kwh, amount, evse_id.upper()) == (22.5, 9.95, f"{peer.party}*E{operator.run}*1")

    # What changes afterwards is pushed by the platform's own client.
    changed = {
        "locations": {**offered["locations"], "name": "Parking Terreaux"},
        "tariffs": {**offered["tariffs"], "currency": "CHF"},
        "sessions": operator.session(13.75, "COMPLETED"),
        "cdrs": operator.cdr(2),
    }
    for module, content in changed.items():
        content["last_updated"] = operator.session(0)["last_updated"]
        peer.offer(module, content)
        sent = peer.push(module, content["id"], details_url)
        assert sent["status_code"] in (200, 201), sent
        if module == "cdrs":
            expected = f"{endpoints['cdrs']}/{peer.party.replace('*', '/')}/{content['id']}"
            assert sent["response"]["location"].casefold() == expected.casefold()
        else:
            assert sent["response"]["status_code"] == 1000, sent
    check_held(ours, endpoints, changed)
    assert ours.records("emsp.session", operator.name("SES"), "energy_kwh", "status") == [
        (13.75, "COMPLETED")
    ]

    # Read once more: nothing is there twice.
    ours.exchange("action_pull_now")
    assert [len(ours.records("emsp.cdr", operator.name(f"CDR{number}"), "id")) for number in (1, 2)] == [1, 1]


def check_held(ours, endpoints, objects):
    """The platform reads at our side what it has at its own, value by value."""
    for module, content in objects.items():
        found = ours.peer.call(
            "GET", f"{endpoints[module]}/{ours.peer.party.replace('*', '/')}/{content['id']}", MODULES[module]
        )
        assert found.outcome == (200, 1000), found
        assert set(found.problems) <= {END_211}, found.problems
        assert found.data == [ours.peer.read(MODULES[module], content)]


@of_cpo
def test_foreign_cpo_is_told_of_our_tokens(registered, version):
    ours, peer = registered, registered.peer
    uid = f"UID{version.replace('.', '')}"
    contract = f"FR-RVM-C00000{version.replace('.', '')}-1"
    vals = {"ocpi_country_code": "FR", "ocpi_party_id": "RVM", "ocpi_id": uid, "emaid": contract}
    made = ours.admin.call(
        "emsp.token",
        "create",
        {**vals, "issuer": "Rhône Volt", "whitelist": "NEVER", "company_id": ours.company},
    )
    ours.admin.wait_for_jobs()
    [held] = [each for each in peer.held("tokens") if each["uid"].upper() == uid]
    emaid_held = held["auth_id" if version == "2.1.1" else "contract_id"]
    told = (held["type"], emaid_held.upper(), held["issuer"], held["valid"], held["whitelist"])
    assert told == ("RFID", contract, "Rhône Volt", True, "NEVER")

    ours.admin.call("emsp.token", "write", [made], {"is_valid": False})
    ours.admin.wait_for_jobs()
    [held] = [each for each in peer.held("tokens") if each["uid"].upper() == uid]
    assert held["valid"] is False
    # The platform reads the same from our list.
    __, endpoints = ours.endpoints()
    listed = peer.call("GET", endpoints["tokens"], "tokens.Token")
    assert listed.problems == []
    assert [each for each in listed.data if each["uid"].upper() == uid] == [peer.read("tokens.Token", held)]


@of_emsp
def test_foreign_emsp_is_told_of_our_charging(registered, chargers, version):
    ours, peer = registered, registered.peer
    operator = Operator("FR*RVR", "2.2.1", peer.party, f"B{version.replace('.', '')}")
    told = {
        "locations": operator.location(),
        "sessions": operator.session(12.5),
        "cdrs": {**operator.cdr(1), "tariffs": []},
    }
    for module in ("locations", "sessions"):
        address = f"ocpi/emsp/2.2.1/{module}/FR/RVR/{told[module]['id']}"
        assert chargers.request("PUT", f"{chargers.base_url}/{address}", json=told[module]).is_taken
    assert chargers.post_cdr(told["cdrs"]).http_status == 201
    ours.admin.wait_for_jobs()
    ours.exchange("action_push_now")

    held = {module: held_of(peer, module, operator.run) for module in MODULES if module != "tariffs"}
    old = version == "2.1.1"
    cdr, session, location = held["cdrs"], held["sessions"], held["locations"]
    ended = cdr["end_date_time"]
    total = cdr["total_cost"] if old else cdr["total_cost"]["excl_vat"]
    assert (cdr["total_energy"], total, ended) == (22.5, 9.95, told["cdrs"]["end_date_time"])
    assert cdr["charging_periods"][0]["dimensions"] == [
        {"type": "ENERGY", "volume": 22.5},
        {"type": "TIME", "volume": 1.5},
    ]
    driver = cdr["auth_id"] if old else cdr["cdr_token"]["contract_id"]
    assert driver.upper() == emaid(peer.party)
    assert (session["kwh"], session["status"]) == (12.5, "ACTIVE")
    [connector] = location["evses"][0]["connectors"]
    assert connector["voltage" if old else "max_voltage"] == 230
    assert location["coordinates"] == {"latitude": "45.757800", "longitude": "4.832000"}
    code, expected = PRICES[version]
    tariff = held_of(peer, "tariffs", code)
    parts = [part for element in tariff["elements"] for part in element["price_components"]]
    assert {part["type"]: part["price"] for part in parts} == expected

    # What it was told is what it reads from our lists.
    __, endpoints = ours.endpoints()
    for module, content in {**held, "tariffs": tariff}.items():
        listed = peer.call("GET", endpoints[module], MODULES[module])
        assert set(listed.problems) <= {EVSE_UID}, listed.problems
        [found] = [each for each in listed.data if each["id"].upper() == content["id"].upper()]
        assert found == peer.read(MODULES[module], content)


def held_of(peer, module, name):
    [found] = [each for each in peer.held(module) if name in each["id"].upper()]
    return found


@of_emsp
def test_tokens_of_a_foreign_emsp_arrive_as_they_are(registered, version):
    ours, peer = registered, registered.peer
    uids = [f"F{version.replace('.', '')}{number}" for number in range(2)]
    pulled, pushed = (token(peer.party, version, uid) for uid in uids)
    peer.offer("tokens", pulled)
    ours.exchange("action_pull_now")
    details_url, endpoints = ours.endpoints()
    peer.offer("tokens", pushed)
    sent = peer.push("tokens", pushed["uid"], details_url)
    assert (sent["status_code"], sent["response"]["status_code"]) == (201, 1000)
    for content in (pulled, pushed):
        found = peer.call(
            "GET", f"{endpoints['tokens']}/{peer.party.replace('*', '/')}/{content['uid']}", "tokens.Token"
        )
        assert (found.outcome, found.problems) == ((200, 1000), [])
        assert found.data == [peer.read("tokens.Token", content)]
        [facts] = ours.records("emsp.token", content["uid"], "emaid", "issuer", "whitelist", "is_valid")
        assert (facts[0].upper(), *facts[1:]) == (emaid(peer.party), "Spree Mobility", "ALLOWED", True)

"""script/price as an integration engineer uses it: a file, a stream, and input that is no good."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARIFF = {
    "country_code": "FR",
    "party_id": "RVR",
    "id": "T",
    "currency": "EUR",
    "elements": [
        {"price_components": [{"type": "FLAT", "price": 0.5, "vat": 20, "step_size": 1}]},
        {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 10, "step_size": 1}]},
        {
            "price_components": [{"type": "TIME", "price": 2, "vat": 20, "step_size": 60}],
            "restrictions": {"start_time": "08:00", "end_time": "20:00"},
        },
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}
CDR = {
    "country_code": "FR",
    "party_id": "RVR",
    "id": "CDR-1",
    "start_date_time": "2026-10-05T08:00:00Z",
    "end_date_time": "2026-10-05T08:20:00Z",
    "cdr_token": {
        "country_code": "DE",
        "party_id": "SMO",
        "uid": "04A1",
        "type": "RFID",
        "contract_id": "C1",
    },
    "auth_method": "WHITELIST",
    "cdr_location": {"id": "L1", "country": "FRA"},
    "currency": "EUR",
    "tariffs": [TARIFF],
    "charging_periods": [
        {
            "start_date_time": "2026-10-05T08:00:00Z",
            "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 0.3333}],
        }
    ],
    "total_cost": {"excl_vat": 6.17},
    "total_energy": 20,
    "total_time": 0.3333,
    "last_updated": "2026-10-05T08:20:00Z",
}
# 0.50 + 20 x 0.25 + 20 min of 2.00/h = 6.1667; 0.60 + 5.50 + 0.80 = 6.90
TOTAL = {"excl_vat": "6.1667", "incl_vat": "6.90"}


def run(*arguments, stdin=""):
    command = [str(ROOT / "script" / "price"), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def files(tmp_path):
    """Writes an object, or a text as it is, and gives the path."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def stream(*lines):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    done = run("-", stdin=text + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def without(name):
    return {key: value for key, value in CDR.items() if key != name}


# --- One file ------------------------------------------------------------------------------------


def test_file_is_answered_with_one_object(files):
    done = run(files("cdr.json", CDR), "--timezone", "Europe/Paris")
    assert json.loads(done.stdout) == {
        "id": "CDR-1",
        "total_cost": TOTAL,
        "total_energy_cost": {"excl_vat": "5.00", "incl_vat": "5.50"},
        "total_fixed_cost": {"excl_vat": "0.50", "incl_vat": "0.60"},
        "total_time_cost": {"excl_vat": "0.6667", "incl_vat": "0.80"},
        "total_parking_cost": None,
        "total_reservation_cost": None,
        "findings": [],
    }


def test_given_tariff_rules_and_may_be_of_another_day(files):
    other = {
        **TARIFF,
        "id": "U",
        "elements": TARIFF["elements"][1:2],
        "end_date_time": "2026-01-31T00:00:00Z",
    }
    done = run(files("cdr.json", CDR), "--tariff", files("tariff.json", other))
    found = json.loads(done.stdout)
    assert found["total_cost"] == {"excl_vat": "5.00", "incl_vat": "5.50"}
    assert [finding["code"] for finding in found["findings"]] == ["unpriced", "tariff_not_valid"]


def test_explanation_names_element_and_restriction(files):
    done = run(files("cdr.json", CDR), "--timezone", "Europe/Paris", "--explain")
    segments = json.loads(done.stdout)["explanation"]["segments"]
    time = next(segment for segment in segments if segment["dimension"] == "TIME")
    assert (time["element"], time["component"], time["reason"]) == (2, 0, ["start_time", "end_time"])


@pytest.mark.parametrize(
    ("cdr", "options", "status", "message"),
    [
        ('{"id":', (), 2, "expected JSON"),
        (without("currency"), (), 2, "currency: expected a text, got nothing"),
        (CDR, ("--version", "3.0"), 2, "expected OCPI version 2.1.1, 2.2.1 or 2.3.0, got 3.0"),
        (CDR, ("--tariff", "/nowhere/tariff.json"), 2, "/nowhere/tariff.json: No such file"),
        (CDR, (), 1, "cdr_location.time_zone: expected an IANA time zone, got nothing"),
        (without("tariffs"), (), 1, "tariffs: expected a tariff valid at the session's start, got none"),
    ],
)
def test_bad_input_is_told_in_one_line(files, cdr, options, status, message):
    done = run(files("cdr.json", cdr), *options)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_bad_tariff_is_told_with_its_file_and_place(files):
    bad = {**TARIFF, "elements": [{"price_components": [{"type": "ENERGY", "price": "much"}]}]}
    done = run(files("cdr.json", CDR), "--tariff", files("tariff.json", bad))
    assert done.returncode == 2
    assert "tariff.json: elements[0].price_components[0].price: expected a number" in done.stderr


# --- A stream ------------------------------------------------------------------------------------


def test_stream_answers_line_by_line_and_goes_on():
    request = {
        "id": 1,
        "version": "2.2.1",
        "cdr": CDR,
        "tariff": None,
        "timezone": "Europe/Paris",
        "context": {},
    }
    answers = stream(request, '{"id": 2, "cdr"', {**request, "id": 3, "cdr": without("currency")}, request)
    assert [answer["id"] for answer in answers] == [1, None, 3, 1]
    assert answers[0]["total_cost"] == answers[3]["total_cost"] == TOTAL
    assert answers[2] == {"id": 3, "error": "cdr.currency: expected a text, got nothing"}
    assert set(answers[1]) == {"id", "error"}


def test_stream_takes_a_tariff_and_what_is_known_of_the_reservation():
    reserved = {
        **CDR,
        "charging_periods": [
            {
                "start_date_time": "2026-10-05T08:00:00Z",
                "dimensions": [{"type": "RESERVATION_TIME", "volume": 0.3333}],
            }
        ],
    }
    fees = [
        {
            "price_components": [{"type": "FLAT", "price": price, "step_size": 1}],
            "restrictions": {"reservation": kind},
        }
        for kind, price in (("RESERVATION", 2), ("RESERVATION_EXPIRES", 4))
    ]
    request = {"cdr": reserved, "tariff": {**TARIFF, "elements": fees}}
    known = [{**request, "id": told, "context": {"reservation_expired": told}} for told in (True, False)]
    assert [answer["total_cost"]["excl_vat"] for answer in stream(*known)] == ["4.00", "2.00"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cdr": None}, "cdr: expected an object, got null"),
        ({"version": "9"}, "unsupported_version"),
        ({"tariff": {"id": "T"}}, "tariff.currency: expected a text, got nothing"),
        ({"context": {"reservation_expired": "yes"}}, "context.reservation_expired: expected true or false"),
        ({"cdr": {**CDR, "total_energy": 1e300}}, "cdr.total_energy: expected a number below"),
        ({"timezone": "Europe"}, "cdr.cdr_location.time_zone: expected an IANA time zone, got Europe"),
    ],
)
def test_stream_names_the_place_of_what_it_cannot_take(change, message):
    [answer] = stream({"id": "x", "cdr": CDR, "timezone": "Europe/Paris", **change})
    assert answer["id"] == "x" and message in answer["error"]


def test_version_with_other_names_is_understood():
    cdr = {
        **CDR,
        "location": {"id": "L1", "time_zone": "Europe/Paris"},
        "stop_date_time": CDR["end_date_time"],
    }
    for name in ("end_date_time", "cdr_location", "country_code", "party_id", "cdr_token"):
        del cdr[name]
    [answer] = stream({"id": 1, "version": "2.1.1", "cdr": {**cdr, "total_cost": 6.17}})
    assert answer["total_cost"] == {"excl_vat": "6.1667", "incl_vat": None}

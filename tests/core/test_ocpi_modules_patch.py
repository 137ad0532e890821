"""Changes of stored objects: what is replaced, added, taken out, or too old."""

import json
from copy import deepcopy
from decimal import Decimal

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.json_text import read_json
from emsp_core.ocpi.modules import merge_patch, parse_session

KINDS = ("session", "token", "location", "evse", "connector", "tariff")
FIRST = {"start_date_time": "2025-06-02T08:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 2}]}
SECOND = {"start_date_time": "2025-06-02T08:30:00Z", "dimensions": [{"type": "ENERGY", "volume": 3.5}]}


def tree(**members):
    """As it comes out of a message."""
    return read_json(json.dumps(members))


def session(**members):
    facts = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "S-1",
        "start_date_time": "2025-06-02T08:00:00Z",
        "kwh": 2,
        "cdr_token": {"uid": "U", "contract_id": "C", "type": "RFID"},
        "charging_periods": [FIRST],
        "status": "ACTIVE",
        "last_updated": "2025-06-02T08:10:00Z",
    }
    return tree(**facts | members)


def change(**members):
    return tree(**{"last_updated": "2025-06-02T08:40:00Z"} | members)


def test_fields_are_replaced_and_others_stay():
    merged = merge_patch(session(), change(kwh=5.5, x_ours=[1]), "session")
    assert merged == session(kwh=5.5, x_ours=[1], last_updated="2025-06-02T08:40:00Z")
    assert parse_session(merged).kwh == Decimal("5.5")


def test_charging_periods_of_a_session_are_added():
    merged = merge_patch(session(), change(charging_periods=[SECOND]), "session")
    assert merged["charging_periods"] == tree(each=[FIRST, SECOND])["each"]


def test_charging_periods_that_come_twice_are_added_once():
    sent = change(charging_periods=[SECOND])
    once = merge_patch(session(), sent, "session")
    assert merge_patch(once, sent, "session") == once
    # The same number, spelt in another way
    spelt = json.dumps(sent, default=str).replace('"3.5"', "3.500")
    assert merge_patch(once, read_json(spelt), "session") == once


def test_first_charging_periods_of_a_session_need_none_before():
    stored = session(charging_periods=None)
    merged = merge_patch(stored, change(charging_periods=[SECOND]), "session")
    assert merged["charging_periods"] == tree(each=[SECOND])["each"]


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_no_charging_periods_take_none_out(nothing):
    merged = merge_patch(session(), change(charging_periods=nothing), "session")
    assert merged["charging_periods"] == session()["charging_periods"]


def test_lists_and_objects_are_replaced_as_a_whole():
    stored = tree(uid="E", coordinates={"latitude": "1", "longitude": "2"}, capabilities=["A", "B"])
    merged = merge_patch(stored, change(coordinates={"latitude": "3"}, capabilities=["C"]), "evse")
    assert merged == change(uid="E", coordinates={"latitude": "3"}, capabilities=["C"])


def test_lists_of_that_name_in_another_object_are_replaced():
    merged = merge_patch(session(), change(charging_periods=[SECOND]), "token")
    assert merged["charging_periods"] == tree(each=[SECOND])["each"]


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_blank_take_a_field_out(nothing):
    merged = merge_patch(session(meter_id="M"), change(meter_id=nothing, remark=nothing), "session")
    assert merged == session(last_updated="2025-06-02T08:40:00Z")


def test_required_field_that_is_taken_out_is_missed_by_the_parser():
    with pytest.raises(PayloadError) as refused:
        parse_session(merge_patch(session(), change(status=None), "session"))
    assert (refused.value.code, refused.value.path) == ("missing_field", "status")


@pytest.mark.parametrize("kind", KINDS)
def test_older_change_is_ignored(kind):
    stored = session()
    sent = change(kwh=99, last_updated="2025-06-02T08:09:59.999Z")
    assert merge_patch(stored, sent, kind) is stored


@pytest.mark.parametrize("at", ["2025-06-02T08:10:00Z", "2025-06-02T10:10:00+02:00", "2025-06-02T08:10:01"])
def test_change_of_the_same_instant_or_later_counts(at):
    assert merge_patch(session(), change(kwh=99, last_updated=at), "session")["kwh"] == 99


@pytest.mark.parametrize("known", [None, "long ago", 7])
def test_object_that_was_stored_without_an_instant_takes_any_change(known):
    assert merge_patch(session(last_updated=known), change(kwh=99), "session")["kwh"] == 99


def test_arguments_are_not_touched():
    stored, sent = session(), change(charging_periods=[SECOND], status=None)
    before = deepcopy((stored, sent))
    merge_patch(stored, sent, "session")
    assert (stored, sent) == before


INSTANT = "a date and time such as 2025-06-02T10:00:00Z"


@pytest.mark.parametrize(
    ("sent", "code", "path", "expected", "got"),
    [
        ({"kwh": 1}, "missing_field", "last_updated", INSTANT, "nothing"),
        ({"last_updated": None}, "missing_field", "last_updated", INSTANT, "nothing"),
        ({"last_updated": " "}, "missing_field", "last_updated", INSTANT, "nothing"),
        ({"last_updated": "noon"}, "invalid_field", "last_updated", INSTANT, "'noon'"),
        ({"last_updated": 1748851200}, "invalid_field", "last_updated", INSTANT, "1748851200"),
        (
            {"last_updated": "2025-06-02T08:40:00Z", "charging_periods": FIRST},
            "invalid_field",
            "charging_periods",
            "a list",
            "an object",
        ),
    ],
)
def test_change_that_cannot_be_used_is_refused(sent, code, path, expected, got):
    with pytest.raises(PayloadError) as refused:
        merge_patch(session(), tree(**sent), "session")
    error = refused.value
    assert (error.code, error.path, error.params) == (code, path, {"expected": expected, "got": got})


def test_list_is_no_change():
    with pytest.raises(PayloadError, match="expected an object, got an empty list"):
        merge_patch(session(), [], "session")

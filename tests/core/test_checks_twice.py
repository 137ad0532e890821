"""Rules on sessions told twice or at the same time: other CDRs around a session of 08:00 to 09:00."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from charging import START, period, session
from checking import PLACE, codes, judge
from emsp_core.checks.facts import Facts, Neighbour, evse_key, token_key
from emsp_core.ocpi.objects import CdrLocation, CdrToken

CDR = session(
    period(60, energy="10"),
    cdr_location=PLACE,
    cdr_token=CdrToken(country_code="DE", party_id="SMO", uid="04A1", contract_id="DE-SMO-C1"),
)
TOKEN = token_key("de", "smo", "04a1")
EVSE = evse_key("FR*RVR", "FR*RVR*E1", None)
RULES = ("duplicate_session", "overlap_connector", "overlap_token")


def beside(shift=0, seconds=3600, **values):
    """Another CDR of the same token and EVSE that starts `shift` seconds later."""
    start = START + timedelta(seconds=shift)
    facts = {
        "key": "FR*RVR*CDR-2",
        "session_id": "S-2",
        "token_key": TOKEN,
        "evse_key": EVSE,
        "connector_id": "1",
        "start": start,
        "end": start + timedelta(seconds=seconds),
        "energy_kwh": Decimal(10),
        "city": "Lyon",
    }
    return Facts(neighbours=(Neighbour(**{**facts, **values}),))


@pytest.mark.parametrize("rule", RULES)
def test_others_are_unknown_none_or_do_not_count(rule):
    assert codes(rule, CDR) == "neighbours_unknown"
    assert codes(rule, CDR, Facts(neighbours=())) == []
    assert codes(rule, CDR, beside(is_void=True, session_id="S-1")) == []
    assert codes(rule, CDR, beside(is_credit=True, session_id="S-1")) == []
    assert codes(rule, CDR, beside(key=CDR.key, session_id="S-1")) == []


# --- duplicate_session -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"session_id": "S-1"}, ["session_twice"]),
        ({"session_id": "s-1"}, ["session_twice"]),
        (
            {"session_id": "S-1", "token_key": "OTHER", "evse_key": None, "energy_kwh": Decimal(3)},
            ["session_twice"],
        ),
        # Session ids are the CPO's own.
        ({"session_id": "S-1", "key": "NL*RVR*CDR-2", "token_key": "OTHER"}, []),
        ({"session_id": None, "token_key": "OTHER"}, []),
    ],
)
def test_same_session_id_under_another_cdr(values, expected):
    assert codes("duplicate_session", CDR, beside(**values)) == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"shift": 0}, ["session_alike"]),
        ({"shift": 120}, ["session_alike"]),
        ({"shift": 121}, []),
        ({"shift": -120}, ["session_alike"]),
        ({"shift": -121}, []),
        ({"energy_kwh": Decimal("10.01")}, ["session_alike"]),
        ({"energy_kwh": Decimal("10.0101")}, []),
        ({"energy_kwh": Decimal("9.99")}, ["session_alike"]),
        ({"energy_kwh": Decimal("9.9899")}, []),
        ({"token_key": token_key("DE", "SMO", "04A2")}, []),
        ({"evse_key": evse_key("FR*RVR", "FR*RVR*E2", None)}, []),
        ({"evse_key": None}, []),
    ],
)
def test_alike_by_token_evse_start_and_energy(values, expected):
    assert codes("duplicate_session", CDR, beside(**values)) == expected


def test_alike_tells_the_other_cdr_and_both_sessions():
    (finding,) = judge("duplicate_session", CDR, beside(shift=60), start_s=60)
    assert (finding.expected, finding.found) == (
        "2026-10-05T08:01:00Z, 10 kWh",
        "2026-10-05T08:00:00Z, 10 kWh",
    )
    assert (finding.tolerance, finding.details) == ("1 min, 0.01 kWh", {"cdr": "FR*RVR*CDR-2"})


def test_alike_needs_a_known_evse():
    nowhere = session(period(60, energy="10"), cdr_location=CdrLocation(evse_uid="#NA", evse_id="#NA"))
    assert codes("duplicate_session", nowhere, beside(evse_key=None, token_key="**04A1")) == []


# --- overlaps --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, expected",
    [
        # shared: 60 s, 61 s at the end, at the start
        ({"shift": 3540}, []),
        ({"shift": 3539}, ["connector_overlap"]),
        ({"shift": -3540}, []),
        ({"shift": -3539}, ["connector_overlap"]),
        ({"shift": 1800, "seconds": 60}, []),
        ({"shift": 1800, "seconds": 61}, ["connector_overlap"]),
        ({"shift": 4000}, []),
        ({"shift": 1800, "seconds": -900}, []),
        # Whoever charged.
        ({"token_key": "OTHER"}, ["connector_overlap"]),
        ({"connector_id": "2"}, []),
        ({"connector_id": None}, ["connector_overlap"]),
        ({"evse_key": "OTHER"}, []),
        ({"evse_key": None}, []),
        # The same session is a duplicate, which is another rule's.
        ({"session_id": "S-1"}, []),
    ],
)
def test_overlap_at_the_connector(values, expected):
    assert codes("overlap_connector", CDR, beside(**values)) == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, ["token_overlap"]),
        ({"shift": 3540}, []),
        ({"shift": 3539}, ["token_overlap"]),
        ({"city": "Metz"}, ["token_in_two_towns"]),
        ({"city": "LYON"}, ["token_overlap"]),
        ({"city": None}, ["token_overlap"]),
        ({"evse_key": EVSE, "connector_id": "2"}, ["token_overlap"]),
        # The same connector is another rule's, an unknown one may be the same.
        ({"evse_key": EVSE}, []),
        ({"evse_key": None}, []),
        ({"token_key": "OTHER"}, []),
        ({"session_id": "S-1"}, []),
    ],
)
def test_overlap_of_the_token(values, expected):
    assert codes("overlap_token", CDR, beside(**{"evse_key": "FRRVRE9", **values})) == expected


WEEK_S = 7 * 24 * 3600


@pytest.mark.parametrize("rule", ["overlap_connector", "overlap_token"])
@pytest.mark.parametrize("seconds, expected", [(WEEK_S, ["overlap"]), (WEEK_S + 1, [])])
def test_session_of_more_than_a_week_overlaps_nothing(rule, seconds, expected):
    """Its clock is in doubt: it would make every other session of those days doubtful."""
    evse = EVSE if rule == "overlap_connector" else "FRRVRE9"
    long = beside(seconds=seconds, evse_key=evse)
    assert [code.partition("_")[2] for code in codes(rule, CDR, long)] == expected

    lasting = replace(CDR, end_date_time=START + timedelta(seconds=seconds))
    other = beside(shift=1800, evse_key=evse)
    assert [code.partition("_")[2] for code in codes(rule, lasting, other)] == expected


def test_overlap_tells_the_shared_time_and_the_towns():
    (finding,) = judge("overlap_token", CDR, beside(shift=2700, evse_key="FRRVRE9", city="Metz"))
    assert (finding.found, finding.tolerance) == ("15 min", "1 min")
    assert finding.details == {"cdr": "FR*RVR*CDR-2", "here": "Lyon", "there": "Metz"}


# --- keys ------------------------------------------------------------------------------------------


def test_keys_are_the_same_however_spelt():
    assert evse_key("FR*RVR", "FR*RVR*E1", "7") == evse_key("FR*RVR", "frrvre1", None)
    assert evse_key("FR*RVR", "#NA", "7") == evse_key("fr*rvr", None, "7") != evse_key("NL*RVR", None, "7")
    assert evse_key("FR*RVR", None, "#NA") is None
    assert token_key("DE", "SMO", "04a1") == token_key("de", "smo", "04A1") != token_key(None, None, "04A1")

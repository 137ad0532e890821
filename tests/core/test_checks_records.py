"""Rules on what a CDR names: location, EVSE, session, original."""

from dataclasses import replace

import pytest
from charging import session
from checking import PLACE, codes, judge
from emsp_core.checks.facts import Facts, OriginalFacts, PlaceFacts
from emsp_core.ocpi.objects import CdrLocation

CDR = session(cdr_location=PLACE)
NOWHERE = session(cdr_location=CdrLocation(id="#NA", evse_uid="#NA", evse_id="#NA", connector_id="#NA"))


@pytest.mark.parametrize(
    "published, location, evse, expected_location, expected_evse",
    [
        (True, True, True, [], []),
        (True, True, False, [], ["evse_unknown"]),
        # One finding is enough.
        (True, False, False, ["location_unknown"], []),
        (False, False, False, "locations_not_published", "locations_not_published"),
        (None, None, None, "location_unknown", "location_unknown"),
        (True, True, None, [], "location_unknown"),
        (None, False, False, "location_unknown", "location_unknown"),
    ],
)
def test_places_are_unknown_only_where_the_cpo_publishes_them(
    published, location, evse, expected_location, expected_evse
):
    facts = Facts(place=PlaceFacts(published, location, evse))
    assert codes("unknown_location", CDR, facts) == expected_location
    assert codes("unknown_evse", CDR, facts) == expected_evse


def test_place_of_a_reservation_that_was_not_used_is_not_looked_for():
    facts = Facts(place=PlaceFacts(True, False, False))
    assert codes("unknown_location", NOWHERE, facts) == []
    assert codes("unknown_evse", NOWHERE, facts) == []


def test_unknown_evse_names_it_as_drivers_do():
    (finding,) = judge("unknown_evse", CDR, Facts(place=PlaceFacts(True, True, False)))
    assert (finding.found, finding.details) == ("FR*RVR*E1", {"location": "L1"})


@pytest.mark.parametrize(
    "status, expected",
    [
        ("COMPLETED", []),
        ("ACTIVE", []),
        ("INVALID", ["session_invalid"]),
        ("invalid", ["session_invalid"]),
        (None, "session_unknown"),
    ],
)
def test_session_that_the_cpo_called_invalid(status, expected):
    assert codes("session_invalid", CDR, Facts(session_status=status)) == expected


@pytest.mark.parametrize(
    "reference, original, expected",
    [
        ("CDR-0", OriginalFacts(True), []),
        ("CDR-0", OriginalFacts(False), ["credit_orphan"]),
        ("CDR-0", OriginalFacts(True, is_void=True), ["credit_of_void"]),
        ("CDR-0", OriginalFacts(True, is_credited=True), ["credit_double"]),
        # A first credit may have voided it.
        ("CDR-0", OriginalFacts(True, is_void=True, is_credited=True), ["credit_double"]),
        ("CDR-0", None, "original_unknown"),
        (None, None, ["credit_orphan"]),
    ],
)
def test_credit_has_one_original(reference, original, expected):
    credit = replace(CDR, credit=True, credit_reference_id=reference)
    assert codes("credit_original", credit, Facts(original=original)) == expected


def test_session_is_no_credit():
    assert codes("credit_original", CDR) == []

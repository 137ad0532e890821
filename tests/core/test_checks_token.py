"""Rules on tokens: what the eMSP published and answered, before, at and after the session's start."""

from datetime import timedelta

import pytest
from charging import START, session
from checking import codes, judge
from emsp_core.checks.facts import Authorisation, Facts, TokenFacts
from emsp_core.ocpi.objects import CdrToken

DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)


def token(**values):
    return Facts(token=TokenFacts(**values))


def answers(*told):
    """Pairs of time before the start and answer, or triples with the reference."""
    return tuple(Authorisation(START - before, *told_) for before, *told_ in told)


# --- token_unknown, token_blocked --------------------------------------------------------------------


@pytest.mark.parametrize(
    "is_published, is_known, expected",
    [
        (True, True, []),
        (True, False, ["token_unknown"]),
        (False, False, "tokens_not_published"),
        (True, None, "token_unknown"),
        (None, False, "token_unknown"),
        (None, True, []),
    ],
)
def test_unknown_token_only_where_the_emsp_publishes_its_tokens(is_published, is_known, expected):
    facts = token(is_published=is_published, is_known=is_known)
    assert codes("token_unknown", session(auth_method="AUTH_REQUEST"), facts) == expected


def test_token_of_a_session_that_the_emsp_started_may_be_unknown():
    facts = token(is_published=True, is_known=False)
    assert codes("token_unknown", session(auth_method="COMMAND"), facts) == []


@pytest.mark.parametrize("uid, named", [("04A1", "04A1"), ("", "DE-SMO-C1"), ("#NA", "DE-SMO-C1")])
def test_token_is_named_by_uid_or_contract(uid, named):
    cdr = session(cdr_token=CdrToken(uid=uid, contract_id="DE-SMO-C1"))
    (finding,) = judge("token_unknown", cdr, token(is_published=True, is_known=False))
    assert finding.found == named


@pytest.mark.parametrize(
    "is_valid, since, expected",
    [
        (True, None, []),
        # Blocked before and unblocked again: valid now is all there is to know.
        (True, START - DAY, []),
        (False, START + MICRO, []),
        (False, START, ["token_blocked"]),
        (False, START - MICRO, ["token_blocked"]),
        (False, None, "token_validity_unknown"),
        (None, None, "token_validity_unknown"),
    ],
)
def test_token_blocked_at_the_start(is_valid, since, expected):
    assert codes("token_blocked", session(), token(is_valid=is_valid, invalid_since=since)) == expected


# --- token_refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told, expected",
    [
        (None, "authorisations_unknown"),
        ([], []),
        ([(MICRO, "ALLOWED")], []),
        ([(MICRO, "BLOCKED")], ["token_refused"]),
        ([(MICRO, "NO_CREDIT")], ["token_refused"]),
        ([(MICRO, "NOT_ALLOWED")], ["token_refused"]),
        ([(MICRO, "EXPIRED")], ["token_expired"]),
        # within a day, at the start at the latest
        ([(0 * DAY, "BLOCKED")], ["token_refused"]),
        ([(DAY, "BLOCKED")], ["token_refused"]),
        ([(DAY + MICRO, "BLOCKED")], []),
        ([(-MICRO, "BLOCKED")], []),
        # the last one counts, in whatever order they come
        ([(2 * MICRO, "BLOCKED"), (MICRO, "ALLOWED")], []),
        ([(MICRO, "BLOCKED"), (2 * MICRO, "ALLOWED")], ["token_refused"]),
        # but the one that the CDR names before all
        ([(MICRO, "BLOCKED"), (2 * MICRO, "ALLOWED", "ref-7")], []),
        ([(MICRO, "ALLOWED", "REF-8"), (2 * DAY, "BLOCKED", "REF-7")], ["token_refused"]),
    ],
)
def test_last_answer_before_the_start(told, expected):
    known = None if told is None else answers(*told)
    cdr = session(authorization_reference="REF-7")
    assert codes("token_refused", cdr, token(authorisations=known)) == expected


def test_refusal_tells_answer_and_time():
    (finding,) = judge("token_refused", session(), token(authorisations=answers((DAY, "NO_CREDIT"))))
    assert (finding.expected, finding.found) == ("ALLOWED", "NO_CREDIT")
    assert finding.details == {"token": "04A1", "at": "2026-10-04T08:00:00Z"}


# --- token_never_authorised --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method, whitelist, told, expected",
    [
        ("WHITELIST", "NEVER", [], ["token_never_authorised"]),
        ("WHITELIST", "ALLOWED", [], []),
        ("WHITELIST", None, [], "whitelist_unknown"),
        ("WHITELIST", "NEVER", None, "authorisations_unknown"),
        ("AUTH_REQUEST", "ALWAYS", [], ["auth_request_unknown"]),
        ("AUTH_REQUEST", None, [], ["auth_request_unknown"]),
        ("COMMAND", "NEVER", [], []),
        ("AUTH_REQUEST", None, [(DAY, "ALLOWED")], []),
        ("AUTH_REQUEST", None, [(DAY + MICRO, "ALLOWED")], ["auth_request_unknown"]),
        # That the answer was no is another rule's.
        ("WHITELIST", "NEVER", [(MICRO, "BLOCKED")], []),
    ],
)
def test_token_that_nobody_asked_about(method, whitelist, told, expected):
    known = None if told is None else answers(*told)
    facts = token(whitelist=whitelist, authorisations=known)
    assert codes("token_never_authorised", session(auth_method=method), facts) == expected

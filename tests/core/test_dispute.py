"""Clocks of disputes: 7 days for an answer, 7 for a reaction, 5 for information, 90 in all."""

from datetime import UTC, datetime, timedelta

import pytest
from emsp_core.dispute import (
    CLOSED_STATES,
    DISPUTE_TRANSITIONS,
    OPEN_STATES,
    Clocks,
    deadline,
    final_end,
    run_out,
)
from emsp_core.errors import LifecycleError
from emsp_core.lifecycle import check

OPENED = datetime(2026, 10, 8, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "state, day",
    [("opened", 15), ("contested", 15), ("rejected", 15), ("asked", 13)],
)
def test_deadline_of_whoever_must_act(state, day):
    assert deadline(state, OPENED) == datetime(2026, 10, day, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", sorted(CLOSED_STATES))
def test_closed_dispute_has_no_deadline(state):
    assert deadline(state, OPENED) is None
    assert run_out(state, OPENED, OPENED, OPENED + timedelta(days=365)) is None


def test_clocks_of_the_contract_count():
    clocks = Clocks(answer=3, reaction=4, information=1, final=30)
    days = {"opened": 3, "contested": 3, "rejected": 4, "asked": 1}
    for state, count in days.items():
        assert deadline(state, OPENED, clocks) == OPENED + timedelta(days=count)
    assert final_end(OPENED, OPENED, clocks) == OPENED + timedelta(days=30)


def test_end_is_ninety_days_after_the_session():
    ended = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
    assert final_end(OPENED, ended) == datetime(2027, 1, 3, 8, 30, tzinfo=UTC)


def test_end_leaves_the_owner_its_first_answer():
    """A dispute of the 89th day is not lost before anybody could answer it."""
    ended = OPENED - timedelta(days=89)
    assert final_end(OPENED, ended) == OPENED + timedelta(days=7)


END = OPENED + timedelta(days=60)
DUE = OPENED + timedelta(days=7)


@pytest.mark.parametrize(
    "state, now, expected",
    [
        ("opened", DUE - SECOND, None),
        # Late, not lost: the amount stays unbilled meanwhile.
        ("opened", DUE, None),
        ("opened", END - SECOND, None),
        ("opened", END, "upheld"),
        ("contested", END, "upheld"),
        ("rejected", DUE - SECOND, None),
        ("rejected", DUE, "dismissed"),
        ("rejected", END, "dismissed"),
        ("asked", DUE - SECOND, None),
        ("asked", DUE, "opened"),
        ("asked", END, "dismissed"),
    ],
)
def test_silence_decides_against_whoever_must_act(state, now, expected):
    assert run_out(state, DUE, END, now) == expected


def test_every_open_state_can_be_closed_and_no_closed_one_opened():
    for old in OPEN_STATES:
        for new in CLOSED_STATES:
            assert check(DISPUTE_TRANSITIONS, old, new)
    for old in CLOSED_STATES:
        for new in OPEN_STATES:
            with pytest.raises(LifecycleError):
                check(DISPUTE_TRANSITIONS, old, new)


def test_rejection_is_contested_once():
    assert check(DISPUTE_TRANSITIONS, "rejected", "contested")
    with pytest.raises(LifecycleError):
        check(DISPUTE_TRANSITIONS, "contested", "rejected")
    with pytest.raises(LifecycleError):
        check(DISPUTE_TRANSITIONS, "contested", "asked")

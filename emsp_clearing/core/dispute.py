"""Disputes: whose turn it is, until when, and who loses by silence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .lifecycle import Transitions

# Who must act. The opener is the party that pays for the session, the owner the one that claims the money.
OWNER, OPENER = "owner", "opener"
TURN = {
    "opened": OWNER,
    "asked": OPENER,
    "rejected": OPENER,
    "contested": OWNER,
}
OPEN_STATES = frozenset(TURN)
CLOSED_STATES = frozenset({"upheld", "corrected", "dismissed", "withdrawn"})
# What becomes of it when the party whose turn it is stays silent until the end.
BY_SILENCE = {OWNER: "upheld", OPENER: "dismissed"}

DISPUTE_TRANSITIONS: Transitions = frozenset(
    {(old, new) for old in OPEN_STATES for new in ("upheld", "corrected", "dismissed", "withdrawn")}
    | {
        ("opened", "asked"),
        ("opened", "rejected"),
        ("asked", "opened"),
        # The opener may contest a rejection once; then the owner decides for good.
        ("rejected", "contested"),
    }
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Days that each party has. `final`: from the session's end until silence decides."""

    answer: int = 7
    reaction: int = 7
    information: int = 5
    final: int = 90


DEFAULT_CLOCKS = Clocks()


def deadline(state: str, since: datetime, clocks: Clocks = DEFAULT_CLOCKS) -> datetime | None:
    """Until when whoever must act has time; None where nobody must.

    :param since: when the dispute came into `state`.
    """
    days = {
        "opened": clocks.answer,
        "contested": clocks.answer,
        "rejected": clocks.reaction,
        "asked": clocks.information,
    }.get(state)
    return None if days is None else since + timedelta(days=days)


def final_end(opened_at: datetime, session_end: datetime, clocks: Clocks = DEFAULT_CLOCKS) -> datetime:
    """When silence decides at the latest; nobody loses before the first answer was due."""
    return max(session_end + timedelta(days=clocks.final), opened_at + timedelta(days=clocks.answer))


def run_out(state: str, due: datetime | None, end: datetime, now: datetime) -> str | None:
    """The state that time alone brings about by `now`; None while it brings about nothing.

    A rejection that nobody reacts to stands; without the information that was asked for, the dispute
    is decided on what is there. An answer that is late is only late, until the end.
    """
    if state not in OPEN_STATES:
        return None
    if now >= end:
        return BY_SILENCE[TURN[state]]
    if due is None or now < due:
        return None
    return {"rejected": "dismissed", "asked": "opened"}.get(state)

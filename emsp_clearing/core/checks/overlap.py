"""Whether the same charging was, or must have been, told twice.

Other CDRs that count no more, and credit CDRs, are passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ..ocpi.types import format_date_time
from ..pricing.session import NO_TIME, seconds_of
from .case import Case
from .facts import Neighbour, evse_key, token_key
from .findings import Finding, NotEvaluated, Outcome, kwh, span

# A clock that makes a session last longer is in doubt itself (`duration_range`), and must not make every
# other session of those days doubtful.
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DuplicateSession:
    """Seconds between the starts and kWh between the energies; exactly as much is alike."""

    start_s: int = 120
    energy_kwh: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Seconds that two sessions may share; exactly as many pass."""

    tolerance_s: int = 60


class _Own:
    """What the CDR is compared by; `owner` is how the keys of its CPO's CDRs begin."""

    def __init__(self, case: Case) -> None:
        cdr, place, token = case.cdr, case.cdr.cdr_location, case.cdr.cdr_token
        party = f"{cdr.country_code}*{cdr.party_id}".upper()
        self.owner = f"{party}*"
        self.session_id = (cdr.session_id or "").casefold()
        self.token_key = token_key(token.country_code, token.party_id, token.uid)
        self.evse_key = evse_key(party, place.evse_id, place.evse_uid)
        self.connector_id = (place.connector_id or "").casefold()

    def has_session_of(self, other: Neighbour) -> bool:
        """Session ids are their CPO's own."""
        if not self.session_id or not other.session_id:
            return False
        return self.session_id == other.session_id.casefold() and other.key.startswith(self.owner)

    def has_evse_of(self, other: Neighbour) -> bool:
        """No, where either does not tell."""
        return self.evse_key is not None and self.evse_key == other.evse_key

    def has_connector_of(self, other: Neighbour) -> bool:
        """An EVSE serves one vehicle at a time, so one that does not tell its connector may be any."""
        theirs = (other.connector_id or "").casefold()
        return self.has_evse_of(other) and (
            not theirs or not self.connector_id or theirs == self.connector_id
        )


def duplicate_session(case: Case, params: DuplicateSession) -> Outcome:
    """The session of another CDR: by its id, or by token, EVSE, start and energy."""
    if case.facts.neighbours is None:
        return NotEvaluated("neighbours_unknown")
    findings, own = [], _Own(case)
    for other in _others(case):
        details = {"cdr": other.key}
        if own.has_session_of(other):
            path, found = "session_id", case.cdr.session_id
            findings.append(Finding("duplicate_session", "session_twice", path, None, found, details=details))
        elif own.token_key == other.token_key and own.has_evse_of(other) and _is_alike(case, other, params):
            tolerance = f"{span(params.start_s)}, {kwh(params.energy_kwh)}"
            expected, found = _told(other.start, other.energy_kwh), _told(case.start, case.cdr.total_energy)
            findings.append(
                Finding("duplicate_session", "session_alike", None, expected, found, tolerance, details)
            )
    return findings


def overlap_connector(case: Case, params: Overlap) -> Outcome:
    """Another session at the same connector, at the same time."""
    if case.facts.neighbours is None:
        return NotEvaluated("neighbours_unknown")
    findings, own = [], _Own(case)
    for other, shared in _overlapping(case, own, params):
        if own.has_connector_of(other):
            tolerance, details = span(params.tolerance_s), {"cdr": other.key}
            findings.append(
                Finding(
                    "overlap_connector", "connector_overlap", None, None, span(shared), tolerance, details
                )
            )
    return findings


def overlap_token(case: Case, params: Overlap) -> Outcome:
    """Another session with the same token, at the same time and elsewhere.

    One card may start two sessions; in two towns it is copied, or a clock is wrong.
    """
    if case.facts.neighbours is None:
        return NotEvaluated("neighbours_unknown")
    findings, own = [], _Own(case)
    for other, shared in _overlapping(case, own, params):
        is_elsewhere = own.evse_key and other.evse_key and not own.has_connector_of(other)
        if own.token_key == other.token_key and is_elsewhere:
            here, there = case.cdr.cdr_location.city, other.city
            is_far = here and there and here.casefold() != there.casefold()
            code = "token_in_two_towns" if is_far else "token_overlap"
            details = {"cdr": other.key, "here": here or "-", "there": there or "-"}
            tolerance = span(params.tolerance_s)
            findings.append(Finding("overlap_token", code, None, None, span(shared), tolerance, details))
    return findings


def _others(case: Case) -> Iterator[Neighbour]:
    own = case.cdr.key
    for other in case.facts.neighbours or ():
        if not other.is_void and not other.is_credit and other.key != own:
            yield other


def _overlapping(case: Case, own: _Own, params: Overlap) -> Iterator[tuple[Neighbour, Decimal]]:
    """Other sessions with the seconds that they share with this one, where those are too many."""
    if case.end - case.start > LONGEST:
        return
    for other in _others(case):
        if other.end - other.start > LONGEST:
            continue
        shared = min(case.end, other.end) - max(case.start, other.start)
        if shared > NO_TIME and not own.has_session_of(other):
            seconds = seconds_of(shared)
            if seconds > params.tolerance_s:
                yield other, seconds


def _is_alike(case: Case, other: Neighbour, params: DuplicateSession) -> bool:
    if abs(other.energy_kwh - case.cdr.total_energy) > params.energy_kwh:
        return False
    return abs(seconds_of(other.start - case.start)) <= params.start_s


def _told(start: datetime, energy: Decimal) -> str:
    return f"{format_date_time(start)}, {kwh(energy)}"

"""Whether what the CDR names is known: its location, EVSE, session and, of a credit CDR, the original."""

from collections.abc import Sequence

from ..ocpi.objects import NOT_AVAILABLE
from .case import Case
from .findings import Finding, NotEvaluated, Outcome
from .values import NoParams


def unknown_location(case: Case, _: NoParams) -> Outcome:
    """The CPO publishes its locations, and this is none of them."""
    place, location_id = case.facts.place, case.cdr.cdr_location.id
    if place.is_location_known or location_id == NOT_AVAILABLE:
        return ()
    if place.is_published is None or place.is_location_known is None:
        return NotEvaluated("location_unknown")
    if not place.is_published:
        return NotEvaluated("locations_not_published")
    return (Finding("unknown_location", "location_unknown", "cdr_location.id", None, location_id or "-"),)


def unknown_evse(case: Case, _: NoParams) -> Outcome:
    """The location is known and has no such EVSE. A reservation that was not used has none either."""
    place, sent = case.facts.place, case.cdr.cdr_location
    if place.is_evse_known or NOT_AVAILABLE in (sent.evse_uid, sent.evse_id):
        return ()
    if place.is_published is None or place.is_location_known is None or place.is_evse_known is None:
        return NotEvaluated("location_unknown")
    if not place.is_published:
        return NotEvaluated("locations_not_published")
    if not place.is_location_known:
        return ()
    found, details = sent.evse_id or sent.evse_uid or "-", {"location": sent.id or "-"}
    return (Finding("unknown_evse", "evse_unknown", "cdr_location.evse_uid", None, found, details=details),)


def session_invalid(case: Case, _: NoParams) -> Outcome:
    """The CPO called the session invalid: it is not to be billed (OCPI 2.2.1, 9.4.1)."""
    status = case.facts.session_status
    if status is None:
        return NotEvaluated("session_unknown")
    if status.upper() != "INVALID":
        return ()
    details = {"session": case.cdr.session_id or "-"}
    return (Finding("session_invalid", "session_invalid", "session_id", None, status, details=details),)


def credit_original(case: Case, _: NoParams) -> Outcome:
    """A credit CDR is for one CDR that counts and was not credited before (OCPI 2.2.1, 10.1.1)."""
    reference, original = case.cdr.credit_reference_id, case.facts.original
    if not reference:
        return _credit_finding("credit_orphan", "-")
    if original is None:
        return NotEvaluated("original_unknown")
    if not original.is_known:
        return _credit_finding("credit_orphan", reference)
    if original.is_credited:
        return _credit_finding("credit_double", reference)
    return _credit_finding("credit_of_void", reference) if original.is_void else ()


def _credit_finding(code: str, found: str) -> Sequence[Finding]:
    return (Finding("credit_original", code, "credit_reference_id", None, found),)

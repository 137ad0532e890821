"""Whether the token could be charged with (OCPI 2.2.1, chapter 12)."""

from dataclasses import dataclass
from decimal import Decimal

from ..ocpi.objects import NOT_AVAILABLE, Cdr
from ..ocpi.types import format_date_time
from ..pricing.session import seconds_of
from .case import Case
from .facts import Authorisation
from .findings import Finding, NotEvaluated, Outcome, span
from .values import NoParams


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Seconds from the answer to the session's start; exactly as many count."""

    within_s: int = 86400


@dataclass(frozen=True, slots=True)
class TokenNeverAuthorised:
    """Seconds from the answer to the session's start; exactly as many count."""

    within_s: int = 86400


def token_unknown(case: Case, _: NoParams) -> Outcome:
    """The eMSP publishes its tokens, and this is none of them.

    A session that the eMSP itself started (COMMAND) may run on a token made for it alone.
    """
    token = case.facts.token
    if token.is_known or case.cdr.auth_method == "COMMAND":
        return ()
    if token.is_published is None or token.is_known is None:
        return NotEvaluated("token_unknown")
    if not token.is_published:
        return NotEvaluated("tokens_not_published")
    return (Finding("token_unknown", "token_unknown", "cdr_token", None, _name(case.cdr)),)


def token_blocked(case: Case, _: NoParams) -> Outcome:
    """Invalid at the session's start; blocked in that very second counts as blocked."""
    token = case.facts.token
    if token.is_valid:
        return ()
    if token.is_valid is None or token.invalid_since is None:
        return NotEvaluated("token_validity_unknown")
    if token.invalid_since > case.start:
        return ()
    details = {"since": format_date_time(token.invalid_since), "start": format_date_time(case.start)}
    return (Finding("token_blocked", "token_blocked", "cdr_token", None, _name(case.cdr), details=details),)


def token_refused(case: Case, params: TokenRefused) -> Outcome:
    """The eMSP said no: in the answer that the CDR names, else in the last one before the start."""
    answers = case.facts.token.authorisations
    if answers is None:
        return NotEvaluated("authorisations_unknown")
    answer = _answer(case, answers, params.within_s) if answers else None
    if answer is None or answer.allowed == "ALLOWED":
        return ()
    code = "token_expired" if answer.allowed == "EXPIRED" else "token_refused"
    details = {"token": _name(case.cdr), "at": format_date_time(answer.at)}
    return (Finding("token_refused", code, "cdr_token", "ALLOWED", answer.allowed, details=details),)


def token_never_authorised(case: Case, params: TokenNeverAuthorised) -> Outcome:
    """Nobody asked the eMSP, although its token or the CDR says that somebody had to.

    A session that the eMSP itself started (COMMAND) needs no question.
    """
    token, method = case.facts.token, case.cdr.auth_method
    if method == "COMMAND":
        return ()
    if token.authorisations is None:
        return NotEvaluated("authorisations_unknown")
    if method != "AUTH_REQUEST":
        if token.whitelist is None:
            return NotEvaluated("whitelist_unknown")
        if token.whitelist != "NEVER":
            return ()
    if _answer(case, token.authorisations, params.within_s):
        return ()
    code = "auth_request_unknown" if method == "AUTH_REQUEST" else "token_never_authorised"
    details = {"token": _name(case.cdr), "within": span(params.within_s)}
    return (Finding("token_never_authorised", code, "auth_method", None, method, details=details),)


def _answer(case: Case, answers: tuple[Authorisation, ...], within_s: int) -> Authorisation | None:
    """What decided the session, if anything did."""
    reference = case.cdr.authorization_reference
    if reference:
        for answer in answers:
            if answer.reference and answer.reference.casefold() == reference.casefold():
                return answer
    limit = Decimal(within_s)
    before = [
        answer
        for answer in answers
        if answer.at <= case.start and seconds_of(case.start - answer.at) <= limit
    ]
    return max(before, key=lambda answer: answer.at) if before else None


def _name(cdr: Cdr) -> str:
    """As people know it: the uid, else the driver's contract."""
    uid = cdr.cdr_token.uid
    return cdr.cdr_token.contract_id if uid in ("", NOT_AVAILABLE) else uid

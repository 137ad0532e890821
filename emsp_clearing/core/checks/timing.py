"""Whether the session's dates are possible, and the CDR came in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..ocpi.types import format_date_time
from ..pricing.session import seconds_of
from .case import Case
from .findings import Finding, NotEvaluated, Outcome, span
from .values import NoParams

# 1970-01-01T00:00:00Z stands for a time that is not known (OCPI 2.2.1, 10.3.1).
FIRST_REAL_DAY = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FutureEnd:
    """Seconds that clocks may differ; exactly as many pass."""

    tolerance_s: int = 300


@dataclass(frozen=True, slots=True)
class ReceivedLate:
    """Seconds after the session's end; exactly as many pass."""

    after_s: int = 7776000


def end_before_start(case: Case, _: NoParams) -> Sequence[Finding]:
    """The same instant passes."""
    if case.end >= case.start:
        return ()
    expected, found = format_date_time(case.start), format_date_time(case.end)
    return (Finding("end_before_start", "end_before_start", "end_date_time", expected, found),)


def placeholder_date(case: Case, _: NoParams) -> Sequence[Finding]:
    """A date that stands for an unknown one, of 1970-01-01 or earlier."""
    if case.start >= FIRST_REAL_DAY and case.end >= FIRST_REAL_DAY:
        return ()
    instants = (("start_date_time", case.start), ("end_date_time", case.end))
    return [
        Finding("placeholder_date", "placeholder_date", path, None, format_date_time(instant))
        for path, instant in instants
        if instant < FIRST_REAL_DAY
    ]


def future_end(case: Case, params: FutureEnd) -> Outcome:
    """The session ends after its CDR came."""
    received_at = case.facts.received_at
    if received_at is None:
        return NotEvaluated("reception_unknown")
    if case.end <= received_at or seconds_of(case.end - received_at) <= params.tolerance_s:
        return ()
    expected, found = format_date_time(received_at), format_date_time(case.end)
    tolerance = span(params.tolerance_s)
    return (Finding("future_end", "end_in_future", "end_date_time", expected, found, tolerance),)


def received_late(case: Case, params: ReceivedLate) -> Outcome:
    """The CDR came too long after the session's end."""
    received_at = case.facts.received_at
    if received_at is None:
        return NotEvaluated("reception_unknown")
    late = seconds_of(received_at - case.end)
    if late <= params.after_s:
        return ()
    details = {"end": format_date_time(case.end)}
    expected, found = span(params.after_s), span(late)
    return (Finding("received_late", "received_late", "end_date_time", expected, found, details=details),)

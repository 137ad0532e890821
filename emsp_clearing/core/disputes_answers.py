"""What the disputes API answers; the description for programs is made from these."""

from datetime import datetime

from msgspec import Struct

from .disputes_api import CdrName


class Message(Struct, frozen=True):
    """One word of the conversation. `by`: "you" or "us". `files`: their names."""

    at: datetime
    by: str
    text: str
    files: tuple[str, ...] = ()


class Dispute(Struct, frozen=True, kw_only=True):
    """A dispute as both sides see it. Amounts are net, as text; instants are UTC.

    `turn`: who must act next, "you" or "us"; null once it is closed. `act_by`: until when. `ends_at`: by
    then silence decides, and `by_silence_becomes` is the state that it comes to as things stand.
    """

    number: str
    state: str
    turn: str | None
    cdr: CdrName
    settlement: str | None
    reason: str
    explanation: str
    reference: str
    currency: str
    disputed_amount: str
    own_amount: str | None
    agreed_amount: str | None
    answer: str
    opened_at: datetime
    act_by: datetime | None
    ends_at: datetime
    by_silence_becomes: str | None
    closed_at: datetime | None
    closed_by_silence: bool
    credit_cdr_id: str | None
    new_cdr_id: str | None
    updated_at: datetime
    url: str


class DisputeThread(Dispute, frozen=True, kw_only=True):
    """A dispute with what both sides said, the oldest first."""

    messages: tuple[Message, ...]


class Disputes(Struct, frozen=True):
    """Disputes that were opened together."""

    disputes: tuple[Dispute, ...]


class DisputePage(Struct, frozen=True):
    """A page of a list, by age. `next_cursor`: for the next page; null on the last."""

    disputes: tuple[Dispute, ...]
    next_cursor: str | None


class Settlement(Struct, frozen=True):
    """A settlement that was approved. Amounts as text, net; `disputed_amount` is not part of `amount`."""

    number: str
    state: str
    approved_at: datetime
    locks_at: datetime
    currency: str
    sessions: int
    amount: str
    disputed_sessions: int
    disputed_amount: str


class ProblemError(Struct, frozen=True):
    """`pointer`: JSON pointer to the field of the body."""

    pointer: str
    code: str
    detail: str


class Problem(Struct, frozen=True):
    """RFC 9457. `errors`: what is wrong, field by field, where fields are."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[ProblemError, ...] = ()

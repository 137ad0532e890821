"""The bodies of the disputes API: their schemas, and what is wrong with one, by JSON pointer (RFC 6901)."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from .dispute_sheet import REASONS
from .errors import PayloadError
from .money import D
from .ocpi.json_text import read_json

MAX_DISPUTES: Final = 500
MAX_TEXT: Final = 4000
AMOUNT_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,4})?$"

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Words = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]
Identifier = Annotated[str, Meta(min_length=1, max_length=39)]


class CdrName(Struct, frozen=True, forbid_unknown_fields=True):
    """A CDR by its owner and its id, as OCPI has it; compared without case."""

    country_code: Annotated[str, Meta(min_length=2, max_length=2)]
    party_id: Annotated[str, Meta(min_length=1, max_length=3)]
    id: Identifier


class DisputeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One session that is disputed, named by `cdr`, or by `cdr_id` where no other owner has that id.

    `own_amount`: what you would pay, net, as a number or as text, with at most four decimals. An
    `explanation` is due where the reason is "other".
    """

    reason: Annotated[str, Meta(extra_json_schema={"enum": list(REASONS)})]
    cdr: CdrName | None = None
    cdr_id: Identifier | None = None
    explanation: Text = ""
    own_amount: Decimal | None = None
    reference: Annotated[str, Meta(max_length=64)] = ""


class DisputesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Many sessions that are disputed: all of them or none."""

    disputes: Annotated[list[DisputeRequest], Meta(min_length=1, max_length=MAX_DISPUTES)]


class MessageRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What you say; where information was asked for, it is the answer."""

    text: Words


class StepRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A step, with words for the other side where you like."""

    text: Text = ""


class FieldError(NamedTuple):
    """`pointer`: to the field in the body; empty for the whole of it."""

    pointer: str
    code: str
    detail: str


class BodyError(Exception):
    """A body that cannot be taken. `is_syntax`: it is no JSON at all."""

    def __init__(self, errors: Sequence[FieldError], *, is_syntax: bool = False) -> None:
        super().__init__(errors[0].detail)
        self.errors = tuple(errors)
        self.is_syntax = is_syntax


class Complaints(NamedTuple):
    """`pointers`: to each dispute in the body. `is_many`: the body was a list."""

    disputes: tuple[DisputeRequest, ...]
    pointers: tuple[str, ...]
    is_many: bool


class _Rows(Struct, frozen=True, forbid_unknown_fields=True):
    disputes: list[Raw]


Body = TypeVar("Body")


def read_body(raw: bytes, schema: type[Body]) -> Body:
    """:raise BodyError: no JSON, or not what the schema says."""
    _check_json(raw)
    return _decode(raw, schema, "")


def read_complaints(raw: bytes) -> Complaints:
    """One dispute, or many under "disputes".

    :raise BodyError: no JSON; or what is wrong, one error for each dispute.
    """
    value = _check_json(raw)
    if not (isinstance(value, dict) and "disputes" in value):
        return Complaints((_read_dispute(raw, ""),), ("",), is_many=False)
    rows = _decode(raw, _Rows, "").disputes
    if not 1 <= len(rows) <= MAX_DISPUTES:
        text = f"Expected 1 to {MAX_DISPUTES} disputes, got {len(rows)}"
        raise BodyError([FieldError("/disputes", "invalid", text)])
    disputes: list[DisputeRequest] = []
    errors: list[FieldError] = []
    for number, row in enumerate(rows):
        try:
            disputes.append(_read_dispute(bytes(row), f"/disputes/{number}"))
        except BodyError as error:
            errors.extend(error.errors)
    if errors:
        raise BodyError(errors)
    pointers = tuple(f"/disputes/{number}" for number in range(len(rows)))
    return Complaints(tuple(disputes), pointers, is_many=True)


def _read_dispute(raw: bytes, pointer: str) -> DisputeRequest:
    dispute = _decode(raw, DisputeRequest, pointer)
    if (dispute.cdr is None) == (dispute.cdr_id is None):
        raise BodyError([FieldError(pointer, "invalid", "Expected either `cdr` or `cdr_id`")])
    if dispute.reason not in REASONS:
        text = f"Expected one of {', '.join(REASONS)}"
        raise BodyError([FieldError(f"{pointer}/reason", "invalid", text)])
    amount = dispute.own_amount
    if amount is not None and not re.match(AMOUNT_PATTERN, _plain(amount)):
        text = "Expected an amount from 0 with at most four decimals"
        raise BodyError([FieldError(f"{pointer}/own_amount", "invalid", text)])
    return dispute


def _plain(amount: Decimal) -> str:
    """As text without an exponent; what cannot be an amount stays as it is."""
    if not amount.is_finite() or not -20 < amount.adjusted() < 20:
        return str(amount)
    return f"{D(amount):f}"


def _check_json(raw: bytes) -> Any:
    """:return: the value. :raise BodyError: no JSON in UTF-8, a key twice, or nested too deeply."""
    if b"\\u0000" in raw:
        raise BodyError([FieldError("", "invalid", "Expected texts without NUL")])
    try:
        return read_json(raw)
    except PayloadError as error:
        text = f"The body is not JSON: {error.code}"
        raise BodyError([FieldError("", error.code, text)], is_syntax=True) from error


def _decode(raw: bytes, schema: type[Body], pointer: str) -> Body:
    try:
        return msgspec.json.decode(raw, type=schema)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        path = pointer + _pointer(place)
        if unknown := re.search(r"unknown field `(.*)`$", message):
            path += "/" + _escaped(unknown[1])
        if missing := re.search(r"missing required field `(\w+)`$", message):
            path += "/" + missing[1]
        raise BodyError([FieldError(path, "invalid", message)]) from error


def _pointer(place: str) -> str:
    """`$.cdr.id` and `$[0]`, each in grave accents, as a JSON pointer."""
    steps = re.findall(r"\.([A-Za-z_]+)|\[(\d+)\]", place)
    return "".join(f"/{name or number}" for name, number in steps)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")

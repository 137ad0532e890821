"""JSON texts of partners: read with every digit, compared by content, written with every digit."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from ..errors import PayloadError

MAX_DEPTH = 64
"""Levels of nesting; a CDR has seven. A bound of ours: the text comes from outside."""

# Strips trailing zeros and nothing else: the default context would round to 28 digits.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_quote = json.JSONEncoder().encode
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def read_json(raw: bytes | str) -> Any:
    """The value of a JSON text: every number an exact Decimal, nulls kept.

    :raise PayloadError: no JSON (invalid_json), not UTF-8 (invalid_encoding), a key twice in one
        object (duplicate_key) or nested too deeply (too_deep). A byte order mark is let
        through; NaN and Infinity are not JSON.
    """
    text = _decode(raw)
    try:
        tree = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        got = f"{error.msg} (line {error.lineno}, column {error.colno})" if text else "nothing"
        raise PayloadError("invalid_json", expected="JSON", got=got) from None
    except RecursionError:
        raise _too_deep() from None
    may_hold_surrogates = _SURROGATE.search(text) is not None
    for level in _levels(tree):
        if may_hold_surrogates:
            _check_text(level)
    return tree


def canonical(raw: bytes | str) -> bytes:
    """The content of a JSON text, spelt in one way: two texts with the same content are equal.

    Key order, whitespace, escapes, the spelling of numbers (1.0, 1, 10e-1) and fields that are
    null do not count; everything else does, to the last digit.

    :raise PayloadError: as `read_json`.
    """
    return _canonical(read_json(raw)).encode()


def write_json(payload: Any) -> bytes:
    """A payload as JSON: Decimal as number with all its digits, `msgspec.Raw` as it is."""
    return _ENCODER.encode(payload)


def _decode(raw: bytes | str) -> str:
    if isinstance(raw, str):
        raw = raw.encode(errors="surrogatepass")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"byte 0x{raw[error.start]:02x} at position {error.start}"
        raise PayloadError("invalid_encoding", expected="UTF-8", got=got) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise PayloadError("duplicate_key", path=twice, expected="the key once", got="it again")
    return members


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise PayloadError("invalid_json", expected="a usable number", got=text[:40]) from None


def _no_constant(name: str) -> NoReturn:
    raise PayloadError("invalid_json", expected="a number", got=name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_number,
    parse_int=_number,
    parse_constant=_no_constant,
)


def _too_deep() -> PayloadError:
    return PayloadError("too_deep", expected=f"at most {MAX_DEPTH} levels", got="more")


def _levels(tree: Any) -> Iterator[list[Any]]:
    """The values of a tree level by level, so that depth costs no stack.

    :raise PayloadError: too_deep.
    """
    level = [tree]
    for _ in range(MAX_DEPTH + 1):
        yield level
        inner = [node for node in level if isinstance(node, (dict, list))]
        if not inner:
            return
        level = [child for node in inner for child in (node.values() if isinstance(node, dict) else node)]
    raise _too_deep()


def _check_text(level: list[Any]) -> None:
    texts = [node for node in level if isinstance(node, str)]
    texts += [name for node in level if isinstance(node, dict) for name in node]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise PayloadError("invalid_encoding", expected="UTF-8", got="half a surrogate pair") from None


def _canonical(node: Any) -> str:
    if isinstance(node, dict):
        members = (
            f"{_quote(name)}:{_canonical(node[name])}" for name in sorted(node) if node[name] is not None
        )
        return "{" + ",".join(members) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_canonical, node)) + "]"
    if isinstance(node, Decimal):
        return str(_EXACT.normalize(node)) if node else "0"
    return _quote(node)

"""Hashes that make tampering evident. SHA-256 throughout; a version stands before each link."""

from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256

from .money import round_money

VERSION = "1"
# Decimals of the amounts in a settlement's list, whatever the contract rounds to.
LIST_DIGITS = 4


def payload_hash(raw: bytes) -> str:
    """Hex SHA-256 of the bytes as received."""
    return sha256(raw).hexdigest()


def link(previous: str | None, payload: str) -> str:
    """The chain's value after a payload: "1$<hex>" over the value before it and the payload's hash.

    :param previous: the chain's value before it; None for the first of a connection.
    :param payload: hex SHA-256 of the payload.
    """
    text = f"{previous or ''}\n{payload}"
    return f"{VERSION}${sha256(text.encode()).hexdigest()}"


def verify(entries: Iterable[tuple[str, str]], previous: str | None = None) -> int | None:
    """Recompute a chain. An entry that was changed, dropped, added or moved breaks it at its place.

    :param entries: (payload hash, chain value) in order.
    :param previous: the value before the first entry, to check a part of a chain.
    :return: index of the first broken link, or None.
    """
    for index, (payload, value) in enumerate(entries):
        if link(previous, payload) != value:
            return index
        previous = value
    return None


def list_hash(rows: Iterable[tuple[str, str, str]]) -> str:
    """Hex SHA-256 of a settlement's list, which both sides can compute.

    :param rows: key, payload hash and amount as text of each CDR; their order does not matter: one
        line for each, sorted, tabs between the fields, a line feed after it.
    """
    return sorted_list_hash(sorted(rows))


def sorted_list_hash(rows: Iterable[tuple[str, str, str]]) -> str:
    """As `list_hash`, of rows that come in their order, so that they need not be in memory.

    :raise ValueError: when one comes before its place.
    """
    digest, last = sha256(), ("", "", "")
    for row in rows:
        if row < last:
            raise ValueError(f"expected rows by key, got {row[0]!r} after {last[0]!r}")
        digest.update(_line(row))
        last = row
    return digest.hexdigest()


def row_hash(row: tuple[str, str, str]) -> str:
    """Hex SHA-256 of one line of such a list: it tells which one was changed, where `list_hash` only
    tells that one was."""
    return sha256(_line(row)).hexdigest()


def listed_amount(amount: Decimal) -> str:
    """An amount as it stands in the list: four decimals, a point, no separator."""
    return f"{round_money(amount, LIST_DIGITS):.{LIST_DIGITS}f}"


def _line(row: tuple[str, str, str]) -> bytes:
    return "\t".join(row).encode() + b"\n"

"""Disputes that came as a spreadsheet: the list of sessions with a reason and a comment filled in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from .errors import SheetError
from .money import D
from .table_file import (
    HEAD_ROWS,
    MAX_ROWS,
    UNREADABLE,
    Cell,
    Table,
    cell_at,
    cell_text,
    open_tables,
    plain_head,
)

MAX_CELL_CHARS: Final = 4000
MAX_DISPUTES: Final = 500

# Each reason in the languages of the lists: English, French, German.
REASONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "price": ("Wrong price", "Prix erroné", "Falscher Preis"),
    "energy": ("Wrong energy", "Énergie erronée", "Falsche Energiemenge"),
    "duration": ("Wrong duration", "Durée erronée", "Falsche Dauer"),
    "token": ("Unknown token", "Jeton inconnu", "Unbekannter Token"),
    "duplicate": ("Duplicate", "Doublon", "Doppelt"),
    "not_happened": (
        "Session did not happen",
        "La session n’a pas eu lieu",
        "Ladevorgang fand nicht statt",
    ),
    "other": ("Other", "Autre", "Sonstiges"),
}
# The columns that are read, by any of their heads.
HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "cdr": ("CDR", "CDR id", "OCPI key", "Identifiant CDR", "Clé OCPI", "CDR-ID", "OCPI-Schlüssel"),
    "reason": ("Dispute reason", "Motif de contestation", "Beanstandungsgrund"),
    "comment": ("Comment", "Commentaire", "Kommentar"),
    "own_amount": ("Own amount", "Montant retenu", "Eigener Betrag"),
}
LANGUAGES: Final = ("en", "fr", "de")


class SheetRow(NamedTuple):
    """One session that is to be disputed, as it stands in row `number` (from 1) of the file.

    `cdr`: a CDR's id or OCPI key. `own_amount`: net, or None. `problem`: why the row cannot be taken:
    cdr_missing, reason_missing, reason_unknown, comment_long, amount, twice; None while nothing is wrong.
    """

    number: int
    cdr: str
    reason: str
    comment: str
    own_amount: Decimal | None
    problem: str | None


class Sheet(NamedTuple):
    """What was read. `ignored`: rows without a reason, a comment and an amount: they are not disputed."""

    rows: tuple[SheetRow, ...]
    ignored: int


def head_of(column: str, language: str) -> str:
    """The head of a column in a list that is made here, in one of LANGUAGES."""
    names = HEADS[column]
    return names[LANGUAGES.index(language)] if column != "cdr" else names[0]


def reason_label(reason: str, language: str) -> str:
    return REASONS[reason][LANGUAGES.index(language)]


def read_sheet(content: bytes) -> Sheet:
    """The disputes in a file, .xlsx or CSV.

    :raise SheetError: too_large, unreadable, hostile (unfolds too far), no_heads, too_many_rows,
        too_many_disputes.
    """
    try:
        return _read_tables(open_tables(content))
    except UNREADABLE as error:
        raise SheetError("unreadable") from error


def write_rows(rows: Sequence[SheetRow]) -> str:
    """What was read, as the text that a form carries until it is confirmed."""
    return msgspec.json.encode(rows).decode()


def read_rows(text: str) -> tuple[SheetRow, ...]:
    """What `write_rows` wrote; it comes back from outside, and is checked like a file.

    :raise SheetError: unreadable, too_many_disputes.
    """
    try:
        told = msgspec.json.decode(text.encode(), type=tuple[SheetRow, ...])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise SheetError("unreadable") from error
    if len(told) > MAX_DISPUTES:
        raise SheetError("too_many_disputes")
    rows: list[SheetRow] = []
    for row in told:
        amount = None if row.own_amount is None else str(row.own_amount)
        values = {"cdr": row.cdr, "reason": row.reason, "comment": row.comment, "own_amount": amount}
        rows.append(_read_row(row.number, values))
    return tuple(rows)


def _read_tables(tables: Iterator[Table]) -> Sheet:
    """The first table that has the heads."""
    for table in tables:
        for __, cells in islice(table, HEAD_ROWS):
            columns = _find_columns(cells)
            if {"cdr", "reason"} <= columns.keys():
                return _read_rows(table, columns)
    raise SheetError("no_heads")


def _find_columns(cells: Sequence[Cell]) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, cell in enumerate(cells):
        head = plain_head(cell_text(cell))
        for column, names in HEADS.items():
            if head and head in map(plain_head, names):
                found.setdefault(column, position)
    return found


def _read_rows(table: Table, columns: Mapping[str, int]) -> Sheet:
    rows: list[SheetRow] = []
    seen: set[str] = set()
    ignored = 0
    for number, cells in table:
        if number > MAX_ROWS + HEAD_ROWS:
            raise SheetError("too_many_rows")
        values = {name: cell_at(cells, position) for name, position in columns.items()}
        if not any(cell_text(values.get(name)) for name in ("reason", "comment", "own_amount")):
            ignored += any(cell_text(value) for value in values.values())
            continue
        row = _read_row(number, values)
        if not row.problem and row.cdr.upper() in seen:
            row = row._replace(problem="twice")
        seen.add(row.cdr.upper())
        rows.append(row)
        if len(rows) > MAX_DISPUTES:
            raise SheetError("too_many_disputes")
    return Sheet(tuple(rows), ignored)


def _read_row(number: int, values: Mapping[str, Cell]) -> SheetRow:
    cdr = cell_text(values.get("cdr"))
    written = cell_text(values.get("reason"))
    reason = _REASON_OF.get(plain_head(written))
    comment = cell_text(values.get("comment"))
    problems = []
    try:
        own_amount = _amount(values.get("own_amount"))
    except ValueError:
        own_amount = None
        problems.append("amount")
    if not cdr:
        problems.insert(0, "cdr_missing")
    elif not reason:
        problems.insert(0, "reason_unknown" if written else "reason_missing")
    elif len(comment) > MAX_CELL_CHARS:
        problems.insert(0, "comment_long")
    return SheetRow(
        number,
        cdr[:100],
        reason or written[:100],
        comment[:MAX_CELL_CHARS],
        own_amount,
        problems[0] if problems else None,
    )


def _amount(cell: Cell) -> Decimal | None:
    """:raise ValueError: no amount, less than nothing, or with more than four decimals."""
    text = cell_text(cell).replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not text:
        return None
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text):
        raise ValueError(text[:40])
    return D(text)


_REASON_OF: Final = {plain_head(name): code for code, labels in REASONS.items() for name in (code, *labels)}

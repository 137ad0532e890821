"""Disputes that came as a spreadsheet: the list of sessions with a reason and a comment filled in.

Files come from outside: sizes are checked before anything is unfolded, nothing in them is calculated, and
whatever stands in a cell is a text or a number.
"""

import csv
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import islice
from typing import Final, NamedTuple
from zipfile import BadZipFile, ZipFile

import msgspec
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .errors import SheetError
from .money import D

MAX_FILE_BYTES: Final = 15 * 1024 * 1024
# A workbook of 20 000 sessions and 40 columns unfolds to some 50 MB.
MAX_UNFOLDED_BYTES: Final = 100 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 60
MAX_SHEETS: Final = 10
MAX_PARTS: Final = 500
MAX_CELL_CHARS: Final = 4000
MAX_DISPUTES: Final = 500
# A title or two may stand above the heads.
HEAD_ROWS: Final = 10

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

# What zipfile, openpyxl, its XML parsers and csv answer to a file that is none of theirs.
UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    csv.Error,
    zlib.error,
)

Cell = object


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
    if len(content) > MAX_FILE_BYTES:
        raise SheetError("too_large")
    try:
        if content.startswith(b"PK"):
            _check_archive(content)
            return _read_tables(_tables_of_workbook(content))
        return _read_tables(iter([_table_of_text(content)]))
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


Table = Iterator[tuple[int, Sequence[Cell]]]


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
        head = _normal(_text(cell))
        for column, names in HEADS.items():
            if head and head in map(_normal, names):
                found.setdefault(column, position)
    return found


def _read_rows(table: Table, columns: Mapping[str, int]) -> Sheet:
    rows: list[SheetRow] = []
    seen: set[str] = set()
    ignored = 0
    for number, cells in table:
        if number > MAX_ROWS + HEAD_ROWS:
            raise SheetError("too_many_rows")
        values = {name: _cell(cells, position) for name, position in columns.items()}
        if not any(_text(values.get(name)) for name in ("reason", "comment", "own_amount")):
            ignored += any(_text(value) for value in values.values())
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
    cdr = _text(values.get("cdr"))
    written = _text(values.get("reason"))
    reason = _REASON_OF.get(_normal(written))
    comment = _text(values.get("comment"))
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
    text = _text(cell).replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not text:
        return None
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text):
        raise ValueError(text[:40])
    return D(text)


def _cell(cells: Sequence[Cell], position: int) -> Cell:
    return cells[position] if position < len(cells) else None


def _text(cell: Cell) -> str:
    """A cell as people read it: 12.0 is 12, and 0.1 is no 0.1000000000000000055."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    return str(cell).strip()


def _normal(text: str) -> str:
    """A head or a reason as it is compared: without case, spaces around, and a currency in brackets."""
    plain = re.sub(r"\s*\([^)]*\)\s*$", "", text[:200]).replace("'", "’")
    return " ".join(plain.split()).casefold()


def _tables_of_workbook(content: bytes) -> Iterator[Table]:
    workbook = load_workbook(BytesIO(content), read_only=True, data_only=True)
    for sheet in workbook.worksheets[:MAX_SHEETS]:
        # What a sheet says of its own size is not believed.
        sheet.reset_dimensions()
        last = MAX_ROWS + HEAD_ROWS + 1
        yield _numbered(sheet.iter_rows(max_row=last, max_col=MAX_COLUMNS, values_only=True))


def _check_archive(content: bytes) -> None:
    """:raise SheetError: it unfolds too far, or holds a document type, which a workbook never has."""
    with ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNFOLDED_BYTES:
            raise SheetError("hostile")
        for part in parts:
            with archive.open(part) as file:
                start = file.read(4096).replace(b"\0", b"").upper()
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise SheetError("hostile")


def _table_of_text(content: bytes) -> Table:
    text = _decoded(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = _csv(text, max(";,\t", key=first.count))
    return _numbered(row[:MAX_COLUMNS] for row in islice(rows, MAX_ROWS + HEAD_ROWS + 1))


def _csv(text: str, delimiter: str) -> Iterable[list[str]]:
    return csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise SheetError("unreadable")


def _numbered(rows: Iterable[Sequence[Cell]]) -> Table:
    return iter(enumerate(rows, start=1))


_REASON_OF: Final = {_normal(name): code for code, labels in REASONS.items() for name in (code, *labels)}

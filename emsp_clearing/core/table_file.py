"""Tables in files that others made: .xlsx or CSV.

Files come from outside: sizes are checked before anything is unfolded, nothing in them is calculated, and
whatever stands in a cell is a text or a number.
"""

import csv
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, StringIO
from itertools import islice
from typing import Final
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .errors import SheetError

MAX_FILE_BYTES: Final = 15 * 1024 * 1024
# A workbook of 20 000 sessions and 40 columns unfolds to some 50 MB.
MAX_UNFOLDED_BYTES: Final = 100 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 60
MAX_SHEETS: Final = 10
MAX_PARTS: Final = 500
# A title or two may stand above the heads.
HEAD_ROWS: Final = 10

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
Table = Iterator[tuple[int, Sequence[Cell]]]


def open_tables(content: bytes) -> Iterator[Table]:
    """The sheets of a workbook, or the one table of a CSV file.

    Rows are read as they are asked for: the caller catches UNREADABLE as well.

    :raise SheetError: too_large, hostile (unfolds too far), unreadable.
    """
    if len(content) > MAX_FILE_BYTES:
        raise SheetError("too_large")
    if content.startswith(b"PK"):
        _check_archive(content)
        return _tables_of_workbook(content)
    return iter([_table_of_text(content)])


def cell_at(cells: Sequence[Cell], position: int) -> Cell:
    return cells[position] if position < len(cells) else None


def cell_text(cell: Cell) -> str:
    """A cell as people read it: 12.0 is 12, and 0.1 is no 0.1000000000000000055."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    return str(cell).strip()


def plain_head(text: str) -> str:
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

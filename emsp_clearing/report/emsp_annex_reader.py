"""A session annex back from its .xlsx file: bytes in, `StatedList` out. No ORM, nothing is executed.

A file may come from anybody. What cannot be read is refused with a code, never with a traceback; a
formula is no value, so that nothing but what is written counts.
"""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from decimal import Decimal
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.exceptions import (
    CellCoordinatesException,
    IllegalCharacterError,
    InvalidFileException,
    ReadOnlyWorkbookException,
    SheetTitleException,
)

from ..core.chain import LIST_DIGITS
from ..core.money import ZERO, D, round_money
from ..core.verify import StatedList, StatedRow, StatedSettlement
from . import emsp_annex_names as names
from .emsp_annex_guard import PUBLIC, SPARE_ROWS, Limits, RefusedFile, check_archive

# What zipfile, expat and openpyxl raise for files that are damaged or no spreadsheets.
DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadZipFile,
    CellCoordinatesException,
    EOFError,
    ExpatError,
    IllegalCharacterError,
    InvalidFileException,
    LookupError,
    OSError,
    ReadOnlyWorkbookException,
    RuntimeError,
    SheetTitleException,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
# Where sessions begin. A name that began further down would leave out what stands above it.
FIRST_LINE = 2
# Facts stand at the top of the summary.
MAX_FACT_LINE = 100
# A sheet's last column, of which a name may speak.
MAX_COLUMN = 200
# Longest text of a fact or a key; a CDR's key has 46 characters at most.
MAX_TEXT = 200
# What a name stands for: a cell or the top of a column, the sheet quoted where need be.
PLACE = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^'!]+))!\$(?P<column>[A-Z]{1,3})\$(?P<line>\d{1,7})\b"
    r"(?::\$[A-Z]{1,3}\$(?P<last>\d{1,7})$)?.*"
)
SHA256 = re.compile(r"[0-9a-f]{64}")
# "1 / 2": sessions of a settlement that are listed, and those of its own list.
SHARE = re.compile(r"(\d{1,9}) / (\d{1,9})")
LINK = re.compile(r"1\$[0-9a-f]{64}")
# A spreadsheet program keeps 15 digits of a number: less than this is its noise.
NOISE = Decimal("1e-9")
LARGEST = Decimal(10) ** 12


def read_annex(content: bytes, limits: Limits = PUBLIC) -> StatedList:
    """
    :param content: of an .xlsx file, of any size and origin.
    :raise RefusedFile: too large, damaged, harmful, or no session annex.
    """
    try:
        check_archive(content, limits)
        with warnings.catch_warnings():
            # openpyxl warns about extensions and styles that it leaves out.
            warnings.simplefilter("ignore")
            workbook = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            try:
                return _read(workbook, limits)
            finally:
                workbook.close()
    except DAMAGED as error:
        raise RefusedFile("not_spreadsheet") from error


def _read(workbook: Workbook, limits: Limits) -> StatedList:
    facts = _read_facts(workbook, {name: _place(workbook, name) for name in names.FACTS})
    rows: list[StatedRow] = []
    totals = []
    for number, (sheet, columns) in enumerate(_sheets(workbook), 1):
        found, total = _read_rows(workbook[sheet], columns, number, limits.rows - len(rows))
        rows += found
        totals.append(total)
    count = _number(facts[names.COUNT])
    return StatedList(
        settlement=_text(facts[names.SETTLEMENT]),
        invoice=_text(facts[names.INVOICE]),
        list_hash=_hash(facts[names.LIST_HASH]),
        chain_head=_hash(facts[names.CHAIN_HEAD]),
        count=None if count is None else int(count),
        total=None if None in totals else sum(totals, ZERO),
        rows=tuple(rows),
        settlements=_read_settlements(workbook, limits),
    )


def _read_settlements(workbook: Workbook, limits: Limits) -> tuple[StatedSettlement, ...]:
    """The lines of the summary, where it tells several settlements, or a part of one."""
    if names.SETTLEMENTS not in workbook.defined_names:
        return ()
    sheet, column, first = _place(workbook, names.SETTLEMENTS)
    last = int(PLACE.fullmatch(workbook.defined_names[names.SETTLEMENTS].attr_text)["last"] or first)
    if last - first >= limits.rows:
        raise RefusedFile("too_many_rows")
    lines = workbook[sheet].iter_rows(
        min_row=first, max_row=last, min_col=column, max_col=column + 4, values_only=True
    )
    return tuple(_stated_settlement(*line) for line in lines)


def _stated_settlement(name, _period, share, net, list_hash) -> StatedSettlement:
    found = SHARE.fullmatch(_text(share))
    listed, sessions = map(int, found.groups()) if found else (None, None)
    return StatedSettlement(_text(name), listed, sessions, _amount(net), _hash(list_hash))


def _sheets(workbook: Workbook) -> list[tuple[str, dict[str, int]]]:
    """(title, columns by name) of each sheet with sessions."""
    found: dict[str, dict[str, int]] = {}
    while not found or names.name_on_sheet(names.KEY, len(found) + 1) in workbook.defined_names:
        number = len(found) + 1
        places = {name: _place(workbook, names.name_on_sheet(name, number)) for name in names.READ}
        sheets = {sheet for sheet, __, __ in places.values()}
        if len(sheets) != 1 or sheets & found.keys() or any(p[2] != FIRST_LINE for p in places.values()):
            raise RefusedFile("no_annex")
        found[sheets.pop()] = {name: column for name, (__, column, __) in places.items()}
    return [*found.items()]


def _place(workbook: Workbook, name: str) -> tuple[str, int, int]:
    """(sheet, column, first line) of a named cell or column, from 1."""
    defined = workbook.defined_names.get(name)
    place = PLACE.fullmatch(defined.attr_text or "") if defined else None
    if not place:
        raise RefusedFile("no_annex")
    sheet = place["plain"] or place["quoted"].replace("''", "'")
    column, line = column_index_from_string(place["column"]), int(place["line"])
    if sheet not in workbook.sheetnames or not line or column > MAX_COLUMN:
        raise RefusedFile("no_annex")
    return sheet, column, line


def _read_facts(workbook: Workbook, places: dict[str, tuple[str, int, int]]) -> dict[str, object]:
    """The values of single cells, by name."""
    found: dict[str, object] = {}
    for sheet in {place[0] for place in places.values()}:
        lines = workbook[sheet].iter_rows(
            max_row=MAX_FACT_LINE, min_col=1, max_col=MAX_COLUMN, values_only=True
        )
        for number, line in enumerate(lines, 1):
            for name, (its_sheet, column, its_line) in places.items():
                if (its_sheet, its_line) == (sheet, number):
                    found[name] = line[column - 1]
    return {name: found.get(name) for name in places}


def _read_rows(
    sheet, columns: dict[str, int], number: int, limit: int
) -> tuple[list[StatedRow], Decimal | None]:
    """The sessions, and the total below them: of the rows without any evidence the last one."""
    rows, total = [], None
    for place, cells in _lines(sheet, columns, limit):
        if any(cells[name] is not None for name in names.COLUMNS if name != names.AMOUNT):
            rows.append(_stated_row(number, place, cells))
        elif cells[names.AMOUNT] is not None:
            if total is not None:
                # An amount that nothing vouches for.
                rows.append(_stated_row(number, *total))
            total = place, cells
    return rows, total and _amount(total[1][names.AMOUNT])


def _lines(sheet, columns: dict[str, int], limit: int) -> Iterator[tuple[int, dict[str, object]]]:
    """(line, value by name); to the end of the sheet, because a name does not grow with it."""
    last = FIRST_LINE + limit + SPARE_ROWS
    lines = sheet.iter_rows(
        min_row=FIRST_LINE, max_row=last + 1, min_col=1, max_col=max(columns.values()), values_only=True
    )
    for place, line in enumerate(lines, FIRST_LINE):
        if place > last:
            raise RefusedFile("too_many_rows")
        yield place, {name: line[column - 1] for name, column in columns.items()}


def _stated_row(sheet: int, place: int, cells: dict[str, object]) -> StatedRow:
    index = _number(cells[names.CHAIN_INDEX])
    return StatedRow(
        place=place,
        key=_text(cells[names.KEY]),
        payload_hash=_hash(cells[names.PAYLOAD_HASH]),
        amount=_amount(cells[names.AMOUNT]),
        row_hash=_hash(cells[names.ROW_HASH]),
        chain_index=None if index is None else int(index),
        chain_before=_hash(cells[names.CHAIN_BEFORE]),
        chain_hash=_hash(cells[names.CHAIN_HASH]),
        settlement=_text(cells[names.OF_SETTLEMENT]),
        sheet=sheet,
    )


def _text(value: object) -> str:
    """Without what would steer a terminal or turn the direction of writing."""
    text = "" if value is None else str(value).strip()[:MAX_TEXT]
    return "".join(filter(str.isprintable, text))


def _hash(value: object) -> str:
    """A SHA-256 or a link of the chain; anything else cannot be one."""
    text = _text(value).lower()
    return text if SHA256.fullmatch(text) or LINK.fullmatch(text) else ""


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = Decimal(repr(value))
    return number if number.is_finite() and abs(number) < LARGEST else None


def _amount(value: object) -> Decimal | None:
    """With at most four decimals, or None."""
    number = _number(value)
    if number is None:
        return None
    amount = round_money(D(number), LIST_DIGITS)
    return amount if abs(amount - number) < NOISE else None

"""The list of a settlement to be filled in: a reason, a comment, an own amount for what is disputed.

No ORM here. Amounts are `Decimal`, instants are local and naive, as they are to be read.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from ..core.dispute_sheet import MAX_CELL_CHARS, REASONS, head_of, reason_label
from .emsp_annex_cells import (
    DATE_TIME,
    INDENTED,
    KWH,
    TEXT,
    Language,
    heading,
    in_currency,
    make_cell,
    money_format,
)

REASON_COLUMN, COMMENT_COLUMN, AMOUNT_COLUMN = 8, 9, 10


@dataclass(frozen=True, slots=True)
class DisputeSheetRow:
    """One session. `state`: in words, where there is something to say."""

    cdr: str
    start: datetime
    place: str
    evse_id: str
    energy_kwh: Decimal
    net: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class DisputeSheetHeader:
    """`language`: en, fr or de, of the columns that are read again."""

    settlement: str
    currency: str
    precision: int
    color: str
    language: str


def build_dispute_sheet(
    header: DisputeSheetHeader, rows: Iterable[DisputeSheetRow], language: Language
) -> bytes:
    """:param language: what translates the other heads.
    :return: bytes of the .xlsx file."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Sessions")
    sheet.freeze_panes = "B2"
    labels = [
        head_of("cdr", header.language),
        language._("Start (local)"),
        language._("Place"),
        language._("EVSE ID"),
        "kWh",
        in_currency(language._("Net"), header.currency),
        language._("State"),
        head_of("reason", header.language),
        head_of("comment", header.language),
        f"{head_of('own_amount', header.language)} ({header.currency})",
    ]
    for position, width in enumerate((26, 20, 28, 22, 12, 14, 16, 26, 48, 18), 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.append(heading(sheet, labels, header.color, {4, 5, 9}))
    last = 1
    for row in rows:
        sheet.append(_cells(sheet, row, header.precision))
        last += 1
    _offer_reasons(sheet, max(last, 2), header.language)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _cells(sheet, row: DisputeSheetRow, precision: int) -> Sequence:
    values = (
        (row.cdr, TEXT),
        (row.start, DATE_TIME),
        (row.place, TEXT),
        (row.evse_id, TEXT),
        (row.energy_kwh, KWH),
        (row.net, money_format(precision)),
        (row.state, TEXT),
        # An empty text would be something filled in.
        (None, TEXT),
        (None, "@"),
        (None, money_format(precision)),
    )
    cells = [make_cell(sheet, value, number_format) for value, number_format in values]
    for position in (2, 3, 6):
        cells[position].alignment = INDENTED
    return cells


def _offer_reasons(sheet, last: int, language: str) -> None:
    """Let the spreadsheet offer the reasons."""
    reasons = ",".join(reason_label(reason, language) for reason in REASONS)
    choices = DataValidation(type="list", formula1=f'"{reasons}"', allow_blank=True, showErrorMessage=True)
    choices.add(f"{get_column_letter(REASON_COLUMN)}2:{get_column_letter(REASON_COLUMN)}{last}")
    length = DataValidation(
        type="textLength", operator="lessThanOrEqual", formula1=str(MAX_CELL_CHARS), allow_blank=True
    )
    length.add(f"{get_column_letter(COMMENT_COLUMN)}2:{get_column_letter(COMMENT_COLUMN)}{last}")
    sheet.data_validations.dataValidation.extend([choices, length])

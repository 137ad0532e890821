"""Disputed sessions as a spreadsheet: dataclasses in, bytes of an .xlsx file out. No ORM here."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter

from .emsp_annex_cells import (
    DATE_TIME,
    KWH,
    TEXT,
    English,
    Language,
    heading,
    make_cell,
    money_format,
    set_page,
)


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """One disputed session. Instants are naive UTC, amounts net; `due` is ready to be read."""

    dispute: str
    cdr: str
    session: str
    start: datetime
    end: datetime
    place: str
    energy_kwh: Decimal
    currency: str
    claimed: Decimal
    own: Decimal | None
    reason: str
    words: str
    due: str


def build_dispute_sheet(
    rows: Sequence[DisputeRow], language: Language = English, color: str | None = None
) -> bytes:
    """The workbook: one line per session; the last two columns are for the answer."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(language._("Disputes"))
    columns = _columns(language)
    for position, (__, width, __) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.freeze_panes = "C2"
    set_page(sheet, language._("Disputes"), orientation="landscape", pages_across=1)
    sheet.print_title_rows = "1:1"
    sheet.row_dimensions[1].height = 32
    figures = {position for position, (__, __, kind) in enumerate(columns) if kind not in (TEXT, DATE_TIME)}
    sheet.append(heading(sheet, [label for label, __, __ in columns], color, figures))
    for row in rows:
        sheet.append(_line(sheet, row))
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def _columns(language: Language) -> list[tuple[str, int, str]]:
    """:return: (label, width, kind of the number format)."""
    return [
        (language._("Dispute"), 12, TEXT),
        (language._("CDR id"), 26, TEXT),
        (language._("Session id"), 22, TEXT),
        (language._("Start (UTC)"), 19, DATE_TIME),
        (language._("End (UTC)"), 19, DATE_TIME),
        (language._("Place"), 28, TEXT),
        (language._("Energy (kWh)"), 12, KWH),
        (language._("Currency"), 10, TEXT),
        (language._("Claimed, net"), 12, "money"),
        (language._("Own amount, net"), 12, "money"),
        (language._("Reason"), 20, TEXT),
        (language._("Words"), 44, TEXT),
        (language._("Answer by"), 26, TEXT),
        (language._("Decision"), 18, TEXT),
        (language._("Answer"), 44, TEXT),
    ]


def _line(sheet, row: DisputeRow) -> list:
    money = money_format(max(0, -row.claimed.as_tuple().exponent))
    cells = [
        make_cell(sheet, row.dispute),
        make_cell(sheet, row.cdr),
        make_cell(sheet, row.session),
        make_cell(sheet, row.start, DATE_TIME),
        make_cell(sheet, row.end, DATE_TIME),
        make_cell(sheet, row.place),
        make_cell(sheet, row.energy_kwh, KWH),
        make_cell(sheet, row.currency),
        make_cell(sheet, row.claimed, money),
        make_cell(sheet, row.own, money),
        make_cell(sheet, row.reason),
        make_cell(sheet, row.words),
        make_cell(sheet, row.due),
        make_cell(sheet),
        make_cell(sheet),
    ]
    # Long words make a row high: what stands beside them stays at its top.
    for cell in cells:
        is_long = cell.value in (row.place, row.words)
        cell.alignment = Alignment(horizontal=cell.alignment.horizontal, vertical="top", wrap_text=is_long)
    for cell in cells[-2:]:
        cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
    return cells

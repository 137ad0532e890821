"""An accrual as a spreadsheet: one row per contract, totals per currency. No ORM here."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from .emsp_annex_cells import INTEGER, TEXT, Language, heading, make_cell, money_format, set_page, total_row

FIRST_FIGURE = 5
DIGITS = 4


@dataclass(frozen=True, slots=True)
class AccrualRow:
    """Amounts in `currency`, `balance` in that of the company; `kind` in words."""

    contract: str
    partner: str
    kind: str
    time_zone: str
    currency: str
    sessions: int
    unbilled: Decimal
    disputed: Decimal
    late: Decimal
    credited: Decimal
    accrued: Decimal
    balance: Decimal
    is_booked: bool
    held_sessions: int
    held: Decimal


@dataclass(frozen=True, slots=True)
class AccrualHeader:
    """Texts as they are to be printed."""

    company: str
    date: str
    known_at: str
    currency: str
    color: str


def build_accrual_sheet(header: AccrualHeader, rows: Iterable[AccrualRow], language: Language) -> bytes:
    """:return: bytes of the .xlsx file."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(language._("Accruals"))
    sheet.freeze_panes = "B5"
    for position, width in enumerate((34, 28, 12, 18, 10, 10, 14, 14, 14, 14, 14, 16, 8, 10, 14), 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    _title(sheet, header, language)
    labels = _labels(header, language)
    sheet.append(heading(sheet, labels, header.color, set(range(FIRST_FIGURE, len(labels))) - {12}))
    totals = {}
    for row in rows:
        sheet.append(_row(sheet, row, language))
        _add(totals, row)
    for (kind, currency), sums in totals.items():
        sheet.append(total_row(_total(sheet, kind, currency, sums, language)))
    footer = f"{header.company} - {header.date}"
    set_page(sheet, footer, orientation="landscape", pages_across=1)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _title(sheet, header, language):
    title = language._("Accruals of %(company)s at %(date)s", company=header.company, date=header.date)
    sheet.append([make_cell(sheet, title, bold=True, size=14)])
    sheet.append([make_cell(sheet, language._("As known at %(instant)s", instant=header.known_at))])
    sheet.append([])


def _labels(header, language):
    return [
        language._("Contract"),
        language._("Partner"),
        language._("Kind"),
        language._("Time zone"),
        language._("Currency"),
        language._("Sessions"),
        language._("Unbilled"),
        language._("Disputed"),
        language._("Late"),
        language._("Credited after the lock"),
        language._("To accrue"),
        language._("In %(currency)s", currency=header.currency),
        language._("Booked"),
        language._("Sessions held"),
        language._("Held"),
    ]


def _row(sheet, row, language):
    money, cents = money_format(DIGITS), money_format(2)
    booked = language._("yes") if row.is_booked else language._("no")
    texts = (row.contract, row.partner, row.kind, row.time_zone, row.currency)
    figures = (
        (row.sessions, INTEGER),
        *((amount, money) for amount in (row.unbilled, row.disputed, row.late, row.credited)),
        (row.accrued, cents),
        (row.balance, cents),
        (booked, TEXT),
        (row.held_sessions, INTEGER),
        (row.held, money),
    )
    return [
        *(make_cell(sheet, text) for text in texts),
        *(make_cell(sheet, value, number_format) for value, number_format in figures),
    ]


def _add(totals, row):
    figures = (row.sessions, row.unbilled, row.disputed, row.late, row.credited, row.accrued)
    # What is not booked is not in the amount of the entry.
    figures += (row.balance if row.is_booked else Decimal(0), row.held_sessions, row.held)
    sums = totals.get((row.kind, row.currency), (Decimal(0),) * len(figures))
    totals[row.kind, row.currency] = tuple(a + b for a, b in zip(sums, figures, strict=True))


def _total(sheet, kind, currency, sums, language):
    money, cents = money_format(DIGITS), money_format(2)
    formats = (INTEGER, money, money, money, money, cents, cents)
    cells = [make_cell(sheet, text, bold=True) for text in (language._("Total"), "", kind, "", currency)]
    cells += [
        make_cell(sheet, total, number_format, bold=True)
        for total, number_format in zip(sums[:7], formats, strict=True)
    ]
    cells.append(make_cell(sheet, language._("booked"), bold=True))
    return [
        *cells,
        make_cell(sheet, sums[7], INTEGER, bold=True),
        make_cell(sheet, sums[8], money, bold=True),
    ]

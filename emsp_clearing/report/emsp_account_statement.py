"""A statement of account as a spreadsheet: dataclasses in, bytes of an .xlsx file out. No ORM here."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from ..core.ledger_statement import Statement
from .emsp_annex_cells import (
    DATE,
    INTEGER,
    TEXT,
    English,
    Language,
    heading,
    in_currency,
    make_cell,
    money_format,
    set_page,
    total_row,
)


@dataclass(frozen=True, slots=True)
class StatementHeader:
    """Whose account it is, and of which days."""

    partner: str
    company: str
    date_from: date
    date_to: date
    color: str | None = None


@dataclass(frozen=True, slots=True)
class StatementPart:
    """The account in one currency of so many decimals."""

    currency: str
    digits: int
    statement: Statement


def build_statement_workbook(
    header: StatementHeader,
    parts: Sequence[StatementPart],
    kinds: Mapping[str, str],
    language: Language = English,
) -> bytes:
    """The workbook: of each currency a sheet of its movements and one of what is open.

    :param kinds: kind of a movement -> label.
    """
    workbook = Workbook(write_only=True)
    for part in parts:
        _write_movements(workbook, header, part, kinds, language)
        _write_items(workbook, header, part, language)
    if not parts:
        sheet = workbook.create_sheet(language._("Account"))
        _write_head(sheet, header, language)
        sheet.append([make_cell(sheet, language._("Nothing was booked."))])
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def _write_head(sheet, header: StatementHeader, language: Language) -> None:
    sheet.append([make_cell(sheet, language._("Statement of account"), bold=True, size=14)])
    for label, value in (
        (language._("Customer"), header.partner),
        (language._("Issued by"), header.company),
    ):
        sheet.append([make_cell(sheet, label), make_cell(sheet, value, bold=True)])
    sheet.append(
        [
            make_cell(sheet, language._("Period")),
            make_cell(sheet, header.date_from, DATE),
            make_cell(sheet, header.date_to, DATE),
        ]
    )
    sheet.append([])


def _start(workbook, title: str, columns: Sequence[tuple[str, int]]):
    sheet = workbook.create_sheet(title)
    for position, (__, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    set_page(sheet, title, orientation="landscape", pages_across=1)
    sheet.freeze_panes = "A7"
    sheet.print_title_rows = "6:6"
    sheet.row_dimensions[6].height = 32
    return sheet


def _write_movements(workbook, header, part: StatementPart, kinds, language: Language) -> None:
    columns = [
        (language._("Date"), 13),
        (language._("Kind"), 18),
        (language._("Number"), 22),
        (language._("Text"), 44),
        (language._("Due date"), 13),
        (in_currency(language._("Debit"), part.currency), 16),
        (in_currency(language._("Credit"), part.currency), 16),
        (in_currency(language._("Balance"), part.currency), 16),
    ]
    sheet = _start(workbook, in_currency(language._("Account"), part.currency), columns)
    _write_head(sheet, header, language)
    sheet.append(heading(sheet, [label for label, __ in columns], header.color, {5, 6, 7}))
    money, made = money_format(part.digits), part.statement
    blank = [make_cell(sheet) for __ in range(4)]
    sheet.append(
        [
            make_cell(sheet, header.date_from, DATE),
            make_cell(sheet, language._("Opening balance"), bold=True),
            *(make_cell(sheet) for __ in range(5)),
            make_cell(sheet, made.opening, money, bold=True),
        ]
    )
    for row in made.rows:
        movement = row.movement
        is_refund = movement.kind == "payment" and movement.amount > 0
        sheet.append(
            [
                make_cell(sheet, movement.day, DATE),
                make_cell(sheet, kinds["refund" if is_refund else movement.kind]),
                make_cell(sheet, movement.name),
                make_cell(sheet, movement.text),
                make_cell(sheet, movement.due, DATE) if movement.due else make_cell(sheet),
                make_cell(sheet, movement.amount if movement.amount > 0 else None, money),
                make_cell(sheet, -movement.amount if movement.amount < 0 else None, money),
                make_cell(sheet, row.balance, money),
            ]
        )
    sheet.append(
        total_row(
            [
                make_cell(sheet, language._("Closing balance"), bold=True),
                *blank,
                make_cell(sheet, made.debits, money, bold=True),
                make_cell(sheet, made.credits, money, bold=True),
                make_cell(sheet, made.closing, money, bold=True),
            ]
        )
    )


def _write_items(workbook, header, part: StatementPart, language: Language) -> None:
    columns = [
        (language._("Number"), 22),
        (language._("Date"), 13),
        (language._("Due date"), 13),
        (language._("Days overdue"), 12),
        (in_currency(language._("Original amount"), part.currency), 18),
        (in_currency(language._("Open amount"), part.currency), 18),
    ]
    sheet = _start(workbook, in_currency(language._("Open items"), part.currency), columns)
    _write_head(sheet, header, language)
    sheet.append(heading(sheet, [label for label, __ in columns], header.color, {3, 4, 5}))
    money = money_format(part.digits)
    for item in part.statement.items:
        days = (header.date_to - item.due).days if item.amount > 0 else 0
        sheet.append(
            [
                make_cell(sheet, item.name),
                make_cell(sheet, item.day, DATE),
                make_cell(sheet, item.due, DATE),
                make_cell(sheet, max(0, days), INTEGER),
                make_cell(sheet, item.original, money),
                make_cell(sheet, item.amount, money),
            ]
        )
    sheet.append(
        total_row(
            [
                make_cell(sheet, language._("Closing balance"), TEXT, bold=True),
                *(make_cell(sheet) for __ in range(4)),
                make_cell(sheet, part.statement.closing, money, bold=True),
            ]
        )
    )

"""The sheet "Sessions" of the annex: one line per CDR, and a total row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter

from . import emsp_annex_names as names
from .emsp_annex_cells import (
    CENTS,
    DATE_TIME,
    ELAPSED,
    INDENTED,
    INTEGER,
    KWH,
    RISKY,
    TEXT,
    Language,
    clean,
    fill_text,
    heading,
    make_cell,
    money_format,
    set_page,
    total_row,
)

if TYPE_CHECKING:
    from .emsp_annex import AnnexHeader, AnnexRow


@dataclass(frozen=True, slots=True)
class Column:
    """`zero` is where the total starts, kept under `key`; without it there is no total.

    `name` is that of the column in the workbook, for whoever verifies it.
    """

    label: str
    width: float
    value: Callable[[AnnexRow], object]
    number_format: str = TEXT
    key: str = ""
    zero: object = None
    name: str = ""

    @property
    def is_figure(self) -> bool:
        return self.number_format not in (TEXT, DATE_TIME)


def mask(identifier: str) -> str:
    """`DE8ACC12E46L89` -> `**********6L89`: at most the last four, never more than half."""
    shown = min(4, len(identifier) // 2)
    return "*" * (len(identifier) - shown) + identifier[len(identifier) - shown :]


def session_columns(header: AnnexHeader, language: Language) -> list[Column]:
    """What the two sides compare comes first, the rest of the evidence after it."""

    def amount(key: str, label: str, name: str = "") -> Column:
        label = f"{label} ({header.currency})"
        return Column(label, 13, attrgetter(key), money_format(header.precision), key, Decimal(0), name)

    return [
        Column(language._("CDR"), 26, lambda row: row.cdr),
        Column(language._("Start (local)"), 20, lambda row: _local(row, row.start), DATE_TIME),
        Column(language._("Offset at start"), 10, lambda row: _offset(row, row.start)),
        Column(language._("End (local)"), 20, lambda row: _local(row, row.end), DATE_TIME),
        Column(language._("Offset at end"), 10, lambda row: _offset(row, row.end)),
        Column(language._("Time zone"), 17, lambda row: row.time_zone),
        Column(language._("Place"), 28, lambda row: row.place),
        Column(language._("City"), 18, lambda row: row.city),
        Column(language._("EVSE ID"), 22, lambda row: row.evse_id),
        Column(language._("Token (masked)"), 18, lambda row: mask(row.token_uid)),
        Column(language._("eMA ID (masked)"), 20, lambda row: mask(row.emaid)),
        Column("kWh", 12, lambda row: row.energy_kwh, KWH, "kwh", Decimal(0)),
        Column(
            language._("Duration"),
            11,
            lambda row: timedelta(seconds=row.duration_s),
            ELAPSED,
            "duration",
            timedelta(),
        ),
        Column(language._("Parking (min)"), 11, lambda row: _minutes(row.parking_s), CENTS),
        Column(language._("Applied tariff"), 24, lambda row: row.tariff),
        amount("session_fee", language._("Session fee")),
        amount("energy", language._("Energy")),
        amount("time", language._("Time")),
        amount("parking", language._("Parking")),
        amount("other", language._("Other")),
        amount("net", language._("Net"), names.AMOUNT),
        Column(language._("Tax code"), 12, lambda row: row.tax_label),
        amount("tax", language._("Tax")),
        amount("gross", language._("Gross")),
        Column(language._("Credit"), 9, lambda row: language._("credit") if row.is_credit else None),
        Column(language._("Late, from period"), 13, lambda row: row.late_from or None),
        Column(language._("Session"), 20, lambda row: row.session_id),
        Column(language._("Duration (min)"), 11, lambda row: _minutes(row.duration_s), CENTS),
        Column(language._("Address"), 28, lambda row: row.address),
        Column(language._("Country"), 10, lambda row: row.country),
        Column(language._("Connector"), 18, lambda row: row.connector),
        Column(language._("Power type"), 14, lambda row: row.power_type),
        Column(language._("Start (UTC)"), 20, lambda row: row.start.replace(tzinfo=None), DATE_TIME),
        Column(language._("End (UTC)"), 20, lambda row: row.end.replace(tzinfo=None), DATE_TIME),
        *_evidence_columns(language),
    ]


def _evidence_columns(language: Language) -> list[Column]:
    """What `core.verify` reads, besides the net amount."""

    def evidence(name: str, key: str, label: str, width: float, number_format: str = TEXT) -> Column:
        return Column(label, width, attrgetter(key), number_format, name=name)

    return [
        evidence(names.PAYLOAD_HASH, "payload_sha256", language._("SHA-256 of the CDR as received"), 68),
        evidence(names.KEY, "ocpi_key", language._("OCPI key"), 40),
        evidence(names.ROW_HASH, "row_sha256", language._("SHA-256 of the row"), 68),
        evidence(names.CHAIN_INDEX, "chain_index", language._("Place in the chain"), 11, INTEGER),
        evidence(names.CHAIN_BEFORE, "chain_before", language._("Chain before the CDR"), 70),
        evidence(names.CHAIN_HASH, "chain_hash", language._("Chain after the CDR"), 70),
    ]


def _local(row: AnnexRow, instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo(row.time_zone)).replace(tzinfo=None)


def _offset(row: AnnexRow, instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(row.time_zone)).isoformat()[-6:]


def _minutes(seconds: int) -> Decimal:
    return (Decimal(seconds) / 60).quantize(Decimal("0.01"))


def write_sessions(
    sheet,
    header: AnnexHeader,
    rows: Sequence[AnnexRow],
    columns: Sequence[Column],
    totals: dict[str, object],
    language: Language,
) -> dict[str, str]:
    """`totals` by column key. Gives the cells of the columns that have a name, by that name."""
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    for position, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = column.width
    set_page(sheet, header.invoice_number, orientation="landscape", pages_across=3)
    sheet.print_title_rows = "1:1"
    sheet.print_title_cols = "A:A"
    # What comes after it is for programs, and of no use on paper.
    last_printed = [column.name for column in columns].index(names.PAYLOAD_HASH) + 1
    sheet.print_area = f"A1:{get_column_letter(last_printed)}{len(rows) + 2}"
    sheet.row_dimensions[1].height = 32
    figures = {position for position, column in enumerate(columns) if column.is_figure}
    sheet.append(heading(sheet, [column.label for column in columns], header.color, figures))
    # One styled cell per column, refilled for each row: a style per cell would take twice as long.
    line = [make_cell(sheet, number_format=column.number_format) for column in columns]
    for cell, column in zip(line, columns, strict=True):
        if not column.is_figure:
            cell.alignment = INDENTED
    for row in rows:
        sheet.append([_refill(sheet, *pair, row) for pair in zip(line, columns, strict=True)])
    total = [make_cell(sheet, totals.get(column.key), column.number_format, bold=True) for column in columns]
    fill_text(total[0], language._("Total"))
    total[0].alignment = INDENTED
    sheet.append(total_row(total))
    letters = {column.name: get_column_letter(place) for place, column in enumerate(columns, 1)}
    last = max(len(rows), 1) + 1
    return {name: f"${letter}$2:${letter}${last}" for name, letter in letters.items() if name}


def _refill(sheet, cell: Cell, column: Column, row: AnnexRow) -> Cell:
    value = column.value(row)
    if isinstance(value, str) and value[:1] in RISKY:
        cell = make_cell(sheet, value)
        cell.alignment = INDENTED
    else:
        cell.value = clean(value) if isinstance(value, str) else value
    return cell

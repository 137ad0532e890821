"""A selection of CDRs as .csv, .json or .xlsx file: rows in, bytes out, one row at a time.

No ORM here. A row is a dict by column name of texts, `Decimal` numbers, aware UTC datetimes, whole seconds,
booleans and None. What programs read has fixed column names, ISO dates and decimal points in all
languages; the spreadsheet for people has the labels, colours and formats of the session annex.
"""

import csv
import io
import json
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter

from .emsp_annex_cells import DATE_TIME, FONT, MINUTES, PAPER_A4, TEXT, clean
from .emsp_brand import brand, text_on

# What a spreadsheet may take for a formula at the start of a text (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# A sheet has 1 048 576 rows; the header and the total take two of them.
MAX_ROWS = 1_048_574


@dataclass(frozen=True, slots=True)
class Column:
    """`label` and `width` are those of the spreadsheet; `total` says whether it sums the column, and
    `is_ours` that its text comes from nobody else, so that it hides no formula."""

    name: str
    label: str
    width: float = 14
    number_format: str = TEXT
    total: bool = False
    is_ours: bool = False


def local_columns(start: datetime, end: datetime, time_zone: str) -> dict:
    """The local times of a session, as the annex has them: without zone, and the offset beside."""
    zone = ZoneInfo(time_zone)
    start, end = start.astimezone(zone), end.astimezone(zone)
    return {
        "start_local": start.replace(tzinfo=None),
        "start_offset": start.isoformat()[-6:],
        "end_local": end.replace(tzinfo=None),
        "end_offset": end.isoformat()[-6:],
        "time_zone": time_zone,
    }


def write_csv(output: io.BufferedIOBase, columns: list[Column], rows: Iterable[dict]) -> None:
    """Comma-separated, RFC 4180, UTF-8 with the mark that spreadsheets know it by."""
    with _as_text(output, "utf-8-sig") as text:
        writer = csv.writer(text)
        writer.writerow([column.name for column in columns])
        for row in rows:
            writer.writerow([_csv_value(column, row[column.name]) for column in columns])


def write_json(output: io.BufferedIOBase, columns: list[Column], rows: Iterable[dict]) -> None:
    """An array of objects, one a line; numbers with decimals as text, so that they stay exact."""
    with _as_text(output, "utf-8") as text:
        text.write("[")
        separator = "\n"
        for row in rows:
            values = {column.name: _json_value(row[column.name]) for column in columns}
            text.write(separator + json.dumps(values, ensure_ascii=False))
            separator = ",\n"
        text.write("\n]\n")


def write_xlsx(
    output: io.BufferedIOBase, columns: list[Column], rows: Iterable[dict], count: int, color: str, title: str
) -> None:
    """One sheet, and below it the total of what was not withdrawn; `count` is the number of rows.

    Rows leave the memory as they are written, so what has been written is not touched again.
    """
    if count > MAX_ROWS:
        raise ValueError(f"expected at most {MAX_ROWS} rows, got {count}")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(output, {**options, "default_date_format": DATE_TIME})
    book.set_properties({"title": title})
    sheet = book.add_worksheet(title[:31])
    base = {"font_name": FONT, "font_size": 11}
    formats = [book.add_format({**base, **_cell_format(column)}) for column in columns]
    _head(book, sheet, columns, count, color, base)
    quoted = book.add_format({**base, "align": "left", "indent": 1, "quote_prefix": True})
    totals = {column.name: Decimal(0) for column in columns if column.total}
    for number, row in enumerate(rows, 1):
        for position, column in enumerate(columns):
            value = row[column.name]
            if column.total and row["state"] != "void":
                totals[column.name] += _cell_value(column, value)
            _write(sheet, number, position, _cell_value(column, value), formats[position], quoted)
    _total_row(book, sheet, columns, count + 1, totals, base)
    book.close()


def _head(book, sheet, columns, count, color, base):
    fill = brand(color)
    style = {**base, "bold": True, "bg_color": fill, "font_color": text_on(fill), "text_wrap": True}
    left = book.add_format({**style, "valign": "vcenter", "align": "left"})
    right = book.add_format({**style, "valign": "vcenter", "align": "right"})
    sheet.set_row(0, 32)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width)
        sheet.write_string(0, position, column.label, right if _is_figure(column) else left)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, count, len(columns) - 1)
    sheet.set_paper(PAPER_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(3, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&R&P / &N")


def _total_row(book, sheet, columns, number, totals, base):
    style = {**base, "bold": True, "top": 1, "bottom": 6}
    for position, column in enumerate(columns):
        style_of = book.add_format({**style, **_cell_format(column)})
        if column.total:
            _write(sheet, number, position, totals[column.name], style_of, style_of)
        else:
            sheet.write_blank(number, position, None, style_of)


def _write(sheet, number, position, value, style, quoted):
    if value is None or value == "":
        sheet.write_blank(number, position, None, style)
    elif isinstance(value, str):
        sheet.write_string(
            number, position, clean(value), quoted if value.startswith(FORMULA_STARTS) else style
        )
    elif isinstance(value, datetime):
        sheet.write_datetime(number, position, value, style)
    else:
        sheet.write_number(number, position, value, style)


def _cell_value(column: Column, value):
    if column.number_format == MINUTES:
        return Decimal(value) / 60
    if isinstance(value, bool):
        return "x" if value else None
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _cell_format(column: Column) -> dict:
    align = {"align": "right"} if _is_figure(column) else {"align": "left", "indent": 1}
    return {"num_format": column.number_format, **align}


def _is_figure(column: Column) -> bool:
    return column.number_format not in (TEXT, DATE_TIME)


def _csv_value(column: Column, value):
    """As text; one that a spreadsheet would calculate gets an apostrophe in front."""
    if isinstance(value, str) and not column.is_ours and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    if isinstance(value, bool):
        return int(value)
    return _json_value(value)


def _json_value(value):
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


@contextmanager
def _as_text(output, encoding):
    text = io.TextIOWrapper(output, encoding=encoding, newline="")
    try:
        yield text
        text.flush()
    finally:
        # Whoever opened the file closes it.
        text.detach()

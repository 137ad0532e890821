"""The workbook of the annex while it is written: styles, and tables that go on over several sheets.

XlsxWriter in its mode of constant memory: rows leave the memory as they come, the sheets are put
together from temporary files at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from .emsp_annex_cells import FONT, PAPER_A4, RISKY, clean
from .emsp_annex_columns import Column, Kind
from .emsp_brand import brand, text_on

# A sheet has 1 048 576 rows; head and total take two of them.
MAX_ROWS = 1_048_574
MAX_TEXT = 32_767
DAY_S = 86_400
MINUTE_S = 60
# In characters: what can still be read on a page in landscape.
PAGE_WIDTH = 200
EPOCH = datetime(1899, 12, 30)
# Texts that are not written as they are: signs of XML, control characters, outer white space, and
# what a spreadsheet would take for a formula.
SPECIAL = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|^[\s=+\-@#]|\s$")
Render = Callable[[int, object], str]


class AnnexSheet(Worksheet):
    """A sheet that takes a line as it is to stand in the file.

    XlsxWriter makes an object and several calls of each cell, which takes four times as long. Head,
    total row, columns, filter and page go its own way.
    """

    def write_line(self, xml: str) -> None:
        self.fh.write(xml)

    def flush_head(self) -> None:
        """So that the lines come after what was written before them."""
        self._write_single_row(1)


class Part(NamedTuple):
    """One sheet of a table: `rows` lines below its head, and their totals by column key."""

    title: str
    rows: int
    totals: dict[str, Decimal | int]

    def cells(self, position: int) -> str:
        """The column at `position` with its head, absolute: 'Sessions'!$A$1:$A$3."""
        letter = xl_col_to_name(position)
        return f"{quoted(self.title)}!${letter}$1:${letter}${self.rows + 1}"


def quoted(title: str) -> str:
    return "'" + title.replace("'", "''") + "'"


class AnnexWorkbook:
    """The file at `path`; its temporary files are below `folder`, for whoever made that to remove."""

    def __init__(self, path: Path, folder: Path, color: str, footer: str, limit: int = MAX_ROWS) -> None:
        self.book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "tmpdir": str(folder), "use_zip64": True}
        )
        self.color, self.limit = brand(color), limit
        self.footer = f"&L{footer.replace('&', '&&')}&R&P / &N"
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def format(self, **properties: object) -> Format:
        properties = {"font_name": FONT, "font_size": 11, **properties}
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]

    def head_format(self, align: str) -> Format:
        style = {"bold": True, "bg_color": self.color, "font_color": text_on(self.color)}
        return self.format(**style, text_wrap=True, valign="vcenter", align=align)

    def column_format(self, column: Column, **properties: object) -> Format:
        align = {"align": "right"} if column.is_figure else {"align": "left", "indent": 1}
        return self.format(num_format=column.number_format, **align, **properties)

    def add_sheet(self, title: str, *, landscape: bool, pages_across: int) -> AnnexSheet:
        sheet = self.book.add_worksheet(title[:31], AnnexSheet)
        sheet.set_paper(PAPER_A4)
        (sheet.set_landscape if landscape else sheet.set_portrait)()
        sheet.fit_to_pages(pages_across, 0)
        sheet.set_footer(self.footer)
        return sheet

    def define(self, name: str, sheet: str, place: str) -> None:
        """`place` of the sheet: "$B$3", or "$B$2:$B$9" of a column."""
        self.book.define_name(name, f"={quoted(sheet)}!{place}")

    def close(self) -> None:
        """:raise OSError:"""
        try:
            self.book.close()
        except FileCreateError as error:
            raise error.args[0] from error


class Table:
    """Rows below a head, over as many sheets as they need. Lines are added, then it is closed."""

    def __init__(
        self,
        book: AnnexWorkbook,
        title: str,
        columns: Sequence[Column],
        total_label: str,
        *,
        numbered: bool = False,
        printed: int = 0,
    ) -> None:
        """`numbered`: the first sheet has a number, too. `printed`: columns that are of use on paper."""
        self.book, self.title, self.columns, self.total_label = book, title, columns, total_label
        self.numbered, self.printed = numbered, printed or len(columns)
        self.parts: list[Part] = []
        self._renders = [self._render(position, column) for position, column in enumerate(columns)]
        self._summed = [(position, column.key) for position, column in enumerate(columns) if column.total]
        self._open()

    def _open(self) -> None:
        number = len(self.parts) + 1
        title = f"{self.title[:26]} {number}" if self.numbered or number > 1 else self.title
        width = sum(column.width for column in self.columns[: self.printed])
        pages = max(1, round(width / PAGE_WIDTH))
        self.sheet = self.book.add_sheet(title, landscape=True, pages_across=pages)
        self.line = 1
        self.totals: dict[str, Decimal | int] = {
            column.key: column.zero for column in self.columns if column.total
        }
        self.sheet.set_row(0, 32)
        for position, column in enumerate(self.columns):
            self.sheet.set_column(position, position, column.width)
            align = "right" if column.is_figure else "left"
            self.sheet.write_string(0, position, column.label, self.book.head_format(align))
        self.sheet.freeze_panes(1, 1)
        self.sheet.repeat_rows(0)
        self.sheet.repeat_columns(0)
        self.sheet.flush_head()

    def add(self, values: Sequence[object]) -> None:
        """One row, by column."""
        if self.line > self.book.limit:
            self._close_part()
            self._open()
        self.line += 1
        line, totals = self.line, self.totals
        for position, key in self._summed:
            # Columns that are summed hold numbers alone, which the type of a row of all kinds cannot say.
            totals[key] += values[position]  # type: ignore[operator]
        cells = "".join([render(line, value) for render, value in zip(self._renders, values, strict=True)])
        self.sheet.write_line(f'<row r="{line}">{cells}</row>')

    def close(self) -> list[Part]:
        self._close_part()
        return self.parts

    def _close_part(self) -> None:
        last = len(self.columns) - 1
        border = {"bold": True, "top": 1, "bottom": 6}
        # Without a figure to sum there is nothing to say below the rows.
        for position, column in enumerate(self.columns if self.totals else ()):
            style = self.book.column_format(column, **border)
            if column.total:
                total = self.totals[column.key]
                number = total / MINUTE_S if column.kind is Kind.SECONDS else total
                self.sheet.write_number(self.line, position, number, style)
            elif not position:
                self.sheet.write_string(self.line, 0, self.total_label, style)
            else:
                self.sheet.write_blank(self.line, position, None, style)
        self.sheet.autofilter(0, 0, self.line - 1, last)
        self.sheet.print_area(0, 0, self.line, self.printed - 1)
        self.parts.append(Part(self.sheet.get_name(), self.line - 1, self.totals))

    def _render(self, position: int, column: Column) -> Render:
        """What writes a cell of the column: (line, value) -> XML."""
        style = self.book.column_format(column)._get_xf_index()
        head, style_of = f'<c r="{xl_col_to_name(position)}', f'" s="{style}"'
        number, text = f"{style_of}><v>", f'{style_of} t="inlineStr"><is><t>'

        if column.kind is Kind.OWN:
            return lambda line, value: f"{head}{line}{text}{value}</t></is></c>" if value else ""
        if column.kind is Kind.INTEGER:
            return lambda line, value: "" if value is None else f"{head}{line}{number}{value}</v></c>"
        if column.kind is Kind.DECIMAL:
            return lambda line, value: "" if value is None else f"{head}{line}{number}{value:f}</v></c>"
        if column.kind is Kind.SECONDS:
            return lambda line, value: (
                "" if value is None else f"{head}{line}{number}{value / MINUTE_S}</v></c>"
            )
        if column.kind is not Kind.TEXT:
            return lambda line, value: f"{head}{line}{number}{serial(value)}</v></c>" if value else ""

        risky = f'" s="{self.book.column_format(column, quote_prefix=True)._get_xf_index()}"'

        def render(line: int, value: str | None) -> str:
            if not value:
                return ""
            if SPECIAL.search(value):
                quote = risky if value.startswith(RISKY) else style_of
                return f'{head}{line}{quote} t="inlineStr"><is>{special_text(value)}</is></c>'
            return f"{head}{line}{text}{value}</t></is></c>"

        return render


def serial(moment: datetime) -> float:
    """A moment without zone, as spreadsheets count: days since 1899-12-30."""
    since = moment - EPOCH
    return since.days + since.seconds / DAY_S


def special_text(text: str) -> str:
    """<t> of a text that needs care. Without the characters that XML cannot carry."""
    text = clean(text)[:MAX_TEXT].encode("utf-8", "ignore").decode()
    text = text.replace("\ufffe", "").replace("\uffff", "")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<t xml:space="preserve">{escaped}</t>'

"""Cells, number formats and page layout that the sheets of the annex share."""

from collections.abc import Container, Sequence
from datetime import date
from typing import Protocol

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from .emsp_brand import brand, text_on

DATE = "yyyy-mm-dd"
DATE_TIME = "yyyy-mm-dd hh:mm:ss"
# Of seconds, shown as minutes: spreadsheets cannot show hours and minutes that are negative, as of credits.
MINUTES = "#,##0.0#"
INTEGER = "#,##0"
KWH = "#,##0.000"
TEXT = "General"

LEFT = Alignment(horizontal="left")
# Text stands off the figures to its left.
INDENTED = Alignment(horizontal="left", indent=1)
RIGHT = Alignment(horizontal="right")
FONT = "Calibri"
PAPER_A4 = 9

# A spreadsheet may read text that starts like this as a formula, openpyxl "#..." as an error.
RISKY = ("=", "+", "-", "@", "#")


class Language(Protocol):
    """What translates the labels: an Odoo environment, or English as it is written here."""

    def _(self, source: str, **values: str) -> str: ...


def in_currency(label: str, currency: str) -> str:
    """ "Net (EUR)": a function, because translators are not shown what is translated inside an f-string."""
    return f"{label} ({currency})"


class English:
    @staticmethod
    def _(source: str, **values: str) -> str:
        return source % values if values else source


def money_format(digits: int) -> str:
    return "#,##0." + "0" * digits if digits else INTEGER


def clean(text: str) -> str:
    """Without the control characters that XML cannot carry."""
    return ILLEGAL_CHARACTERS_RE.sub("", text)


def make_cell(sheet, value=None, number_format=TEXT, *, bold=False, size=11) -> Cell:
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    cell.alignment = LEFT if isinstance(value, (str, date)) else RIGHT
    if bold or size != 11:
        cell.font = Font(name=FONT, bold=bold, size=size)
    if isinstance(value, str):
        fill_text(cell, value)
    else:
        cell.value = value
    return cell


def fill_text(cell: Cell, text: str) -> None:
    """Text of a partner stays text: openpyxl would store "=..." as a formula, and a spreadsheet
    would make one of it as soon as the cell is edited."""
    cell.value = clean(text)
    cell.data_type = "s"
    cell.quotePrefix = text[:1] in RISKY


def make_formula(sheet, formula: str, number_format: str) -> Cell:
    cell = make_cell(sheet, number_format=number_format)
    cell.value = formula
    return cell


def heading(sheet, labels: Sequence[str], color: str, figures: Container[int]) -> list[Cell]:
    """A row of column heads; those at the positions `figures` stand right, as their figures do."""
    cells = [make_cell(sheet, label) for label in labels]
    color = brand(color)
    for position, cell in enumerate(cells):
        cell.font = Font(name=FONT, bold=True, color=text_on(color).lstrip("#"))
        cell.fill = PatternFill("solid", fgColor=color.lstrip("#"))
        horizontal = "right" if position in figures else "left"
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal=horizontal)
    return cells


def total_row(cells: Sequence[Cell]) -> Sequence[Cell]:
    for cell in cells:
        cell.border = Border(top=Side(style="thin"), bottom=Side(style="double"))
    return cells


def set_page(sheet, footer: str, *, orientation: str, pages_across: int) -> None:
    """Print on A4, as wide as `pages_across` pages, with the footer and the page number."""
    sheet.page_setup.paperSize = PAPER_A4
    sheet.page_setup.orientation = orientation
    sheet.page_setup.fitToWidth = pages_across
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.left.text = footer.replace("&", "&&")
    sheet.oddFooter.right.text = "&P / &N"

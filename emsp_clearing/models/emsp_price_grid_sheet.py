import base64
from io import BytesIO
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from odoo import fields, models

from ..core.money import from_float
from ..report.emsp_annex_cells import fill_text
from .emsp_price_grid_line import PRICE_DIGITS, WEEKDAYS

TECHNICAL_ROW = 1
LABEL_ROW = 2
FIRST_ROW = 3
# Rows below the prices that offer the same choices, for a person who adds some.
SPARE_ROWS = 200
PRICE_FORMAT = "0.00" + "#" * (PRICE_DIGITS - 2)
AS_TEXT = "@"


class Column(NamedTuple):
    """A column of the sheet: its name in the first row, the field of the line, and what it holds."""

    name: str
    field: str
    kind: str
    width: int


COLUMNS = (
    Column("component", "component", "component", 16),
    Column("price", "price", "price", 10),
    Column("step_size", "step_size", "number", 10),
    Column("free_minutes", "free_minutes", "number", 10),
    Column("hour_from", "hour_from", "hour", 10),
    Column("hour_to", "hour_to", "hour", 10),
    *(Column(day, day, "flag", 11) for day in WEEKDAYS),
    Column("location_group", "location_group_id", "group", 24),
    Column("customer_group", "customer_group_id", "group", 24),
)


class EmspPriceGridSheet(models.Model):
    """A grid as a spreadsheet, in the layout that the import reads.

    Row 1, hidden, holds the names of the columns, row 2 their labels, each further row one price.
    """

    _inherit = "emsp.price.grid"

    sheet = fields.Binary(compute="_compute_sheet", help="The prices as .xlsx, as the import reads them.")

    def _compute_sheet(self):
        for grid in self:
            grid.sheet = base64.b64encode(grid._to_sheet())

    def action_export_sheet(self):
        self.ensure_one()
        url = f"/web/content/{self._name}/{self.id}/sheet/{self._tariff_code()}.xlsx?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def action_import_sheet(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_price_grid_import_action")
        return {**action, "context": {"default_grid_id": self.id}}

    def _to_sheet(self):
        """:return: bytes of the .xlsx file."""
        workbook = Workbook()
        sheet = workbook.active
        sheet.title = "Prices"
        labels = self.line_ids.fields_get([column.field for column in COLUMNS], ["string"])
        for position, column in enumerate(COLUMNS, 1):
            sheet.cell(TECHNICAL_ROW, position, column.name)
            label = sheet.cell(LABEL_ROW, position, labels[column.field]["string"])
            label.font = Font(bold=True)
            sheet.column_dimensions[get_column_letter(position)].width = column.width
        for row, line in enumerate(self._ordered_lines(), FIRST_ROW):
            for position, column in enumerate(COLUMNS, 1):
                fill(sheet.cell(row, position), line[column.field], column.kind)
        sheet.row_dimensions[TECHNICAL_ROW].hidden = True
        sheet.freeze_panes = sheet.cell(FIRST_ROW, 1)
        self._offer_choices(sheet)
        file = BytesIO()
        workbook.save(file)
        return file.getvalue()

    def _offer_choices(self, sheet):
        """Let the spreadsheet offer the kinds of price, and say what they are."""
        kinds = self.line_ids._fields["component"]._description_selection(self.env)
        choices = DataValidation(
            type="list",
            formula1=f'"{",".join(code for code, __ in kinds)}"',
            promptTitle=self.env._("Price"),
            # A prompt holds 255 characters.
            prompt="\n".join(f"{code}: {label}" for code, label in kinds)[:255],
            showInputMessage=True,
        )
        sheet.add_data_validation(choices)
        choices.add(f"A{FIRST_ROW}:A{FIRST_ROW + len(self.line_ids) + SPARE_ROWS}")


def fill(cell, value, kind):
    """Write one value of a line: a price with its exact decimals, an hour and a name as text."""
    if kind == "price":
        cell.value = from_float(value, PRICE_DIGITS)
        cell.number_format = PRICE_FORMAT
    elif kind == "group":
        fill_text(cell, value.name or "")
    elif kind == "hour":
        fill_text(cell, value or "")
        cell.number_format = AS_TEXT
    else:
        cell.value = value

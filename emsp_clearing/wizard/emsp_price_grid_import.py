import base64
from datetime import time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from zipfile import BadZipFile

from markupsafe import Markup
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from odoo import Command, fields, models
from odoo.exceptions import UserError

from ..core.money import to_float
from ..models.dialogs import dialog
from ..models.emsp_price_grid_line import PRICE_DIGITS, WEEKDAYS
from ..models.emsp_price_grid_sheet import COLUMNS, FIRST_ROW, LABEL_ROW, TECHNICAL_ROW

MAX_FILE_BYTES = 2 * 1024 * 1024
MAX_ROWS = 1000
REQUIRED = ("component", "price")
# A cell that is no real boolean: in the languages of the screens.
YES = frozenset({"1", "true", "x", "yes", "vrai", "oui", "wahr", "ja"})
NO = frozenset({"0", "false", "no", "faux", "non", "falsch", "nein"})


class Unreadable(Exception):
    """A cell that cannot be read; its text is the sentence for the person."""


class EmspPriceGridImport(models.TransientModel):
    """Prices from a spreadsheet in the layout of the export; all rows or none."""

    _name = "emsp.price.grid.import"
    _description = "Import prices"

    grid_id = fields.Many2one(
        "emsp.price.grid",
        required=True,
        domain="[('state', '=', 'draft')]",
        help="The draft whose prices are replaced by those of the file.",
    )
    file = fields.Binary(attachment=False, help="A spreadsheet (.xlsx), best made from an exported grid.")
    filename = fields.Char()
    problems = fields.Html(readonly=True)

    def action_import(self):
        """Replace the grid's prices, or show what is wrong with the file and change nothing.

        :raise UserError: when the file is no such spreadsheet, or the grid is published.
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose the spreadsheet with the prices."))
        self.grid_id._check_draft()
        vals_list, problems = self._read_rows(self._load_rows(base64.b64decode(self.file)))
        if problems:
            items = Markup("").join(Markup("<li>%s</li>") % problem for problem in problems)
            self.problems = Markup("<ul>%s</ul>") % items
            return self._reopen()
        self.grid_id.line_ids = [Command.clear(), *map(Command.create, vals_list)]
        return self.grid_id._open_form()

    def _reopen(self):
        return dialog(self, self.env._("Import prices"))

    def _load_rows(self, content):
        """:return: the rows of the first sheet, tuples of values.
        :raise UserError: when there are none to read."""
        if len(content) > MAX_FILE_BYTES:
            raise UserError(self.env._("The file is too large for a list of prices. Choose another one."))
        try:
            workbook = load_workbook(BytesIO(content), read_only=True, data_only=True)
            rows = list(workbook.worksheets[0].iter_rows(values_only=True, max_row=MAX_ROWS + FIRST_ROW))
        except (BadZipFile, InvalidFileException, IndexError, KeyError, OSError, ValueError) as error:
            raise UserError(
                self.env._("%(file)s is no spreadsheet (.xlsx) that can be read.", file=self.filename or "")
            ) from error
        if len(rows) >= MAX_ROWS + FIRST_ROW:
            raise UserError(self.env._("A price grid has at most %(rows)s lines.", rows=MAX_ROWS))
        return rows

    def _read_rows(self, rows):
        """:return: (list of vals of lines, list of sentences on what is wrong)."""
        positions = self._positions(rows[TECHNICAL_ROW - 1] if rows else ())
        names = self._group_names()
        vals_list, problems = [], []
        for number, row in enumerate(rows[LABEL_ROW:], FIRST_ROW):
            cells = {
                name: row[position] if position < len(row) else None for name, position in positions.items()
            }
            if all(value in (None, "") for value in cells.values()):
                continue
            vals, wrong = self._read_row(cells, names)
            vals_list.append({**vals, "sequence": 10 * (len(vals_list) + 1)})
            problems += [self._problem_text(number, name, positions.get(name), text) for name, text in wrong]
        if not vals_list:
            problems.append(self.env._("The file holds no price."))
        return vals_list, problems

    def _positions(self, heads):
        """Where each column stands, from 0.

        :raise UserError: when the first row does not name the columns.
        """
        found = {str(head).strip().lower(): position for position, head in enumerate(heads) if head}
        missing = [name for name in REQUIRED if name not in found]
        if missing:
            raise UserError(
                self.env._(
                    "The first row of the sheet, which an exported grid hides, has to name the columns; "
                    "%(columns)s is missing. Export a grid and fill in that file.",
                    columns=", ".join(missing),
                )
            )
        return {column.name: found[column.name] for column in COLUMNS if column.name in found}

    def _group_names(self):
        """Ids of the company's groups by column and name, the name in small letters."""
        domain = [("company_id", "=", self.grid_id.company_id.id)]
        return {
            f"{kind}_group": {
                group.name.strip().lower(): group.id
                for group in self.env[f"emsp.{kind}.group"].search(domain)
            }
            for kind in ("location", "customer")
        }

    def _read_row(self, cells, names):
        """:param dict cells: values by column name. :param dict names: as `_group_names`.
        :return: (vals of the line, list of (column name, sentence))."""
        vals, wrong = {}, []
        for column in COLUMNS:
            if column.name not in cells:
                continue
            try:
                value = self._read_cell(column, cells[column.name], names)
            except Unreadable as problem:
                wrong.append((column.name, str(problem)))
            else:
                if value is not None:
                    vals[column.field] = value
        # No day at all is every day, as an empty group is all.
        if not any(cells.get(day) not in (None, "") for day in WEEKDAYS):
            vals.update(dict.fromkeys(WEEKDAYS, True))
        unread = {"monday" if name in WEEKDAYS else name for name, __ in wrong}
        names_by_field = {column.field: column.name for column in COLUMNS}
        for field, text in self.env["emsp.price.grid.line"].new(vals)._problems():
            if names_by_field[field] not in unread:
                wrong.append((names_by_field[field], text))
        order = list(names_by_field.values())
        return vals, sorted(wrong, key=lambda problem: order.index(problem[0]))

    def _read_cell(self, column, value, names):
        """:return: the value of the field; None leaves its default. :raise Unreadable:"""
        if isinstance(value, str):
            value = value.strip()
        if value in (None, "") and column.name not in REQUIRED:
            return False if column.kind == "flag" else None
        if column.kind == "group":
            return self._read_group_name(value, names[column.name])
        reader = {
            "component": self._read_component,
            "price": self._read_price,
            "number": self._read_number,
            "hour": self._read_hour,
            "flag": self._read_flag,
        }[column.kind]
        return reader(value)

    def _read_component(self, value):
        """A kind of price by its code, or by its label in the user's language or in English."""
        field = self.env["emsp.price.grid.line"]._fields["component"]
        known = {}
        for env in (self.env, self.env(context={**self.env.context, "lang": "en_US"})):
            known.update((label.lower(), code) for code, label in field._description_selection(env))
        codes = set(known.values())
        found = known.get(str(value or "").lower(), str(value or "").upper())
        if found not in codes:
            raise Unreadable(
                self.env._(
                    "%(value)s is no kind of price; one of %(codes)s is expected.",
                    value=self._shown(value),
                    codes=", ".join(sorted(codes)),
                )
            )
        return found

    def _read_price(self, value):
        number = self._read_decimal(value)
        if number.normalize().as_tuple().exponent < -PRICE_DIGITS:
            raise Unreadable(
                self.env._(
                    "%(value)s has more than %(digits)s decimals. Round it.",
                    value=self._shown(value),
                    digits=PRICE_DIGITS,
                )
            )
        return to_float(number)

    def _read_number(self, value):
        number = self._read_decimal(value)
        if number != number.to_integral_value():
            raise Unreadable(self.env._("%(value)s is no whole number.", value=self._shown(value)))
        return int(number)

    def _read_decimal(self, value):
        """A cell's number as it is written: its float is read by its shortest text."""
        try:
            # A number that was typed as text, with the comma of most of Europe.
            number = Decimal("" if isinstance(value, bool) else str(value).replace(",", ".", 1))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) >= 10**9:
            raise Unreadable(
                self.env._("%(value)s is no number; one such as 0.39 is expected.", value=self._shown(value))
            )
        return number

    def _read_hour(self, value):
        return value.strftime("%H:%M") if isinstance(value, time) else str(value)

    def _read_flag(self, value):
        text = str(value).lower()
        if text not in YES | NO:
            raise Unreadable(self.env._("%(value)s is neither TRUE nor FALSE.", value=self._shown(value)))
        return text in YES

    def _read_group_name(self, value, ids):
        found = ids.get(str(value).lower())
        if not found:
            raise Unreadable(
                self.env._("There is no group %(value)s. Make it first.", value=self._shown(value))
            )
        return found

    def _shown(self, value):
        return self.env._("An empty cell") if value in (None, "") else str(value)

    def _problem_text(self, number, name, position, text):
        if position is None:
            return self.env._("Row %(row)s, %(column)s: %(problem)s", row=number, column=name, problem=text)
        return self.env._(
            "Row %(row)s, column %(letter)s (%(column)s): %(problem)s",
            row=number,
            letter=get_column_letter(position + 1),
            column=name,
            problem=text,
        )

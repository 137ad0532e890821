import hashlib
import re
from collections import Counter

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_compare

# What the importer of sheets answers to a cell that it cannot read.
UNREADABLE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
AMOUNT_COLUMNS = ("amount_column", "amount_debit_column", "amount_credit_column", "balance_column")


class AccountStatementImportSheetParser(models.TransientModel):
    """CSV statements that are read whole or not at all, and booked once."""

    _inherit = "account.statement.import.sheet.parser"

    def parse(self, data_file, mapping, filename):
        """EXTENDS account_statement_import_sheet_file: equal entries of one file are entries of their own."""
        result = super().parse(data_file, mapping, filename)
        seen = Counter()
        for statement in result[2]:
            for transaction in statement["transactions"]:
                key = transaction["unique_import_id"]
                seen[key] += 1
                transaction["unique_import_id"] = f"{key}/{seen[key]}"
        return result

    def _parse_lines_csv(self, mapping, data_file, currency_code):
        """EXTENDS account_statement_import_sheet_file, which guesses the encoding from the bytes.

        :raise UserError: when the file is not in the encoding of the mapping, or lacks a column.
        """
        encoding = mapping.file_encoding or "utf-8"
        try:
            text = data_file.decode(encoding)
        except UnicodeDecodeError as error:
            raise UserError(
                self.env._(
                    "Line %(line)s: the file is not written in %(encoding)s, as the mapping says. "
                    "Nothing was imported.",
                    line=data_file.count(b"\n", 0, error.start) + 1,
                    encoding=encoding,
                )
            ) from error
        try:
            # With the mark at its beginning the encoding is not guessed.
            return super()._parse_lines_csv(mapping, text.lstrip("\ufeff").encode("utf-8-sig"), currency_code)
        except (ValueError, StopIteration) as error:
            raise UserError(
                self.env._(
                    "Line %(line)s: the heads of the columns are not those of the mapping (%(problem)s). "
                    "Nothing was imported.",
                    line=mapping.header_lines_skip_count or 1,
                    problem=error,
                )
            ) from error

    def _parse_rows(self, mapping, currency_code, data, columns):
        """EXTENDS account_statement_import_sheet_file: name the line that cannot be read."""
        rows = data[0]
        try:
            lines = super()._parse_rows(mapping, currency_code, data, columns)
        except UNREADABLE as error:
            raise UserError(
                self.env._(
                    "Line %(line)s cannot be read: %(problem)s. Nothing was imported.",
                    # What the reader of csv has read last.
                    line=getattr(rows, "line_num", "?"),
                    problem=error,
                )
            ) from error
        return self._in_booking_order(lines)

    def _parse_one_line(self, mapping, currency_code, values, columns):
        for name in AMOUNT_COLUMNS:
            text = self._get_values_from_column(values, columns, name) if columns[name] else None
            if isinstance(text, str) and not self._is_amount(
                text, mapping, is_optional=name != "amount_column"
            ):
                raise ValueError(self.env._("“%s” is no amount", text))
        return super()._parse_one_line(mapping, currency_code, values, columns)

    def _is_amount(self, text, mapping, is_optional):
        """Whether the cell is a number in the mapping's notation: anything else would count as zero."""
        # A currency, and the spaces that group thousands.
        plain = re.sub(r"[\s\u202f€$£]|[A-Z]{3}", "", text)
        if not plain:
            return is_optional
        thousands, decimal = (re.escape(separator) for separator in mapping._get_float_separators())
        grouped = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|" if thousands else ""
        fraction = rf"(?:{decimal}\d*)?" if decimal else ""
        return bool(re.fullmatch(rf"[+-]?(?:{grouped}\d+){fraction}[+-]?", plain))

    def _in_booking_order(self, lines):
        """The oldest first, as the balances are counted; many banks write the newest first."""
        if len(lines) < 2:
            return lines
        first, last = lines[0], lines[-1]
        if first["timestamp"] != last["timestamp"]:
            return lines[::-1] if first["timestamp"] > last["timestamp"] else lines
        if "balance" in first and not self._is_chain(lines) and self._is_chain(lines[::-1]):
            return lines[::-1]
        return lines

    def _is_chain(self, lines):
        return all(
            float_compare(before["balance"] + line["amount"], line["balance"], precision_digits=3) == 0
            for before, line in zip(lines, lines[1:], strict=False)
        )

    def _convert_line_to_transactions(self, line):
        """EXTENDS account_statement_import_sheet_file: the same line of a later file is known again."""
        transactions = super()._convert_line_to_transactions(line)
        for transaction in transactions:
            transaction.setdefault("unique_import_id", self._line_key(line))
        return transactions

    def _line_key(self, line):
        texts = ("partner_name", "bank_account", "description", "reference", "notes")
        words = "".join(re.findall(r"\w+", " ".join(line.get(name) or "" for name in texts))).upper()
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        balance = f"/{line['balance']:.2f}" if "balance" in line else ""
        return f"{line['timestamp']:%Y%m%d}/{line['amount']:.2f}{balance}/{digest}"

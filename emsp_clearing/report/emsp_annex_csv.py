"""The sessions of the annex as a .csv file, RFC 4180: names of columns in all languages the same, ISO dates
and decimal points."""

import csv
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from .emsp_annex_columns import Column, Kind

# What a spreadsheet may take for a formula at the start of a text (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class CsvFile:
    """Rows are added, then it is closed. `with_mark`: UTF-8 with the mark that spreadsheets know it by."""

    def __init__(self, path: Path, columns: Sequence[Column], delimiter: str, *, with_mark: bool) -> None:
        self._file = path.open("w", encoding="utf-8-sig" if with_mark else "utf-8", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter)
        self._texts = [text_of(column.kind) for column in columns]
        self._writer.writerow([column.key for column in columns])

    def add(self, values: Sequence[object]) -> None:
        """One row, by column."""
        self._writer.writerow([text(value) for text, value in zip(self._texts, values, strict=True)])

    def close(self) -> None:
        self._file.close()


def text_of(kind: Kind):
    """What makes a text of a value."""
    return {
        Kind.TEXT: guarded,
        Kind.DECIMAL: decimal_text,
        Kind.LOCAL: local_text,
        Kind.INSTANT: instant_text,
    }.get(kind, plain_text)


def guarded(value: str | None) -> str:
    """A text that a spreadsheet would calculate gets an apostrophe in front."""
    if not value:
        return ""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def decimal_text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def local_text(value: datetime | None) -> str:
    return value.isoformat() if value else ""


def instant_text(value: datetime | None) -> str:
    return f"{value.isoformat()}Z" if value else ""


def plain_text(value: object) -> object:
    return "" if value is None else value

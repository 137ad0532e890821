"""Journal items as lines of text, by columns, separators and formats that a person has set."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DATE_FORMATS = {
    "iso": "%Y-%m-%d",
    "compact": "%Y%m%d",
    "dmy_dots": "%d.%m.%Y",
    "dmy_slashes": "%d/%m/%Y",
    "mdy_slashes": "%m/%d/%Y",
}
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Format:
    """`decimal`: "." or ",". `dates`: a key of DATE_FORMATS."""

    separator: str = ";"
    decimal: str = ","
    dates: str = "iso"


def to_text(value: object, form: Format) -> str:
    """One cell. Amounts with two decimals at least, never grouped; None and False are empty.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, amounts do not.
    """
    if value is None or value is False:
        return ""
    if isinstance(value, Decimal):
        digits = max(2, -int(value.as_tuple().exponent))
        return f"{value:.{digits}f}".replace(".", form.decimal)
    if isinstance(value, date):
        return value.strftime(DATE_FORMATS[form.dates])
    if isinstance(value, int):
        return str(value)
    text = " ".join(str(value).splitlines())
    return f"'{text}" if text.startswith(_FORMULA) else text


def writer(form: Format) -> Callable[[Iterable[object]], str]:
    """:return: a function from the values of a row to its line, ended by CR LF (RFC 4180)."""

    def line(values: Iterable[object]) -> str:
        output = io.StringIO()
        csv.writer(output, delimiter=form.separator).writerow([to_text(value, form) for value in values])
        return output.getvalue()

    return line

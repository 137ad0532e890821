"""The sheet "Summary" of the annex: what it belongs to, its totals and their check."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter

from . import emsp_annex_names as names
from .emsp_annex_cells import (
    DATE,
    INTEGER,
    KWH,
    Language,
    heading,
    make_cell,
    make_formula,
    money_format,
    set_page,
)

if TYPE_CHECKING:
    from .emsp_annex import AnnexHeader, AnnexRow
    from .emsp_annex_sessions import Column

ZERO = Decimal(0)


def write_summary(
    sheet,
    header: AnnexHeader,
    rows: Sequence[AnnexRow],
    columns: Sequence[Column],
    totals: dict[str, object],
    sessions_title: str,
    language: Language,
) -> dict[str, str]:
    """`columns` and `totals` (by column key) are those of the sheet called `sessions_title`.

    Gives the cells of the facts that have a name, by that name.
    """
    for letter, width in zip("ABCDE", (34, 30, 30, 16, 18), strict=True):
        sheet.column_dimensions[letter].width = width
    set_page(sheet, header.invoice_number, orientation="portrait", pages_across=1)
    title = language._("Session annex %(invoice)s", invoice=header.invoice_number)
    lines = [[make_cell(sheet, title, bold=True, size=16)], []]
    named = {}
    for name, label, *values in _facts(header, language):
        cells = [make_cell(sheet, *value) for value in values]
        lines.append([make_cell(sheet, label, bold=True), *cells])
        named[name] = f"$B${len(lines)}"
    lines.append([])
    # The figures come after their head; the first one is the number of sessions.
    named[names.COUNT] = f"$B${len(lines) + 2}"
    figures = _figures(header, rows, columns, totals, sessions_title, language)
    lines += _control_lines(sheet, header, figures, len(lines) + 2, language)
    lines.append([])
    lines += _place_lines(sheet, header, rows, language)
    note = language._("Token and eMA ID are masked, because they identify a driver.")
    lines += [[], [make_cell(sheet, note)]]
    for line in lines:
        sheet.append(line)
    del named[""]
    return named


def _facts(header: AnnexHeader, language: Language) -> list[tuple]:
    """(name or "", label, value and format, ...)."""
    return [
        ("", language._("Issued by"), (header.company,), (header.company_vat,)),
        ("", language._("Issued to"), (header.partner,), (header.partner_vat,)),
        ("", language._("Contract"), (header.contract,)),
        (names.SETTLEMENT, language._("Settlement"), (header.settlement,)),
        ("", language._("First day"), (header.date_first, DATE)),
        ("", language._("Last day"), (header.date_last, DATE)),
        ("", language._("Time zone of the period"), (header.time_zone,)),
        (names.INVOICE, language._("Invoice number"), (header.invoice_number,)),
        ("", language._("Invoice date"), (header.invoice_date, DATE)),
        ("", language._("Currency"), (header.currency,)),
        (names.LIST_HASH, language._("SHA-256 of the session list"), (header.list_hash,)),
        (names.CHAIN_HEAD, language._("Head of the CDR chain"), (header.chain_head,)),
    ]


def _figures(header, rows, columns, totals, sessions_title, language) -> list[tuple]:
    """(label, figure, formula over the sessions, number format); the invoice's own come last."""
    sheet = "'" + sessions_title.replace("'", "''") + "'"

    def cells(position: int) -> str:
        letter = get_column_letter(position)
        return f"{sheet}!${letter}$1:${letter}${len(rows) + 1}"

    figures = [(language._("Sessions"), len(rows), f"=COUNTA({cells(1)})-1", INTEGER)]
    sums = {}
    for position, column in enumerate(columns, 1):
        if column.key:
            sums[column.key] = f"SUM({cells(position)})"
            formula = "=" + sums[column.key]
            figures.append((column.label, totals[column.key], formula, column.number_format))
    digits = max(0, -header.untaxed.as_tuple().exponent)
    for label, key, invoiced in (
        (language._("Net as invoiced"), "net", header.untaxed),
        (language._("Tax as invoiced"), "tax", header.tax),
        (language._("Gross as invoiced"), "gross", header.untaxed + header.tax),
    ):
        formula = f"=ROUND({sums[key]},{digits})"
        figures.append((f"{label} ({header.currency})", invoiced, formula, money_format(digits)))
    return figures


def _control_lines(sheet, header, figures, first: int, language) -> list[list]:
    """Each figure, the same one calculated from the rows, and the difference: zero."""
    labels = [
        language._("Control"),
        language._("Figure"),
        language._("Calculated from the sessions"),
        language._("Difference"),
    ]
    lines = [heading(sheet, labels, header.color, (1, 2, 3))]
    for number, (label, figure, formula, number_format) in enumerate(figures, first):
        lines.append(
            [
                make_cell(sheet, label),
                make_cell(sheet, figure, number_format, bold=True),
                make_formula(sheet, formula, number_format),
                make_formula(sheet, f"=ROUND(B{number}-C{number},6)", number_format),
            ]
        )
    return lines


def _place_lines(sheet, header, rows, language) -> list[list]:
    places: dict[tuple[str, str], list] = {}
    for row in rows:
        place = places.setdefault((row.place, row.city), [0, ZERO, ZERO])
        place[0] += 1
        place[1] += row.energy_kwh
        place[2] += row.net
    money = money_format(header.precision)
    labels = [
        language._("Place"),
        language._("City"),
        language._("Sessions"),
        "kWh",
        language._("Net") + f" ({header.currency})",
    ]
    lines = [heading(sheet, labels, header.color, (2, 3, 4))]
    for (name, city), (sessions, energy, net) in sorted(places.items()):
        lines.append(
            [
                make_cell(sheet, name),
                make_cell(sheet, city),
                make_cell(sheet, sessions, INTEGER),
                make_cell(sheet, energy, KWH),
                make_cell(sheet, net, money),
            ]
        )
    return lines

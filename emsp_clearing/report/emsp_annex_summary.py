"""The sheet "Summary" of the annex: what it belongs to, its totals and their check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from . import emsp_annex_names as names
from .emsp_annex_cells import DATE, INTEGER, KWH, RISKY, TEXT, Language, clean, money_format
from .emsp_annex_columns import Kind
from .emsp_annex_workbook import MINUTE_S

if TYPE_CHECKING:
    from .emsp_annex import AnnexHeader, AnnexSettlement
    from .emsp_annex_columns import Column
    from .emsp_annex_tally import Tally
    from .emsp_annex_workbook import AnnexSheet, AnnexWorkbook, Part

# A list of more is too long for a cell; each has a line of its own below.
NAMES_SHOWN = 6


def write_summary(
    book: AnnexWorkbook,
    sheet: AnnexSheet,
    header: AnnexHeader,
    columns: Sequence[Column],
    parts: Sequence[Part],
    tally: Tally,
    language: Language,
) -> None:
    """`columns` are those of the sessions, whose sheets are the `parts`."""
    page = _Page(book, sheet)
    for position, width in enumerate((34, 30, 30, 16, 18)):
        sheet.set_column(position, position, width)
    title = language._("Session annex %(invoice)s", invoice=header.invoice_number)
    page.line(page.text(title, bold=True, font_size=16))
    page.line()
    for name, label, *values in _facts(header, tally, language):
        place = page.line(page.text(label, bold=True), *(page.fact(value) for value in values))
        if name:
            book.define(name, sheet.get_name(), f"$B${place}")
    page.line()
    place = _control_lines(page, header, columns, parts, tally, language)
    book.define(names.COUNT, sheet.get_name(), f"$B${place}")
    if len(header.settlements) > 1 or any(s.sessions != header.sessions for s in header.settlements):
        page.line()
        first, last = _settlement_lines(page, header, tally, language)
        book.define(names.SETTLEMENTS, sheet.get_name(), f"$A${first}:$E${last}")
    page.line()
    _place_lines(page, header, tally, language)
    page.line()
    page.line(page.text(language._("Token and eMA ID are masked, because they identify a driver.")))


class _Page:
    """Writes line by line. A cell is (value, format), or (formula, format, value)."""

    def __init__(self, book: AnnexWorkbook, sheet: AnnexSheet) -> None:
        self.book, self.sheet, self.number = book, sheet, 0

    def text(self, value: str, **style) -> tuple:
        if value.startswith(RISKY):
            style["quote_prefix"] = True
        return clean(value), self.book.format(align="left", **style)

    def fact(self, value: str | date) -> tuple:
        if isinstance(value, date):
            return value, self.book.format(num_format=DATE, align="left")
        return self.text(value)

    def figure(self, value, number_format: str, **style) -> tuple:
        return value, self.book.format(num_format=number_format, align="right", **style)

    def formula(self, formula: str, value, number_format: str) -> tuple:
        return formula, self.book.format(num_format=number_format, align="right"), value

    def head(self, labels: Sequence[str], first_figure: int, *texts: str) -> int:
        """`texts`: heads of texts that come after the figures."""
        aligns = ["left" if position < first_figure else "right" for position in range(len(labels))]
        styles = map(self.book.head_format, [*aligns, *("left" for __ in texts)])
        return self.line(*zip([*labels, *texts], styles, strict=True))

    def line(self, *cells: tuple) -> int:
        """:return: its number, from 1."""
        for position, (value, style, *result) in enumerate(cells):
            if result:
                self.sheet.write_formula(self.number, position, value, style, result[0])
            elif isinstance(value, str):
                self.sheet.write_string(self.number, position, value, style)
            elif isinstance(value, date):
                self.sheet.write_datetime(self.number, position, value, style)
            else:
                self.sheet.write_number(self.number, position, value, style)
        self.number += 1
        return self.number


def _facts(header: AnnexHeader, tally: Tally, language: Language) -> list[tuple]:
    """(name or "", label, value, ...)."""
    settlements = header.settlements
    return [
        ("", language._("Issued by"), header.company, header.company_vat),
        ("", language._("Issued to"), header.partner, header.partner_vat),
        ("", language._("Contract"), _join(s.contract for s in settlements)),
        (names.SETTLEMENT, language._("Settlement"), settlement_names(settlements)),
        ("", language._("First day"), min(s.date_first for s in settlements)),
        ("", language._("Last day"), max(s.date_last for s in settlements)),
        ("", language._("Time zone of the period"), _join(s.time_zone for s in settlements)),
        (names.INVOICE, language._("Invoice number"), header.invoice_number),
        ("", language._("Invoice date"), header.invoice_date),
        ("", language._("Currency"), header.currency),
        (names.LIST_HASH, language._("SHA-256 of the session list"), header.list_hash),
        (names.CHAIN_HEAD, language._("Head of the CDR chain"), tally.chain_head),
    ]


def settlement_names(settlements: Sequence[AnnexSettlement]) -> str:
    """As the annex names them in one cell."""
    return _join(settlement.name for settlement in settlements)


def _join(texts) -> str:
    """Each once, in their order, as far as a cell shows them."""
    texts = list(dict.fromkeys(texts))
    return ", ".join(texts[:NAMES_SHOWN]) + (" …" if len(texts) > NAMES_SHOWN else "")


def _control_lines(page: _Page, header, columns, parts, tally, language) -> int:
    """Each figure, the same one calculated from the rows, and the difference: zero.

    Gives the line of the first one, the number of sessions.
    """
    labels = [
        language._("Control"),
        language._("Figure"),
        language._("Calculated from the sessions"),
        language._("Difference"),
    ]
    first = page.head(labels, 1) + 1
    figures = _figures(header, columns, parts, tally, language)
    for number, (label, figure, formula, number_format) in enumerate(figures, first):
        page.line(
            page.text(label),
            page.figure(figure, number_format, bold=True),
            page.formula(formula, figure, number_format),
            page.formula(f"=ROUND(B{number}-C{number},6)", 0, number_format),
        )
    return first


def _figures(header, columns, parts, tally, language) -> list[tuple]:
    """(label, figure, formula over the sessions, number format); the invoice's own come last."""
    counts = "+".join(f"COUNTA({part.cells(0)})-1" for part in parts)
    figures = [(language._("Sessions"), tally.whole.sessions, f"={counts}", INTEGER)]
    sums = {}
    for position, column in enumerate(columns):
        if column.total:
            sums[column.key] = "+".join(f"SUM({part.cells(position)})" for part in parts)
            total = sum((part.totals[column.key] for part in parts), column.zero)
            figure = total / MINUTE_S if column.kind is Kind.SECONDS else total
            figures.append((column.label, figure, f"={sums[column.key]}", column.number_format))
    digits = max(0, -header.untaxed.as_tuple().exponent)
    for label, key, invoiced in (
        (language._("Net as invoiced"), "net", header.untaxed),
        (language._("Tax as invoiced"), "tax", header.tax),
        (language._("Gross as invoiced"), "gross", header.untaxed + header.tax),
    ):
        formula = f"=ROUND({sums[key]},{digits})"
        figures.append((f"{label} ({header.currency})", invoiced, formula, money_format(digits)))
    return figures


def _settlement_lines(page: _Page, header, tally, language) -> tuple[int, int]:
    """Each settlement with the hash of its own list, which may have sessions that stand elsewhere.

    Gives the first and the last line.
    """
    labels = [
        language._("Settlement"),
        language._("Period"),
        language._("Sessions (of its list)"),
        language._("Net") + f" ({header.currency})",
    ]
    hash_label = language._("SHA-256 of its session list")
    first = page.head(labels, 2, hash_label) + 1
    for settlement in header.settlements:
        share = tally.settlements.get(settlement.name)
        sessions, net = (share.sessions, share.net) if share else (0, Decimal(0))
        page.line(
            page.text(settlement.name),
            page.text(f"{settlement.date_first} – {settlement.date_last}"),
            page.figure(f"{sessions} / {settlement.sessions}", TEXT),
            page.figure(net, money_format(header.precision)),
            # Last, where it may be longer than its column.
            page.text(settlement.list_hash),
        )
    return first, page.number


def _place_lines(page: _Page, header, tally, language) -> None:
    labels = [
        language._("Place"),
        language._("City"),
        language._("Sessions"),
        "kWh",
        language._("Net") + f" ({header.currency})",
    ]
    page.head(labels, 2)
    for (name, city), share in sorted(tally.places.items()):
        page.line(
            page.text(name),
            page.text(city),
            page.figure(share.sessions, INTEGER),
            page.figure(share.energy_kwh, KWH),
            page.figure(share.net, money_format(header.precision)),
        )

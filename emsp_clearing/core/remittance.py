"""Remittance advices: the payer's own list of what a payment is for, as a spreadsheet or CSV.

The columns are found by their heads, in six languages. A row that cannot be read refuses the list: what
would be left of it is not what the payer wrote.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

from .errors import SheetError, StatementError
from .money import ZERO, D
from .table_file import UNREADABLE, Cell, Table, cell_at, cell_text, open_tables, plain_head

# A letter may stand above the table.
HEAD_ROWS: Final = 25
MAX_LINES: Final = 2000
MAX_TEXT: Final = 200
# The columns by their heads, the more telling ones first: English, French, German, Dutch, Spanish, Italian.
HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": (
        *("invoice number", "invoice no", "invoice no.", "invoice #", "invoice", "your invoice"),
        *("numéro de facture", "n° de facture", "n° facture", "no facture", "facture", "votre facture"),
        *("rechnungsnummer", "rechnungsnr.", "rechnungsnr", "rechnungs-nr.", "rechnung", "ihre rechnung"),
        *("factuurnummer", "factuurnr.", "factuurnr", "factuur", "uw factuur"),
        *("número de factura", "nº de factura", "nº factura", "factura", "su factura"),
        *("numero fattura", "n. fattura", "nr. fattura", "fattura", "vostra fattura"),
        *("document number", "document no", "document", "numéro de pièce", "pièce", "belegnummer", "beleg"),
        *("reference", "référence", "referenz", "referentie", "kenmerk", "referencia", "riferimento"),
    ),
    "amount": (
        *("amount paid", "paid amount", "paid", "payment amount", "montant payé", "montant réglé", "payé"),
        *("zahlbetrag", "gezahlter betrag", "bezahlt", "betaald bedrag", "betaald", "importe pagado"),
        *("pagado", "importo pagato", "pagato"),
        *("amount", "montant", "betrag", "bedrag", "importe", "importo"),
    ),
    "text": (
        *("comment", "description", "text", "note", "remark", "commentaire", "libellé", "bemerkung"),
        *("omschrijving", "opmerking", "descripción", "concepto", "observaciones", "descrizione", "causale"),
    ),
}
TOTALS: Final = frozenset(
    (
        *("total", "grand total", "sum", "total amount", "total général", "montant total", "somme"),
        *("summe", "gesamt", "gesamtbetrag", "gesamtsumme", "totaal", "totaalbedrag", "total a pagar"),
        *("importe total", "suma", "totale", "importo totale", "totale generale"),
    )
)


class RemittanceLine(NamedTuple):
    """Row `number` of the file: so much is paid on `reference`; `amount` is below zero for a deduction."""

    number: int
    reference: str
    amount: Decimal
    text: str = ""


class Remittance(NamedTuple):
    """`stated`: the total that the list gives, or None."""

    lines: tuple[RemittanceLine, ...]
    stated: Decimal | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


def read_remittance(content: bytes) -> Remittance:
    """Read an .xlsx or CSV file.

    :raise SheetError: the file as a whole: too_large, unreadable, hostile, no_heads, too_many_rows, empty.
    :raise StatementError: a row (`line`): amount (`text`), amount_missing, reference_missing; or the sum:
        total_differs (`stated`, `counted`).
    """
    try:
        remittance = _read_tables(open_tables(content))
    except UNREADABLE as error:
        raise SheetError("unreadable") from error
    if not remittance.lines:
        raise SheetError("empty")
    return remittance


def _read_tables(tables: Iterator[Table]) -> Remittance:
    """The first table that has the heads."""
    for table in tables:
        for __, cells in islice(table, HEAD_ROWS):
            columns = _find_columns(cells)
            if {"reference", "amount"} <= columns.keys():
                return _read_rows(table, columns)
    raise SheetError("no_heads")


def _find_columns(cells: Sequence[Cell]) -> dict[str, int]:
    heads = [plain_head(cell_text(cell)).rstrip(":") for cell in cells]
    found = {}
    for column, names in HEADS.items():
        positions = [heads.index(name) for name in names if name in heads]
        if positions:
            found[column] = positions[0]
    return found


def _read_rows(table: Table, columns: Mapping[str, int]) -> Remittance:
    lines: list[RemittanceLine] = []
    stated = None
    last = 0
    for number, cells in table:
        values = {name: cell_at(cells, position) for name, position in columns.items()}
        if any(plain_head(cell_text(cell)).rstrip(":") in TOTALS for cell in cells):
            stated, last = _amount(number, values["amount"]), number
        elif any(cell_text(values[name]) for name in ("reference", "amount")):
            lines.append(_read_row(number, values))
        if len(lines) > MAX_LINES:
            raise SheetError("too_many_rows")
    remittance = Remittance(tuple(lines), stated)
    if stated is not None and stated != remittance.total:
        raise StatementError("total_differs", line=last, stated=stated, counted=remittance.total)
    return remittance


def _read_row(number: int, values: Mapping[str, Cell]) -> RemittanceLine:
    reference = cell_text(values["reference"])[:MAX_TEXT]
    if not cell_text(values["amount"]):
        raise StatementError("amount_missing", line=number, text=reference)
    amount = _amount(number, values["amount"])
    if not reference:
        raise StatementError("reference_missing", line=number)
    return RemittanceLine(number, reference, amount, cell_text(values.get("text"))[:MAX_TEXT])


def _amount(number: int, cell: Cell) -> Decimal:
    text = cell_text(cell)
    try:
        return read_amount(text)
    except ValueError as error:
        raise StatementError("amount", line=number, text=text[:40]) from error


def read_amount(text: str) -> Decimal:
    """An amount in any usual notation: "1.234,56", "1,234.56", "1 234,56 €", "-12.5", "12,50-".

    :raise ValueError: no number, more than two decimals, or one that can be read in two ways ("1.234").
    """
    plain = re.sub(r"[\s\u00a0\u202f'’€$£]|[A-Z]{3}", "", text)
    match = re.fullmatch(r"(?P<sign>[+-]?)(?P<number>\d[\d.,]*)(?P<end>-?)", plain)
    if not match or (match["sign"] and match["end"]):
        raise ValueError(text)
    amount = D(_with_point(match["number"]))
    return -amount if "-" in (match["sign"], match["end"]) else amount


def _with_point(number: str) -> str:
    # The pattern takes any text, which the type of a match cannot say.
    whole, separator, fraction = re.fullmatch(r"(.*?)(?:([.,])(\d*))?", number).groups()  # type: ignore[union-attr]
    if separator is None:
        return number
    others = set(re.findall(r"[.,]", whole))
    if separator in others or (len(fraction) == 3 and others):
        # Several of one kind group thousands: so does the last.
        whole, fraction = f"{whole}{separator}{fraction}", ""
        others.add(separator)
    if len(fraction) > 2 or len(others) > 1 or not _is_grouped(whole):
        raise ValueError(number)
    return f"{re.sub('[.,]', '', whole)}.{fraction or 0}"


def _is_grouped(whole: str) -> bool:
    return bool(re.fullmatch(r"\d{1,3}([.,]\d{3})+|\d+", whole))

"""What payers send with their payments: lists of invoices in the tables of six languages."""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO

import pytest
from emsp_core.errors import SheetError, StatementError
from emsp_core.remittance import Remittance, RemittanceLine, read_amount, read_remittance
from openpyxl import Workbook


def workbook(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_workbook_with_a_letter_above_and_a_total_below() -> None:
    content = workbook(
        ("Remittance advice of Beta Laden GmbH",),
        (),
        ("Invoice number", "Invoice date", "Amount paid", "Comment"),
        ("INV/2026/00012", "2026-11-10", 1240.5, None),
        ("INV/2026/00013", "2026-11-10", 860, "less nothing"),
        (None, "Total", 2100.5, None),
    )
    expected = (
        RemittanceLine(4, "INV/2026/00012", Decimal("1240.5")),
        RemittanceLine(5, "INV/2026/00013", Decimal(860), "less nothing"),
    )
    assert read_remittance(content) == Remittance(expected, Decimal("2100.5"))


@pytest.mark.parametrize(
    "head",
    [
        "Invoice;Paid",
        "N° facture;Montant réglé",
        "Rechnungsnummer;Zahlbetrag (EUR)",
        "Factuurnummer;Bedrag",
        "Factura;Importe",
        "Numero fattura;Importo pagato",
    ],
)
def test_columns_are_found_in_six_languages(head: str) -> None:
    (line,) = read_remittance(text(head, "INV/2026/00012;1.240,50")).lines
    assert (line.reference, line.amount) == ("INV/2026/00012", Decimal("1240.50"))


def test_what_was_paid_counts_and_not_what_was_invoiced() -> None:
    (line,) = read_remittance(text("Betrag;Zahlbetrag;Rechnung", "1000,00;980,00;INV/2026/00081")).lines
    assert line.amount == Decimal("980.00")


def test_deduction_is_an_amount_below_zero() -> None:
    lines = read_remittance(text("Invoice;Amount", "A-1;100.00", "CN-1;-25.00", "Total;75.00")).lines
    assert [line.amount for line in lines] == [Decimal("100.00"), Decimal("-25.00")]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("EUR 12.5", "12.5"),
        ("12,50-", "-12.50"),
        ("-0.01", "-0.01"),
        ("1.234.567", "1234567"),
        ("1.234.567,8", "1234567.8"),
        ("1'234.50", "1234.50"),
        ("900", "900"),
    ],
)
def test_amounts_in_the_usual_notations(written: str, amount: str) -> None:
    assert read_amount(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written", ["1.234", "1,234", "12,3456", "1.23.456", "abc", "", "--1", "-1-", "1.2,3,4"]
)
def test_amount_that_can_be_read_in_two_ways_or_in_none_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_amount(written)


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        (["INV/2026/00012;1.234"], "amount", 2),
        (["INV/2026/00012;10,00", "INV/2026/00013;"], "amount_missing", 3),
        (["INV/2026/00012;10,00", ";5,00"], "reference_missing", 3),
        (["INV/2026/00012;10,00", "", "Summe;11,00"], "total_differs", 4),
    ],
)
def test_row_that_cannot_be_read_is_named(rows: list[str], code: str, line: int) -> None:
    with pytest.raises(StatementError) as caught:
        read_remittance(text("Rechnung;Betrag", *rows))
    assert (caught.value.code, caught.value.params["line"]) == (code, line)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04broken", "unreadable"),
        (b"%PDF-1.7 \x00\xff", "unreadable"),
        (text("Date;Amount", "2026-11-16;10"), "no_heads"),
        (text("Invoice;Amount"), "empty"),
    ],
)
def test_file_that_is_no_such_list_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(SheetError) as caught:
        read_remittance(content)
    assert caught.value.code == code

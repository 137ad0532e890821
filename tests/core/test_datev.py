"""The DATEV posting batch: pairs of accounts that keep the ledger, and the file's form."""

import csv
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from random import Random

import pytest
from emsp_core.datev import (
    COLUMNS,
    Batch,
    Item,
    Voucher,
    document_field,
    encode,
    header,
    is_personal_account,
    pair,
    rows,
)
from emsp_core.money import ZERO, D

BATCH = Batch(
    advisor=29098,
    client=55003,
    year_start=date(2026, 1, 1),
    account_length=4,
    first=date(2026, 10, 1),
    last=date(2026, 10, 31),
    label="Roaming",
    currency="EUR",
    is_locked=False,
    created_at=datetime(2026, 11, 3, 8, 5, 9),
)
VOUCHER = Voucher(date(2026, 10, 9), "INV/2026/00012", "Spree Mobility GmbH", date(2026, 11, 8))


def items(*pairs: tuple[str, str]) -> list[Item]:
    return [Item(account, D(balance)) for account, balance in pairs]


def cells(line: str) -> list[str]:
    [row] = csv.reader([line], delimiter=";")
    return row


def ledger(lines: list[str]) -> dict[tuple[str, str], Decimal]:
    """Sum per account and side of the rows, as who reads the file counts them."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        row = cells(line)
        amount = D(row[0].replace(",", "."))
        other = {"S": "H", "H": "S"}[row[1]]
        sums[row[6], row[1]] += amount
        sums[row[7], other] += amount
    return sums


def test_header_has_the_31_fields_of_version_700_and_the_125_columns_of_version_13() -> None:
    first, second, rest = header(BATCH).split("\r\n")
    assert first == (
        '"EXTF";700;21;"Buchungsstapel";13;20261103080509000;;"RE";"";"";29098;55003;20260101;4;20261001;'
        '20261031;"Roaming";"";1;0;0;"EUR";;"";;;"";;;"";""'
    )
    assert len(cells(first)) == 31
    assert len(cells(second)) == len(COLUMNS) == 125
    assert (COLUMNS[113], COLUMNS[114], COLUMNS[124]) == (
        "Festschreibung",
        "Leistungsdatum",
        "Abw. Skontokonto",
    )
    assert rest == ""


def test_invoice_is_a_row_for_each_revenue_and_tax_against_the_receivable() -> None:
    lines = list(rows(VOUCHER, items(("1400", "119.00"), ("8400", "-100.00"), ("1776", "-19.00")), BATCH))
    assert [cells(line)[:8] for line in lines] == [
        ["100,00", "H", "EUR", "", "", "", "8400", "1400"],
        ["19,00", "H", "EUR", "", "", "", "1776", "1400"],
    ]
    row = cells(lines[0])
    assert row[9:14] == ["0910", "INV/2026/00012", "081126", "", "Spree Mobility GmbH"]
    assert row[113] == "0"
    assert len(row) == 125
    assert lines[0].startswith('100,00;"H";"EUR";;;"";8400;1400;"";0910;"INV/2026/00012";"081126";;"Spree')


def test_bill_is_told_by_its_expenses() -> None:
    lines = list(rows(VOUCHER, items(("1600", "-119.00"), ("3100", "100.00"), ("1576", "19.00")), BATCH))
    assert [cells(line)[1] + cells(line)[6] + cells(line)[7] for line in lines] == ["S31001600", "S15761600"]


def test_entry_of_many_on_both_sides_keeps_the_debits_and_credits_of_every_account(random: Random) -> None:
    for _ in range(300):
        amounts = [D(random.randint(1, 10**7)).scaleb(-2) for _ in range(random.randint(1, 12))]
        sides = [amount * random.choice((1, -1)) for amount in amounts]
        rest = -sum(sides, D(0))
        balances = [*sides, rest] if rest else sides
        entry = [Item(str(random.randint(1000, 1008)), balance) for balance in balances]
        expected: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for item in entry:
            expected[item.account, "S" if item.balance > 0 else "H"] += abs(item.balance)
        lines = list(rows(VOUCHER, entry, BATCH))
        assert ledger(lines) == expected
        assert len(lines) < max(len(entry), 2)


def test_entry_that_does_not_balance_is_refused() -> None:
    with pytest.raises(ValueError, match="that balances"):
        pair(items(("1400", "1.00"), ("8400", "-0.99")))


def test_entry_without_amounts_has_no_rows() -> None:
    assert pair([Item("1400", Decimal(0))]) == []


def test_document_field_keeps_what_tells_documents_apart() -> None:
    assert document_field("INV/2026/00012") == "INV/2026/00012"
    assert document_field("Rég. n° 7_b") == "Rgn7b"
    assert document_field("X" * 40 + "7") == "X" * 35 + "7"


def test_text_is_quoted_and_cut_and_written_in_windows_1252() -> None:
    voucher = Voucher(date(2026, 10, 9), "A1", 'Müller "Lade"\r\n' + "x" * 60)
    [line] = rows(voucher, items(("1400", "1.00"), ("8400", "-1.00")), BATCH)
    assert cells(line)[13] == ('Müller "Lade" ' + "x" * 60)[:60]
    assert b"M\xfcller" in encode(line)
    assert encode("Łódź €") == b"?\xf3d? \x80"


@pytest.mark.parametrize(
    ("number", "length", "is_debtor", "expected"),
    [
        ("10000", 4, True, True),
        ("69999", 4, True, True),
        ("70000", 4, True, False),
        ("70000", 4, False, True),
        ("69999", 4, False, False),
        ("1000", 4, True, False),
        ("100000", 4, True, False),
        ("100000000", 8, True, True),
        ("00001", 4, True, False),
        ("1000a", 4, True, False),
        ("1000²", 4, True, False),
        ("", 4, True, False),
    ],
)
def test_numbers_of_customers_and_suppliers_are_a_digit_longer(
    number: str, length: int, is_debtor: bool, expected: bool
) -> None:
    assert is_personal_account(number, length, is_debtor=is_debtor) is expected

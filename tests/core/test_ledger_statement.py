"""Statement of account: the running balance, what is open and for how long."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from emsp_core.ledger_statement import Movement, OpenItem, ageing, make_statement
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 12, 31)
CENTS = st.integers(min_value=-10_000_000, max_value=10_000_000).map(lambda cents: Decimal(cents).scaleb(-2))
DAYS = st.integers(min_value=0, max_value=400).map(lambda days: TODAY - timedelta(days=days))
MOVEMENTS = st.lists(st.builds(Movement, DAYS, st.just("entry"), st.text(max_size=3), CENTS), max_size=30)


def invoice(amount, due, name="INV/1"):
    return OpenItem(name, date(2026, 9, 1), due, Decimal(amount), Decimal(amount))


def test_balance_runs_from_the_opening_through_the_days():
    # 100 owed; an invoice of 250.50, a payment of 100 and a bank fee of 0.50 that is written off.
    movements = [
        Movement(date(2026, 12, 20), "payment", "BNK/7", Decimal("-100.00")),
        Movement(date(2026, 12, 1), "invoice", "INV/2", Decimal("250.50")),
        Movement(date(2026, 12, 20), "write_off", "BNK/7", Decimal("-0.50")),
    ]
    items = [invoice("250.00", date(2027, 1, 10))]
    statement = make_statement(Decimal("100.00"), movements, items, TODAY)
    assert [row.balance for row in statement.rows] == [
        Decimal("350.50"),
        Decimal("250.50"),
        Decimal("250.00"),
    ]
    assert (statement.debits, statement.credits) == (Decimal("250.50"), Decimal("100.50"))
    assert statement.closing == Decimal("250.00")


def test_items_that_do_not_sum_to_the_balance_are_refused():
    with pytest.raises(ValueError, match=r"expected open items of 10\.00, got 9\.99"):
        make_statement(Decimal("10.00"), [], [invoice("9.99", TODAY)], TODAY)


@pytest.mark.parametrize(
    ("days", "band"), [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
)
def test_age_counts_from_the_day_after_the_due_date(days, band):
    bands = ageing([invoice("7.00", TODAY - timedelta(days=days))], TODAY)
    assert bands == tuple(Decimal("7.00") if position == band else 0 for position in range(5))


def test_credit_that_is_left_is_never_overdue():
    assert ageing([invoice("-3.00", date(2025, 1, 1))], TODAY) == (Decimal("-3.00"), 0, 0, 0, 0)


@given(opening=CENTS, movements=MOVEMENTS)
def test_closing_is_opening_plus_debits_less_credits_and_the_sum_of_what_is_open(opening, movements):
    closing = opening + sum(movement.amount for movement in movements)
    half = (closing / 2).quantize(Decimal("0.01"))
    items = [invoice(half, TODAY), invoice(closing - half, TODAY - timedelta(days=45), "INV/2")]
    statement = make_statement(opening, movements, items, TODAY)
    assert statement.closing == opening + statement.debits - statement.credits == closing
    assert sum(statement.ageing) == closing
    assert [row.balance for row in statement.rows][-1:] == [closing][: len(movements)]
    days = [row.movement.day for row in statement.rows]
    assert days == sorted(days)

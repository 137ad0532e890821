"""Statement of account: the movements of one currency with their running balance, and what is left open.

Positive amounts are owed by the partner, negative ones to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .money import ZERO

# Days past the due date up to which an amount falls into the band; the last band has no end.
BAND_ENDS = (0, 30, 60, 90)


@dataclass(frozen=True, slots=True)
class Movement:
    """One booking. `kind`: "invoice", "credit_note", "payment", "write_off", "offset" or "entry"."""

    day: date
    kind: str
    name: str
    amount: Decimal
    text: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A movement and the balance after it."""

    movement: Movement
    balance: Decimal


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is left of a booking. `original` and `amount` have the same sign."""

    name: str
    day: date
    due: date
    original: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency. `ageing`: not due, then overdue by up to 30, 60, 90 and by more days.

    `debits` and `credits` are positive.
    """

    opening: Decimal
    rows: tuple[Row, ...]
    debits: Decimal
    credits: Decimal
    closing: Decimal
    items: tuple[OpenItem, ...]
    ageing: tuple[Decimal, ...]

    @property
    def overdue(self) -> Decimal:
        """What is past its due date, less credits that nothing is set off against."""
        return sum(self.ageing[1:], ZERO)


def make_statement(
    opening: Decimal, movements: Iterable[Movement], items: Sequence[OpenItem], as_of: date
) -> Statement:
    """Run the balance through the movements of a period, in the order of their days and numbers.

    :param opening: balance before the first day.
    :param items: what is open at the end of `as_of`, the last day.
    :raise ValueError: when the open items do not sum to the closing balance: the statement would not hold.
    """
    rows, balance, debits, credits = [], opening, ZERO, ZERO
    for movement in sorted(movements, key=lambda each: (each.day, each.name)):
        balance += movement.amount
        if movement.amount > 0:
            debits += movement.amount
        else:
            credits -= movement.amount
        rows.append(Row(movement, balance))
    left = sum((item.amount for item in items), ZERO)
    if left != balance:
        raise ValueError(f"expected open items of {balance}, got {left}")
    ordered = tuple(sorted(items, key=lambda item: (item.due, item.day, item.name)))
    return Statement(opening, tuple(rows), debits, credits, balance, ordered, ageing(ordered, as_of))


def ageing(items: Iterable[OpenItem], as_of: date) -> tuple[Decimal, ...]:
    """:return: sum of the items in each band; a credit is never overdue."""
    bands = [ZERO] * (len(BAND_ENDS) + 1)
    for item in items:
        days = (as_of - item.due).days if item.amount > 0 else 0
        bands[sum(days > end for end in BAND_ENDS)] += item.amount
    return tuple(bands)

"""Set off what two parties owe each other: which open items are cleared, and what is left to transfer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .money import ZERO
from .setoff import after_set_off


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is open of one document, or of one instalment of it.

    `amount` is positive where the partner owes us (our invoice, a credit note of the partner) and
    negative where we owe it. `is_credit`: a credit note of either side.
    """

    key: int
    amount: Decimal
    due: date
    is_credit: bool = False


@dataclass(frozen=True, slots=True)
class SetOff:
    """`cleared`: by key, in the items' own signs, summing to zero. `volume`: what is cleared on each side.
    `balance`: what is open afterwards; positive where the partner transfers it, negative where we do.
    """

    cleared: dict[int, Decimal]
    volume: Decimal
    balance: Decimal


def set_off(items: Iterable[OpenItem]) -> SetOff:
    """Clear the smaller side whole and as much of the larger one, so that one item at most is split.

    On the larger side credit notes are cleared first, because nobody transfers them; then what is due
    the longest.

    :raise ValueError: for an item without an amount, or one that comes twice.
    """
    ordered = sorted(items, key=lambda item: (not item.is_credit, item.due, item.key))
    if len({item.key for item in ordered}) < len(ordered):
        raise ValueError("expected each item once")
    if any(not item.amount for item in ordered):
        raise ValueError("expected items with an open amount, got one of 0")
    claims = sum((item.amount for item in ordered if item.amount > 0), ZERO)
    debts = sum((-item.amount for item in ordered if item.amount < 0), ZERO)
    volume = min(claims, debts)
    cleared = {}
    for sign in (1, -1):
        side = [item for item in ordered if item.amount * sign > 0]
        left = after_set_off([abs(item.amount) for item in side], volume)
        for item, rest in zip(side, left, strict=True):
            cleared[item.key] = item.amount - sign * rest
    return SetOff(cleared, volume, claims - debts)

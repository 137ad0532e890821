"""What is left of claims after counter-claims were set off against them."""

from collections.abc import Sequence
from decimal import Decimal


def after_set_off(amounts: Sequence[Decimal], counter: Decimal) -> list[Decimal]:
    """What is left of each amount when `counter` is set off, the first ones first; nothing is below zero.

    :param amounts: not negative, oldest first.
    :param counter: sum of what stands against them, not negative.
    :raise ValueError: for a negative one.
    """
    if counter < 0 or any(amount < 0 for amount in amounts):
        raise ValueError(f"expected amounts >= 0, got {[*amounts, counter]}")
    left = []
    for amount in amounts:
        used = min(amount, counter)
        counter -= used
        left.append(amount - used)
    return left

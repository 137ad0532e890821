"""Which of some amounts add up to a total."""

from collections.abc import Sequence
from decimal import Decimal

from .money import ZERO

# 2 ** 12 sums at most are looked at.
MAX_AMOUNTS = 12


def subsets_with_sum(amounts: Sequence[Decimal], total: Decimal, enough: int = 2) -> list[tuple[int, ...]]:
    """The places of the amounts (above zero) that sum to the total, each way as a tuple in order.

    :param enough: of so many ways no more are looked for; two tell that there is not only one.
    :raise ValueError: when there are more than MAX_AMOUNTS.
    """
    if len(amounts) > MAX_AMOUNTS:
        raise ValueError(f"expected at most {MAX_AMOUNTS} amounts, got {len(amounts)}")
    # What can be reached with the amounts so far, and the first ways to it.
    ways: dict[Decimal, list[tuple[int, ...]]] = {ZERO: [()]}
    for place, amount in enumerate(amounts):
        # From the highest down, so that no amount is added to what it has just reached itself.
        for reached, subsets in sorted(ways.items(), reverse=True):
            if reached + amount <= total:
                there = ways.setdefault(reached + amount, [])
                there += [(*subset, place) for subset in subsets][: enough - len(there)]
    return [subset for subset in ways.get(total, []) if subset]

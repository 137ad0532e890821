"""A total divided over amounts that come one at a time, as those of a long list do."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from .money import PRECISION, ZERO

CONTEXT = Context(prec=PRECISION, rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class RunningShare:
    """Divides `total` in proportion to weights that sum to `whole`, such that the parts sum to it exactly.

    What was given so far is the rounded share of the weights so far. So each part is its exact share
    rounded up or down to `digits`, whatever the signs of the weights. Where they sum to zero the first
    one gets the whole.
    """

    total: Decimal
    whole: Decimal
    digits: int
    _seen: Decimal = ZERO
    _given: Decimal = ZERO
    _unit: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self._unit = Decimal(1).scaleb(-self.digits)

    def take(self, weight: Decimal) -> Decimal:
        """The part of the next weight."""
        self._seen += weight
        due = self.total
        if self.whole:
            share = CONTEXT.divide(CONTEXT.multiply(self.total, self._seen), self.whole)
            due = CONTEXT.quantize(share, self._unit)
        part = due - self._given
        self._given = due
        return part or abs(part)

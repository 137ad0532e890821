"""Decimal money: construction, the one rounding rule, exact division of a total."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

ZERO = Decimal(0)
# Significant digits of intermediate results; amounts have 20 at most.
PRECISION = 60


def D(value: str | int | Decimal) -> Decimal:
    """The only constructor of amounts.

    :raise TypeError: for a float, because it was never exact.
    :raise ValueError: for text that is no number, and for NaN and infinity.
    """
    if isinstance(value, float):
        raise TypeError(f"expected text, an integer or a Decimal, got the float {value!r}")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"expected a decimal number, got {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"expected a finite number, got {value!r}")
    return number


def round_money(amount: Decimal, digits: int) -> Decimal:
    """Half up, away from zero: 0.125 -> 0.13 and -0.125 -> -0.13 at two digits; never -0.00."""
    with localcontext() as context:
        context.prec = PRECISION
        rounded = amount.quantize(_unit(digits), ROUND_HALF_UP)
        return rounded or abs(rounded)


def from_float(value: float, digits: int) -> Decimal:
    """A number as Odoo stores it; `digits` is the field's precision, so the float's noise goes.

    :raise ValueError: for NaN and infinity.
    """
    return round_money(D(repr(float(value))), digits)


def to_float(amount: Decimal) -> float:
    """To Odoo's side of the door."""
    return float(amount)


def allocate(total: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Divide `total` in proportion to `weights` so that the rounded parts sum to it exactly.

    Largest remainder, ties by position; the weights may be negative. Where they sum to zero, the
    whole goes to the largest one (the first of equals).

    Not for amounts that only need rounding: where they nearly cancel, a proportion blows them up.
    `round_to_total` is for those.

    :raise ValueError: when `total` has more decimals than `digits`, or nothing can carry it.
    """
    if not weights:
        if total:
            raise ValueError(f"expected a weight to carry {total}, got none")
        return []
    with localcontext() as context:
        context.prec = PRECISION
        whole = sum(weights, ZERO)
        if whole:
            return round_to_total([total * weight / whole for weight in weights], total, digits)
        heaviest = max(range(len(weights)), key=lambda i: (abs(weights[i]), -i))
        parts = [total if i == heaviest else ZERO for i in range(len(weights))]
        return round_to_total(parts, total, digits)


def round_to_total(amounts: Sequence[Decimal], total: Decimal, digits: int) -> list[Decimal]:
    """Round amounts that sum to `total`, but for its own rounding, so that the results sum to it.

    Each result is its amount rounded up or down to `digits`; largest remainder, ties by position.

    :raise ValueError: when `total` has more decimals than `digits`, or is no rounding of the sum.
    """
    unit = _unit(digits)
    with localcontext() as context:
        context.prec = PRECISION
        parts = [amount.quantize(unit, ROUND_FLOOR) for amount in amounts]
        missing = (total - sum(parts, ZERO)) / unit
        if missing != int(missing) or not 0 <= missing <= len(parts):
            raise ValueError(f"expected a total of {sum(amounts, ZERO)} at {digits} decimals, got {total}")
        order = sorted(range(len(parts)), key=lambda i: (parts[i] - amounts[i], i))
        for index in order[: int(missing)]:
            parts[index] += unit
        return [part or abs(part) for part in parts]


def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)

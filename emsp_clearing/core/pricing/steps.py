"""Billing steps (OCPI 2.2.1, 11.4.2): the priced volume of a session is rounded up once.

ENERGY by itself; of TIME and PARKING_TIME only parking where any was priced, else time. The step is
the last segment's, and the surplus is billed at its price. Only priced volume counts (A21).
"""

from decimal import ROUND_CEILING, Decimal

from ..money import ZERO

# Steps of energy are in Wh, its volumes in kWh; A13: reserved time has a step of its own.
UNITS = {
    "ENERGY": Decimal("0.001"),
    "TIME": Decimal(1),
    "PARKING_TIME": Decimal(1),
    "RESERVATION_TIME": Decimal(1),
}


def surplus(dimension: str, volume: Decimal, step_size: int) -> Decimal:
    """What rounding up adds to a total, in the dimension's own unit (kWh or seconds).

    Step 0 rounds nothing; neither does a negative total (A23). A flat fee has no steps.
    """
    if step_size <= 0 or volume <= ZERO or dimension not in UNITS:
        return ZERO
    step = step_size * UNITS[dimension]
    steps = volume / step
    whole = steps.to_integral_value(ROUND_CEILING)
    return ZERO if whole == steps else whole * step - volume

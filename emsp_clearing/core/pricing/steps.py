"""Billing steps (OCPI 2.2.1, 11.4.2): the priced volume of a session is rounded up once.

ENERGY by itself; of TIME and PARKING_TIME only parking where any was priced, else time. The step is
the last segment's, and the surplus is billed at its price. Only priced volume counts (A21).
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from ..money import ZERO

# Steps are in Wh and seconds, volumes in kWh and seconds.
WH_PER_KWH = Decimal(1000)


def surplus(dimension: str, volumes: Iterable[Decimal], step_size: int) -> Decimal:
    """What rounding up adds to the total, in the dimension's own unit (kWh or seconds).

    Step 0 rounds nothing; neither does a negative total (A23).
    """
    total = sum(volumes, ZERO)
    if step_size <= 0 or total <= ZERO:
        return ZERO
    step = step_size / WH_PER_KWH if dimension == "ENERGY" else Decimal(step_size)
    return (total / step).to_integral_value(ROUND_CEILING) * step - total


def rounded_dimensions(priced: Iterable[str]) -> tuple[str, ...]:
    """Those whose totals are rounded up, of the dimensions that were priced.

    A12: parking rather than time, wherever it lies. A13: reserved time has a bucket of its own.
    """
    present = set(priced)
    time = "PARKING_TIME" if "PARKING_TIME" in present else "TIME"
    return tuple(name for name in ("ENERGY", time, "RESERVATION_TIME") if name in present)

"""Price grids as OCPI tariffs: one engine prices everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..ocpi.objects import PriceComponent, Tariff, TariffElement, TariffRestrictions

MINUTES_PER_HOUR = 60
TIMES = ("TIME", "PARKING_TIME")


@dataclass(frozen=True, slots=True)
class GridLine:
    """One price: per session (FLAT), kWh (ENERGY) or minute (TIME, PARKING_TIME).

    `start_time`, `end_time` "HH:MM" local, `weekdays` in OCPI's words; empty means always.
    """

    component: str
    price_per_unit: Decimal
    step_size: int = 1
    start_time: str | None = None
    end_time: str | None = None
    weekdays: tuple[str, ...] = ()

    @property
    def bracket(self) -> tuple[str | None, str | None, tuple[str, ...]]:
        return self.start_time, self.end_time, self.weekdays


def compile_grid(
    *, code: str, country_code: str, party_id: str, currency: str, lines: Sequence[GridLine]
) -> Tariff:
    """A tariff with one element per time bracket, the restricted ones first, each in the grid's order.

    A price per minute becomes one per hour, exactly.
    """
    brackets: dict[tuple[str | None, str | None, tuple[str, ...]], list[GridLine]] = {}
    for line in lines:
        brackets.setdefault(line.bracket, []).append(line)
    always = (None, None, ())
    ordered = sorted(brackets, key=lambda bracket: bracket == always)
    return Tariff(
        country_code=country_code,
        party_id=party_id,
        id=code,
        currency=currency,
        type="REGULAR",
        elements=tuple(
            TariffElement(tuple(_component(line) for line in brackets[bracket]), _restrictions(bracket))
            for bracket in ordered
        ),
    )


def _component(line: GridLine) -> PriceComponent:
    factor = MINUTES_PER_HOUR if line.component in TIMES else 1
    return PriceComponent(line.component, line.price_per_unit * factor, line.step_size)


def _restrictions(
    bracket: tuple[str | None, str | None, tuple[str, ...]],
) -> TariffRestrictions | None:
    start_time, end_time, weekdays = bracket
    if not (start_time or end_time or weekdays):
        return None
    return TariffRestrictions(start_time=start_time, end_time=end_time, day_of_week=weekdays)

"""A tariff made ready for pricing: for each dimension its components in order, with their conditions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..ocpi.objects import PriceComponent, Tariff, TariffElement
from .restrictions import Conditions, Moment, compile_restrictions
from .session import CHARGING
from .taxes import TaxBasis, basis_of

CHARGED = (*CHARGING, "FLAT")
# The tariff's word for what prices reserved time and its fee.
RESERVED = {"RESERVATION_TIME": "TIME", "RESERVATION_FLAT": "FLAT"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One price component and when it applies; both indexes are places in the tariff."""

    element_index: int
    component_index: int
    component: PriceComponent
    conditions: Conditions

    @property
    def place(self) -> tuple[int, int]:
        """What tells it from the other components of its tariff."""
        return self.element_index, self.component_index


@dataclass(frozen=True, slots=True)
class Rules:
    """The components of one dimension, the first that applies counts.

    `is_steady`: which one it is cannot change within a charging period.
    """

    rules: tuple[Rule, ...] = ()
    is_steady: bool = True

    def at(self, moment: Moment) -> Rule | None:
        """The component that applies; None where the dimension costs nothing."""
        for rule in self.rules:
            for test in rule.conditions.tests:
                if not test(moment):
                    break
            else:
                return rule
        return None


@dataclass(frozen=True, slots=True)
class CompiledTariff:
    """`rules` by dimension, and those that hold when a reservation `expired`; compile once, price many.

    `tells_expired_apart`: whether a reservation costs something else when it is not used.
    """

    tariff: Tariff
    key: str
    id: str
    basis: TaxBasis
    rules: Mapping[str, Rules]
    expired: Mapping[str, Rules]
    tells_expired_apart: bool

    def is_valid_at(self, instant: datetime) -> bool:
        """A4: the first instant counts, the last one does not."""
        tariff = self.tariff
        if tariff.start_date_time is not None and instant < tariff.start_date_time:
            return False
        return tariff.end_date_time is None or instant < tariff.end_date_time


NO_RULES = Rules()


def compile_tariff(tariff: Tariff) -> CompiledTariff:
    """:raise PricingError: invalid_time, invalid_date, with the path in the tariff."""
    elements = [
        (index, element, compile_restrictions(element.restrictions, f"elements[{index}].restrictions"))
        for index, element in enumerate(tariff.elements)
    ]

    def rules(kind: str, reservation: str | None) -> tuple[Rule, ...]:
        return tuple(_rules(elements, kind, reservation))

    charging = {kind: rules(kind, None) for kind in CHARGED}
    used = {name: rules(kind, "RESERVATION") for name, kind in RESERVED.items()}
    expired = {
        name: rules(kind, "RESERVATION_EXPIRES") + rules(kind, "RESERVATION")
        for name, kind in RESERVED.items()
    }
    return CompiledTariff(
        tariff=tariff,
        key=tariff.key,
        id=tariff.id.upper(),
        basis=basis_of(tariff),
        rules=_by_dimension(charging | used),
        expired=_by_dimension(charging | expired),
        tells_expired_apart=used != expired,
    )


def _by_dimension(rules: Mapping[str, tuple[Rule, ...]]) -> dict[str, Rules]:
    return {
        name: Rules(found, all(rule.conditions.is_steady for rule in found))
        for name, found in rules.items()
        if found
    }


def _rules(
    elements: list[tuple[int, TariffElement, Conditions]], kind: str, reservation: str | None
) -> Iterator[Rule]:
    """A9: elements are looked through for each dimension by itself.

    A10: of two components of one type in an element the first one counts.
    """
    for index, element, conditions in elements:
        restrictions = element.restrictions
        if (restrictions.reservation if restrictions else None) != reservation:
            continue
        for position, component in enumerate(element.price_components):
            if component.type == kind:
                yield Rule(index, position, component, conditions)
                break

"""Whether energy, cost and duration are within what sessions can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..money import ZERO
from ..pricing.session import has_charging
from .case import Case
from .findings import Finding, kwh, money, span


@dataclass(frozen=True, slots=True)
class NoParams:
    """Of a rule that has none."""


@dataclass(frozen=True, slots=True)
class EnergyRange:
    """kWh; both bounds pass."""

    min_kwh: Decimal = ZERO
    max_kwh: Decimal = Decimal(1000)


@dataclass(frozen=True, slots=True)
class CostRange:
    """Net, in the contract's currency; both bounds pass."""

    min_amount: Decimal = ZERO
    max_amount: Decimal = Decimal(500)


@dataclass(frozen=True, slots=True)
class DurationRange:
    """Seconds from start to end; both bounds pass."""

    min_s: int = 0
    max_s: int = 604800


def energy_range(case: Case, params: EnergyRange) -> Sequence[Finding]:
    """The total energy. An aborted start of 0 kWh passes, unless the least is set higher."""
    energy = case.cdr.total_energy
    if params.min_kwh <= energy <= params.max_kwh:
        return ()
    is_low = energy < params.min_kwh
    code = "energy_below_min" if is_low else "energy_above_max"
    bound = params.min_kwh if is_low else params.max_kwh
    return (Finding("energy_range", code, "total_energy", kwh(bound), kwh(energy)),)


def cost_range(case: Case, params: CostRange) -> Sequence[Finding]:
    """Our price, else the stated one, whatever its sign."""
    computed = case.computed_net
    amount = abs(case.stated_net if computed is None else computed)
    if params.min_amount <= amount <= params.max_amount:
        return ()
    is_low = amount < params.min_amount
    code = "cost_below_min" if is_low else "cost_above_max"
    currency = case.cdr.currency
    bound = money(params.min_amount if is_low else params.max_amount, currency)
    path = "total_cost" if computed is None else None
    return (Finding("cost_range", code, path, bound, money(amount, currency)),)


def duration_range(case: Case, params: DurationRange) -> Sequence[Finding]:
    """By the clock. An end before the start is another rule's."""
    seconds = case.seconds
    if params.min_s <= seconds <= params.max_s or seconds < 0:
        return ()
    is_low = seconds < params.min_s
    code = "duration_below_min" if is_low else "duration_above_max"
    bound = params.min_s if is_low else params.max_s
    return (Finding("duration_range", code, "end_date_time", span(bound), span(seconds)),)


def zero_time_energy(case: Case, _: NoParams) -> Sequence[Finding]:
    """Energy in no time."""
    if case.start != case.end or case.cdr.total_energy <= 0:
        return ()
    return (
        Finding("zero_time_energy", "energy_in_no_time", "total_energy", None, kwh(case.cdr.total_energy)),
    )


def no_energy(case: Case, _: NoParams) -> Sequence[Finding]:
    """A cost without energy, our price before the stated one. Reservations that were not used may cost."""
    if case.cdr.total_energy:
        return ()
    computed = case.computed_net
    amount = case.stated_net if computed is None else computed
    if amount <= 0 or not has_charging(case.cdr, case.periods):
        return ()
    return (
        Finding("no_energy", "cost_without_energy", "total_energy", None, money(amount, case.cdr.currency)),
    )

"""Whether the stated cost is what we compute, in the right currency and with the right VAT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ..money import ZERO, round_money
from ..ocpi.objects import Cdr
from ..pricing.taxes import HUNDRED
from .case import Case
from .facts import PriceFacts
from .findings import Finding, NotEvaluated, Outcome, money, percent
from .values import NoParams

HALF_UNITS = {digits: Decimal(5).scaleb(-digits - 1) for digits in (2, 4)}
CENT = Decimal("0.01")
SUBTOTALS = (
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)


@dataclass(frozen=True, slots=True)
class CostConsistency:
    """Percent of the computed amount; exactly as much passes. Both are rounded to `decimals` first."""

    tolerance_pct: Decimal = Decimal(2)
    decimals: Literal[2, 4] = 2


@dataclass(frozen=True, slots=True)
class Vat:
    """Percentage points beside the price's rates; exactly as many pass, and so does less than 0.01."""

    tolerance_pct: Decimal = Decimal("0.5")


def cost_consistency(case: Case, params: CostConsistency) -> Outcome:
    """The stated net cost against the computed one; of credit CDRs without their signs.

    Less than half a unit of the decimals apart always passes. Where nothing was computed, any amount fails.
    """
    price, ours = case.facts.price, case.computed_net
    if price is None or ours is None:
        return NotEvaluated("price_unknown")
    theirs, digits = case.stated_net, params.decimals
    if abs(theirs - ours) < HALF_UNITS[digits]:
        return ()
    expected, found = round_money(ours, digits), round_money(theirs, digits)
    if abs(found - expected) * HUNDRED <= params.tolerance_pct * abs(expected):
        return ()
    code = "cost_not_stated" if not found and expected > 0 else "cost_mismatch"
    amounts = (money(expected, case.cdr.currency, digits), money(found, case.cdr.currency, digits))
    details = _largest_difference(case.cdr, price, digits)
    tolerance = percent(params.tolerance_pct)
    return (Finding("cost_consistency", code, "total_cost", *amounts, tolerance, details),)


def _largest_difference(cdr: Cdr, price: PriceFacts, digits: int) -> Mapping[str, str]:
    """The component that differs most, of those that the CDR states; the first one of equals."""
    most = ZERO
    details: dict[str, str] = {}
    for name in SUBTOTALS:
        stated = getattr(cdr, name)
        if stated is None:
            continue
        ours, theirs = abs(price.subtotals.get(name, ZERO)), abs(stated.excl_vat)
        if abs(theirs - ours) > most:
            most = abs(theirs - ours)
            details = {
                "component": name,
                "component_expected": money(ours, cdr.currency, digits),
                "component_found": money(theirs, cdr.currency, digits),
            }
    return details


def currency(case: Case, _: NoParams) -> Outcome:
    """The contract's."""
    ours, theirs = case.facts.currency, case.cdr.currency
    if ours is None:
        return NotEvaluated("currency_unknown")
    if ours == theirs or ours.upper() == theirs.upper():
        return ()
    return (Finding("currency", "currency_mismatch", "currency", ours, theirs),)


def vat(case: Case, params: Vat) -> Outcome:
    """The tax between the stated total's two sides: not negative, and between the price's rates.

    Where the CDR does not state the total with tax, there is nothing to say.
    """
    cost = case.cdr.total_cost
    if cost.incl_vat is None:
        return ()
    net, gross = cost.excl_vat, cost.incl_vat
    if abs(gross) < abs(net):
        path, code = "total_cost", "incl_below_excl"
        expected, found = money(net, case.cdr.currency, 4), money(gross, case.cdr.currency, 4)
        return (Finding("vat", code, path, expected, found),)
    price = case.facts.price
    if price is None or price.vat_rates is None:
        return NotEvaluated("vat_rates_unknown")
    return _rate_findings(case, price.vat_rates or (ZERO,), params)


def _rate_findings(case: Case, rates: Sequence[Decimal], params: Vat) -> Sequence[Finding]:
    """A session under several rates may have any mixture of them."""
    cost, code = case.cdr.total_cost, case.cdr.currency
    net, gross = abs(cost.excl_vat), abs(cost.incl_vat or ZERO)
    low, high = min(rates), max(rates)
    least, most = net * (HUNDRED + low) / HUNDRED, net * (HUNDRED + high) / HUNDRED
    off = max(least - gross, gross - most)
    if off < CENT or off * HUNDRED <= params.tolerance_pct * net:
        return ()
    nearest = least if gross < least else most
    details = {"rates": percent(low) if low == high else f"{percent(low)} - {percent(high)}"}
    values = (money(nearest, code), money(gross, code), percent(params.tolerance_pct))
    return (Finding("vat", "vat_rate", "total_cost", *values, details),)

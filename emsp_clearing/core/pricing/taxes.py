"""What a cost is without and with taxes, by what its tariff says of them (OCPI 2.3.0, 11.3.1)."""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

import msgspec

from ..money import ZERO
from ..ocpi.objects import Tariff

# Where sales tax is added at the till: a tariff cannot know its rate (OCPI 2.3.0, 11.3.2).
SALES_TAX_COUNTRIES = ("CA", "US")
HUNDRED = Decimal(100)


class TaxBasis(Enum):
    """How the prices of a tariff relate to taxes.

    EXCLUSIVE: without VAT; a component without a rate has none. ADDED: without tax; one without a
    rate is taxed by an unknown one. INCLUSIVE: with taxes. NONE: no taxes apply. UNKNOWN: the
    version has no word for taxes (OCPI 2.1.1).
    """

    EXCLUSIVE = "exclusive"
    ADDED = "added"
    INCLUSIVE = "inclusive"
    NONE = "none"
    UNKNOWN = "unknown"


class Cost(msgspec.Struct, gc=False):
    """An amount without and with taxes; None is what the tariff does not determine."""

    excl: Decimal | None = ZERO
    incl: Decimal | None = ZERO

    def __add__(self, other: "Cost") -> "Cost":
        return total((self, other))

    def __neg__(self) -> "Cost":
        return Cost(_negated(self.excl), _negated(self.incl))


class TaxShare(msgspec.Struct, gc=False):
    """What of a session falls under one VAT rate, before any price limit; exact.

    `rate` is a percentage; None where a component has none.
    """

    rate: Decimal | None
    cost: Cost


def basis_of(tariff: Tariff) -> TaxBasis:
    """How the prices of a tariff are meant. A missing `tax_included` of OCPI 2.3.0 reads as NO."""
    if tariff.version == "2.1.1":
        return TaxBasis.UNKNOWN
    if tariff.tax_included == "YES":
        return TaxBasis.INCLUSIVE
    if tariff.tax_included == "N/A":
        return TaxBasis.NONE
    added = tariff.version != "2.2.1" and tariff.country_code.upper() in SALES_TAX_COUNTRIES
    return TaxBasis.ADDED if added else TaxBasis.EXCLUSIVE


def cost_of(amount: Decimal, rate: Decimal | None, basis: TaxBasis) -> Cost:
    """Quantity times price as a cost. Of nothing, the taxes are known: nothing."""
    if basis is TaxBasis.UNKNOWN:
        return Cost(amount, None)
    if basis is TaxBasis.NONE:
        return Cost(amount, amount)
    if basis is TaxBasis.INCLUSIVE:
        if rate is None:
            return Cost(None if amount else ZERO, amount)
        return Cost(amount * HUNDRED / (HUNDRED + rate), amount)
    if rate is None:
        return Cost(amount, None if amount and basis is TaxBasis.ADDED else amount)
    return Cost(amount, amount + amount * rate / HUNDRED)


def total(costs: Iterable[Cost]) -> Cost:
    """Their sum; unknown as soon as one of them is."""
    excl: Decimal | None = ZERO
    incl: Decimal | None = ZERO
    for cost in costs:
        excl = None if excl is None or cost.excl is None else excl + cost.excl
        incl = None if incl is None or cost.incl is None else incl + cost.incl
    return Cost(excl, incl)


def _negated(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount

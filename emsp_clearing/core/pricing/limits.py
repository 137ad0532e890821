"""min_price and max_price of a tariff (OCPI 2.2.1, 11.3.1)."""

from decimal import Decimal

from ..ocpi.objects import Tariff
from .taxes import Cost


def limited(cost: Cost, tariff: Tariff) -> Cost:
    """The cost within the tariff's limits, without and with taxes apart (A16).

    A15: a limit that does not say how much it is with taxes scales the taxes. What a limit changed
    has never less with taxes than without. What is unknown stays unknown.
    """
    excl, incl = cost.excl, cost.incl
    for limit, pick in ((tariff.min_price, max), (tariff.max_price, min)):
        if limit is None:
            continue
        bounded = None if excl is None else pick(excl, limit.excl_vat)
        if limit.incl_vat is not None and incl is not None:
            incl = pick(incl, limit.incl_vat)
        elif limit.incl_vat is None:
            incl = _scaled(incl, excl, bounded)
        excl = bounded
    changed = Cost(excl, incl)
    if changed == cost or excl is None or incl is None:
        return changed
    return Cost(excl, max(excl, incl))


def is_one_sided(before: Cost, after: Cost) -> bool:
    """Whether a limit changed one of the amounts alone, so that no rate explains the tax (A16)."""
    if None in (before.excl, before.incl):
        return False
    return (before.excl == after.excl) != (before.incl == after.incl)


def _scaled(incl: Decimal | None, excl: Decimal | None, bounded: Decimal | None) -> Decimal | None:
    if incl is None or excl is None or bounded is None or bounded == excl:
        return incl
    return bounded * incl / excl if excl else bounded

"""min_price and max_price of a tariff (OCPI 2.2.1, 11.3.1)."""

from ..ocpi.objects import Tariff
from .explanation import Cost


def limited(cost: Cost, tariff: Tariff) -> Cost:
    """The cost within the tariff's limits, without and with VAT apart (A16).

    A15: a limit that does not say how much it is with VAT scales the VAT. What a limit changed has
    never less with VAT than without.
    """
    excl, incl = cost.excl, cost.incl
    for limit, pick in ((tariff.min_price, max), (tariff.max_price, min)):
        if limit is None:
            continue
        bounded = pick(excl, limit.excl_vat)
        if limit.incl_vat is not None:
            incl = pick(incl, limit.incl_vat)
        elif bounded != excl:
            incl = bounded * incl / excl if excl else bounded
        excl = bounded
    changed = Cost(excl, incl)
    return cost if changed == cost else Cost(excl, max(excl, incl))

"""The result of pricing: costs, every segment with what priced it, and all that a replay needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ..errors import PricingError
from ..money import round_money
from ..ocpi import objects
from ..ocpi.types import format_date_time
from .taxes import HUNDRED, Cost, TaxShare

VERSION = 2
"""Of the engine: raised by a change that gives any session another price."""

NET_PRICE_DIGITS = 4

SUBTOTALS = {
    "FLAT": "total_fixed_cost",
    "ENERGY": "total_energy_cost",
    "TIME": "total_time_cost",
    "PARKING_TIME": "total_parking_cost",
    "RESERVATION_TIME": "total_reservation_cost",
    "RESERVATION_FLAT": "total_reservation_cost",
}
"""The CDR's field for the cost of each dimension (OCPI 2.2.1, 10.3.1; A18)."""


@dataclass(frozen=True, slots=True)
class PricingRules:
    """What is known outside of tariff and CDR.

    `time_zone`: the charger's, an IANA name. `precision`: decimals of a session's amount.
    `reservation_expired`: whether a reservation was not used; None takes it from the CDR (A14).
    """

    time_zone: str | None
    precision: int = 2
    reservation_expired: bool | None = None


class Note(msgspec.Struct):
    """Something worth a finding that does not stop the pricing.

    `params`: `expected` and `found`, where it is about a value.
    """

    code: str
    path: str | None = None
    params: Mapping[str, str] = {}

    def to_json(self) -> dict[str, Any]:
        """As it stands."""
        return {"code": self.code, "path": self.path, "params": dict(self.params)}


class Segment(msgspec.Struct, gc=False):
    """One dimension of one charging period, priced by one component.

    `element_index` and `component_index` are places in the tariff; `reason` names the restrictions
    that held. `volume` as sent and `billed_volume` after the step: kWh, hours, or 1 for a flat fee;
    `unit_price` for one of them, as the tariff states it. `vat` is a percentage. `cost` is exact:
    times are multiplied in seconds and divided last, so that a tie is a tie when it is rounded.
    """

    start: datetime
    end: datetime
    dimension: str
    tariff_id: str
    element_index: int
    component_index: int
    reason: tuple[str, ...]
    volume: Decimal
    billed_volume: Decimal
    unit_price: Decimal
    vat: Decimal | None
    cost: Cost
    includes_tax: bool = False

    @property
    def net_price(self) -> Decimal:
        """Of one unit, without taxes; where the tariff's prices include them, it is rounded."""
        if not self.includes_tax or self.vat is None:
            return self.unit_price
        return round_money(self.unit_price * HUNDRED / (HUNDRED + self.vat), NET_PRICE_DIGITS)

    @property
    def amount(self) -> Decimal:
        """Without taxes.

        :raise PricingError: tax_unknown.
        """
        return _net(self.cost, "tariffs.tax_included")

    def to_json(self) -> dict[str, Any]:
        """Numbers as text, instants as OCPI DateTime."""
        return {
            "start": format_date_time(self.start),
            "end": format_date_time(self.end),
            "dimension": self.dimension,
            "tariff_id": self.tariff_id,
            "element": self.element_index,
            "component": self.component_index,
            "reason": list(self.reason),
            "volume": f"{self.volume:f}",
            "billed_volume": f"{self.billed_volume:f}",
            "unit_price": f"{self.unit_price:f}",
            "vat": _text(self.vat),
            "includes_tax": self.includes_tax,
            "amount": _text(self.cost.excl),
            "amount_incl": _text(self.cost.incl),
        }


class Result(msgspec.Struct, kw_only=True):
    """The price of a session.

    `totals` are rounded once, at the rules' precision, and negative for a credit CDR; everything
    else is exact and, as in the CDR, has the signs of the session it repeats. `subtotals` by the
    CDR's own fields, for those that the tariff has a price for. `taxes` by rate. `adjustment` is
    what min_price or max_price added.
    """

    currency: str
    is_credit: bool
    totals: Cost
    subtotals: Mapping[str, Cost]
    taxes: tuple[TaxShare, ...]
    adjustment: Cost
    notes: Sequence[Note]

    @property
    def net(self) -> Decimal:
        """The total without taxes.

        :raise PricingError: tax_unknown, when prices include a tax that the tariff does not tell.
        """
        return _net(self.totals, "tariffs.tax_included")


class Explanation(Result, kw_only=True):
    """How it came about. `tariffs` are those that were used; with them, the rules and the CDR the
    price can be computed again.
    """

    segments: tuple[Segment, ...]
    rules: PricingRules
    tariffs: tuple[objects.Tariff, ...]
    version: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """For storing and showing, without the CDR: numbers as text, tariffs by OCPI's names.

        `engine.replay` takes it back.
        """
        return {
            "version": self.version,
            "currency": self.currency,
            "segments": [segment.to_json() for segment in self.segments],
            "notes": [note.to_json() for note in self.notes],
            "subtotals": {name: _pair(cost) for name, cost in self.subtotals.items()},
            "taxes": [{"rate": _text(share.rate), **_pair(share.cost)} for share in self.taxes],
            "totals": _pair(self.totals),
            "adjustment": _pair(self.adjustment),
            "rules": msgspec.to_builtins(self.rules),
            "tariffs": [_compact(msgspec.to_builtins(tariff)) for tariff in self.tariffs],
        }


def _net(cost: Cost, path: str) -> Decimal:
    if cost.excl is None:
        raise PricingError("tax_unknown", path, expected="a rate of the tax that prices include", got="none")
    return cost.excl


def _pair(cost: Cost) -> dict[str, str | None]:
    return {"excl": _text(cost.excl), "incl": _text(cost.incl)}


def _text(number: Decimal | None) -> str | None:
    """JSON numbers do not stay exact everywhere."""
    return None if number is None else f"{number:f}"


def _compact(node: Any) -> Any:
    """An object without what is not set."""
    if isinstance(node, dict):
        return {name: _compact(value) for name, value in node.items() if value not in (None, ())}
    return [_compact(each) for each in node] if isinstance(node, tuple) else node

"""The result of pricing: every segment with what priced it, totals, and all that a replay needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..money import ZERO
from ..ocpi import objects
from ..ocpi.normalise import tariff_payload
from ..ocpi.types import format_date_time

VERSION = 1
"""Of the engine: raised by a change that gives any session another price."""

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
    """What is agreed outside the tariff: the charger's IANA zone, decimals of a session's amount."""

    time_zone: str | None
    precision: int = 2


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a finding that does not stop the pricing.

    `params`: `expected` and `found`, where it is about a value.
    """

    code: str
    path: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """One dimension of one charging period, priced by one component.

    `element_index` and `component_index` are places in the tariff; `reason` names the restrictions
    that held. `volume` as sent and `billed_volume` after the step: kWh, hours, or 1 for a flat fee;
    `unit_price` for one of them. `vat` is a percentage. `amount` excludes VAT and is exact: times
    are multiplied in seconds and divided last, so that a tie is a tie when it is rounded.
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
    amount: Decimal

    @property
    def cost(self) -> "Cost":
        """A component without a rate has no VAT, so both sides are equal."""
        return Cost(self.amount, self.amount + self.amount * (self.vat or ZERO) / 100)

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
            "vat": None if self.vat is None else f"{self.vat:f}",
            "amount": f"{self.amount:f}",
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount without and with VAT."""

    excl: Decimal = ZERO
    incl: Decimal = ZERO

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.excl + other.excl, self.incl + other.incl)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The price of a session.

    `totals` are rounded once, at the rules' precision, and negative for a credit CDR, whose
    segments repeat the session. `adjustment` is what min_price or max_price added (exact, without
    VAT). `tariffs` are those that were used; with them, the rules and the CDR the price can be
    computed again.
    """

    currency: str
    segments: tuple[Segment, ...]
    notes: tuple[Note, ...]
    totals: Cost
    adjustment: Decimal
    rules: PricingRules
    cdr: objects.Cdr
    tariffs: tuple[objects.Tariff, ...]
    version: int = VERSION

    @property
    def subtotals(self) -> dict[str, Cost]:
        """Exact costs by the CDR's own fields; a field without a segment is left out."""
        sums: dict[str, Cost] = {}
        for segment in self.segments:
            name = SUBTOTALS[segment.dimension]
            sums[name] = sums.get(name, Cost()) + segment.cost
        return sums

    def to_json(self) -> dict[str, Any]:
        """For storing and showing, without the CDR: numbers as text, tariffs as OCPI objects.

        `engine.replay` takes it back.
        """
        return {
            "version": self.version,
            "currency": self.currency,
            "segments": [segment.to_json() for segment in self.segments],
            "notes": [
                {"code": note.code, "path": note.path, "params": dict(note.params)} for note in self.notes
            ],
            "totals": {"excl": f"{self.totals.excl:f}", "incl": f"{self.totals.incl:f}"},
            "adjustment": f"{self.adjustment:f}",
            "rules": {"time_zone": self.rules.time_zone, "precision": self.rules.precision},
            "tariffs": [_texts(tariff_payload(tariff)) for tariff in self.tariffs],
        }


def _texts(node: Any) -> Any:
    """A payload with its decimals as text: JSON numbers do not stay exact everywhere."""
    if isinstance(node, dict):
        return {name: _texts(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_texts(value) for value in node]
    return f"{node:f}" if isinstance(node, Decimal) else node

"""What a rule may know besides the CDR. Whatever is not known is None; it never reads as "fine"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..money import ZERO, D
from ..ocpi.objects import NOT_AVAILABLE
from ..pricing.explanation import Result


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """The price that our engine computed, in the contract's currency.

    `net`: the total without taxes. `subtotals` without taxes, by the CDR's own fields
    (`total_energy_cost`). `vat_rates`: percentages, 0 where no tax is due; None where nobody knows.
    """

    net: Decimal
    subtotals: Mapping[str, Decimal] = field(default_factory=dict)
    vat_rates: tuple[Decimal, ...] | None = None

    @classmethod
    def of(cls, result: Result) -> "PriceFacts":
        """:raise PricingError: tax_unknown."""
        subtotals = {name: cost.excl for name, cost in result.subtotals.items() if cost.excl is not None}
        rates = tuple(share.rate or ZERO for share in result.taxes)
        return cls(result.net, subtotals, None if result.totals.incl is None else rates)

    @classmethod
    def of_stored(cls, explanation: Mapping[str, Any]) -> "PriceFacts":
        """Of an `Explanation.to_json` whose tax is known."""
        subtotals = explanation["subtotals"].items()
        rates = tuple(D(share["rate"] or 0) for share in explanation["taxes"])
        return cls(
            D(explanation["totals"]["excl"]),
            {name: D(cost["excl"]) for name, cost in subtotals if cost["excl"] is not None},
            None if explanation["totals"]["incl"] is None else rates,
        )


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """Where the CDR says that the session was.

    `is_published`: whether the CPO publishes its locations at all. `power_kw`: what the connector can
    deliver at most.
    """

    is_published: bool | None = None
    is_location_known: bool | None = None
    is_evse_known: bool | None = None
    power_kw: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An answer to a charger; `allowed` as OCPI says it (2.2.1, 12.4.1)."""

    at: datetime
    allowed: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The token of the CDR.

    `is_published`: whether its eMSP publishes its tokens at all. `is_valid` now; where it is not,
    `invalid_since` tells from when on. `authorisations`: those of this token around the session, in any
    order.
    """

    is_published: bool | None = None
    is_known: bool | None = None
    is_valid: bool | None = None
    invalid_since: datetime | None = None
    whitelist: str | None = None
    authorisations: tuple[Authorisation, ...] | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another CDR of the same session id, token or EVSE, near in time.

    `key`: `Cdr.key`. `token_key` and `evse_key`: as the functions of this module make them.
    `is_void`: whether it counts no more, voided or credited.
    """

    key: str
    session_id: str | None
    token_key: str
    evse_key: str | None
    connector_id: str | None
    start: datetime
    end: datetime
    energy_kwh: Decimal
    city: str | None = None
    is_credit: bool = False
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class OriginalFacts:
    """The CDR that a credit CDR names; `is_credited` by another credit CDR."""

    is_known: bool
    is_void: bool = False
    is_credited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of them.

    `currency`: the contract's. `session_status`: of the session with the CDR's session id, as OCPI
    says it (2.2.1, 9.4.1). `neighbours`: without the CDR itself. `original`: of a credit CDR.
    `meter_key`: the registered public key of the meter, as `ocmf.read_key` takes it.
    """

    received_at: datetime | None = None
    currency: str | None = None
    price: PriceFacts | None = None
    place: PlaceFacts = PlaceFacts()
    token: TokenFacts = TokenFacts()
    session_status: str | None = None
    neighbours: tuple[Neighbour, ...] | None = None
    original: OriginalFacts | None = None
    meter_key: str | None = None


def token_key(country_code: str | None, party_id: str | None, uid: str) -> str:
    """What tells the tokens of CDRs apart, however spelt; the owner is empty where it is unknown."""
    return f"{country_code or ''}*{party_id or ''}*{uid}".upper()


def evse_key(owner: str, evse_id: str | None, evse_uid: str | None) -> str | None:
    """What tells EVSEs apart: its eMI3 id without separators, else its uid; None where it has neither.

    :param owner: "CC*PID" of the CPO, which alone knows what its uids mean.
    """
    if evse_id and evse_id != NOT_AVAILABLE:
        return evse_id.replace("*", "").replace("-", "").upper()
    if evse_uid and evse_uid != NOT_AVAILABLE:
        return f"{owner}*{evse_uid}".upper()
    return None

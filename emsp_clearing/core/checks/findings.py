"""What a rule says of a CDR, and how its values are spelt: the same in every language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ..money import round_money

Action = Literal["off", "note", "hold", "refuse"]
"""What a finding of a rule leads to, from nothing to the refusal of the CDR."""

ACTIONS: tuple[Action, ...] = ("off", "note", "hold", "refuse")
"""From the mildest to the strictest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule objects to; `path` is its place in the OCPI object.

    `expected`, `found` and `tolerance` are texts with their units, None where there is no such value.
    `details` hold further values of the sentence, by name.
    """

    rule: str
    code: str
    path: str | None = None
    expected: str | None = None
    found: str | None = None
    tolerance: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


Reason = Literal[
    "authorisations_unknown",
    "currency_unknown",
    "key_missing",
    "key_unreadable",
    "location_unknown",
    "locations_not_published",
    "neighbours_unknown",
    "no_duration",
    "original_unknown",
    "power_unknown",
    "price_unknown",
    "reception_unknown",
    "session_unknown",
    "signature_algorithm_unsupported",
    "signed_energy_missing",
    "signed_format_unsupported",
    "token_unknown",
    "token_validity_unknown",
    "tokens_not_published",
    "vat_rates_unknown",
    "whitelist_unknown",
]


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A rule could not judge the CDR; that is no pass, and it is counted."""

    reason: Reason


Outcome = Sequence[Finding] | NotEvaluated
"""Of a rule: what it objects to, nothing, or that it could not tell."""

_FINEST = 4


def plain(number: Decimal, digits: int = _FINEST) -> str:
    """At most so many decimals, no trailing zeros and no exponent: "12.3"."""
    text = f"{round_money(number, digits):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def kwh(energy: Decimal) -> str:
    """ "12.3 kWh"."""
    return f"{plain(energy)} kWh"


def kw(power: Decimal) -> str:
    """ "22 kW"."""
    return f"{plain(power)} kW"


def percent(share: Decimal) -> str:
    """ "19.5 %"."""
    return f"{plain(share)} %"


def money(amount: Decimal, currency: str, digits: int = 2) -> str:
    """ "12.30 EUR"."""
    return f"{round_money(amount, digits):f} {currency}"


def span(seconds: Decimal | int) -> str:
    """ "1 d 2 h 5 s"; "min" for minutes, fractions of a second to the millisecond."""
    whole = round_money(abs(Decimal(seconds)), 3)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    text = " ".join(f"{plain(value, 3)} {unit}" for value, unit in parts if value) or "0 s"
    return f"-{text}" if seconds < 0 else text

"""From priced sessions to invoice lines whose sum is the annex's, to the cent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from .errors import InvoicingError
from .money import ZERO, D, round_money, round_to_total
from .pricing.explanation import Explanation

# In the order of the invoice's lines.
COMPONENTS = ("FLAT", "ENERGY", "TIME", "PARKING_TIME")
# What the lines of an invoice stand apart by, besides component and unit price: contract, origin month
# of late sessions, place, tariff or session. None for an invoice that is not divided.
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """One price component of a session. `unit_price` and `quantity` per kWh, hour or session.

    A credit has its quantity and amount negative, and the unit price of what it credits.
    """

    component: str
    unit_price: Decimal
    quantity: Decimal
    amount: Decimal

    def to_json(self) -> dict[str, str]:
        """For storing; numbers as text, so that they stay exact."""
        return {
            "component": self.component,
            "unit_price": str(self.unit_price),
            "quantity": str(self.quantity),
            "amount": str(self.amount),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> "Component":
        """What `to_json` gave."""
        return cls(data["component"], D(data["unit_price"]), D(data["quantity"]), D(data["amount"]))


@dataclass(frozen=True, slots=True)
class PricedSession:
    """`components` sum to `amount`, the session's amount at the contract's precision."""

    key: str
    components: tuple[Component, ...]
    amount: Decimal
    group: Group = ()


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """All of one component at one unit price, in one group. `amount` has the currency's decimals."""

    component: str
    unit_price: Decimal
    sessions: int
    quantity: Decimal
    amount: Decimal
    group: Group = ()


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """`total` = sum of the lines; `rounding` = total - exact_total, below half a minor unit."""

    lines: tuple[InvoiceLine, ...]
    total: Decimal
    exact_total: Decimal
    rounding: Decimal


@dataclass(slots=True)
class _Sum:
    quantity: Decimal = ZERO
    amount: Decimal = ZERO
    sessions: int = 0


def components_of(parts: Sequence[Component], amount: Decimal, digits: int) -> tuple[Component, ...]:
    """Cut exact components to `digits` so that they sum to `amount`, the session's rounded total.

    :raise InvoicingError: when `amount` is no rounding of their sum.
    """
    exact = [part.amount for part in parts]
    try:
        shares = round_to_total(exact, amount, digits)
    except ValueError as error:
        found = sum(exact, ZERO)
        raise InvoicingError("session_mismatch", "components", expected=amount, got=found) from error
    return tuple(replace(part, amount=share) for part, share in zip(parts, shares, strict=True))


def split(explanation: Explanation) -> tuple[Component, ...]:
    """A session's components: one per dimension and unit price, summing to its rounded total.

    What min_price or max_price added is a component of its own (LIMIT), so that unit prices stay
    true. It has the unit price 0, as it differs by session and would give each a line of its own.
    """
    groups: dict[tuple[str, Decimal], _Sum] = {}
    for segment in explanation.segments:
        group = groups.setdefault((segment.dimension, segment.net_price), _Sum())
        group.quantity += segment.billed_volume
        group.amount += segment.amount
    parts = [Component(name, unit, g.quantity, g.amount) for (name, unit), g in groups.items()]
    if explanation.adjustment.excl:
        parts.append(Component("LIMIT", ZERO, D(1), explanation.adjustment.excl))
    if explanation.is_credit:
        # Its segments repeat the session; only its total is negative (OCPI 2.2.1, 10.1.1).
        parts = [replace(part, quantity=-part.quantity, amount=-part.amount) for part in parts]
    return components_of(parts, explanation.net, explanation.rules.precision)


def merged(
    components: Sequence[Component], quantity: Decimal, bucket: Callable[[str], str]
) -> tuple[Component, ...]:
    """A session as one component, or as one for each bucket: what its lines must not mix, such as taxes.

    :param quantity: what the merged components stand for, usually kWh.
    :param bucket: gives the bucket of a component's name; it becomes the name of the merged one.
    :return: without a unit price, because several are in it.
    """
    amounts: dict[str, Decimal] = {}
    for part in components:
        name = bucket(part.component)
        amounts[name] = amounts.get(name, ZERO) + part.amount
    return tuple(Component(name, ZERO, quantity, amount) for name, amount in sorted(amounts.items()))


def plan(sessions: Iterable[PricedSession], digits: int = 2) -> InvoicePlan:
    """Group the sessions' components by group, component and unit price.

    Each line is its group's exact sum rounded up or down to `digits`, such that the lines sum to
    the rounded sum of the sessions; the order of the sessions makes no difference.

    :raise InvoicingError: when a session comes twice, or its components do not sum to its amount.
    """
    sums: dict[tuple[Group, str, Decimal], _Sum] = {}
    seen: set[str] = set()
    exact_total = ZERO
    for session in sessions:
        _check_session(session, seen)
        exact_total += session.amount
        _add(sums, session)
    total = round_money(exact_total, digits)
    ordered = sorted(sums.items(), key=lambda item: _order(*item[0]))
    amounts = round_to_total([found.amount for _, found in ordered], total, digits)
    lines = tuple(
        InvoiceLine(component, unit_price, found.sessions, found.quantity, amount, group)
        for ((group, component, unit_price), found), amount in zip(ordered, amounts, strict=True)
    )
    return InvoicePlan(lines, total, exact_total, total - exact_total)


def prove(invoice_plan: InvoicePlan, annex_total: Decimal) -> None:
    """:raise InvoicingError: unless the lines sum to the annex's total, rounded as the invoice is."""
    lines = sum((line.amount for line in invoice_plan.lines), ZERO)
    digits = -int(invoice_plan.total.as_tuple().exponent)
    if lines != invoice_plan.total or round_money(annex_total, digits) != invoice_plan.total:
        raise InvoicingError("annex_mismatch", "total", expected=annex_total, got=lines)


def _check_session(session: PricedSession, seen: set[str]) -> None:
    if session.key in seen:
        raise InvoicingError("session_twice", session.key, expected="once", got="twice")
    seen.add(session.key)
    parts = sum((part.amount for part in session.components), ZERO)
    if parts != session.amount:
        raise InvoicingError("session_mismatch", session.key, expected=session.amount, got=parts)


def _add(sums: dict[tuple[Group, str, Decimal], _Sum], session: PricedSession) -> None:
    touched = {(session.group, part.component, part.unit_price) for part in session.components}
    for key in touched:
        sums.setdefault(key, _Sum()).sessions += 1
    for part in session.components:
        found = sums[session.group, part.component, part.unit_price]
        found.quantity += part.quantity
        found.amount += part.amount


def _order(group: Group, component: str, unit_price: Decimal) -> tuple[Group, int, str, Decimal]:
    """By group; then known components first, as an invoice is read; then by name and price."""
    position = COMPONENTS.index(component) if component in COMPONENTS else len(COMPONENTS)
    return group, position, component, unit_price

"""price() and total(): a session by OCPI tariffs, exactly (OCPI 2.2.1, chapter 11)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache
from typing import Any, NamedTuple

import msgspec

from ..money import PRECISION, ZERO
from ..ocpi.objects import Tariff
from .choice import TariffChoice
from .explanation import SUBTOTALS, Explanation, Note, PricingRules, Result, Segment
from .limits import is_one_sided, limited
from .restrictions import Clock, Moment, first_moment, last_moment, unverifiable
from .session import (
    CHARGING,
    ONE,
    SECONDS_PER_HOUR,
    TIMES,
    Period,
    SessionLike,
    has_charging,
    periods_of,
    session_notes,
)
from .steps import surplus
from .tariff import NO_RULES, CompiledTariff, Rule, Rules, compile_tariff
from .taxes import Cost, TaxBasis, TaxShare, cost_of
from .taxes import total as total_of

__all__ = ["PricingRules", "compile_tariff", "price", "replay", "total"]

_EXACT = Context(prec=PRECISION)


def price(cdr: SessionLike, tariffs: Sequence[Tariff | CompiledTariff], rules: PricingRules) -> Explanation:
    """The price of a session with its explanation.

    :param tariffs: candidates. By the tariff ids on the periods; without any, the first one that is
        valid at the session's start prices all of it (A3, A4).
    :raise PricingError: no_tariff, currency_mismatch (A24), time_zone_unknown, invalid_time,
        invalid_date.
    """
    with localcontext(_EXACT):
        return _Pricer(cdr, tariffs, rules).explain()


def total(cdr: SessionLike, tariffs: Sequence[Tariff | CompiledTariff], rules: PricingRules) -> Result:
    """The price of a session without its explanation, which takes less time.

    :raise PricingError: as `price`.
    """
    with localcontext(_EXACT):
        return _Pricer(cdr, tariffs, rules).result()


def replay(stored: Mapping[str, Any], cdr: SessionLike) -> Explanation:
    """Price a session again from what `Explanation.to_json` gave; the same, unless the engine changed.

    :param cdr: as it was priced.
    :raise PricingError: as `price`.
    """
    tariffs = [msgspec.convert(tariff, Tariff, strict=False) for tariff in stored["tariffs"]]
    return price(cdr, tariffs, msgspec.convert(stored["rules"], PricingRules))


class _Item(msgspec.Struct, gc=False):
    """A priced dimension of a period. `quantity` and what the step adds: kWh, seconds, or 1."""

    period: Period
    dimension: str
    tariff: CompiledTariff
    rule: Rule
    quantity: Decimal
    surplus: Decimal = ZERO

    @property
    def product(self) -> Decimal:
        """Quantity times price. Times are priced per hour and counted in seconds: they are divided last."""
        return (self.quantity + self.surplus) * self.rule.component.price

    def segment(self) -> Segment:
        component, period = self.rule.component, self.period
        unit = SECONDS_PER_HOUR if self.dimension in TIMES else ONE
        return Segment(
            start=period.start,
            end=period.end,
            dimension=self.dimension,
            tariff_id=self.tariff.tariff.id,
            element_index=self.rule.element_index,
            component_index=self.rule.component_index,
            reason=self.rule.conditions.names,
            volume=self.quantity / unit,
            billed_volume=(self.quantity + self.surplus) / unit,
            unit_price=component.price,
            vat=component.vat,
            cost=cost_of(self.product / unit, component.vat, self.tariff.basis),
            includes_tax=self.tariff.basis is TaxBasis.INCLUSIVE,
        )


class _Share(NamedTuple):
    """What all of one dimension costs, by one tariff and at one VAT rate."""

    tariff: CompiledTariff
    dimension: str
    rate: Decimal | None
    cost: Cost


class _Pricer:
    """One session: its periods are priced one after the other, then the steps, then the limits."""

    def __init__(
        self, cdr: SessionLike, tariffs: Sequence[Tariff | CompiledTariff], rules: PricingRules
    ) -> None:
        self.cdr = cdr
        self.rules = rules
        self.clock = Clock(rules.time_zone)
        self.periods = periods_of(cdr)
        self.notes = list(session_notes(cdr, self.periods))
        self.items: list[_Item] = []
        self.charged_flats: set[tuple[str, str]] = set()
        self.choice = TariffChoice(cdr, self.periods, tariffs)
        self.has_charging = has_charging(cdr, self.periods)
        # A14: nothing says that a reservation expired; one without any charging did.
        told = rules.reservation_expired
        self.expired = not self.has_charging if told is None else told
        for period in self.periods:
            tariff = self.choice.of(period)
            if tariff is None:
                self.notes.append(Note("period_without_tariff", period.path))
            else:
                self._price_period(period, tariff)
        self._round_up()
        self.notes += self.choice.notes

    def explain(self) -> Explanation:
        return Explanation(
            **self._values(),
            segments=tuple(item.segment() for item in self.items),
            rules=self.rules,
            tariffs=tuple(tariff.tariff for tariff in self.choice.used),
        )

    def result(self) -> Result:
        return Result(**self._values())

    # -- one period ------------------------------------------------------------

    def _price_period(self, period: Period, tariff: CompiledTariff) -> None:
        rules = tariff.expired if self.expired else tariff.rules
        now, last = first_moment(period, self.clock), None
        volumes = period.volumes
        if "RESERVATION_TIME" in volumes and volumes["RESERVATION_TIME"]:
            self._price_reservation(now, tariff, rules)
        for dimension in CHARGING:
            if dimension not in volumes:
                continue
            known = rules.get(dimension, NO_RULES)
            rule = known.at(now)
            if not known.is_steady:
                last = last or last_moment(period, self.clock)
                if known.at(last) is not rule:
                    # A22: the sender had to open a new period there; the start counts for all of it.
                    self.notes.append(Note("spans_price_change", period.path, {"dimension": dimension}))
            if rule is None:
                self.notes.append(Note("unpriced", period.path, {"dimension": dimension}))
            else:
                self._add(period, dimension, tariff, rule, volumes[dimension])
        if self.has_charging and not period.is_reservation:
            self._price_flat(now, tariff, rules, "FLAT")

    def _price_reservation(self, now: Moment, tariff: CompiledTariff, rules: Mapping[str, Rules]) -> None:
        rule = rules.get("RESERVATION_TIME", NO_RULES).at(now)
        if rule is not None:
            volume = now.period.volumes["RESERVATION_TIME"]
            self._add(now.period, "RESERVATION_TIME", tariff, rule, volume)
        self._price_flat(now, tariff, rules, "RESERVATION_FLAT")
        if self.rules.reservation_expired is None and tariff.tells_expired_apart:
            found = "expired" if self.expired else "used"
            self.notes.append(Note("reservation_assumed", now.period.path, {"found": found}))

    def _price_flat(
        self, now: Moment, tariff: CompiledTariff, rules: Mapping[str, Rules], dimension: str
    ) -> None:
        """A11: a flat fee is due once per session, at the first period in which one applies."""
        bucket = (dimension, tariff.key if self.choice.is_named else "")
        if dimension not in rules or bucket in self.charged_flats:
            return
        rule = rules[dimension].at(now)
        if rule is not None:
            self.charged_flats.add(bucket)
            self._add(now.period, dimension, tariff, rule, ONE)

    def _add(
        self, period: Period, dimension: str, tariff: CompiledTariff, rule: Rule, quantity: Decimal
    ) -> None:
        if rule.conditions.strengths:
            for name in unverifiable(rule.conditions, period):
                self.notes.append(Note("unverifiable", period.path, {"restriction": name}))
        self.items.append(_Item(period, dimension, tariff, rule, quantity))

    # -- the session -----------------------------------------------------------

    def _round_up(self) -> None:
        """Each tariff's step surplus goes to its last item of the dimension; no step spans two tariffs."""
        volumes: dict[tuple[str, str], Decimal] = {}
        last: dict[tuple[str, str], _Item] = {}
        for item in self.items:
            bucket = (item.tariff.key, item.dimension)
            volumes[bucket] = volumes[bucket] + item.quantity if bucket in volumes else item.quantity
            last[bucket] = item
        for (key, dimension), volume in volumes.items():
            # A12: parking is rounded rather than time, wherever it lies.
            if dimension == "TIME" and (key, "PARKING_TIME") in volumes:
                continue
            item = last[key, dimension]
            item.surplus = surplus(dimension, volume, item.rule.component.step_size)

    def _values(self) -> dict[str, Any]:
        """What `Result` holds."""
        shares = self._shares()
        cost = total_of([share.cost for share in shares])
        billed = self._limited(shares, cost)
        if is_one_sided(cost, billed):
            self.notes.append(Note("limit_one_sided", "total_cost"))
        rounded = Cost(self._rounded(billed.excl), self._rounded(billed.incl))
        return {
            "currency": self.cdr.currency,
            "is_credit": self.cdr.credit,
            # A credit CDR repeats the session and negates its total (OCPI 2.2.1, 10.1.1).
            "totals": -rounded if self.cdr.credit else rounded,
            "subtotals": self._subtotals(shares),
            "taxes": _taxes(shares),
            "adjustment": billed + -cost,
            "notes": tuple(self.notes),
        }

    def _shares(self) -> list[_Share]:
        """Amounts are summed up before they are divided."""
        amounts: dict[tuple[str, str, Decimal | None], Decimal] = {}
        tariffs = {}
        for item in self.items:
            key = (item.tariff.key, item.dimension, item.rule.component.vat)
            amounts[key] = amounts[key] + item.product if key in amounts else item.product
            tariffs[item.tariff.key] = item.tariff
        shares = []
        for (name, dimension, rate), amount in amounts.items():
            exact = amount / SECONDS_PER_HOUR if dimension in TIMES else amount
            tariff = tariffs[name]
            shares.append(_Share(tariff, dimension, rate, cost_of(exact, rate, tariff.basis)))
        return shares

    def _limited(self, shares: Sequence[_Share], cost: Cost) -> Cost:
        """A17: each tariff limits its own part where the periods name theirs, else the whole."""
        if not self.choice.is_named:
            return limited(cost, self.choice.used[0].tariff) if self.choice.used else cost
        parts = []
        for used in self.choice.used:
            own = total_of(share.cost for share in shares if share.tariff is used)
            parts.append(limited(own, used.tariff))
        return total_of(parts)

    def _subtotals(self, shares: Sequence[_Share]) -> dict[str, Cost]:
        subtotals: dict[str, Cost] = {}
        for tariff in self.choice.used:
            nothing = cost_of(ZERO, None, tariff.basis)
            for dimension in tariff.rules:
                subtotals.setdefault(SUBTOTALS[dimension], nothing)
        for share in shares:
            name = SUBTOTALS[share.dimension]
            subtotals[name] = subtotals[name] + share.cost if name in subtotals else share.cost
        return subtotals

    def _rounded(self, amount: Decimal | None) -> Decimal | None:
        """Once for each session, half up; never -0."""
        if amount is None:
            return None
        rounded = amount.quantize(_unit(self.rules.precision), ROUND_HALF_UP)
        return rounded or abs(rounded)


def _taxes(shares: Sequence[_Share]) -> tuple[TaxShare, ...]:
    costs: dict[Decimal | None, Cost] = {}
    for share in shares:
        costs[share.rate] = costs[share.rate] + share.cost if share.rate in costs else share.cost
    return tuple(TaxShare(rate, cost) for rate, cost in costs.items())


@cache
def _unit(digits: int) -> Decimal:
    return ONE.scaleb(-digits)

"""price(): a session by OCPI tariffs, exactly, with an explanation (OCPI 2.2.1, chapter 11)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from ..errors import PricingError
from ..money import ZERO, round_money
from ..ocpi.normalise import parse_tariff
from ..ocpi.objects import Cdr, PriceComponent, Tariff
from .explanation import Cost, Explanation, Note, PricingRules, Segment
from .limits import limited
from .restrictions import last_instant, met, unverifiable
from .session import SECONDS_PER_HOUR, Period, periods_of
from .steps import rounded_dimensions, surplus

__all__ = ["PricingRules", "price", "replay"]

CHARGING = ("ENERGY", "TIME", "PARKING_TIME")
# The tariff's word for what prices reserved time and its fee.
RESERVED = {"RESERVATION_TIME": "TIME", "RESERVATION_FLAT": "FLAT"}


@dataclass(frozen=True, slots=True)
class _Choice:
    component: PriceComponent
    element_index: int
    component_index: int
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A segment before the steps. `quantity`: kWh, seconds, or 1."""

    period: Period
    dimension: str
    tariff: Tariff
    choice: _Choice
    quantity: Decimal

    @property
    def divisor(self) -> Decimal:
        """Prices are per hour, quantities of time in seconds."""
        return SECONDS_PER_HOUR if self.dimension.endswith("TIME") else Decimal(1)

    def segment(self, surplus: Decimal) -> Segment:
        component, billed = self.choice.component, self.quantity + surplus
        return Segment(
            start=self.period.start,
            end=self.period.end,
            dimension=self.dimension,
            tariff_id=self.tariff.id,
            element_index=self.choice.element_index,
            component_index=self.choice.component_index,
            reason=self.choice.reason,
            volume=self.quantity / self.divisor,
            billed_volume=billed / self.divisor,
            unit_price=component.price,
            vat=component.vat,
            amount=billed * component.price / self.divisor,
        )


def price(cdr: Cdr, tariffs: Sequence[Tariff], rules: PricingRules) -> Explanation:
    """The price of a session, excluding and including VAT.

    :param tariffs: candidates; without a tariff id on the periods the first one that is valid at
        the session's start prices all of it (A3, A4).
    :raise PricingError: no_tariff, currency_mismatch (A24), time_zone_unknown, unsupported.
    """
    with localcontext() as context:
        context.prec = 60
        return _Pricer(cdr, tariffs, rules).run()


def replay(stored: Mapping[str, Any], cdr: Cdr) -> Explanation:
    """Price a session again from what `Explanation.to_json` gave; the same, unless the engine changed.

    :param cdr: as it was priced.
    :raise PricingError: as `price`.
    """
    tariffs = [parse_tariff(json.dumps(tariff), lax=True) for tariff in stored["tariffs"]]
    return price(cdr, tariffs, PricingRules(**stored["rules"]))


class _Pricer:
    def __init__(self, cdr: Cdr, tariffs: Sequence[Tariff], rules: PricingRules) -> None:
        self.cdr = cdr
        self.tariffs = tuple(tariffs)
        self.rules = rules
        self.periods, self.notes = periods_of(cdr)
        self.items: list[_Item] = []
        self.charged_flats: set[tuple[str, str]] = set()

    def run(self) -> Explanation:
        named = any(period.tariff_id for period in self.periods)
        session_tariff = None if named else self._valid_tariff()
        for period in self.periods:
            tariff = self._named_tariff(period) if named else session_tariff
            if tariff is None:
                self.notes.append(Note("period_without_tariff", period.path))
                continue
            self._check_tariff(tariff)
            self._price_period(period, tariff)
        return self._explain()

    # -- choice of tariff ------------------------------------------------------

    def _valid_tariff(self) -> Tariff:
        start = self.cdr.start_date_time
        for tariff in self.tariffs:
            begun = tariff.start_date_time is None or tariff.start_date_time <= start
            if begun and (tariff.end_date_time is None or start < tariff.end_date_time):
                return tariff
        raise PricingError(
            "no_tariff", "tariffs", expected="a tariff valid at the session's start", got="none"
        )

    def _named_tariff(self, period: Period) -> Tariff | None:
        if period.tariff_id is None:
            return None
        for tariff in self.tariffs:
            if tariff.id.upper() == period.tariff_id.upper():
                return tariff
        raise PricingError(
            "no_tariff",
            f"{period.path}.tariff_id",
            expected="a known tariff",
            got=period.tariff_id,
        )

    def _check_tariff(self, tariff: Tariff) -> None:
        if tariff.currency.upper() != self.cdr.currency.upper():
            raise PricingError(
                "currency_mismatch", "currency", expected=tariff.currency, found=self.cdr.currency
            )
        if tariff.tax_included not in (None, "NO"):
            raise PricingError("unsupported", "tariffs.tax_included", expected="NO", got=tariff.tax_included)

    # -- one period ------------------------------------------------------------

    def _price_period(self, period: Period, tariff: Tariff) -> None:
        if period.is_reservation:
            self._price_reservation(period, tariff)
        for dimension in CHARGING:
            if dimension in period.volumes:
                self._price_dimension(period, tariff, dimension)
        if not period.is_reservation:
            self._price_flat(period, tariff, "FLAT")

    def _price_dimension(self, period: Period, tariff: Tariff, dimension: str) -> None:
        choice = self._choose(tariff, dimension, period, period.start)
        last = self._choose(tariff, dimension, period, last_instant(period))
        path = period.path
        if _component(choice) != _component(last):
            self.notes.append(Note("spans_price_change", path, {"dimension": dimension}))
        if choice is None:
            self.notes.append(Note("unpriced", path, {"dimension": dimension}))
            return
        for name in unverifiable(choice.reason, period):
            self.notes.append(Note("unverifiable", path, {"restriction": name}))
        self._add(period, tariff, dimension, choice, period.volumes[dimension])

    def _price_flat(self, period: Period, tariff: Tariff, dimension: str) -> None:
        """A11: a flat fee is due once per session, at the first period in which one applies."""
        bucket = (dimension, tariff.key if period.tariff_id else "")
        if bucket in self.charged_flats:
            return
        choice = self._choose(tariff, dimension, period, period.start)
        if choice is not None:
            self.charged_flats.add(bucket)
            self._add(period, tariff, dimension, choice, Decimal(1))

    def _price_reservation(self, period: Period, tariff: Tariff) -> None:
        choice = self._choose(tariff, "RESERVATION_TIME", period, period.start)
        if choice is not None:
            self._add(period, tariff, "RESERVATION_TIME", choice, period.volumes["RESERVATION_TIME"])
        self._price_flat(period, tariff, "RESERVATION_FLAT")

    def _add(
        self, period: Period, tariff: Tariff, dimension: str, choice: _Choice, quantity: Decimal
    ) -> None:
        self.items.append(_Item(period, dimension, tariff, choice, quantity))

    # -- choice of component ---------------------------------------------------

    def _choose(self, tariff: Tariff, dimension: str, period: Period, instant: datetime) -> _Choice | None:
        """The first element that applies and has the dimension; for each dimension by itself (A9)."""
        kind = RESERVED.get(dimension, dimension)
        for wanted in self._reservation_kinds(dimension):
            for element_index, element in enumerate(tariff.elements):
                restrictions = element.restrictions
                if (restrictions.reservation if restrictions else None) != wanted:
                    continue
                position = _position(element.price_components, kind)
                if position is None:
                    continue
                reason = met(restrictions, period, instant, self.rules.time_zone)
                if reason is not None:
                    return _Choice(element.price_components[position], element_index, position, reason)
        return None

    def _reservation_kinds(self, dimension: str) -> tuple[str | None, ...]:
        """A14: nothing says that a reservation expired; one without any charging did."""
        if dimension not in RESERVED:
            return (None,)
        expired = all(period.is_reservation for period in self.periods)
        return ("RESERVATION_EXPIRES", "RESERVATION") if expired else ("RESERVATION",)

    # -- result ----------------------------------------------------------------

    def _explain(self) -> Explanation:
        segments = self._stepped()
        cost = sum((segment.cost for segment in segments), Cost())
        billed = self._limited(cost)
        # A credit CDR repeats the session and negates its total (10.1.1).
        sign = -1 if self.cdr.credit else 1
        precision = self.rules.precision
        return Explanation(
            currency=self.cdr.currency,
            segments=tuple(segments),
            notes=tuple(self.notes),
            totals=Cost(
                round_money(sign * billed.excl, precision), round_money(sign * billed.incl, precision)
            ),
            adjustment=billed.excl - cost.excl,
            rules=self.rules,
            cdr=self.cdr,
            tariffs=self.tariffs,
        )

    def _stepped(self) -> list[Segment]:
        """The segments with each tariff's step surplus on the last one of its dimension."""
        extra = [ZERO] * len(self.items)
        for key in {item.tariff.key for item in self.items}:
            own = [i for i, item in enumerate(self.items) if item.tariff.key == key]
            for dimension in rounded_dimensions(self.items[i].dimension for i in own):
                places = [i for i in own if self.items[i].dimension == dimension]
                step_size = self.items[places[-1]].choice.component.step_size
                volumes = [self.items[i].quantity for i in places]
                extra[places[-1]] = surplus(dimension, volumes, step_size)
        return [item.segment(more) for item, more in zip(self.items, extra, strict=True)]

    def _limited(self, cost: Cost) -> Cost:
        """A17: with several tariffs the limits of the first one used hold for the session."""
        tariff = self.items[0].tariff if self.items else next(iter(self.tariffs), None)
        return cost if tariff is None else limited(cost, tariff)


def _component(choice: _Choice | None) -> tuple[int, int] | None:
    return None if choice is None else (choice.element_index, choice.component_index)


def _position(components: Sequence[PriceComponent], kind: str) -> int | None:
    """A10: of two components of one type in an element the first one counts."""
    for index, component in enumerate(components):
        if component.type == kind:
            return index
    return None

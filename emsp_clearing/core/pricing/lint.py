"""lint_tariff(): what is odd about a tariff before any session is priced by it (OCPI 2.2.1, 11.4).

A tariff is read here as the engine reads it: the first element that applies and has the component
prices it, lower bounds are included, upper bounds are not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ..money import ZERO
from ..ocpi.objects import Price, PriceComponent, Tariff, TariffElement, TariffRestrictions
from ..ocpi.types import format_date_time
from .extents import (
    MINUTES_PER_DAY,
    WHOLE_WEEK,
    Extent,
    clock_of,
    contradictions,
    extent_of,
    minute_of,
    ordinal_of,
)
from .restrictions import WEEKDAYS

Severity = Literal["error", "warning", "info"]

SEVERITIES: Mapping[str, Severity] = {
    "missing_currency": "error",
    "unknown_currency": "warning",
    "unreadable_time": "error",
    "unreadable_date": "error",
    "time_without_zone": "error",
    "never_holds": "warning",
    "unreachable_element": "warning",
    "unreachable_component": "warning",
    "duplicate_component": "warning",
    "equal_times": "warning",
    "hole_of_a_minute": "warning",
    "suspicious_price": "warning",
    "negative_step": "warning",
    "min_above_max": "warning",
    "limit_incl_below_excl": "warning",
    "time_2400": "info",
    "time_format": "info",
    "step_size_ignored": "info",
    "free_tariff": "info",
    "unpriced_hours": "info",
}
"""Every code. "error": sessions cannot be priced; "warning": probably not what was meant."""

# A FLAT fee is no price of hours: one for some hours leaves no gap.
BY_VOLUME = ("ENERGY", "TIME", "PARKING_TIME")
# EUR per kWh and per hour; above them a price per cent or per minute was probably meant.
HIGHEST_EUR = {"ENERGY": Decimal(5), "TIME": Decimal(60), "PARKING_TIME": Decimal(60)}
LOCAL = ("start_time", "end_time", "start_date", "end_date", "day_of_week")


@dataclass(frozen=True, slots=True)
class Lint:
    """Something odd about a tariff; `path` is its place in the OCPI object.

    `params`: `expected` and `found` where it is about a value; `component` where it is about one;
    `by` names the elements that are chosen instead; `from` and `minutes` (of a week) say what has
    no price.
    """

    code: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How bad it is, by the code."""
        return SEVERITIES[self.code]


def lint_tariff(tariff: Tariff, *, time_zone_known: bool = True) -> tuple[Lint, ...]:
    """Everything odd about a tariff; it is priced all the same where the engine can.

    :param time_zone_known: whether the IANA zone of any of the tariff's chargers is known.
    """
    extents = [extent_of(element.restrictions, tariff) for element in tariff.elements]
    return (
        *_of_currency(tariff),
        *_of_validity(tariff),
        *_of_limits(tariff),
        *_of_prices(tariff),
        *_of_components(tariff),
        *_of_texts(tariff),
        *(() if time_zone_known else _of_zone(tariff)),
        *_of_contradictions(tariff),
        *_of_order(tariff, extents),
        *_of_gaps(tariff, extents),
    )


def _odd(code: str, path: str, expected: object, found: object, **params: str) -> Lint:
    return Lint(code, path, {"expected": str(expected), "found": str(found), **params})


# -- the tariff as a whole ----------------------------------------------------


def _of_currency(tariff: Tariff) -> Iterator[Lint]:
    if not tariff.currency.strip():
        yield _odd("missing_currency", "currency", "three letters", "nothing")
    elif not re.fullmatch("[A-Za-z]{3}", tariff.currency):
        yield _odd("unknown_currency", "currency", "three letters", tariff.currency)


def _of_validity(tariff: Tariff) -> Iterator[Lint]:
    start, end = tariff.start_date_time, tariff.end_date_time
    if start and end and end <= start:
        expected = f"after {format_date_time(start)}"
        yield _odd("never_holds", "end_date_time", expected, format_date_time(end))


def _of_limits(tariff: Tariff) -> Iterator[Lint]:
    least, most = tariff.min_price, tariff.max_price
    for name, limit in (("min_price", least), ("max_price", most)):
        if limit and limit.incl_vat is not None and limit.incl_vat < limit.excl_vat:
            expected = f">= {limit.excl_vat:f}"
            yield _odd("limit_incl_below_excl", f"{name}.incl_vat", expected, f"{limit.incl_vat:f}")
    for name in ("excl_vat", "incl_vat"):
        low, high = _side(least, name), _side(most, name)
        if low is not None and high is not None and low > high:
            yield _odd("min_above_max", f"min_price.{name}", f"<= {high:f}", f"{low:f}")


def _side(limit: Price | None, name: str) -> Decimal | None:
    side: Decimal | None = getattr(limit, name, None)
    return side


# -- components ---------------------------------------------------------------


def _components(tariff: Tariff) -> Iterator[tuple[str, PriceComponent]]:
    """Each with its path."""
    for index, element in enumerate(tariff.elements):
        for position, component in enumerate(element.price_components):
            yield f"elements[{index}].price_components[{position}]", component


def _of_prices(tariff: Tariff) -> Iterator[Lint]:
    for path, component in _components(tariff):
        highest = HIGHEST_EUR.get(component.type) if tariff.currency.upper() == "EUR" else None
        expected = None
        if component.price < ZERO:
            expected = ">= 0"
        elif highest is not None and component.price > highest:
            expected = f"<= {highest}"
        if expected:
            found = f"{component.price.normalize():f}"
            yield _odd("suspicious_price", f"{path}.price", expected, found, component=component.type)
    priced = any(component.price for _, component in _components(tariff))
    if not priced and (_side(tariff.min_price, "excl_vat") or ZERO) <= ZERO:
        yield Lint("free_tariff", "elements")


def _of_components(tariff: Tariff) -> Iterator[Lint]:
    for path, component in _components(tariff):
        if component.step_size < 0:
            yield _odd("negative_step", f"{path}.step_size", ">= 0", component.step_size)
        elif component.type == "FLAT" and component.step_size > 1:
            yield _odd("step_size_ignored", f"{path}.step_size", 1, component.step_size)
    for index, element in enumerate(tariff.elements):
        kinds = [component.type for component in element.price_components]
        for position, kind in enumerate(kinds):
            if kind in kinds[:position]:
                path = f"elements[{index}].price_components[{position}]"
                yield Lint("duplicate_component", path, {"component": kind})


# -- restrictions -------------------------------------------------------------


def _restricted(tariff: Tariff) -> Iterator[tuple[str, TariffRestrictions]]:
    """Each with its path."""
    for index, element in enumerate(tariff.elements):
        if element.restrictions:
            yield f"elements[{index}].restrictions", element.restrictions


def _of_texts(tariff: Tariff) -> Iterator[Lint]:
    starts = {restrictions.start_time for _, restrictions in _restricted(tariff)}
    for path, restrictions in _restricted(tariff):
        for name in ("start_time", "end_time"):
            yield from _of_time(f"{path}.{name}", getattr(restrictions, name))
        for name in ("start_date", "end_date"):
            text = getattr(restrictions, name)
            if text is not None and ordinal_of(text) is None:
                yield _odd("unreadable_date", f"{path}.{name}", "YYYY-MM-DD", text)
        start, end = restrictions.start_time, restrictions.end_time
        if start and end and minute_of(start) is not None and minute_of(start) == minute_of(end):
            yield _odd("equal_times", f"{path}.end_time", f"not {start}", end)
        if end == "23:59" and end not in starts:
            yield _odd("hole_of_a_minute", f"{path}.end_time", "00:00", end)


def _of_time(path: str, text: str | None) -> Iterator[Lint]:
    if text is None or re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII):
        return
    if text == "24:00":
        yield _odd("time_2400", path, "00:00", text)
    elif clock_of(text) is None:
        yield _odd("unreadable_time", path, "HH:MM in local time", text)
    else:
        yield _odd("time_format", path, "HH:MM", text)


def _of_zone(tariff: Tariff) -> Iterator[Lint]:
    for path, restrictions in _restricted(tariff):
        for name in LOCAL:
            if getattr(restrictions, name):
                yield Lint("time_without_zone", f"{path}.{name}")
                return


def _of_contradictions(tariff: Tariff) -> Iterator[Lint]:
    for path, restrictions in _restricted(tariff):
        for name, expected, found in contradictions(restrictions, tariff):
            yield _odd("never_holds", f"{path}.{name}", expected, found)


# -- elements against each other ----------------------------------------------


def _of_order(tariff: Tariff, extents: list[Extent | None]) -> Iterator[Lint]:
    for index, (element, extent) in enumerate(zip(tariff.elements, extents, strict=True)):
        if extent is None or not extent.week:
            continue
        places = _first_places(element)
        takers = {kind: _takers(tariff, extents, index, kind) for kind in places}
        if places and all(takers.values()):
            every = sorted({taker for found in takers.values() for taker in found})
            yield Lint("unreachable_element", f"elements[{index}]", {"by": _paths(every)})
            continue
        for kind, found in takers.items():
            if found:
                path = f"elements[{index}].price_components[{places[kind]}]"
                yield Lint("unreachable_component", path, {"component": kind, "by": _paths(found)})


def _first_places(element: TariffElement) -> dict[str, int]:
    """A10: of two components of one type in an element the first one counts."""
    places: dict[str, int] = {}
    for position, component in enumerate(element.price_components):
        places.setdefault(component.type, position)
    return places


def _takers(tariff: Tariff, extents: list[Extent | None], index: int, kind: str) -> list[int]:
    """The earlier elements that together have the component wherever this one applies, or none."""
    extent = extents[index]
    if extent is None:
        return []
    left, takers = extent.week, []
    for earlier in range(index):
        other = extents[earlier]
        if other is None or not left & other.week or not other.spans(extent):
            continue
        if kind in _first_places(tariff.elements[earlier]):
            left &= ~other.week
            takers.append(earlier)
            if not left:
                return takers
    return []


def _paths(indexes: list[int]) -> str:
    return ", ".join(f"elements[{index}]" for index in indexes)


def _of_gaps(tariff: Tariff, extents: list[Extent | None]) -> Iterator[Lint]:
    """Components that cost nothing in some hours of the week, whatever else holds."""
    for kind in BY_VOLUME:
        places = [
            (index, extent)
            for index, (element, extent) in enumerate(zip(tariff.elements, extents, strict=True))
            if kind in _first_places(element) and not _reserves(element)
        ]
        gap = WHOLE_WEEK if places else 0
        for _, extent in places:
            # What cannot be read may be anything, so nothing is said of the gap.
            gap &= 0 if extent is None else ~extent.week
        if gap:
            index = places[0][0]
            path = f"elements[{index}].price_components[{_first_places(tariff.elements[index])[kind]}]"
            day, minute = divmod((gap & -gap).bit_length() - 1, MINUTES_PER_DAY)
            start = f"{WEEKDAYS[day]} {minute // 60:02}:{minute % 60:02}"
            params = {"component": kind, "from": start, "minutes": str(gap.bit_count())}
            yield Lint("unpriced_hours", path, params)


def _reserves(element: TariffElement) -> bool:
    return element.restrictions is not None and element.restrictions.reservation is not None

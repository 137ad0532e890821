"""Price grids as OCPI tariffs: one engine prices everything."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeVar

from ..money import ZERO
from ..ocpi.objects import Price, PriceComponent, Tariff, TariffElement, TariffRestrictions
from .extents import minutes_of_week
from .restrictions import WEEKDAYS

MINUTES_PER_HOUR = 60
SECONDS_PER_MINUTE = 60
TIMES = ("TIME", "PARKING_TIME")
LIMITS = ("MIN", "MAX")
VARIANT_KEY_LENGTH = 6

Group = TypeVar("Group")


class Bracket(NamedTuple):
    """Local hours "HH:MM" and weekdays in OCPI's words; None and empty mean all."""

    start_time: str | None = None
    end_time: str | None = None
    weekdays: tuple[str, ...] = ()


ALWAYS = Bracket()


class Scope(NamedTuple):
    """For whom, where and when prices hold: what the lines of one tariff element share."""

    customer_group: str | None
    location_group: str | None
    bracket: Bracket


@dataclass(frozen=True, slots=True)
class GridLine:
    """One price: per session (FLAT), kWh (ENERGY) or minute (TIME, PARKING_TIME); or a limit per
    session (MIN, MAX), which knows no hours, steps or free minutes.

    `start_time`, `end_time` "HH:MM" local, `weekdays` in OCPI's words; empty means always.
    `location_group`, `customer_group`: keys that stay the same for the same group; None means all.
    `free_minutes`: from the session's start, for TIME and PARKING_TIME.
    """

    component: str
    price_per_unit: Decimal
    step_size: int = 1
    start_time: str | None = None
    end_time: str | None = None
    weekdays: tuple[str, ...] = ()
    location_group: str | None = None
    customer_group: str | None = None
    free_minutes: int = 0

    @property
    def bracket(self) -> Bracket:
        """Hours that are the whole day and weekdays that are the whole week restrict nothing."""
        whole_day = (self.start_time or "00:00") == (self.end_time or "00:00")
        hours = (None, None) if whole_day else (self.start_time, self.end_time)
        return Bracket(*hours, () if set(self.weekdays) == set(WEEKDAYS) else self.weekdays)

    @property
    def scope(self) -> Scope:
        return Scope(self.customer_group, self.location_group, self.bracket)


@dataclass(frozen=True, slots=True)
class Membership:
    """Who belongs to a group: by an id, or by how a longer id begins; case and blanks do not count.

    False when it holds nobody.
    """

    ids: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    @classmethod
    def of_texts(cls, ids: str | None, beginnings: str | None) -> "Membership":
        """Both texts hold one entry per line."""
        return cls(frozenset(_entries(ids)), tuple(_entries(beginnings)))

    def __bool__(self) -> bool:
        return bool(self.ids or self.beginnings)

    def holds(self, short_id: str | None, long_id: str | None) -> bool:
        return _plain(short_id) in self.ids or _plain(long_id).startswith(self.beginnings)


@dataclass(frozen=True, slots=True)
class GridConflict:
    """Two lines of one component that stand in each other's way, by their positions in the grid.

    "overlap": at some minute of the week both would apply, and only their order lets `other` win.
    "unreachable": line `index` never applies; lines tried before it, `other` among them, take all
    its minutes.
    """

    code: str
    index: int
    other: int


def compile_grid(
    *,
    code: str,
    country_code: str,
    party_id: str,
    currency: str,
    lines: Sequence[GridLine],
    location_group: str | None = None,
    customer_group: str | None = None,
) -> Tariff:
    """The tariff for one location group and one customer group; None is who is in no group.

    Lines of one scope share an element. The more special an element, the earlier it stands: for a
    customer group, for a location group, in a time bracket; then the grid's order decides. Free
    minutes are an element of price 0 before the priced one. A price per minute becomes one per
    hour, exactly.
    """
    own = [
        line
        for line in lines
        if line.location_group in (None, location_group) and line.customer_group in (None, customer_group)
    ]
    ordered = [own[index] for index in _tried(own)]
    shared: dict[Scope, list[GridLine]] = {}
    for line in ordered:
        if line.component not in LIMITS:
            shared.setdefault(line.scope, []).append(line)
    return Tariff(
        country_code=country_code,
        party_id=party_id,
        id=variant_id(code, location_group, customer_group),
        currency=currency,
        type="REGULAR",
        min_price=_limit("MIN", ordered),
        max_price=_limit("MAX", ordered),
        elements=tuple(
            element for scope, sharing in shared.items() for element in _elements(scope.bracket, sharing)
        ),
    )


def variants(lines: Sequence[GridLine]) -> tuple[tuple[str | None, str | None], ...]:
    """The (location group, customer group) pairs that may be priced apart, (None, None) first."""
    locations = dict.fromkeys([None, *(line.location_group for line in lines)])
    customers = dict.fromkeys([None, *(line.customer_group for line in lines)])
    return tuple((location, customer) for location in locations for customer in customers)


def variant_id(code: str, location_group: str | None, customer_group: str | None) -> str:
    """The tariff id of a variant: `code`, with a short key of its groups where it has any."""
    if location_group is None and customer_group is None:
        return code
    digest = hashlib.sha256(repr((location_group, customer_group)).encode()).digest()
    return f"{code}-{base64.b32encode(digest)[:VARIANT_KEY_LENGTH].decode()}"


def find_conflicts(lines: Sequence[GridLine]) -> tuple[GridConflict, ...]:
    """What a person should look at before publishing, in the order of the lines.

    Lines of different groups never conflict: the more special one is meant to win. Neither does a
    line without a bracket with one that has a bracket: it prices the rest of the week.

    :raise ValueError: for an hour that is not "HH:MM".
    """
    minutes = [_minutes_of_week(line.bracket) for line in lines]
    before: dict[tuple[str, str | None, str | None], list[int]] = {}
    conflicts: list[GridConflict] = []
    for index in _tried(lines):
        line = lines[index]
        earlier = before.setdefault((line.component, line.customer_group, line.location_group), [])
        rivals = [other for other in earlier if minutes[other] & minutes[index]]
        taken = 0
        for other in rivals:
            taken |= minutes[other]
        if rivals and not minutes[index] & ~taken:
            conflicts.append(GridConflict("unreachable", index, rivals[0]))
        elif line.bracket != ALWAYS:
            conflicts += [GridConflict("overlap", index, other) for other in rivals]
        earlier.append(index)
    return tuple(sorted(conflicts, key=lambda conflict: (conflict.index, conflict.other)))


def first_member(
    groups: Iterable[tuple[Group, Membership]], short_id: str | None, long_id: str | None
) -> Group | None:
    """The first of the groups that one of the ids belongs to."""
    return next((group for group, membership in groups if membership.holds(short_id, long_id)), None)


def _entries(text: str | None) -> Iterator[str]:
    return filter(None, map(_plain, (text or "").splitlines()))


def _plain(text: str | None) -> str:
    return "".join((text or "").split()).upper()


def _tried(lines: Sequence[GridLine]) -> list[int]:
    """The positions of the lines in the order in which the tariff tries them."""
    first: dict[Scope, int] = {}
    for index, line in enumerate(lines):
        first.setdefault(line.scope, index)

    def rank(index: int) -> tuple[bool, bool, bool, int, int]:
        scope = lines[index].scope
        return (
            scope.customer_group is None,
            scope.location_group is None,
            scope.bracket == ALWAYS,
            first[scope],
            index,
        )

    return sorted(range(len(lines)), key=rank)


def _limit(component: str, ordered: Sequence[GridLine]) -> Price | None:
    """The most special limit; there is one per tariff."""
    for line in ordered:
        if line.component == component:
            return Price(line.price_per_unit)
    return None


def _elements(bracket: Bracket, sharing: Sequence[GridLine]) -> Iterator[TariffElement]:
    """The elements of lines of one scope; of two lines of one component the first one counts."""
    lines: dict[str, GridLine] = {}
    for line in sharing:
        lines.setdefault(line.component, line)
    for minutes in sorted({line.free_minutes for line in lines.values()} - {0}):
        free = [line for line in lines.values() if line.free_minutes == minutes]
        yield TariffElement(
            tuple(PriceComponent(line.component, ZERO, line.step_size) for line in free),
            _restrictions(bracket, minutes * SECONDS_PER_MINUTE),
        )
    yield TariffElement(tuple(map(_component, lines.values())), _restrictions(bracket))


def _component(line: GridLine) -> PriceComponent:
    factor = MINUTES_PER_HOUR if line.component in TIMES else 1
    return PriceComponent(line.component, line.price_per_unit * factor, line.step_size)


def _restrictions(bracket: Bracket, max_duration: int | None = None) -> TariffRestrictions | None:
    """:param max_duration: seconds since the session's start."""
    if bracket == ALWAYS and max_duration is None:
        return None
    return TariffRestrictions(
        start_time=bracket.start_time,
        end_time=bracket.end_time,
        day_of_week=bracket.weekdays,
        max_duration=max_duration,
    )


def _minutes_of_week(bracket: Bracket) -> int:
    """:raise ValueError: for an hour that is not "HH:MM"."""
    minutes = minutes_of_week(_restrictions(bracket) or TariffRestrictions())
    if minutes is None:
        raise ValueError(f"expected HH:MM, got {bracket.start_time} and {bracket.end_time}")
    return minutes

"""The sums of a what-if, exact, without records: batches make them, the simulation adds them up."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from ..core.money import ZERO, D

# In the order in which an invoice is read; ADJUSTMENT is price limits and rounding.
COMPONENTS = (
    "FLAT",
    "ENERGY",
    "TIME",
    "PARKING_TIME",
    "RESERVATION_TIME",
    "RESERVATION_FLAT",
    "ADJUSTMENT",
)
# The sums of whole sessions: a session has several components and counts once.
SESSION = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """`energy` in kWh; `today` and `other` net of tax, in the grid's currency."""

    sessions: int = 0
    energy: Decimal = ZERO
    today: Decimal = ZERO
    other: Decimal = ZERO

    def __add__(self, more):
        return Sums(
            self.sessions + more.sessions,
            self.energy + more.energy,
            self.today + more.today,
            self.other + more.other,
        )

    @property
    def difference(self):
        return self.other - self.today

    @property
    def difference_pct(self):
        """Of today's amount; None where that is nothing."""
        return self.difference * 100 / abs(self.today) if self.today else None

    def to_json(self):
        """Amounts as text, so that they stay exact."""
        return [self.sessions, str(self.energy), str(self.today), str(self.other)]

    @classmethod
    def from_json(cls, data):
        sessions, *numbers = data
        return cls(sessions, *map(D, numbers))


class Tally:
    """Sums by (partner id, first day, last day, component); days as ISO texts, partner id may be False."""

    def __init__(self):
        self._sums = defaultdict(Sums)

    def add_session(self, group, count, energy, today, other):
        """:param tuple group: partner id, first day, last day.
        :param int count: 1, or -1 for a credit, whose numbers are negative too.
        :param dict today: amounts by component, as `by_component` gives them.
        :param dict other: the same, by the other grid.
        """
        for component in today.keys() | other.keys():
            amounts = (today.get(component, ZERO), other.get(component, ZERO))
            self._sums[*group, component] += Sums(count, energy, *amounts)
        totals = (sum(today.values(), ZERO), sum(other.values(), ZERO))
        self._sums[*group, SESSION] += Sums(count, energy, *totals)

    def merge(self, data):
        """Add what `to_json` of another one gave."""
        for *key, sums in data:
            self._sums[tuple(key)] += Sums.from_json(sums)

    def to_json(self):
        return [[*key, sums.to_json()] for key, sums in self._sums.items()]

    def components(self):
        """:return: (key, sums) of every component, those of whole sessions left out."""
        return [(key, sums) for key, sums in self._sums.items() if key[-1] != SESSION]

    def by_partner(self):
        """:return: dict partner id -> Sums of whole sessions."""
        partners = defaultdict(Sums)
        for (partner_id, *__, component), sums in self._sums.items():
            if component == SESSION:
                partners[partner_id] += sums
        return dict(partners)


def by_component(parts, total=None):
    """Amounts by component that sum to `total` exactly.

    :param parts: iterable of core Components; price limits and whatever has no name here come
        under ADJUSTMENT, together with what the parts miss of `total`.
    :param Decimal total: by default the sum of the parts.
    """
    amounts = defaultdict(Decimal)
    for part in parts:
        amounts[part.component if part.component in COMPONENTS else "ADJUSTMENT"] += part.amount
    rest = ZERO if total is None else total - sum(amounts.values(), ZERO)
    if rest:
        amounts["ADJUSTMENT"] += rest
    return dict(amounts)

"""Open items of one batch of payments, found by reference, by payer and by amount."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from .money import ZERO
from .references import Candidate, Match, ReferenceIndex, creditor_reference

Key = int | str
# More items of one amount are not told apart, so more are not listed.
MAX_ALIKE = 20


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A document, or a transfer of ours under way, that a payment may be for.

    `amount`: still open, above zero. `payer`: key of the partner. `discount`: what may be deducted by
    who pays all of it until `discount_until`.
    """

    key: Key
    references: tuple[str, ...]
    payer: Hashable
    amount: Decimal
    currency: str
    due: date
    discount: Decimal = ZERO
    discount_until: date | None = None

    def discount_on(self, day: date) -> Decimal:
        is_early = self.discount_until is not None and day <= self.discount_until
        return self.discount if is_early else ZERO


class MatchIndex:
    """Made once for a batch; `take` keeps it true while payments of the batch are decided.

    No look-up depends on the number of items.
    Lists are in the order of due dates, whatever order the items came in.
    """

    def __init__(self, items: Iterable[OpenItem]) -> None:
        ordered = sorted(items, key=lambda item: (item.due, str(item.key)))
        self.items: dict[Key, OpenItem] = {item.key: item for item in ordered}
        self._open: dict[Key, Decimal] = {}
        self._taken: set[Key] = set()
        self._groups: dict[Hashable, dict[Key, None]] = {}
        self._totals: dict[Hashable, Decimal] = {}
        self._references = ReferenceIndex(Candidate(item.key, _spellings(item)) for item in ordered)
        for item in ordered:
            self._put(item.key, item.amount)

    def open_amount(self, key: Key) -> Decimal:
        return self._open.get(key, ZERO)

    def open_discount(self, key: Key, day: date) -> Decimal:
        """Who has paid a part before has no discount any more."""
        return ZERO if key in self._taken else self.items[key].discount_on(day)

    def take(self, key: Key, amount: Decimal) -> None:
        """So much of the item is paid from now on."""
        left = self._open[key] - amount
        self._drop(key)
        self._taken.add(key)
        if left > ZERO:
            self._put(key, left)

    def in_order(self, keys: Iterable[Key]) -> list[Key]:
        return sorted(keys, key=self._order)

    def named(self, text: str) -> list[Match]:
        return [match for match in self._references.find(text) if match.key in self._open]

    def traced(self, text: str) -> list[Match]:
        return [match for match in self._references.find_traces(text) if match.key in self._open]

    def names_another(self, text: str) -> bool:
        """Whether the text has a number like ours that is none of an open item, or one of an item that is
        taken whole by now."""
        is_taken = any(match.key not in self._open for match in self._references.find(text))
        return is_taken or self._references.names_another(text)

    def of_payers(self, payers: Iterable[Hashable], currency: str, limit: int) -> list[Key]:
        """Some of them, where there are more than `limit`."""
        groups = [self._groups.get((payer, currency), {}) for payer in payers]
        found = {key for group in groups for key in islice(group, limit)}
        return self.in_order(found)[:limit]

    def total_of_payers(self, payers: Iterable[Hashable], currency: str) -> Decimal:
        return sum((self._totals.get((payer, currency), ZERO) for payer in payers), ZERO)

    def with_amount(self, payers: Iterable[Hashable], currency: str, amount: Decimal) -> list[Key]:
        return self._listed((payer, currency, amount) for payer in payers)

    def with_amount_of_anybody(self, currency: str, amount: Decimal) -> list[Key]:
        return self._listed([("", currency, amount, "")])

    def with_discounted(
        self, payers: Iterable[Hashable], currency: str, amount: Decimal, day: date
    ) -> list[Key]:
        keys = self._listed((payer, currency, amount, "discounted") for payer in payers)
        return [key for key in keys if self.open_discount(key, day)]

    def _listed(self, groups: Iterable[Hashable]) -> list[Key]:
        found = {key for group in groups for key in islice(self._groups.get(group, ()), MAX_ALIKE)}
        return self.in_order(found)

    def _order(self, key: Key) -> tuple[date, str]:
        return self.items[key].due, str(key)

    def _put(self, key: Key, amount: Decimal) -> None:
        self._open[key] = amount
        self._count(key, amount)
        for group in self._groups_of(key):
            self._groups.setdefault(group, {})[key] = None

    def _count(self, key: Key, amount: Decimal) -> None:
        group = (self.items[key].payer, self.items[key].currency)
        self._totals[group] = self._totals.get(group, ZERO) + amount

    def _drop(self, key: Key) -> None:
        self._count(key, -self._open[key])
        for group in self._groups_of(key):
            del self._groups[group][key]
        del self._open[key]

    def _groups_of(self, key: Key) -> list[Hashable]:
        item, amount = self.items[key], self._open[key]
        groups: list[Hashable] = [
            (item.payer, item.currency),
            (item.payer, item.currency, amount),
            ("", item.currency, amount, ""),
        ]
        if item.discount:
            groups.append((item.payer, item.currency, amount - item.discount, "discounted"))
        return groups


def _spellings(item: OpenItem) -> tuple[str, ...]:
    structured = (creditor_reference(reference) for reference in item.references)
    return (*item.references, *filter(None, structured))

"""A payment, what its texts name among the open items, and the decisions that can be made about it."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .matching_index import Key, MatchIndex
from .money import ZERO
from .references import STRONG, Match
from .subset_sum import MAX_AMOUNTS, subsets_with_sum

# A proposal lists so many candidates; more help nobody.
MAX_RIVALS = 10
ANONYMOUS = frozenset({"nothing_fits", "amount_only", "named_in_part", "no_amount_fits"})


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """The payer's own word: so much of the payment is for this document."""

    reference: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in (or went out).

    `texts`: (source, text), the strongest first; sources are creditor_reference, end_to_end_id, advice,
    reference and label. `payers`: partners known by the bank account it came from. `hints`: the partner by
    weaker signs, as one that a person set. `advice`: lines of a remittance advice for this payment.
    `charge_limit`: what a bank may have kept, in the payment's currency.
    """

    amount: Decimal
    currency: str
    day: date
    texts: tuple[tuple[str, str], ...] = ()
    payers: frozenset[Hashable] = frozenset()
    hints: frozenset[Hashable] = frozenset()
    advice: tuple[AdviceLine, ...] = ()
    charge_limit: Decimal = Decimal("1.00")


@dataclass(frozen=True, slots=True)
class Allocation:
    """`amount` of the payment pays the item; `write_off` besides is given up ("charge" or "discount").

    A credit note that the payer has deducted has an amount below zero.
    """

    key: Key
    amount: Decimal
    write_off: Decimal = ZERO
    write_off_kind: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and what a sentence about it tells. The codes are those of `Case` and its rules."""

    code: str
    key: Key | None = None
    source: str = ""
    reference: str = ""
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rival:
    """Items that the payment may be for, together, and what speaks for them."""

    keys: tuple[Key, ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind`: "match", "propose" or "none". `rest`: what no allocation uses, left as a credit.

    In a match the amounts of the allocations and the rest sum to the payment.
    """

    kind: str
    allocations: tuple[Allocation, ...] = ()
    reasons: tuple[Reason, ...] = ()
    rivals: tuple[Rival, ...] = ()
    rest: Decimal = ZERO

    def as_rival(self, keys: tuple[Key, ...]) -> Rival:
        """What was to be matched, where it cannot be booked."""
        return Rival(keys, self.reasons)

    @property
    def is_anonymous(self) -> bool:
        """Whether the payment names no document whole, so that it may be no document's payment at all."""
        return self.kind != "match" and self.reasons[0].code in ANONYMOUS


@dataclass(slots=True)
class Case:
    """A payment with what its texts name. `credits`: what its payer may have deducted. `opposite`: what
    only money in the other direction pays."""

    payment: Payment
    index: MatchIndex
    credits: MatchIndex
    opposite: MatchIndex
    named: dict[Key, tuple[str, Match]] = field(init=False)

    def __post_init__(self) -> None:
        self.named = {}
        for source, text in self.payment.texts:
            for match in self.index.named(text):
                known = self.named.get(match.key)
                if known is None or (known[1].is_ambiguous and not match.is_ambiguous):
                    self.named[match.key] = (source, match)

    def traces(self) -> dict[Key, Reason]:
        """What the texts show only a part of."""
        found: dict[Key, Reason] = {}
        for source, text in self.payment.texts:
            for match in self.index.traced(text):
                reason = Reason(f"named_{match.reason}", match.key, source, match.reference)
                found.setdefault(match.key, reason)
        return found

    def names_another(self) -> bool:
        return any(self.index.names_another(text) for __, text in self.payment.texts)

    def named_against(self, firm: Sequence[Key]) -> list[tuple[Key, Decimal, Reason]]:
        """What the texts name of the other direction, with its open amount: credit notes, whosever they are,
        and all else that is of the partners of the documents `firm`."""
        references = {self.named[key][1].reference for key in firm}
        payers = self.payers_of(firm)
        found: dict[Key, tuple[Key, Decimal, Reason]] = {}
        for index in (self.credits, self.opposite):
            for source, text in self.payment.texts:
                for match in index.named(text):
                    is_theirs = index is self.credits or index.items[match.key].payer in payers
                    if is_theirs and match.reference not in references:
                        why = Reason("named", match.key, source, match.reference)
                        found.setdefault(match.key, (match.key, index.open_amount(match.key), why))
        return list(found.values())

    def name_reason(self, key: Key) -> Reason:
        source, match = self.named[key]
        return Reason("named", key, source, match.reference)

    @staticmethod
    def is_strong(trace: Reason) -> bool:
        return trace.code.removeprefix("named_") in STRONG

    def pay_what_is_mentioned(self, firm: Sequence[Key]) -> Decision | None:
        """The documents named, and those of which there is a strong trace, if together they are paid to the
        cent and are one payer's."""
        strong = {key: reason for key, reason in self.traces().items() if self.is_strong(reason)}
        others = [key for key in strong if key not in firm]
        keys = [*firm, *others]
        if not others or len(self.payers_of(keys)) > 1 or self.is_contradicted(keys):
            return None
        if any(self.index.items[key].currency != self.payment.currency for key in keys):
            return None
        if self.open_sum(keys) != self.payment.amount:
            return None
        return self.pay_in_full(keys, [*map(self.name_reason, firm), *(strong[key] for key in others)])

    def open_sum(self, keys: Iterable[Key]) -> Decimal:
        return sum((self.index.open_amount(key) for key in keys), ZERO)

    def payers_of(self, keys: Iterable[Key]) -> set[Hashable]:
        return {self.index.items[key].payer for key in keys}

    def is_contradicted(self, keys: Iterable[Key]) -> bool:
        """Whether the bank account is known to be somebody else's."""
        return bool(self.payment.payers) and not self.payers_of(keys) <= self.payment.payers

    def is_payer_known(self, keys: Iterable[Key]) -> bool:
        payers = self.payers_of(keys)
        return len(payers) == 1 and payers <= self.payment.payers | self.payment.hints

    def items_of_payers(self) -> list[Key]:
        """All of them, or, where they are too many to be combined, more than MAX_AMOUNTS."""
        return self.index.of_payers(self.payment.payers, self.payment.currency, MAX_AMOUNTS + 1)

    def ways_to_sum(self, keys: Sequence[Key], total: Decimal) -> list[tuple[Key, ...]]:
        """At most two; none where the items are too many to be combined."""
        if len(keys) > MAX_AMOUNTS:
            return []
        amounts = [self.index.open_amount(key) for key in keys]
        return [tuple(keys[place] for place in way) for way in subsets_with_sum(amounts, total)]

    def pay_in_full(self, keys: Sequence[Key], reasons: Iterable[Reason]) -> Decision:
        allocations = tuple(Allocation(key, self.index.open_amount(key)) for key in keys)
        code = "amount_exact" if len(keys) == 1 else "amount_sum"
        return Decision("match", allocations, (*reasons, Reason(code, amount=self.payment.amount)))

    def pay_with_discount(self, keys: Sequence[Key], reasons: Iterable[Reason]) -> Decision | None:
        """Every document less the discount that its payer may still take."""
        discounts = {key: self.index.open_discount(key, self.payment.day) for key in keys}
        given = sum(discounts.values(), ZERO)
        if not given or self.open_sum(keys) - given != self.payment.amount:
            return None
        allocations = []
        for key, discount in discounts.items():
            kind = "discount" if discount else ""
            allocations.append(Allocation(key, self.index.open_amount(key) - discount, discount, kind))
        return Decision("match", tuple(allocations), (*reasons, Reason("discount", amount=given)))

    def pay_less_charge(self, keys: Sequence[Key], reasons: Iterable[Reason]) -> Decision | None:
        """All of it but what a bank kept on the way; given up on the largest document."""
        short = self.open_sum(keys) - self.payment.amount
        largest = max(keys, key=self.index.open_amount)
        if not ZERO < short <= self.payment.charge_limit or short >= self.index.open_amount(largest):
            return None
        allocations = []
        for key in keys:
            charge = short if key == largest else ZERO
            kind = "charge" if charge else ""
            allocations.append(Allocation(key, self.index.open_amount(key) - charge, charge, kind))
        return Decision("match", tuple(allocations), (*reasons, Reason("charge", amount=short)))

    def pay_less_credits(self, keys: Sequence[Key], reasons: Iterable[Reason]) -> Decision | None:
        """Every document less credit notes of the payer: those that it names, or one, or all."""
        short = self.open_sum(keys) - self.payment.amount
        deducted = self._deducted(self.payers_of(keys), short) if short > ZERO else ()
        if not deducted:
            return None
        allocations = [Allocation(key, self.index.open_amount(key)) for key in keys]
        allocations += [Allocation(key, -self.credits.open_amount(key)) for key in deducted]
        return Decision("match", tuple(allocations), (*reasons, Reason("deducted", amount=short)))

    def _deducted(self, payers: set[Hashable], short: Decimal) -> Sequence[Key]:
        """The credit notes that sum to what is missing."""
        matches = [match for __, text in self.payment.texts for match in self.credits.named(text)]
        named = self.credits.in_order({match.key for match in matches if not match.is_ambiguous})
        items = [self.credits.items[key] for key in named]
        is_theirs = {item.payer for item in items} <= payers
        is_same = all(item.currency == self.payment.currency for item in items)
        if named and is_theirs and is_same and sum(map(self.credits.open_amount, named), ZERO) == short:
            return named
        if named or len(payers) > 1 or not payers <= self.payment.payers:
            return ()
        # Of many credit notes some add up to any amount: only one by itself counts, or all.
        currency = self.payment.currency
        exact = self.credits.with_amount(payers, currency, short)
        if not exact and self.credits.total_of_payers(payers, currency) == short:
            return self.credits.of_payers(payers, currency, len(self.credits.items))
        return exact if len(exact) == 1 else ()

    def propose(self, why: Reason, rivals: Iterable[Rival]) -> Decision:
        return Decision("propose", reasons=(why,), rivals=tuple(rivals)[:MAX_RIVALS])

    def propose_each(self, why: Reason, keys: Iterable[Key], *reasons: Reason) -> Decision:
        """Each item by itself, with what speaks for it."""
        return self.propose(why, [self.rival((key,), *reasons) for key in keys])

    def rival(self, keys: tuple[Key, ...], *reasons: Reason) -> Rival:
        own = [self.name_reason(key) for key in keys if key in self.named]
        if self.payers_of(keys) <= self.payment.payers:
            own.append(Reason("payer"))
        if self.open_sum(keys) == self.payment.amount:
            own.append(Reason("amount_exact" if len(keys) == 1 else "amount_sum", amount=self.payment.amount))
        return Rival(keys, (*own, *reasons))

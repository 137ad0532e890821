"""What a payment on a bank statement is for.

The rules, in this order: what a remittance advice lists; documents that the payment names (structured
reference, end-to-end id, number or payment reference in a text), one or several; documents of the payer
whose bank account it comes from, by exact amount. Part payments, over-payments, deducted credit notes, bank
charges and cash discounts belong to the rule that found the documents.

Never a guess: where the evidence fits two candidates, or contradicts itself, a person gets a proposal. So
it is where a payment names several documents, also credit notes among them, and is not what they add up to.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from .matching_case import MAX_RIVALS, AdviceLine, Allocation, Case, Decision, Payment, Reason, Rival
from .matching_index import Key, MatchIndex, OpenItem
from .money import ZERO
from .subset_sum import MAX_AMOUNTS

__all__ = [
    "AdviceLine",
    "Allocation",
    "Decision",
    "MatchIndex",
    "OpenItem",
    "Payment",
    "Reason",
    "Rival",
    "decide",
]


def decide(
    payment: Payment,
    index: MatchIndex,
    credits: MatchIndex | None = None,
    opposite: MatchIndex | None = None,
) -> Decision:
    """The rules in their order. The indexes are not changed: who books the decision calls their `take`.

    :param credits: credit notes, which whoever pays may deduct from what the payment names.
    :param opposite: all that money in the other direction pays; nothing of it is paid by this payment, but
        one that names something of it is not simply a part of what else it names.
    """
    case = Case(payment, index, credits or MatchIndex(()), opposite or MatchIndex(()))
    return (
        _by_advice(case)
        or _by_names(case)
        or _by_payer(case)
        or _by_likeness(case)
        or Decision("none", reasons=(Reason("nothing_fits"),))
    )


# --- A remittance advice ------------------------------------------------------------------------


def _by_advice(case: Case) -> Decision | None:
    """The payer says what is paid; it must fit the payment and what is open, to the cent."""
    if not case.payment.advice:
        return None
    paid: dict[Key, Decimal] = {}
    unknown = []
    for line in case.payment.advice:
        matches = case.index.named(line.reference)
        if len(matches) != 1 or line.amount <= ZERO:
            unknown.append(line.reference)
            continue
        paid[matches[0].key] = paid.get(matches[0].key, ZERO) + line.amount
    problem = _problem_of_advice(case, paid, unknown)
    if problem:
        return case.propose_each(problem, paid, Reason("advised"))
    allocations = tuple(Allocation(key, amount) for key, amount in paid.items())
    return Decision("match", allocations, (Reason("advised", amount=case.payment.amount),))


def _problem_of_advice(case: Case, paid: dict[Key, Decimal], unknown: list[str]) -> Reason | None:
    if unknown:
        return Reason("advice_unknown", reference=", ".join(unknown))
    if sum(paid.values(), ZERO) != case.payment.amount:
        return Reason("advice_differs", amount=sum(paid.values(), ZERO))
    for key, amount in paid.items():
        if case.index.items[key].currency != case.payment.currency:
            return Reason("currency", key)
        if amount > case.index.open_amount(key):
            return Reason("advice_above_open", key, amount=amount)
    return Reason("other_payer") if case.is_contradicted(paid) else None


# --- Documents that are named -------------------------------------------------------------------


def _by_names(case: Case) -> Decision | None:
    if not case.named:
        return None
    keys = case.index.in_order(case.named)
    foreign = _foreign(case, keys)
    if foreign:
        return case.propose_each(Reason("currency", foreign[0]), keys)
    if case.is_contradicted(keys):
        return case.propose_each(Reason("other_payer"), keys)
    firm = [key for key in keys if not case.named[key][1].is_ambiguous]
    mentioned = case.pay_what_is_mentioned(firm) if len(firm) == len(keys) else None
    if mentioned:
        return mentioned
    if len(firm) < len(keys) and case.open_sum(firm) != case.payment.amount:
        return _doubtfully_named(case, firm, keys)
    reasons = [case.name_reason(key) for key in firm]
    if case.open_sum(firm) == case.payment.amount:
        return case.pay_in_full(firm, reasons)
    return (
        case.pay_less_credits(firm, reasons)
        or _named_against(case, firm)
        or case.pay_with_discount(firm, reasons)
        or _otherwise_explained(case, firm)
        or case.pay_less_charge(firm, reasons)
        or _named_closed(case, firm)
        or (_paid_short(case, firm, reasons) or _paid_over(case, firm, reasons))
    )


def _foreign(case: Case, keys: Iterable[Key]) -> list[Key]:
    return [key for key in keys if case.index.items[key].currency != case.payment.currency]


def _doubtfully_named(case: Case, firm: list[Key], keys: list[Key]) -> Decision:
    """Words that name several documents: only the payer and the exact amount together single some out."""
    ways = case.ways_to_sum(keys, case.payment.amount) if case.payment.payers else []
    ways = [way for way in ways if set(firm) <= set(way)]
    if len(ways) == 1:
        return case.pay_in_full(ways[0], [*map(case.name_reason, ways[0]), Reason("payer")])
    return case.propose_each(Reason("ambiguous"), keys)


def _otherwise_explained(case: Case, firm: list[Key]) -> Decision | None:
    """Whether the amount is that of other documents than the named ones, or of more of them."""
    amount = case.payment.amount
    items = case.items_of_payers()
    if case.open_sum(firm) < amount:
        ways = [way for way in case.ways_to_sum(items, amount) if set(firm) <= set(way)]
        if len(ways) == 1:
            named = [case.name_reason(key) for key in firm]
            return case.pay_in_full(ways[0], [*named, Reason("payer")])
        if ways:
            return case.propose(Reason("several_ways"), [case.rival(way) for way in ways])
    others = [
        key
        for key in case.index.with_amount(case.payment.payers, case.payment.currency, amount)
        if key not in firm
    ]
    traces = case.traces()
    others += [key for key in traces if key not in firm and key not in others]
    if not others:
        return None
    whole = case.rival(tuple(firm))
    return case.propose(Reason("named_and_others"), [whole, *(case.rival((key,)) for key in others)])


def _named_against(case: Case, firm: list[Key]) -> Decision | None:
    """Credit notes, or other things of the other direction, are named, and do not explain the amount."""
    against = case.named_against(firm)
    if not against:
        return None
    left = case.open_sum(firm) - sum((each[1] for each in against), ZERO)
    named = [case.rival((key,)) for key in firm]
    others = [Rival((key,), (reason,)) for key, __, reason in against]
    return case.propose(Reason("against_differs", amount=left), [*named, *others])


def _named_closed(case: Case, firm: list[Key]) -> Decision | None:
    """A part, or more than all, of what is named and open, where something is named that is not open."""
    return case.propose_each(Reason("names_another"), firm) if case.names_another() else None


def _paid_short(case: Case, firm: list[Key], reasons: list[Reason]) -> Decision | None:
    short = case.open_sum(firm) - case.payment.amount
    if short < ZERO:
        return None
    if len(firm) > 1:
        return case.propose_each(Reason("sum_short", amount=short), firm)
    allocation = Allocation(firm[0], case.payment.amount)
    return Decision("match", (allocation,), (*reasons, Reason("partial", amount=short)))


def _paid_over(case: Case, firm: list[Key], reasons: list[Reason]) -> Decision:
    rest = case.payment.amount - case.open_sum(firm)
    if not case.is_payer_known(firm):
        return case.propose_each(Reason("over", amount=rest), firm)
    allocations = tuple(Allocation(key, case.index.open_amount(key)) for key in firm)
    return Decision("match", allocations, (*reasons, Reason("credit", amount=rest)), rest=rest)


# --- Documents of the payer ---------------------------------------------------------------------


def _by_payer(case: Case) -> Decision | None:
    """Nothing is named whole: the payer by its bank account, and the exact amount."""
    items = case.items_of_payers()
    if not items:
        return None
    traces = case.traces()
    if case.names_another() and not any(map(case.is_strong, traces.values())):
        return case.propose(Reason("names_another"), [case.rival(way) for way in _ways_of_payer(case, items)])
    if traces and case.payers_of(traces) <= case.payment.payers:
        if case.open_sum(traces) == case.payment.amount and not _foreign(case, traces):
            return case.pay_in_full(list(traces), [*traces.values(), Reason("payer")])
    ways = _ways_of_payer(case, items)
    if len(ways) > 1:
        return case.propose(Reason("several_ways"), [_traced(case, way, traces) for way in ways])
    if ways:
        return _single_way(case, ways[0], traces)
    return _by_payer_short(case, items, traces)


def _ways_of_payer(case: Case, items: list[Key]) -> list[tuple[Key, ...]]:
    """Items of the payer that the payment pays to the cent, one or several.

    With many items open some of them would add up to any amount: then only one by itself counts, or all.
    """
    amount, currency = case.payment.amount, case.payment.currency
    exact = case.index.with_amount(case.payment.payers, currency, amount)
    if len(exact) > 1 or len(items) <= MAX_AMOUNTS:
        singles: list[tuple[Key, ...]] = [(key,) for key in exact]
        return singles if len(exact) > 1 else case.ways_to_sum(items, amount)
    if not exact and case.index.total_of_payers(case.payment.payers, currency) == amount:
        return [tuple(case.index.of_payers(case.payment.payers, currency, len(case.index.items)))]
    return [(key,) for key in exact]


def _single_way(case: Case, way: tuple[Key, ...], traces: dict[Key, Reason]) -> Decision:
    """The only way to the amount; what the texts show in part must not speak against it."""
    told = [key for key in way if key in traces]
    others = [key for key in traces if key not in way]
    if others and (not told or any(case.is_strong(traces[key]) for key in others)):
        rivals = [way, *((key,) for key in others)]
        return case.propose(Reason("contradicted"), [_traced(case, each, traces) for each in rivals])
    return case.pay_in_full(way, [*(traces[key] for key in told), Reason("payer")])


def _by_payer_short(case: Case, items: list[Key], traces: dict[Key, Reason]) -> Decision:
    """Less a discount or a bank charge, where only one document, or all, can be meant; else a proposal."""
    found = []
    if len(items) <= MAX_AMOUNTS and not traces:
        for keys in [[key] for key in items] + ([items] if len(items) > 1 else []):
            known = [Reason("payer")]
            found.append(case.pay_with_discount(keys, known) or case.pay_less_charge(keys, known))
    decisions = [decision for decision in found if decision]
    if len(decisions) == 1:
        return decisions[0]
    keys = [*traces, *(allocation.key for each in decisions for allocation in each.allocations)]
    likely = dict.fromkeys(keys or items)
    return case.propose(Reason("no_amount_fits"), [_traced(case, (key,), traces) for key in likely])


def _traced(case: Case, keys: Sequence[Key], traces: dict[Key, Reason]) -> Rival:
    return case.rival(tuple(keys), *(traces[key] for key in keys if key in traces))


# --- Likeness ---------------------------------------------------------------------------------


def _by_likeness(case: Case) -> Decision | None:
    """No document is named whole, and the payer is unknown: what looks like it is shown. Taken is only what
    strong traces and the amount, to the cent, both single out."""
    mentioned = case.pay_what_is_mentioned([])
    if mentioned:
        return mentioned
    traces = case.traces()
    keys = [*traces]
    if not keys:
        keys = case.index.with_amount_of_anybody(case.payment.currency, case.payment.amount)
    if not keys or len(keys) > MAX_RIVALS:
        return None
    why = Reason("named_in_part" if traces else "amount_only")
    return case.propose(why, [_traced(case, (key,), traces) for key in keys])

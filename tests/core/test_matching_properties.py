"""What holds for every decision about a payment, whatever the documents and the amounts."""

from datetime import date
from decimal import Decimal
from random import Random

from emsp_core.matching import Decision, MatchIndex, OpenItem, Payment, decide
from emsp_core.money import ZERO
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = date(2026, 11, 16)
PAYERS = ("beta", "gamma")
# Few amounts, so that they meet and add up often.
AMOUNTS = st.sampled_from([Decimal(n) for n in ("10", "20", "30", "40", "40.50", "70")])


@st.composite
def items(draw: st.DrawFn) -> list[OpenItem]:
    made = []
    for number in range(draw(st.integers(1, 6))):
        discount = draw(st.sampled_from([ZERO, Decimal("0.50"), Decimal("2")]))
        reference = f"INV/2026/{number:05}"
        made.append(
            OpenItem(
                key=number,
                references=(reference, "CONTRACT-77") if draw(st.booleans()) else (reference,),
                payer=draw(st.sampled_from(PAYERS)),
                amount=draw(AMOUNTS),
                currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "USD"])),
                due=date(2026, 12, draw(st.integers(1, 28))),
                discount=discount,
                discount_until=DAY if discount else None,
            )
        )
    return made


LABELS = [
    "INV/2026/00000",
    "inv 2026 00001",
    "INV202600002",
    "CONTRACT-77",
    "2026/00003",
    "INV/2026/000",
    "/",
]
payments = st.builds(
    lambda amount, label, e2e, payers: Payment(
        amount, "EUR", DAY, (("end_to_end_id", e2e), ("label", " ".join(label))), frozenset(payers)
    ),
    amount=st.one_of(AMOUNTS, st.decimals("0.01", "200", places=2)),
    label=st.lists(st.sampled_from(LABELS), max_size=3),
    e2e=st.sampled_from(["", "", "INV-2026-00001"]),
    payers=st.sets(st.sampled_from(PAYERS), max_size=2),
)
many = settings(max_examples=400, deadline=None)


@many
@given(items(), payments, st.randoms(use_true_random=False))
def test_order_of_the_documents_changes_nothing(
    made: list[OpenItem], payment: Payment, random: Random
) -> None:
    expected = decide(payment, MatchIndex(made))
    random.shuffle(made)
    assert decide(payment, MatchIndex(made)) == expected


@many
@given(items(), payments)
def test_match_uses_the_payment_to_the_cent_and_no_more_than_is_open(
    made: list[OpenItem], payment: Payment
) -> None:
    decision = decide(payment, MatchIndex(made))
    if decision.kind != "match":
        assert (decision.allocations, decision.rest) == ((), ZERO)
        return
    assert sum(one.amount for one in decision.allocations) + decision.rest == payment.amount
    by_key = {item.key: item for item in made}
    assert len({one.key for one in decision.allocations}) == len(decision.allocations)
    for one in decision.allocations:
        item = by_key[one.key]
        assert one.amount > ZERO
        assert one.write_off >= ZERO
        assert one.amount + one.write_off <= item.amount
        assert item.currency == payment.currency
        assert bool(one.write_off) == bool(one.write_off_kind)
        if one.write_off_kind == "discount":
            assert one.write_off == item.discount
    charges = sum(one.write_off for one in decision.allocations if one.write_off_kind == "charge")
    assert charges <= payment.charge_limit
    assert decision.reasons


@many
@given(items(), payments, st.data())
def test_document_that_cannot_be_told_from_another_is_never_matched(
    made: list[OpenItem], payment: Payment, data: st.DataObject
) -> None:
    """A twin of what one payment pays whole turns the match into a proposal."""
    decision = decide(payment, MatchIndex(made))
    if decision.kind != "match" or len(decision.allocations) != 1 or decision.rest:
        return
    [one] = decision.allocations
    [item] = [item for item in made if item.key == one.key]
    twin = OpenItem(
        "twin",
        item.references,
        item.payer,
        item.amount,
        item.currency,
        item.due,
        item.discount,
        item.discount_until,
    )
    rivalled = decide(payment, MatchIndex([*made, twin]))
    if rivalled.kind == "match":
        # Both are paid, because only together they are what came in.
        assert {"twin", item.key} <= {each.key for each in rivalled.allocations}
        assert payment.amount >= 2 * item.amount - 2 * item.discount - payment.charge_limit


@many
@given(items(), payments)
def test_known_account_pays_its_own_partner_only(made: list[OpenItem], payment: Payment) -> None:
    decision = decide(payment, MatchIndex(made))
    payers = {item.key: item.payer for item in made}
    if payment.payers:
        assert all(payers[one.key] in payment.payers for one in decision.allocations)


@many
@given(items(), st.lists(payments, min_size=1, max_size=6))
def test_batch_never_pays_a_document_twice(made: list[OpenItem], batch: list[Payment]) -> None:
    index = MatchIndex(made)
    paid = dict.fromkeys((item.key for item in made), ZERO)
    for payment in batch:
        decision: Decision = decide(payment, index)
        for one in decision.allocations:
            paid[one.key] += one.amount + one.write_off
            index.take(one.key, one.amount + one.write_off)
    for item in made:
        assert paid[item.key] <= item.amount
        assert index.open_amount(item.key) == item.amount - paid[item.key]

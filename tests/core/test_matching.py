"""What a payment is for: each rule with amounts worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from emsp_core.matching import AdviceLine, Decision, MatchIndex, OpenItem, Payment, decide

DAY = date(2026, 11, 16)
DUE = date(2026, 12, 10)


def item(key: str, amount: str, payer: str = "beta", currency: str = "EUR", **vals: Any) -> OpenItem:
    """An invoice under its own number, unless it has other references."""
    references = vals.pop("references", (key,))
    return OpenItem(key, references, payer, Decimal(amount), currency, DUE, **vals)


def paid(
    amount: str, label: str, items: list[OpenItem], payers: tuple[str, ...] = (), **vals: Any
) -> Decision:
    vals.setdefault("texts", (("label", label),))
    payment = Payment(Decimal(amount), "EUR", DAY, payers=frozenset(payers), **vals)
    return decide(payment, MatchIndex(items))


def told(decision: Decision) -> dict[str, str]:
    """What a match pays, by document: "amount" or "amount + write-off (kind)"."""
    assert decision.kind == "match", decision
    return {
        str(one.key): f"{one.amount} + {one.write_off} {one.write_off_kind}"
        if one.write_off
        else f"{one.amount}"
        for one in decision.allocations
    }


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def rivals(decision: Decision) -> list[tuple[object, ...]]:
    assert decision.kind == "propose", decision
    return [rival.keys for rival in decision.rivals]


A, B, C = item("INV/2026/0001", "100"), item("INV/2026/0002", "60"), item("INV/2026/0003", "40")


# --- Deducted credit notes ----------------------------------------------------------------------


def less(amount: str, label: str, credits: list[OpenItem], payers: tuple[str, ...] = ()) -> Decision:
    payment = Payment(Decimal(amount), "EUR", DAY, texts=(("label", label),), payers=frozenset(payers))
    return decide(payment, MatchIndex([A, B]), MatchIndex(credits))


def test_credit_note_that_is_named_is_deducted() -> None:
    note = item("RINV/2026/0001", "30")
    decision = less("70", "INV/2026/0001 RINV/2026/0001", [note, item("RINV/2026/0002", "30")])
    assert told(decision) == {"INV/2026/0001": "100", "RINV/2026/0001": "-30"}
    assert codes(decision) == ["named", "deducted"]
    both = less("130", "INV/2026/0001 INV/2026/0002 RINV/2026/0001", [note])
    assert told(both) == {"INV/2026/0001": "100", "INV/2026/0002": "60", "RINV/2026/0001": "-30"}


def test_all_credit_notes_of_the_payer_are_deducted_where_they_are_what_is_missing() -> None:
    notes = [item("RINV/2026/0001", "30"), item("RINV/2026/0002", "15")]
    decision = less("55", "INV/2026/0001", notes, payers=("beta",))
    assert told(decision) == {"INV/2026/0001": "100", "RINV/2026/0001": "-30", "RINV/2026/0002": "-15"}


@pytest.mark.parametrize(
    ("notes", "payers"),
    [
        ([item("RINV/2026/0001", "30")], ()),
        ([item("RINV/2026/0001", "30"), item("RINV/2026/0002", "30")], ("beta",)),
        ([item(f"RINV/2026/000{end}", end) for end in ("20", "10", "7")], ("beta",)),
        ([item("RINV/2026/0001", "29.99")], ("beta",)),
        ([item("RINV/2026/0001", "30", payer="alpha")], ("beta",)),
        ([item("RINV/2026/0001", "30", currency="CHF")], ("beta",)),
    ],
    ids=[
        "unknown payer",
        "two fit",
        "some of several",
        "a cent off",
        "another partner's",
        "another currency",
    ],
)
def test_without_one_credit_note_that_fits_it_is_a_part_payment(
    notes: list[OpenItem], payers: tuple[str, ...]
) -> None:
    decision = less("70", "INV/2026/0001", notes, payers)
    assert told(decision) == {"INV/2026/0001": "70"}
    assert codes(decision) == ["named", "partial"]


@pytest.mark.parametrize("amount", ["80", "99.50", "120"])
def test_invoice_and_credit_note_named_that_do_not_explain_the_amount_are_a_proposal(amount: str) -> None:
    notes = [item("RINV/2026/0001", "30"), item("RINV/2026/0002", "20")]
    # 100 - 30 = 70, whatever else fits: a bank charge, another credit note, a credit of the payer.
    decision = less(amount, "INV/2026/0001 less RINV/2026/0001", notes, payers=("beta",))
    assert rivals(decision) == [("INV/2026/0001",), ("RINV/2026/0001",)]
    assert (codes(decision), decision.reasons[0].amount) == (["against_differs"], Decimal("70"))
    assert [reason.code for reason in decision.rivals[1].reasons] == ["named"]


def test_credit_note_of_another_partner_that_is_named_is_a_proposal() -> None:
    decision = less("70", "INV/2026/0001 RINV/2026/0001", [item("RINV/2026/0001", "30", payer="alpha")])
    assert codes(decision) == ["against_differs"]


def test_invoice_paid_whole_is_matched_whatever_credit_note_is_named_besides() -> None:
    decision = less("100", "INV/2026/0001, not RINV/2026/0001", [item("RINV/2026/0001", "30")])
    assert told(decision) == {"INV/2026/0001": "100"}


def test_document_of_the_other_direction_that_is_named_is_not_left_out() -> None:
    bill = item("BILL/2026/0009", "30")
    payment = Payment(Decimal("70"), "EUR", DAY, texts=(("label", "INV/2026/0001 - BILL/2026/0009"),))
    decision = decide(payment, MatchIndex([A, B]), opposite=MatchIndex([bill]))
    assert (rivals(decision), codes(decision)) == ([(A.key,), (bill.key,)], ["against_differs"])
    # A bill of somebody else by a number that happens to stand there, and a transfer under our own number.
    others = [item("BILL/2026/0009", "30", payer="alpha"), item("PAY1", "30", references=("INV/2026/0001",))]
    assert told(decide(payment, MatchIndex([A, B]), opposite=MatchIndex(others))) == {"INV/2026/0001": "70"}


@pytest.mark.parametrize("amount", ["70", "140"])
def test_part_or_surplus_is_a_proposal_where_another_document_is_named_that_is_not_open(amount: str) -> None:
    decision = paid(amount, "INV/2026/0001, INV/2025/0007", [A], payers=("beta",))
    assert (rivals(decision), codes(decision)) == ([("INV/2026/0001",)], ["names_another"])
    assert told(paid("100", "INV/2026/0001, INV/2025/0007", [A])) == {"INV/2026/0001": "100"}


def test_document_taken_by_an_earlier_payment_of_the_batch_is_not_open() -> None:
    index = MatchIndex([A, B])
    index.take("INV/2026/0001", Decimal("100"))
    payment = Payment(Decimal("45"), "EUR", DAY, (("label", "INV/2026/0001 INV/2026/0002"),))
    assert codes(decide(payment, index)) == ["names_another"]


# --- Named documents ----------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["creditor_reference", "end_to_end_id", "reference", "label"])
def test_document_named_and_paid_in_full_is_matched(source: str) -> None:
    decision = paid("100", "", [A, B], texts=((source, "inv-2026-ooo1"),))
    assert told(decision) == {"INV/2026/0001": "100"}
    assert codes(decision) == ["named", "amount_exact"]
    assert decision.reasons[0].source == source


def test_documents_listed_in_one_payment_are_matched_when_they_add_up() -> None:
    decision = paid("160", "INV/2026/0001 + INV/2026/0002", [A, B, C])
    assert told(decision) == {"INV/2026/0001": "100", "INV/2026/0002": "60"}
    assert codes(decision) == ["named", "named", "amount_sum"]


def test_documents_named_in_different_places_belong_together_when_they_add_up() -> None:
    texts = (("end_to_end_id", "INV/2026/0001"), ("label", "INV/2026/0001, INV/2026/0002"))
    assert told(paid("160", "", [A, B], texts=texts)) == {"INV/2026/0001": "100", "INV/2026/0002": "60"}


def test_listed_documents_that_do_not_add_up_are_a_proposal() -> None:
    decision = paid("130", "INV/2026/0001 INV/2026/0002", [A, B])
    assert rivals(decision) == [("INV/2026/0001",), ("INV/2026/0002",)]
    assert codes(decision) == ["sum_short"]


def test_contradicting_references_are_a_proposal() -> None:
    twin = item("INV/2026/0009", "100")
    texts = (("end_to_end_id", "INV/2026/0001"), ("label", "INV/2026/0009"))
    assert rivals(paid("100", "", [A, twin], texts=texts)) == [("INV/2026/0001",), ("INV/2026/0009",)]


def test_reference_shared_by_documents_is_settled_by_payer_and_amount_only() -> None:
    shared = [item("1", "60", references=("ORDER-4711",)), item("2", "40", references=("ORDER-4711",))]
    assert paid("40", "ORDER-4711", shared).kind == "propose"
    assert told(paid("40", "ORDER-4711", shared, payers=("beta",))) == {"2": "40"}
    assert told(paid("100", "ORDER-4711", shared, payers=("beta",))) == {"1": "60", "2": "40"}
    twins = [item("1", "40", references=("ORDER-4711",)), item("2", "40", references=("ORDER-4711",))]
    assert rivals(paid("40", "ORDER-4711", twins, payers=("beta",))) == [("1",), ("2",)]


def test_account_of_another_partner_contradicts_the_reference() -> None:
    decision = paid("100", "INV/2026/0001", [A, item("INV/2026/0009", "70", "gamma")], payers=("gamma",))
    assert (decision.kind, codes(decision)) == ("propose", ["other_payer"])


def test_document_in_another_currency_is_a_proposal() -> None:
    dollar = item("INV/2026/0004", "100", currency="USD")
    decision = paid("100", "INV/2026/0004", [dollar], payers=("beta",))
    assert (decision.kind, codes(decision)) == ("propose", ["currency"])


@pytest.mark.parametrize("label", ["/", "2026", "INV", "0001", ""])
def test_label_that_names_nothing_is_no_match_whatever_the_amount(label: str) -> None:
    assert paid("77", label, [A]).kind == "none"
    assert paid("100", label, [A]).kind == "propose"


# --- More or less than is open --------------------------------------------------------------------


def test_part_payment_of_the_one_named_document_is_matched() -> None:
    decision = paid("48", "INV/2026/0001", [A, B])
    assert told(decision) == {"INV/2026/0001": "48"}
    assert codes(decision) == ["named", "partial"]
    assert decision.reasons[1].amount == Decimal("52")


def test_part_payment_that_is_the_amount_of_another_document_is_a_proposal() -> None:
    decision = paid("60", "INV/2026/0001", [A, B], payers=("beta",))
    assert rivals(decision) == [("INV/2026/0001",), ("INV/2026/0002",)]


def test_over_payment_leaves_a_credit_where_the_payer_is_known() -> None:
    decision = paid("107", "INV/2026/0001", [A, B], payers=("beta",))
    assert (told(decision), decision.rest) == ({"INV/2026/0001": "100"}, Decimal("7"))
    assert told(paid("107", "INV/2026/0001", [A], hints=frozenset({"beta"}))) == {"INV/2026/0001": "100"}


def test_over_payment_of_an_unknown_payer_is_a_proposal() -> None:
    decision = paid("107", "INV/2026/0001", [A])
    assert (rivals(decision), codes(decision)) == ([("INV/2026/0001",)], ["over"])


def test_excess_that_is_another_document_of_the_payer_pays_it() -> None:
    assert told(paid("140", "INV/2026/0001", [A, B, C], payers=("beta",))) == {
        "INV/2026/0001": "100",
        "INV/2026/0003": "40",
    }
    # 200 = 100 + 60 + 40, or 100 + 100.
    ways = paid("200", "INV/2026/0001", [A, B, C, item("INV/2026/0005", "100")], payers=("beta",))
    assert len(rivals(ways)) == 2


def test_what_a_bank_kept_is_written_off_within_the_limit() -> None:
    assert told(paid("99.20", "INV/2026/0001", [A])) == {"INV/2026/0001": "99.20 + 0.80 charge"}
    assert told(paid("98.99", "INV/2026/0001", [A])) == {"INV/2026/0001": "98.99"}
    assert told(paid("99.20", "INV/2026/0001", [A], charge_limit=Decimal(0))) == {"INV/2026/0001": "99.20"}


def test_what_a_bank_kept_of_several_documents_goes_to_the_largest() -> None:
    decision = paid("159", "INV/2026/0001 INV/2026/0002", [A, B])
    assert told(decision) == {"INV/2026/0001": "99 + 1.00 charge".replace("1.00", "1"), "INV/2026/0002": "60"}


def test_small_document_is_never_written_off_whole() -> None:
    assert paid("0.10", "INV/2026/0008", [item("INV/2026/0008", "0.90")]).allocations[0].write_off == Decimal(
        "0.80"
    )
    assert paid(
        "0.60", "INV/2026/0007 INV/2026/0008", [item("INV/2026/0008", "0.50"), item("INV/2026/0007", "0.50")]
    ).allocations[0].write_off == Decimal("0.40")


def test_discount_is_written_off_until_its_day() -> None:
    early = item("INV/2026/0006", "100", discount=Decimal("2"), discount_until=DAY)
    late = item("INV/2026/0006", "100", discount=Decimal("2"), discount_until=date(2026, 11, 15))
    decision = paid("98", "INV/2026/0006", [early])
    assert told(decision) == {"INV/2026/0006": "98 + 2 discount"}
    assert codes(decision) == ["named", "discount"]
    assert told(paid("98", "INV/2026/0006", [late])) == {"INV/2026/0006": "98"}
    assert told(paid("158", "INV/2026/0006 INV/2026/0002", [early, B])) == {
        "INV/2026/0006": "98 + 2 discount",
        "INV/2026/0002": "60",
    }


def test_second_payment_of_a_document_takes_no_discount() -> None:
    index = MatchIndex([item("INV/2026/0006", "100", discount=Decimal("2"), discount_until=DAY)])
    index.take("INV/2026/0006", Decimal("50"))
    payment = Payment(Decimal("48"), "EUR", DAY, (("label", "INV/2026/0006"),))
    assert told(decide(payment, index)) == {"INV/2026/0006": "48"}


def test_item_that_is_paid_is_no_candidate_any_more() -> None:
    index = MatchIndex([A])
    index.take("INV/2026/0001", Decimal("100"))
    payment = Payment(Decimal("100"), "EUR", DAY, (("label", "INV/2026/0001"),), frozenset({"beta"}))
    assert decide(payment, index).kind == "none"


# --- The payer by its account ---------------------------------------------------------------------


def test_payer_and_exact_amount_are_enough() -> None:
    decision = paid("40", "thanks", [A, item("INV/2026/0003", "40", "gamma"), C], payers=("beta",))
    assert told(decision) == {"INV/2026/0003": "40"}
    assert codes(decision) == ["payer", "amount_exact"]


def test_two_documents_of_the_amount_are_a_proposal() -> None:
    decision = paid("40", "thanks", [C, item("INV/2026/0009", "40")], payers=("beta",))
    assert rivals(decision) == [("INV/2026/0003",), ("INV/2026/0009",)]
    assert [reason.code for reason in decision.rivals[0].reasons] == ["payer", "amount_exact"]


def test_documents_of_the_payer_that_add_up_in_one_way_are_matched() -> None:
    assert told(paid("160", "thanks", [A, B, C], payers=("beta",))) == {
        "INV/2026/0001": "100",
        "INV/2026/0002": "60",
    }


def test_amount_reached_in_two_ways_is_a_proposal() -> None:
    # 100 by itself, or 60 + 40.
    decision = paid("100", "thanks", [A, B, C], payers=("beta",))
    assert sorted(rivals(decision)) == [("INV/2026/0001",), ("INV/2026/0002", "INV/2026/0003")]


def test_many_documents_of_a_payer_are_paid_one_by_one_or_all_at_once() -> None:
    many = [item(f"INV/2026/{number:04}", f"{number}.37") for number in range(1, 41)]
    assert told(paid("7.37", "thanks", many, payers=("beta",))) == {"INV/2026/0007": "7.37"}
    assert len(told(paid("834.80", "thanks", many, payers=("beta",)))) == 40
    assert paid("3.74", "thanks", many, payers=("beta",)).kind == "propose"


def test_payer_and_amount_less_charge_or_discount_are_matched_where_only_one_fits() -> None:
    assert told(paid("59.50", "thanks", [A, B], payers=("beta",))) == {"INV/2026/0002": "59.50 + 0.50 charge"}
    assert told(paid("159.50", "thanks", [A, B], payers=("beta",))) == {
        "INV/2026/0001": "99.50 + 0.50 charge",
        "INV/2026/0002": "60",
    }
    assert paid("59.50", "thanks", [B, item("INV/2026/0009", "60.20")], payers=("beta",)).kind == "propose"


def test_payer_without_a_fitting_amount_gets_its_documents_proposed() -> None:
    decision = paid("77", "/", [A, B, item("INV/2026/0009", "77", "gamma")], payers=("beta",))
    assert rivals(decision) == [("INV/2026/0001",), ("INV/2026/0002",)]
    assert codes(decision) == ["no_amount_fits"]


def test_account_shared_by_two_partners_does_not_make_a_guess() -> None:
    both = [item("INV/2026/0003", "40", "beta"), item("INV/2026/0009", "40", "gamma")]
    assert paid("40", "thanks", both, payers=("beta", "gamma")).kind == "propose"


# --- References that are there in part ------------------------------------------------------------


TWINS = [item("INV/2026/0101", "40"), item("INV/2026/0202", "40")]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("CHARGING SESSIONS OCTOBER INV/2026/01", "named_cut"),
        ("Rechnung RE-2026/0101", "named_tail"),
    ],
)
def test_part_of_a_reference_counts_only_beside_payer_and_amount(label: str, code: str) -> None:
    decision = paid("40", label, TWINS, payers=("beta",))
    assert told(decision) == {"INV/2026/0101": "40"}
    assert codes(decision) == [code, "payer", "amount_exact"]
    assert rivals(paid("40", label, TWINS)) == [("INV/2026/0101",)]
    assert paid("39", label, TWINS, payers=("beta",), charge_limit=Decimal(0)).kind == "propose"


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Rechnung 2026/0101 Oktober", "named_bare"),
        ("REF 20260101", "named_bare"),
        ("INV/2026/101 Oktober", "named_zeros"),
        ("inv 26 vom 3.11. = inv.2026.101", "named_zeros"),
        ("INV/2026/0101VOM10.11.2026", "named_broken"),
        ("INV/2026/0 101", "named_broken"),
        ("INV/2026/010\n1", "named_broken"),
    ],
)
def test_strong_trace_and_the_amount_to_the_cent_are_enough(label: str, code: str) -> None:
    decision = paid("40", label, TWINS)
    assert told(decision) == {"INV/2026/0101": "40"}
    assert codes(decision) == [code, "amount_exact"]
    assert rivals(paid("39.50", label, TWINS)) == [("INV/2026/0101",)]
    assert paid("40", label, TWINS, payers=("gamma",)).kind != "match"


def test_strong_trace_of_two_documents_decides_nothing() -> None:
    items = [item("INV/2026/0101", "40"), item("RET/2026/0101", "40")]
    assert rivals(paid("40", "Rechnung 2026/0101", items)) == [("INV/2026/0101",), ("RET/2026/0101",)]


@pytest.mark.parametrize("label", ["BILL/2026/0101", "RE-2026/0101", "Vertrag 3/2026/0101", "9920260101"])
def test_digits_of_another_number_are_none_of_ours(label: str) -> None:
    assert paid("40", label, TWINS).kind != "match"


def test_documents_named_and_traced_are_matched_when_they_add_up() -> None:
    decision = paid("200", "RECHNUNGEN INV/2026/00\n01 INV/2026/0002 INV/202\n6/0003", [A, B, C])
    assert told(decision) == {"INV/2026/0002": "60", "INV/2026/0001": "100", "INV/2026/0003": "40"}


def test_number_like_ours_that_is_not_open_keeps_the_amount_from_deciding() -> None:
    decision = paid("100", "INV/2025/0001", [A, B], payers=("beta",))
    assert codes(decision) == ["names_another"]
    assert rivals(decision) == [("INV/2026/0001",)]
    assert told(paid("100", "Rechnung Oktober", [A, B], payers=("beta",))) == {"INV/2026/0001": "100"}


@pytest.mark.parametrize("label", ["Parken am 2026-11-05", "05.11.2026"])
def test_date_is_no_number_of_the_same_digits(label: str) -> None:
    items = [item("20261105", "900"), item("05112026", "900")]
    assert paid("900", label, items).kind != "match"
    assert told(paid("900", "RG 20261105", items)) == {"20261105": "900"}


def test_part_that_two_references_begin_with_decides_nothing() -> None:
    assert len(rivals(paid("40", "SESSIONS OCTOBER INV/2026/0", TWINS, payers=("beta",)))) == 2


def test_part_of_a_reference_that_contradicts_the_amount_is_a_proposal() -> None:
    decision = paid("60", "SESSIONS OCTOBER INV/2026/01", [*TWINS, B], payers=("beta",))
    assert codes(decision) == ["contradicted"]


# --- Remittance advice ------------------------------------------------------------------------------


def advised(amount: str, *lines: tuple[str, str], items: list[OpenItem] | None = None) -> Decision:
    advice = tuple(AdviceLine(reference, Decimal(each)) for reference, each in lines)
    return paid(amount, "see advice", items or [A, B, C], advice=advice)


def test_advice_says_what_a_payment_is_for() -> None:
    decision = advised("130", ("INV/2026/0001", "100"), ("inv 2026 0002", "30"))
    assert told(decision) == {"INV/2026/0001": "100", "INV/2026/0002": "30"}
    assert codes(decision) == ["advised"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([("INV/2026/0001", "100"), ("INV/2026/0099", "30")], "advice_unknown"),
        ([("INV/2026/0001", "100"), ("INV/2026/0002", "20")], "advice_differs"),
        ([("INV/2026/0001", "160"), ("INV/2026/0002", "-30")], "advice_unknown"),
        ([("INV/2026/0002", "130")], "advice_above_open"),
    ],
)
def test_advice_that_does_not_fit_is_a_proposal(lines: list[tuple[str, str]], code: str) -> None:
    decision = advised("130", *lines)
    assert (decision.kind, codes(decision)) == ("propose", [code])


def test_advice_as_text_names_documents_like_a_label() -> None:
    assert told(paid("160", "", [A, B, C], texts=(("advice", "INV/2026/0001\nINV/2026/0002"),))) == {
        "INV/2026/0001": "100",
        "INV/2026/0002": "60",
    }

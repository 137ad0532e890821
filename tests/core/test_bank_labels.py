"""Labels as banks write them, against the open invoices of a few companies.

`data/bank_labels.json` holds `partners` (key -> IBAN), `scenarios` (name -> open items) and `lines`.
A line expects {"match": [[number, amount of the payment], ...]}, "propose" or "none". Where
`may_propose` stands, a person may be asked, but another match is wrong. `rest`: what is left as a credit.
"""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emsp_core.matching import Decision, MatchIndex, OpenItem, Payment, decide

CORPUS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "bank_labels.json").read_text("utf-8"))
LINES: list[dict[str, Any]] = CORPUS["lines"]
ITEM_BY_NUMBER = {
    name: {item["number"]: item for item in items} for name, items in CORPUS["scenarios"].items()
}


def expected(line: dict[str, Any]) -> dict[str, Decimal]:
    """Number -> amount; empty where a person decides."""
    if isinstance(line["expect"], str):
        return {}
    return {number: Decimal(amount) for number, amount in line["expect"]["match"]}


def test_corpus_covers_the_countries_and_the_traits_of_real_statements() -> None:
    lines_by_country = Counter(line["country"] for line in LINES)
    assert set(lines_by_country) == {"FR", "DE", "NL", "ES", "IT", "UK"}
    assert min(lines_by_country.values()) >= 8
    assert len(LINES) >= 80
    assert len({line["trait"] for line in LINES}) >= 30


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['country']}-{line['trait']}")
def test_expected_allocations_add_up_to_the_payment_and_fit_the_open_items(line: dict[str, Any]) -> None:
    open_items = ITEM_BY_NUMBER[line["scenario"]]
    allocated = expected(line)
    if line["expect"] not in ("propose", "none"):
        assert sum(allocated.values()) + Decimal(line.get("rest", 0)) == Decimal(line["amount"])
    for number, amount in allocated.items():
        assert amount <= Decimal(open_items[number]["amount"])
        assert open_items[number]["currency"] == line.get("currency", "EUR")


# --- Against the rules that match ---------------------------------------------------------------------

SOURCES = ("creditor_reference", "end_to_end_id", "reference", "label")


def open_items(scenario: str) -> MatchIndex:
    return MatchIndex(
        OpenItem(
            key=item["number"],
            references=(item["number"], *item["references"]),
            payer=item["payer"],
            amount=Decimal(item["amount"]),
            currency=item["currency"],
            due=date.fromisoformat(item["due"]),
            discount=Decimal(item.get("discount", 0)),
            discount_until=date.fromisoformat(item["discount_until"]) if "discount_until" in item else None,
        )
        for item in CORPUS["scenarios"][scenario]
    )


def payment_of(line: dict[str, Any]) -> Payment:
    payers = {partner for partner, iban in CORPUS["partners"].items() if iban == line.get("iban")}
    return Payment(
        amount=Decimal(line["amount"]),
        currency=line.get("currency", "EUR"),
        day=date.fromisoformat(line.get("day", "2026-11-16")),
        texts=tuple((source, line[source]) for source in SOURCES if line.get(source)),
        payers=frozenset(payers - {"stranger"}),
    )


def matched(decision: Decision) -> dict[str, Decimal]:
    if decision.kind != "match":
        return {}
    return {str(allocation.key): allocation.amount for allocation in decision.allocations}


@pytest.fixture(scope="module")
def decisions() -> list[tuple[dict[str, Any], Decision]]:
    return [(line, decide(payment_of(line), open_items(line["scenario"]))) for line in LINES]


def test_no_label_is_matched_with_what_it_does_not_pay(
    decisions: list[tuple[dict[str, Any], Decision]],
) -> None:
    wrong = [
        (line["label"], line["expect"], matched(decision))
        for line, decision in decisions
        if matched(decision) and matched(decision) != expected(line)
    ]
    assert not wrong


def test_nearly_every_label_that_an_accountant_would_match_is_matched(
    decisions: list[tuple[dict[str, Any], Decision]],
) -> None:
    clear = [(line, it) for line, it in decisions if expected(line) and not line.get("may_propose")]
    missed = [(line["label"], line["expect"]) for line, it in clear if matched(it) != expected(line)]
    assert 100 * (len(clear) - len(missed)) >= 95 * len(clear), missed

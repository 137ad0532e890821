"""Labels as banks write them, against the open invoices of a few companies.

`data/bank_labels.json` holds `partners` (key -> IBAN), `scenarios` (name -> open items) and `lines`.
A line expects {"match": [[number, amount of the payment], ...]}, "propose" or "none". Where
`may_propose` stands, a person may be asked, but another match is wrong.
"""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

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
        assert sum(allocated.values()) == Decimal(line["amount"])
    for number, amount in allocated.items():
        assert amount <= Decimal(open_items[number]["amount"])
        assert open_items[number]["currency"] == line.get("currency", "EUR")

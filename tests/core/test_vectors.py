"""Sessions with prices worked out independently of the engine.

`worked.jsonl`: one rule each, worked out by hand. `random.jsonl.gz`: tariffs and sessions made by
chance, on whose prices two other implementations agree. One JSON object for each line: `time_zone`,
`tariffs`, `cdr`, `expected` costs by the CDR's own fields, and the `tolerance` they are given to.
"""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.ocpi.normalise import parse_cdr, parse_tariff
from emsp_core.pricing.engine import PricingRules, price, replay

FOLDER = Path(__file__).parent / "data" / "pricing"
WORKED = (FOLDER / "worked.jsonl").read_text(encoding="utf-8")
RANDOM = gzip.decompress((FOLDER / "random.jsonl.gz").read_bytes()).decode()
# No rounding but the engine's own exactness: the vectors say more than cents.
PRECISION = 10


def cases(text):
    return [pytest.param(case, id=case["name"]) for case in map(json.loads, text.splitlines())]


@pytest.mark.parametrize("case", cases(WORKED))
def test_price_follows_the_rule_worked_out_by_hand(case):
    check(case)


@pytest.mark.parametrize("case", cases(RANDOM))
def test_price_is_what_two_other_implementations_give(case):
    check(case)


def check(case):
    tariffs = [parse_tariff(json.dumps(tariff)) for tariff in case["tariffs"]]
    rules = PricingRules(case["time_zone"], PRECISION)
    cdr = parse_cdr(json.dumps(case["cdr"]))
    explanation = price(cdr, tariffs, rules)
    stored = json.loads(json.dumps(explanation.to_json()))
    assert replay(stored, cdr).to_json() == stored
    found = {"total_cost": explanation.totals, **explanation.subtotals}
    for name, expected in case["expected"].items():
        cost = found.get(name)
        excl, incl = (cost.excl, cost.incl) if cost else (Decimal(0), Decimal(0))
        assert abs(excl - Decimal(expected["excl_vat"])) <= Decimal(case["tolerance"]), name
        assert abs(incl - Decimal(expected["incl_vat"])) <= Decimal(case["tolerance"]), name

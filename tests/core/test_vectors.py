"""Sessions with prices worked out independently of the engine.

Ours: `worked.jsonl`, one rule each, worked out by hand; `random.jsonl.gz`, tariffs and sessions made
by chance, on whose prices two other implementations agree. One JSON object for each line: `version`,
`time_zone`, `context`, `tariffs`, `cdr`, `expected` costs by the CDR's own fields (null where the
tariff does not determine them), and the `tolerance` they are given to. A suite of others is read in
addition where it lies beside the project.
"""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.stream import read_session
from emsp_core.ocpi.tolerances import LAX
from emsp_core.pricing.engine import replay
from emsp_core.pricing.stream import CdrPricer, read_tariffs

OWN = Path(__file__).parent / "data" / "pricing"
SHARED = Path(__file__).parents[3] / "shared" / "vectors"
# More than the vectors say, so that the engine's own rounding is not in the way.
PRECISION = 10


def own():
    worked = (OWN / "worked.jsonl").read_text(encoding="utf-8")
    by_chance = gzip.decompress((OWN / "random.jsonl.gz").read_bytes()).decode()
    for line in [*worked.splitlines(), *by_chance.splitlines()]:
        case = json.loads(line)
        tariffs = [json.dumps(tariff).encode() for tariff in case["tariffs"]]
        yield pytest.param(case, json.dumps(case["cdr"]).encode(), tariffs, id=case["name"])


def shared():
    index = SHARED / "index.json"
    cases = json.loads(index.read_text(encoding="utf-8"))["cases"] if index.exists() else []
    for case in cases:
        if case["scoring"] != "exclude":
            tariffs = read_tariffs((SHARED / case["tariff_file"]).read_bytes())
            cdr = (SHARED / case["cdr_file"]).read_bytes()
            yield pytest.param(case, cdr, tariffs, id=f"shared/{case['id']}")


def shared_random():
    text = SHARED / "public" / "fuzz.json"
    cases = json.loads(text.read_text(encoding="utf-8")) if text.exists() else []
    for case in cases:
        tariffs = [json.dumps(case["tariff"]).encode()]
        yield pytest.param(case, json.dumps(case["cdr"]).encode(), tariffs, id=f"shared/{case['id']}")


@pytest.mark.parametrize(("case", "cdr", "tariffs"), [*own(), *shared(), *shared_random()])
def test_costs_are_those_worked_out(case, cdr, tariffs):
    version = case.get("version") or case["ocpi_version"]
    options = {
        "time_zone": case["time_zone"],
        "reservation_expired": case.get("context", {}).get("reservation_expired"),
    }
    pricer = CdrPricer(version, PRECISION)
    explanation = pricer.explain(cdr, tariffs, **options)
    for result in (explanation, pricer.total(cdr, tariffs, **options)):
        costs = {**result.subtotals, "total_cost": result.totals}
        for name, expected in case["expected"].items():
            assert_close(costs[name].excl, expected["excl_vat"], case["tolerance"], name)
            assert_close(costs[name].incl, expected["incl_vat"], case["tolerance"], name)
    stored = json.loads(json.dumps(explanation.to_json()))
    assert replay(stored, read_again(cdr, version, stored)).to_json() == stored


def read_again(cdr, version, stored):
    """The CDR as it was priced: without its tariff ids, where they did not name the tariff."""
    names = {tariff["id"].upper() for tariff in stored["tariffs"]}
    found = read_session(cdr, version) or parse_cdr(cdr, version, tolerances=LAX)
    named = any((period.tariff_id or "").upper() in names for period in found.charging_periods)
    return found if named else found.without_tariffs()


def assert_close(found, expected, tolerance, name):
    if expected is None:
        assert found is None, name
    else:
        assert found is not None and abs(found - Decimal(expected)) <= Decimal(tolerance), name

"""Pricing a stream of CDRs, bytes in and totals out, against reading their JSON alone; its growth."""

import gc
import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

from _bench import figure, paired
from support.core import load_core

DATA = Path(__file__).parents[1] / "tests" / "core" / "data" / "pricing"
ZONE = "Europe/Amsterdam"
ROUNDS = 9
FEW, MANY = 30, 300
A_FEW, A_MILLION = 20_000, 1_000_000
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def main():
    load_core()
    from emsp_core.pricing.stream import CdrPricer

    stream, pricer = corpus(), CdrPricer(precision=4)

    def total(cdrs):
        return [pricer.total(cdr, time_zone=ZONE) for cdr in cdrs]

    def explain(cdrs):
        return [pricer.explain(cdr, time_zone=ZONE) for cdr in cdrs]

    def read(cdrs):
        return [json.loads(cdr, parse_float=Decimal) for cdr in cdrs]

    for name, work, bar in (("price_stream", total, 2.5), ("price_stream_explained", explain, 5)):
        value, baseline = paired(lambda work=work: work(stream), lambda: read(stream), ROUNDS)
        figure(name, value / len(stream) * 1e6, "us", baseline / len(stream) * 1e6, bar=bar)

    many, few = [session(MANY)] * 20, [session(FEW)] * 20
    value, baseline = paired(lambda: total(many), lambda: total(few), ROUNDS)
    # Linear would be 10.
    figure("price_ten_times_the_periods", value / 20 * 1e6, "us", baseline / 20 * 1e6, bar=12)

    endless = cycle(stream)

    def price_next(count):
        for cdr in islice(endless, count):
            pricer.total(cdr, time_zone=ZONE)

    price_next(A_FEW)
    before = memory()
    price_next(A_MILLION)
    # Flat: what is kept are the compiled tariffs, and there is a bound to them.
    figure("memory_of_a_million_cdrs", memory(), "MB", before, bar=1.1)


def corpus():
    """The sessions of the tests, each with its tariff inside, as a partner sends them."""
    lines = gzip.decompress((DATA / "random.jsonl.gz").read_bytes()).decode().splitlines()
    lines += (DATA / "worked.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(json.loads, lines) if case["version"] == "2.2.1"]
    return [json.dumps({**case["cdr"], "tariffs": case["tariffs"]}).encode() for case in cases]


def session(periods):
    """A CDR with so many periods of a minute, by day and by night, and a tariff for both."""
    start = datetime(2026, 10, 5, 15, 30, tzinfo=UTC)
    instants = [
        (start + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ") for minute in range(periods + 1)
    ]
    night = {"start_time": "18:00", "end_time": "06:00"}
    prices = [
        {"type": "ENERGY", "price": 0.39, "step_size": 1},
        {"type": "TIME", "price": 1.2, "step_size": 60},
    ]
    tariff = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "T",
        "currency": "EUR",
        "elements": [{"price_components": prices, "restrictions": night}, {"price_components": prices}],
        "last_updated": instants[0],
    }
    dimensions = [{"type": "ENERGY", "volume": 0.1}, {"type": "TIME", "volume": 0.0167}]
    cdr = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "LONG",
        "start_date_time": instants[0],
        "end_date_time": instants[-1],
        "currency": "EUR",
        "tariffs": [tariff],
        "charging_periods": [{"start_date_time": at, "dimensions": dimensions} for at in instants[:-1]],
        "total_energy": round(0.1 * periods, 4),
        "total_time": round(periods / 60, 4),
    }
    return json.dumps(cdr).encode()


def memory():
    """Megabytes that the process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB


main()

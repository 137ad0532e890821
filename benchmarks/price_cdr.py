"""Pricing one session, against reading its JSON; and ten times the charging periods."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from _bench import figure, paired, payloads
from support.core import load_core

REPEAT = 200


def main():
    load_core()
    from emsp_core.ocpi.normalise import parse_cdr
    from emsp_core.pricing.engine import PricingRules, price
    from emsp_core.pricing.grid import GridLine, compile_grid

    [raw] = payloads(1, "BENCH")
    cdr = parse_cdr(raw)
    lines = [
        GridLine(component, Decimal(amount), start_time=start, end_time=end)
        for component, amount in (("FLAT", "1.00"), ("ENERGY", "0.39"), ("TIME", "0.05"))
        for start, end in (("22:00", "06:00"), (None, None))
    ]
    grid = compile_grid(code="B", country_code="FR", party_id="RVR", currency="EUR", lines=lines)
    rules = PricingRules("Europe/Paris")

    def split_into(count):
        [period] = cdr.charging_periods
        return replace(
            cdr,
            charging_periods=tuple(
                replace(period, start_date_time=period.start_date_time + timedelta(seconds=number))
                for number in range(count)
            ),
        )

    def repeat(work):
        return lambda: [work() for __ in range(REPEAT)]

    # A month of a large network, 100,000 sessions, is to be priced within minutes on one core.
    value, baseline = paired(repeat(lambda: price(cdr, [grid], rules)), repeat(lambda: json.loads(raw)), 9)
    figure("price_cdr", value / REPEAT * 1e6, "us", baseline / REPEAT * 1e6, bar=20)

    few, many = split_into(20), split_into(200)
    value, baseline = paired(lambda: price(many, [grid], rules), lambda: price(few, [grid], rules), 9)
    # Linear would be 10.
    figure("price_cdr_ten_times_the_periods", value * 1e3, "ms", baseline * 1e3, bar=12)


main()

"""The specification's worked examples, restated as tariffs and sessions of our own.

OCPI's modules Tariffs and CDRs, and what the issue tracker has settled. Names, dates and place are
ours, the numbers are theirs. Each cost is written as it is worked out: volumes in hours and kWh
times prices, taxes on top.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from emsp_core.ocpi.objects import (
    Cdr,
    CdrLocation,
    CdrToken,
    ChargingPeriod,
    Dimension,
    Price,
    PriceComponent,
    Tariff,
    TariffElement,
    TariffRestrictions,
)
from emsp_core.pricing.engine import PricingRules, price

ZONE = ZoneInfo("Europe/Brussels")
RULES = PricingRules(ZONE.key, 4)
WORKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
WEEKEND = ("SATURDAY", "SUNDAY")
MONDAY, SATURDAY, SUMMER = "2026-01-12", "2026-01-17", "2026-07-13"
DIGITS = Decimal("0.0001")
# Both texts have the same examples: a tariff of 2.3.0 has the prices of 2.2.1 where taxes come on top.
VERSIONS = ({"version": "2.2.1"}, {"version": "2.3.0", "tax_included": "NO"})


def tariff(*elements, **options):
    return Tariff(country_code="BE", party_id="EXA", id="EX", currency="EUR", elements=elements, **options)


def element(*components, **restrictions):
    return TariffElement(components, TariffRestrictions(**restrictions) if restrictions else None)


def component(kind, amount, step_size=1, vat=None):
    return PriceComponent(kind, Decimal(amount), step_size, None if vat is None else Decimal(vat))


def limit(excl, incl):
    return Price(Decimal(excl), Decimal(incl))


def part(minutes, **volumes):
    """A charging period: its length and its volumes by dimension."""
    return minutes, tuple(Dimension(name, Decimal(volume)) for name, volume in volumes.items())


def hours(minutes):
    """As OCPI sends them, with four decimals: 5 minutes are 0.0833."""
    return (Decimal(minutes) / 60).quantize(DIGITS, ROUND_HALF_UP)


def charging(minutes, **volumes):
    return part(minutes, TIME=hours(minutes), **volumes)


def parking(minutes):
    return part(minutes, PARKING_TIME=hours(minutes))


def reserved(minutes):
    return part(minutes, RESERVATION_TIME=hours(minutes))


def session(*parts, at="10:00", day=MONDAY):
    """Parts one after the other, from a time of the place on."""
    start = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE).astimezone(UTC)
    *starts, end = (
        start + timedelta(minutes=after) for after in accumulate((each[0] for each in parts), initial=0)
    )
    volumes = [dimension for _, dimensions in parts for dimension in dimensions]
    return Cdr(
        country_code="BE",
        party_id="EXA",
        id="EX-1",
        start_date_time=start,
        end_date_time=end,
        session_id="EX-S1",
        cdr_token=CdrToken(uid="EX-T1", contract_id="BE-EXA-C1"),
        auth_method="WHITELIST",
        cdr_location=CdrLocation(country="BEL", evse_uid="EX-E1"),
        currency="EUR",
        charging_periods=tuple(
            ChargingPeriod(begin, dimensions) for begin, (_, dimensions) in zip(starts, parts, strict=True)
        ),
        total_cost=Price(Decimal(0)),
        total_energy=sum((each.volume for each in volumes if each.type == "ENERGY"), Decimal(0)),
        total_time=hours((end - start) // timedelta(minutes=1)),
        last_updated=end,
    )


def check(tariff, cdr, total, **parts):
    """Costs are pairs without and with VAT; the subtotals that are not given are zero."""
    for version in VERSIONS:
        explanation = price(cdr, [replace(tariff, **version)], RULES)
        found = {name: pair(cost) for name, cost in explanation.subtotals.items()}
        assert pair(explanation.totals) == rounded(total)
        assert {name: costs for name, costs in found.items() if any(costs)} == {
            f"total_{name}_cost": rounded(costs) for name, costs in parts.items()
        }


def pair(cost):
    return rounded((cost.excl, cost.incl))


def rounded(costs):
    """Four decimals, half up; from whatever exact number."""
    return tuple(Decimal(int(Fraction(cost) * 10000 + Fraction(1, 2))).scaleb(-4) for cost in costs)


def euro(text):
    return Fraction(text)


def same(excl):
    """Without a rate there is no VAT, so both sides are equal (ocpi#409)."""
    return (excl, excl)


def taxed(excl, rate):
    return (excl, excl * (100 + Fraction(rate)) / 100)


def add(*costs):
    return tuple(map(sum, zip(*costs, strict=True)))


# --- Single components ---------------------------------------------------------------------------


def test_energy_alone():
    simple = tariff(element(component("ENERGY", "0.25", vat=10)))
    cost = taxed(20 * euro("0.25"), 10)
    assert cost == (5, euro("5.50"))
    check(simple, session(part(60, ENERGY=20)), cost, energy=cost)


START_FEE = element(component("FLAT", "0.50", vat=20), component("ENERGY", "0.25", vat=10))
FEE = taxed(euro("0.50"), 20)
TWENTY_KWH = taxed(20 * euro("0.25"), 10)


def test_energy_with_a_start_fee_of_another_rate():
    total = add(FEE, TWENTY_KWH)
    assert total == (euro("5.50"), euro("6.10"))
    check(tariff(START_FEE), session(part(60, ENERGY=20)), total, energy=TWENTY_KWH, fixed=FEE)


def test_time_alone_of_an_ad_hoc_tariff():
    ad_hoc = tariff(element(component("TIME", "1.90", 300, vat="5.2")), type="AD_HOC_PAYMENT")
    cost = taxed(euro("2.5") * euro("1.90"), "5.2")
    # The text rounds the latter to 5.00
    assert cost == (euro("4.75"), euro("4.997"))
    check(ad_hoc, session(charging(150)), cost, time=cost)


def test_time_and_parking_have_prices_and_rates_of_their_own():
    both = tariff(element(component("TIME", 3, 60, vat=10), component("PARKING_TIME", 5, 300, vat=20)))
    # 42 minutes of parking are billed as 45
    charged, parked = taxed(euro("2.5") * 3, 10), taxed(euro("0.75") * 5, 20)
    total = add(charged, parked)
    assert total == (euro("11.25"), euro("12.75"))
    check(both, session(charging(150), parking(42)), total, time=charged, parking=parked)


def test_time_and_energy_are_both_due():
    """ocpi#453."""
    both = tariff(element(component("TIME", 2), component("ENERGY", "0.50")))
    check(both, session(charging(60, ENERGY=10)), same(7), time=same(2), energy=same(5))


def test_free_of_charge_is_a_price_of_zero_with_a_step_of_zero():
    free = tariff(element(component("FLAT", 0, 0)))
    check(free, session(charging(60, ENERGY=10)), same(0))


def test_sales_tax_comes_on_top_at_a_rate_that_the_tariff_does_not_tell():
    american = replace(tariff(element(component("TIME", 2))), country_code="US", **VERSIONS[1])
    totals = price(session(charging(150)), [american], RULES).totals
    assert (totals.excl, totals.incl) == (euro("2.5") * 2, None)


# --- The complex tariff -----------------------------------------------------------------------------

COMPLEX = tariff(
    element(component("FLAT", "2.50", vat=15)),
    element(component("TIME", 1, 900, vat=20), max_current=Decimal(32)),
    element(component("TIME", 2, 600, vat=20), min_current=Decimal(32), day_of_week=WORKDAYS),
    element(component("TIME", "1.25", 600, vat=20), min_current=Decimal(32), day_of_week=WEEKEND),
    element(
        component("PARKING_TIME", 5, 300, vat=10),
        start_time="09:00",
        end_time="18:00",
        day_of_week=WORKDAYS,
    ),
    element(
        component("PARKING_TIME", 6, 300, vat=10),
        start_time="10:00",
        end_time="17:00",
        day_of_week=("SATURDAY",),
    ),
)
COMPLEX_FEE = taxed(euro("2.50"), 15)


def test_complex_tariff_on_a_monday():
    cdr = session(charging(165, MIN_CURRENT=6, MAX_CURRENT=16), parking(42), at="09:30")
    # 2.75 h at 1 per hour, exactly, as there is parking; 42 minutes of it are billed as 45
    charged, parked = taxed(euro("2.75") * 1, 20), taxed(euro("0.75") * 5, 10)
    total = add(COMPLEX_FEE, charged, parked)
    assert total == (euro("9.00"), euro("10.30"))
    check(COMPLEX, cdr, total, fixed=COMPLEX_FEE, time=charged, parking=parked)


def test_complex_tariff_on_a_saturday():
    fast = charging(114, MIN_CURRENT=43, MAX_CURRENT=45)
    cdr = session(fast, parking(71), at="13:30", day=SATURDAY)
    # 114 minutes at 1.25 per hour are 2.375, not the 2.28 of the text; 71 minutes are billed as 75
    charged, parked = taxed(euro("1.9") * euro("1.25"), 20), taxed(euro("1.25") * 6, 10)
    total = add(COMPLEX_FEE, charged, parked)
    assert total == (euro("12.375"), euro("13.975"))
    check(COMPLEX, cdr, total, fixed=COMPLEX_FEE, time=charged, parking=parked)


# --- Which element -----------------------------------------------------------------------------------


def test_power_decides_for_each_period():
    by_power = tariff(
        element(component("ENERGY", "0.20", vat=20), max_power=Decimal(16)),
        element(component("ENERGY", "0.35", vat=20), max_power=Decimal(32)),
        element(component("ENERGY", "0.50", vat=20)),
    )
    cdr = session(
        part(10, ENERGY=1, MIN_POWER=6, MAX_POWER=6),
        part(50, ENERGY=40, MIN_POWER=48, MAX_POWER=48),
        part(60, ENERGY="0.5", MIN_POWER=4, MAX_POWER=4),
    )
    cost = taxed(1 * euro("0.20") + 40 * euro("0.50") + euro("0.5") * euro("0.20"), 20)
    assert cost == (euro("20.30"), euro("24.36"))
    check(by_power, cdr, cost, energy=cost)


def test_time_costs_more_after_an_hour():
    """ocpi#176."""
    tiers = tariff(
        element(component("TIME", 1), max_duration=3600), element(component("TIME", 3), min_duration=3600)
    )
    check(tiers, session(charging(60), charging(60)), same(1 + 3), time=same(4))


def test_hours_are_those_of_summer_time():
    tiers = tariff(element(component("ENERGY", 1), end_time="21:00"), element(component("ENERGY", 10)))
    cdr = session(part(60, ENERGY=10), part(60, ENERGY=10), at="20:00", day=SUMMER)
    check(tiers, cdr, same(10 * 1 + 10 * 10), energy=same(110))


AFTER_THREE_HOURS = tariff(element(component("TIME", 2, 900, vat=20), min_duration=10800), START_FEE)


def test_time_after_three_hours_is_charged_where_a_period_begins_there():
    charged = taxed(1 * 2, 20)
    total = add(FEE, TWENTY_KWH, charged)
    assert total == (euro("7.50"), euro("8.50"))
    cdr = session(charging(180, ENERGY=15), charging(60, ENERGY=5))
    check(AFTER_THREE_HOURS, cdr, total, fixed=FEE, energy=TWENTY_KWH, time=charged)


def test_period_is_priced_as_it_begins_and_its_change_is_noted():
    cdr = session(charging(240, ENERGY=20))
    check(AFTER_THREE_HOURS, cdr, add(FEE, TWENTY_KWH), fixed=FEE, energy=TWENTY_KWH)
    notes = price(cdr, [AFTER_THREE_HOURS], RULES).notes
    assert ("spans_price_change", "charging_periods[0]") in [(note.code, note.path) for note in notes]


# --- Least and most ----------------------------------------------------------------------------------

AT_LEAST = tariff(element(component("ENERGY", "0.25", vat=10)), min_price=limit("0.50", "0.55"))
AT_MOST = tariff(START_FEE, max_price=limit(10, 11))


def test_minimum_does_nothing_above_it():
    check(AT_LEAST, session(part(60, ENERGY=20)), TWENTY_KWH, energy=TWENTY_KWH)


def test_minimum_is_what_a_short_session_costs():
    cost = taxed(1 * euro("0.25"), 10)
    assert cost == (euro("0.25"), euro("0.275"))
    check(AT_LEAST, session(part(6, ENERGY=1)), (euro("0.50"), euro("0.55")), energy=cost)


def test_maximum_does_nothing_below_it():
    energy = taxed(30 * euro("0.25"), 10)
    total = add(FEE, energy)
    assert total == (8, euro("8.85"))
    check(AT_MOST, session(part(180, ENERGY=30)), total, fixed=FEE, energy=energy)


def test_maximum_is_what_a_long_session_costs_and_leaves_the_subtotals():
    energy = taxed(50 * euro("0.25"), 10)
    assert add(FEE, energy) == (13, euro("14.35"))
    check(AT_MOST, session(part(240, ENERGY=50)), (10, 11), fixed=FEE, energy=energy)


# --- Reservations --------------------------------------------------------------------------------------

FEE_AND_TIME = tariff(
    element(component("FLAT", 2, vat=20), component("TIME", 5, 300, vat=20), reservation="RESERVATION"),
    START_FEE,
)
EXPIRY_FEE = tariff(
    element(component("FLAT", 4, vat=20), reservation="RESERVATION_EXPIRES"),
    element(component("TIME", 2, 600, vat=20), reservation="RESERVATION"),
    START_FEE,
)
EXPIRY_TIME = tariff(
    element(component("TIME", 6, 600, vat=20), reservation="RESERVATION_EXPIRES"),
    element(component("TIME", 3, 600, vat=20), reservation="RESERVATION"),
    START_FEE,
)


def test_fee_of_a_reservation_is_due_beside_the_start_fee():
    # 13 reserved minutes are billed as 15
    reservation = taxed(2 + euro("0.25") * 5, 20)
    total = add(reservation, FEE, TWENTY_KWH)
    assert total == (euro("8.75"), euro("10.00"))
    cdr = session(reserved(13), charging(60, ENERGY=20))
    check(FEE_AND_TIME, cdr, total, reservation=reservation, fixed=FEE, energy=TWENTY_KWH)


def test_used_reservation_costs_its_time_and_no_fee_of_expiry():
    # 22 reserved minutes are billed as 30
    reservation = taxed(euro("0.5") * 2, 20)
    total = add(reservation, FEE, TWENTY_KWH)
    assert total == (euro("6.50"), euro("7.30"))
    cdr = session(reserved(22), charging(60, ENERGY=20))
    check(EXPIRY_FEE, cdr, total, reservation=reservation, fixed=FEE, energy=TWENTY_KWH)


def test_expired_reservation_costs_its_time_and_the_fee_of_expiry_alone():
    cost = taxed(4 + 1 * 2, 20)
    check(EXPIRY_FEE, session(reserved(60)), cost, reservation=cost)


def test_time_of_expiry_takes_the_place_of_the_time_of_reservation():
    cost = taxed(euro("1.5") * 6, 20)
    assert cost == (9, euro("10.80"))
    check(EXPIRY_TIME, session(reserved(90)), cost, reservation=cost)


# --- Steps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "billed"), [(1, "0.116"), (25, "0.125"), (500, "0.5"), (0, "0.1152")])
def test_energy_is_rounded_up_to_the_step(step, billed):
    simple = tariff(element(component("ENERGY", "0.25", step)))
    cost = same(euro(billed) * euro("0.25"))
    check(simple, session(part(10, ENERGY="0.1152")), cost, energy=cost)


def test_energy_in_steps_of_a_tenth_with_a_start_fee():
    by_tenth = tariff(
        element(component("FLAT", "0.50", vat=20), component("ENERGY", "0.25", 100, vat=10)),
        type="PROFILE_CHEAP",
    )
    # 20.45 kWh are billed as 20.5: the prose of 2.3.0 has it, its table does not
    energy = taxed(euro("20.5") * euro("0.25"), 10)
    total = add(FEE, energy)
    assert total == (euro("5.625"), euro("6.2375"))
    check(by_tenth, session(part(60, ENERGY="20.45")), total, fixed=FEE, energy=energy)


def test_energy_is_rounded_once_at_the_last_price():
    evening = tariff(
        element(component("ENERGY", "0.20", 500), end_time="17:00"),
        element(component("ENERGY", "0.27", 500), start_time="17:00"),
    )
    # 4.3 + 1.1 = 5.4, billed as 5.5
    cost = same(euro("4.3") * euro("0.20") + euro("1.2") * euro("0.27"))
    assert cost == same(euro("1.184"))
    check(evening, session(part(120, ENERGY="4.3"), part(60, ENERGY="1.1"), at="15:00"), cost, energy=cost)


def test_surplus_has_the_price_of_the_last_segment():
    """ocpi#494."""
    tiers = tariff(
        element(component("ENERGY", 5, 10000), min_duration=3600, max_duration=7200),
        element(component("ENERGY", 2, 10000)),
    )
    # 9 kWh are billed as 10
    cost = same(3 * 2 + 3 * 5 + (3 + 1) * 2)
    assert cost == same(29)
    check(tiers, session(*(part(60, ENERGY=3) for _ in range(3))), cost, energy=cost)


# 1.973 h are 7,102.8 s, billed as 7,200
TWO_HOURS = session(part(118, TIME="1.973"))


def test_time_of_the_cdr_example_is_rounded_up_to_five_minutes():
    cost = taxed(2 * 2, 10)
    check(tariff(element(component("TIME", 2, 300, vat=10))), TWO_HOURS, cost, time=cost)


def test_cdr_example_of_2_3_0_leaves_out_that_taxes_are_not_included():
    silent = tariff(element(component("TIME", 2, 300, vat=10)), version="2.3.0")
    assert pair(price(TWO_HOURS, [silent], RULES).totals) == rounded((4, euro("4.40")))


def test_cdr_example_of_2_1_1_has_no_word_for_taxes():
    totals = price(TWO_HOURS, [tariff(element(component("TIME", 2, 300)), version="2.1.1")], RULES).totals
    assert (totals.excl, totals.incl) == (4, None)


@pytest.mark.parametrize(
    ("steps", "charged", "parked", "billed"),
    [
        ((600, 600), 21, 16, 20),
        ((300, 300), 21, 7, 10),
        # ocpi#386
        ((300, 420), 3, 6, 7),
    ],
)
def test_only_parking_is_rounded_where_there_is_any(steps, charged, parked, billed):
    both = tariff(element(component("TIME", 1, steps[0]), component("PARKING_TIME", 2, steps[1])))
    time, parking_time = same(Fraction(charged, 60) * 1), same(Fraction(billed, 60) * 2)
    check(
        both,
        session(charging(charged), parking(parked)),
        add(time, parking_time),
        time=time,
        parking=parking_time,
    )


SWITCHING = tariff(
    element(component("TIME", "1.20", 1800), component("PARKING_TIME", 1, 900), end_time="17:00"),
    element(
        component("TIME", "2.40", 900),
        component("PARKING_TIME", 1, 900),
        start_time="17:00",
        end_time="20:00",
    ),
    element(component("TIME", "2.40", 900), start_time="20:00", end_time="00:00"),
)


def at_prices(*minutes_and_prices):
    return same(sum(Fraction(minutes, 60) * Fraction(amount) for minutes, amount in minutes_and_prices))


def test_switching_element_while_charging_then_parking():
    # 2 minutes of parking are billed as 15
    charged, parked = at_prices((5, "1.20"), (5, "2.40")), at_prices((15, 1))
    total = add(charged, parked)
    assert total == same(euro("0.55"))
    cdr = session(charging(5), charging(5), parking(2), at="16:55")
    check(SWITCHING, cdr, total, time=charged, parking=parked)


def test_switching_element_with_the_step_of_the_last_one():
    # 25 + 10 minutes are billed as 45, of which 25 were before 17:00
    cost = at_prices((25, "1.20"), (20, "2.40"))
    assert cost == same(euro("1.30"))
    check(SWITCHING, session(charging(25), charging(10), at="16:35"), cost, time=cost)


def test_switching_element_with_both_parts_in_one_step():
    # 6 + 22 minutes are billed as 30 where the step is 10 minutes
    by_ten = tariff(
        element(component("TIME", "1.20", 600), end_time="17:00"), element(component("TIME", "2.40", 600))
    )
    cost = at_prices((6, "1.20"), (24, "2.40"))
    check(by_ten, session(charging(6), charging(22), at="16:54"), cost, time=cost)


def test_switching_to_free_parking_leaves_it_out_of_the_step():
    # ocpi#546: of 20 parked minutes the 8 before 20:00 have a price, and are billed as 15
    charged, parked = at_prices((12, "2.40")), at_prices((15, 1))
    total = add(charged, parked)
    assert total == same(euro("0.73"))
    cdr = session(charging(12), parking(8), parking(12), at="19:40")
    check(SWITCHING, cdr, total, time=charged, parking=parked)

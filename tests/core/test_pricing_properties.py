"""What holds for every tariff and session, tried on many made by chance."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

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
from emsp_core.pricing.engine import PricingRules, price, replay
from emsp_core.pricing.lint import lint_tariff
from hypothesis import given, settings
from hypothesis import strategies as st

# The same cases in every run.
CASES = settings(max_examples=100, deadline=None, derandomize=True, database=None)

RULES = PricingRules("Europe/Paris", 4)
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
KINDS = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")
# Saturday, 2026-03-28, 20:00 in Paris: the clocks are put forward six hours later.
START = datetime(2026, 3, 28, 19, tzinfo=UTC)
HOUR = 3600
KWH_PER_HOUR = 10

# --- Tariffs -------------------------------------------------------------------------------------
# Drawn from ready-made parts, which takes a tenth of the time that making them does.

AMOUNTS = [Decimal(text) for text in ("0", "0.001", "0.145", "0.39", "1.2", "2.4", "7.77", "9.999")]
STEPS = (0, 1, 60, 500, 900, 10000)
RATES = (None, Decimal(0), Decimal("5.5"), Decimal(20))
amounts = st.sampled_from(AMOUNTS)
# Nothing changes but on the hour, or at a multiple of what an hour delivers.
BOUNDS = [
    *((name, f"{hour:02}:00") for name in ("start_time", "end_time") for hour in (0, 2, 3, 20, 21, 23)),
    *((name, f"2026-03-{day}") for name in ("start_date", "end_date") for day in (27, 28, 29, 30)),
    *(("day_of_week", days) for days in (WEEKDAYS[:5], WEEKDAYS[5:], WEEKDAYS[5:6], WEEKDAYS[6:])),
    *((name, Decimal(count * KWH_PER_HOUR)) for name in ("min_kwh", "max_kwh") for count in range(4)),
    *((name, count * HOUR) for name in ("min_duration", "max_duration") for count in range(4)),
    *((name, Decimal(kilowatts)) for name in ("min_power", "max_power") for kilowatts in (5, 20)),
    *(("reservation", kind) for kind in ("RESERVATION", "RESERVATION_EXPIRES")),
]
restrictions = st.lists(st.sampled_from(BOUNDS), max_size=3).map(
    lambda bounds: TariffRestrictions(**dict(bounds)) if bounds else None
)


def elements(*kinds):
    pool = [PriceComponent(*parts) for parts in product(kinds, AMOUNTS, STEPS, RATES)]
    components = st.lists(
        st.sampled_from(pool), min_size=1, max_size=3, unique_by=lambda component: component.type
    )
    return st.builds(TariffElement, components.map(tuple), restrictions)


def tariff(*parts, **options):
    return Tariff(country_code="FR", party_id="RVR", id="P", currency="EUR", elements=parts, **options)


tariffs = st.lists(elements(*KINDS), min_size=1, max_size=4).map(lambda parts: tariff(*parts))


LIMITS = [Price(excl, incl) for excl in AMOUNTS for incl in (None, *AMOUNTS)]
limits = st.none() | st.sampled_from(LIMITS)
limited = st.builds(
    lambda plain, least, most: replace(plain, min_price=least, max_price=most), tariffs, limits, limits
)

# --- Sessions --------------------------------------------------------------------------------------


def dimensions(kind, seconds, kwh, power):
    """Hours with ten decimals, so that they are whole seconds again."""
    hours = round(Decimal(seconds) / HOUR, 10)
    volumes = {kind: hours, "MIN_POWER": power, "MAX_POWER": power}
    if kind == "TIME":
        volumes["ENERGY"] = kwh
    return tuple(Dimension(name, volume) for name, volume in volumes.items())


hours = st.sampled_from(
    [
        dimensions(kind, HOUR, Decimal(kwh), Decimal(kilowatts))
        for kind in ("TIME", "PARKING_TIME", "RESERVATION_TIME")
        for kwh in (0, KWH_PER_HOUR)
        for kilowatts in (3, 11, 43)
    ]
)


def session(parts):
    """Charging periods of an hour each, one after the other."""
    periods = tuple(ChargingPeriod(START + timedelta(hours=i), part) for i, part in enumerate(parts))
    return cdr_of(periods, START + timedelta(hours=len(parts)))


def cdr_of(periods, end):
    volumes = [dimension for period in periods for dimension in period.dimensions]
    return Cdr(
        country_code="FR",
        party_id="RVR",
        id="P-1",
        start_date_time=periods[0].start_date_time,
        end_date_time=end,
        cdr_token=CdrToken(uid="P-T1", contract_id="DE-SMO-C1"),
        auth_method="WHITELIST",
        cdr_location=CdrLocation(country="FRA"),
        currency="EUR",
        charging_periods=periods,
        total_cost=Price(Decimal(0)),
        total_energy=sum((each.volume for each in volumes if each.type == "ENERGY"), Decimal(0)),
        total_time=Decimal(len(periods)),
        last_updated=end,
    )


sessions = st.lists(hours, min_size=1, max_size=4).map(session)


def volume(period, name):
    return next((each.volume for each in period.dimensions if each.type == name), None)


def split(cdr, index, seconds, watt_hours):
    """Two charging periods in the place of one: the first has so many seconds and Wh of it."""
    period = cdr.charging_periods[index]
    kind, power = period.dimensions[0].type, volume(period, "MAX_POWER")
    energy = volume(period, "ENERGY") or Decimal(0)
    first = min(Decimal(watt_hours) / 1000, energy)
    parts = (
        replace(period, dimensions=dimensions(kind, seconds, first, power)),
        ChargingPeriod(
            period.start_date_time + timedelta(seconds=seconds),
            dimensions(kind, HOUR - seconds, energy - first, power),
        ),
    )
    periods = (*cdr.charging_periods[:index], *parts, *cdr.charging_periods[index + 1 :])
    return replace(cdr, charging_periods=periods)


# --- Totals ----------------------------------------------------------------------------------------


@CASES
@given(limited, sessions)
def test_prices_that_are_not_negative_give_no_negative_total(tariff, cdr):
    assert price(cdr, [tariff], RULES).totals.excl >= 0


@CASES
@given(limited, sessions)
def test_total_with_vat_is_never_below_the_one_without(tariff, cdr):
    explanation = price(cdr, [tariff], RULES)
    for cost in (explanation.totals, *explanation.subtotals.values()):
        assert cost.incl >= cost.excl


@CASES
@given(tariffs, sessions)
def test_subtotals_are_the_total_where_nothing_limits_it(tariff, cdr):
    explanation = price(cdr, [tariff], RULES)
    for side in ("excl", "incl"):
        whole = sum((getattr(cost, side) for cost in explanation.subtotals.values()), Decimal(0))
        assert abs(whole - getattr(explanation.totals, side)) <= Decimal("0.00005")


@CASES
@given(limited, sessions)
def test_replay_of_what_was_stored_is_the_same(tariff, cdr):
    stored = json.loads(json.dumps(price(cdr, [tariff], RULES).to_json()))
    assert replay(stored, cdr).to_json() == stored


@CASES
@given(limited, sessions)
def test_credit_is_the_session_with_its_total_negated(tariff, cdr):
    charged, credited = (price(each, [tariff], RULES) for each in (cdr, replace(cdr, credit=True)))
    assert (credited.totals.excl, credited.totals.incl) == (-charged.totals.excl, -charged.totals.incl)


# --- Periods ---------------------------------------------------------------------------------------


@CASES
@given(limited, sessions, st.data())
def test_splitting_a_period_where_no_restriction_changes_changes_nothing(tariff, cdr, data):
    # Steps round a session's total once, so they are left as they come.
    index = data.draw(st.integers(0, len(cdr.charging_periods) - 1))
    # Less than all the energy, which would take the second part beyond a bound in kWh.
    parts = split(cdr, index, data.draw(st.integers(1, HOUR - 1)), data.draw(st.integers(0, 9999)))
    whole, apart = price(cdr, [tariff], RULES), price(parts, [tariff], RULES)
    assert apart.totals == whole.totals
    assert {name: near(cost) for name, cost in apart.subtotals.items()} == {
        name: near(cost) for name, cost in whole.subtotals.items()
    }


def near(cost):
    """Thirds of an hour do not end."""
    return round(cost.excl, 20), round(cost.incl, 20)


def rising(bounds, prices, rate, other, most):
    """Energy that becomes dearer the more is taken."""
    pairs = zip([*sorted(bounds), None], sorted(prices), strict=False)
    # The meter's own step: rounding up hands out volume at the last price, the less the more was taken.
    tiers = [
        TariffElement((PriceComponent("ENERGY", amount, 1, rate),), TariffRestrictions(max_kwh=bound))
        for bound, amount in pairs
    ]
    return tariff(replace(other, restrictions=None), *tiers, max_price=most)


@CASES
@given(
    st.builds(
        rising,
        st.sets(st.sampled_from([Decimal(1), Decimal(10), Decimal("12.5"), Decimal(30)]), max_size=3),
        st.lists(amounts, min_size=4, max_size=4),
        st.sampled_from(RATES),
        elements("TIME", "PARKING_TIME", "FLAT"),
        # VAT that has to be scaled falls when what is taxed less takes a larger part.
        st.none() | st.sampled_from([limit for limit in LIMITS if limit.incl_vat is not None]),
    ),
    sessions,
    st.integers(0, 3),
    st.integers(1, 30000),
)
def test_more_energy_never_costs_less(tariff, cdr, index, watt_hours):
    place = index % len(cdr.charging_periods)
    periods = list(cdr.charging_periods)
    added = Dimension("ENERGY", Decimal(watt_hours) / 1000)
    periods[place] = replace(periods[place], dimensions=(*periods[place].dimensions, added))
    more = replace(cdr, charging_periods=tuple(periods))
    little, much = (price(each, [tariff], RULES).totals for each in (cdr, more))
    assert much.excl >= little.excl
    assert much.incl >= little.incl


# --- Elements --------------------------------------------------------------------------------------


@CASES
@given(tariffs, sessions, st.sampled_from(KINDS), amounts)
def test_element_in_front_that_applies_has_its_price(tariff, cdr, kind, amount):
    first = TariffElement((PriceComponent(kind, amount),), TariffRestrictions(day_of_week=WEEKDAYS))
    segments = price(cdr, [replace(tariff, elements=(first, *tariff.elements))], RULES).segments
    chosen = [segment for segment in segments if segment.dimension == kind]
    assert all((segment.element_index, segment.unit_price) == (0, amount) for segment in chosen)
    wanted = {"FLAT": "TIME"}.get(kind, kind)
    assert bool(chosen) or not any(volume(period, wanted) for period in cdr.charging_periods)


@CASES
@given(limited, sessions, elements(*KINDS))
def test_element_in_front_that_never_applies_changes_nothing(tariff, cdr, never):
    kept = never.restrictions or TariffRestrictions()
    never = replace(never, restrictions=replace(kept, min_kwh=Decimal(1000)))
    before = price(cdr, [tariff], RULES)
    after = price(cdr, [replace(tariff, elements=(never, *tariff.elements))], RULES)
    assert after.totals == before.totals
    assert [segment.element_index - 1 for segment in after.segments] == [
        segment.element_index for segment in before.segments
    ]


@CASES
@given(tariffs, sessions)
def test_element_that_lint_calls_unreachable_is_never_chosen(tariff, cdr):
    paths = {lint.path for lint in lint_tariff(tariff) if lint.code.startswith(("unreachable", "never"))}
    for segment in price(cdr, [tariff], RULES).segments:
        element = f"elements[{segment.element_index}]"
        component = f"{element}.price_components[{segment.component_index}]"
        assert not {element, component} & paths
        assert not any(path.startswith(f"{element}.restrictions") for path in paths)

"""Rules on the stated cost: two percent, two or four decimals, half a unit; currency and VAT."""

from dataclasses import replace

import pytest
from charging import component, element, period, session, tariff
from checking import codes, cost, judge, priced
from emsp_core.checks.facts import Facts, PriceFacts
from emsp_core.pricing.engine import PricingRules, price

RULE = "cost_consistency"


def stated(excl, **values):
    return session(total_cost=cost(excl), **values)


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        ("10.00", "10.00", []),
        # 2 % of 10.00 are 0.20, on either side
        ("10.00", "10.19", []),
        ("10.00", "10.20", []),
        ("10.00", "10.21", ["cost_mismatch"]),
        ("10.00", "9.80", []),
        ("10.00", "9.79", ["cost_mismatch"]),
        # of what we expect: 10.20 is 1.96 % of itself away from 10.00, and 10.00 the same from 10.20
        ("10.20", "10.00", []),
        ("10.21", "10.00", ["cost_mismatch"]),
        # rounded half up first: 10.2049 -> 10.20, 10.205 -> 10.21
        ("10.00", "10.2049", []),
        ("10.00", "10.205", ["cost_mismatch"]),
        # 2 % of 0.50 are 0.01
        ("0.50", "0.51", []),
        ("0.49", "0.50", ["cost_mismatch"]),
        # below half a cent nothing is said, even where it rounds apart: 0.104 -> 0.10, 0.1089 -> 0.11
        ("0.104", "0.1089", []),
        ("0.104", "0.109", ["cost_mismatch"]),
        ("0.1", "0.105", ["cost_mismatch"]),
    ],
)
def test_two_percent_at_two_decimals(ours, theirs, expected):
    assert codes(RULE, stated(theirs), priced(ours)) == expected


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        ("1.0000", "1.0200", []),
        ("1.0000", "1.0201", ["cost_mismatch"]),
        # rounded half up first: 1.02004 -> 1.0200, 1.02005 -> 1.0201
        ("1.0000", "1.02004", []),
        ("1.0000", "1.02005", ["cost_mismatch"]),
        # half a unit is 0.00005
        ("0.00104", "0.001089", []),
        ("0.00104", "0.00109", ["cost_mismatch"]),
        ("0.104", "0.1089", ["cost_mismatch"]),
    ],
)
def test_two_percent_at_four_decimals(ours, theirs, expected):
    assert codes(RULE, stated(theirs), priced(ours), decimals=4) == expected


@pytest.mark.parametrize(
    "theirs, expected",
    [
        ("0", []),
        ("0.0049", []),
        ("0.005", ["cost_mismatch"]),
        ("-0.005", ["cost_mismatch"]),
        ("3", ["cost_mismatch"]),
    ],
)
def test_any_amount_is_too_much_where_nothing_was_computed(theirs, expected):
    assert codes(RULE, stated(theirs), priced("0")) == expected


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        ("0.004", "0", []),
        ("0.005", "0", ["cost_not_stated"]),
        ("12.5", "0", ["cost_not_stated"]),
        ("12.5", "0.004", ["cost_not_stated"]),
        ("12.5", "0.01", ["cost_mismatch"]),
        ("-12.5", "0", ["cost_mismatch"]),
    ],
)
def test_cost_that_is_not_stated_has_a_code_of_its_own(ours, theirs, expected):
    assert codes(RULE, stated(theirs), priced(ours)) == expected


@pytest.mark.parametrize(
    "tolerance, expected", [("0", ["cost_mismatch"]), ("1", []), ("0.99", ["cost_mismatch"])]
)
def test_tolerance_is_a_parameter(tolerance, expected):
    assert codes(RULE, stated("10.10"), priced("10"), tolerance_pct=tolerance) == expected


@pytest.mark.parametrize(
    "ours, theirs, is_credit, expected",
    [
        # Senders negate the cost of a credit CDR, or do not.
        ("-10", "-10.20", True, []),
        ("-10", "10.20", True, []),
        ("-10", "-10.21", True, ["cost_mismatch"]),
        ("10", "-10", False, ["cost_mismatch"]),
    ],
)
def test_credit_cdrs_compare_without_signs(ours, theirs, is_credit, expected):
    assert codes(RULE, stated(theirs, credit=is_credit), priced(ours)) == expected


def test_mismatch_names_the_component_that_differs_most():
    cdr = stated(
        "8.00", total_energy_cost=cost("5.00"), total_time_cost=cost("2.00"), total_parking_cost=cost("1.00")
    )
    facts = priced("9.50", total_energy_cost="5.25", total_time_cost="3.25", total_fixed_cost="1")
    (finding,) = judge(RULE, cdr, facts)
    assert (finding.expected, finding.found, finding.tolerance) == ("9.50 EUR", "8.00 EUR", "2 %")
    # 0.25, 1.25 and 1.00 apart; a fixed cost is not stated
    assert finding.details == {
        "component": "total_time_cost",
        "component_expected": "3.25 EUR",
        "component_found": "2.00 EUR",
    }


def test_mismatch_without_stated_subtotals_names_no_component():
    (finding,) = judge(RULE, stated("8"), priced("9.5", total_energy_cost="9.5"), decimals=4)
    assert (finding.expected, finding.found, finding.details) == ("9.5000 EUR", "8.0000 EUR", {})


def test_cost_is_not_judged_without_a_price():
    assert codes(RULE, stated("8")) == "price_unknown"


def test_price_facts_are_those_of_the_engine():
    rate = tariff(element(component("ENERGY", "0.30", vat="20"), component("FLAT", "1")))
    result = price(session(period(60, energy="10")), [rate], PricingRules("Europe/Paris"))
    facts = PriceFacts.of(result)
    assert str(facts.net) == "4.00"
    assert {name: float(each) for name, each in facts.subtotals.items()} == {
        "total_energy_cost": 3.0,
        "total_fixed_cost": 1.0,
    }
    assert sorted(map(float, facts.vat_rates)) == [0.0, 20.0]
    assert PriceFacts.of_stored(result.to_json()) == facts
    # OCPI 2.1.1 has no word for taxes.
    result = price(session(period(60, energy="10")), [replace(rate, version="2.1.1")], PricingRules(None))
    assert PriceFacts.of(result).vat_rates is None
    assert PriceFacts.of_stored(result.to_json()) == PriceFacts.of(result)


# --- currency --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        ("EUR", "EUR", []),
        ("EUR", "eur", []),
        ("EUR", "CHF", ["currency_mismatch"]),
        ("EUR", "", ["currency_mismatch"]),
        (None, "EUR", "currency_unknown"),
    ],
)
def test_currency_is_the_contracts(ours, theirs, expected):
    assert codes("currency", session(currency=theirs), Facts(currency=ours)) == expected


# --- VAT -------------------------------------------------------------------------------------------


def taxed(excl, incl):
    return session(total_cost=cost(excl, incl))


@pytest.mark.parametrize(
    "excl, incl, rates, expected",
    [
        ("100", "120", ["20"], []),
        # half a percentage point
        ("100", "120.49", ["20"], []),
        ("100", "120.50", ["20"], []),
        ("100", "120.51", ["20"], ["vat_rate"]),
        ("100", "119.50", ["20"], []),
        ("100", "119.49", ["20"], ["vat_rate"]),
        # less than a cent is rounding: 0.04 + 20 % are 0.048
        ("0.04", "0.05", ["20"], []),
        ("0.04", "0.06", ["20"], ["vat_rate"]),
        ("0.05", "0.07", ["20"], ["vat_rate"]),
        # any mixture of two rates
        ("100", "100", ["0", "20"], []),
        ("100", "105.50", ["20", "0"], []),
        ("100", "120.51", ["0", "20"], ["vat_rate"]),
        # no tax at all
        ("100", "100", [], []),
        ("100", "100.51", [], ["vat_rate"]),
        ("0", "0", ["20"], []),
        ("0", "1", ["20"], ["vat_rate"]),
        # less with tax than without, whatever the rates
        ("100", "99.99", ["20"], ["incl_below_excl"]),
        ("100", "99.99", None, ["incl_below_excl"]),
        ("100", "0", ["20"], ["incl_below_excl"]),
        ("-100", "-120", ["20"], []),
        # not stated, which is fine, or not known
        ("100", None, None, []),
        ("100", None, ["20"], []),
        ("100", "120", None, "vat_rates_unknown"),
    ],
)
def test_vat(excl, incl, rates, expected):
    assert codes("vat", taxed(excl, incl), priced(excl, rates)) == expected


def test_vat_is_not_judged_without_a_price():
    assert codes("vat", taxed("100", "120")) == "vat_rates_unknown"


def test_vat_finding_tells_rates_and_the_nearest_amount():
    (finding,) = judge("vat", taxed("100", "119"), priced("100", ["20"]))
    assert (finding.expected, finding.found, finding.tolerance) == ("120.00 EUR", "119.00 EUR", "0.5 %")
    assert finding.details == {"rates": "20 %"}
    (finding,) = judge("vat", taxed("100", "130"), priced("100", ["20", "5.5"]))
    assert (finding.expected, finding.details) == ("120.00 EUR", {"rates": "5.5 % - 20 %"})

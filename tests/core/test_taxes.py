"""Prices without and with taxes, as each OCPI version and `tax_included` mean them."""

from decimal import Decimal

import pytest
from charging import codes, component, element, limit, pair, period, session, tariff
from emsp_core.errors import PricingError
from emsp_core.pricing.engine import PricingRules, price, total

PARIS = PricingRules("Europe/Paris")
# 10 kWh in an hour
CDR = session(period(60, energy="10", time="1"))


def priced(*components, rules=PARIS, **values):
    return price(CDR, [tariff(element(*components), **values)], rules)


def test_missing_rate_is_no_vat_and_rates_may_differ():
    # 5.00 at 20 % and 1.00 without VAT
    result = priced(component("ENERGY", "0.50", vat="20"), component("TIME", "1.00"))
    assert pair(result.totals) == ("6.00", "7.00")
    assert [(share.rate, *pair(share.cost)) for share in result.taxes] == [
        (Decimal(20), "5.00", "6.00"),
        (None, "1.00", "1.00"),
    ]


def test_rate_of_zero_is_told_apart_from_no_rate():
    result = priced(component("ENERGY", "0.50", vat="0"), component("TIME", "1.00"))
    assert [share.rate for share in result.taxes] == [Decimal(0), None]
    assert pair(result.totals) == ("6.00", "6.00")


def test_version_without_a_word_for_taxes_leaves_the_total_with_them_open():
    result = priced(component("ENERGY", "0.50"), version="2.1.1")
    assert pair(result.totals) == ("5.00", None)
    assert pair(result.subtotals["total_energy_cost"]) == ("5.00", None)


def test_free_session_of_that_version_still_does_not_know():
    assert pair(priced(component("FLAT", "0"), version="2.1.1").totals) == ("0.00", None)


def test_prices_that_include_the_tax_are_divided_by_it():
    # 12.10 with 21 % is 10.00 without
    included = {"version": "2.3.0", "tax_included": "YES"}
    result = priced(component("ENERGY", "1.21", vat="21"), **included)
    assert pair(result.totals) == ("10.00", "12.10")
    [segment] = result.segments
    assert (segment.unit_price, segment.amount) == (Decimal("1.21"), Decimal(10))


def test_part_before_taxes_is_unknown_where_the_included_rate_is_not_told():
    included = {"version": "2.3.0", "tax_included": "YES"}
    result = priced(component("ENERGY", "1.21", vat="21"), component("TIME", "2.00"), **included)
    assert pair(result.totals) == (None, "14.10")
    with pytest.raises(PricingError) as caught:
        _ = result.net
    assert caught.value.code == "tax_unknown"


def test_nothing_has_no_tax_whatever_the_rate():
    included = {"version": "2.3.0", "tax_included": "YES"}
    result = priced(component("ENERGY", "1.21", vat="21"), component("TIME", "0"), **included)
    assert pair(result.totals) == ("10.00", "12.10")


def test_no_taxes_apply_even_where_a_rate_is_given():
    result = priced(component("ENERGY", "0.50", vat="20"), version="2.3.0", tax_included="N/A")
    assert pair(result.totals) == ("5.00", "5.00")


@pytest.mark.parametrize(
    ("country", "version", "incl"),
    [
        ("CA", "2.3.0", None),
        ("us", "2.3.0", None),
        ("DE", "2.3.0", "5.00"),
        ("CA", "2.2.1", "5.00"),  # that version says: no rate, no VAT
    ],
)
def test_sales_tax_added_at_the_till_is_unknown(country, version, incl):
    values = {"country_code": country, "version": version, "tax_included": "NO"}
    assert pair(priced(component("ENERGY", "0.50"), **values).totals) == ("5.00", incl)


def test_missing_tax_included_reads_as_no_and_is_noted():
    result = priced(component("ENERGY", "0.50", vat="20"), version="2.3.0")
    assert pair(result.totals) == ("5.00", "6.00")
    assert "tax_included_missing" in codes(result)


# --- Limits --------------------------------------------------------------------------------------


def test_limit_without_its_tax_scales_the_tax():
    # 5.00 + 20 % raised to 8.00 gives 8.00 + 20 %
    result = priced(component("ENERGY", "0.50", vat="20"), min_price=limit("8.00"))
    assert pair(result.totals) == ("8.00", "9.60")
    assert pair(result.adjustment) == ("3.00", "3.60")
    # the parts stay what they were
    assert pair(result.subtotals["total_energy_cost"]) == ("5.00", "6.00")


def test_sides_of_a_limit_work_apart_and_one_alone_is_noted():
    # 5.00 / 6.00 against at most 4.00 / 7.00
    result = priced(component("ENERGY", "0.50", vat="20"), max_price=limit("4.00", "7.00"))
    assert pair(result.totals) == ("4.00", "6.00")
    assert "limit_one_sided" in codes(result)


def test_limit_never_leaves_less_with_taxes_than_without():
    result = priced(component("ENERGY", "0.50", vat="20"), min_price=limit("9.00", "7.00"))
    assert pair(result.totals) == ("9.00", "9.00")


def test_limit_holds_for_what_is_known():
    result = priced(component("ENERGY", "0.50"), version="2.1.1", max_price=limit("4.00", "4.80"))
    assert pair(result.totals) == ("4.00", None)


def test_least_price_is_due_without_any_use():
    cdr = session(period(10, energy="0"))
    low = tariff(element(("ENERGY", "0.50")), min_price=limit("1.00", "1.20"))
    assert pair(price(cdr, [low], PARIS).totals) == ("1.00", "1.20")


# --- The two ways to the same price -------------------------------------------------------------


def test_price_without_explanation_is_the_same():
    tariffs = [
        tariff(element(component("ENERGY", "0.4567", 1000, "19"), component("TIME", "1.23", 900, "7")))
    ]
    rules = PricingRules("Europe/Paris", 4)
    brief, full = total(CDR, tariffs, rules), price(CDR, tariffs, rules)
    assert (brief.totals, brief.subtotals, brief.taxes) == (full.totals, full.subtotals, full.taxes)
    assert brief.notes == full.notes


def test_credit_repeats_the_session_and_negates_the_total():
    cdr = session(period(60, energy="10"), credit=True)
    result = price(cdr, [tariff(element(component("ENERGY", "0.50", vat="20")))], PARIS)
    assert pair(result.totals) == ("-5.00", "-6.00")
    assert pair(result.subtotals["total_energy_cost"]) == ("5.00", "6.00")

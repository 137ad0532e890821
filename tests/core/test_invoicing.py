"""From priced sessions to invoice lines that sum to the annex."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from emsp_core.errors import InvoicingError
from emsp_core.invoicing import (
    Component,
    InvoicePlan,
    PricedSession,
    components_of,
    plan,
    prove,
    split,
)
from emsp_core.money import D, round_money
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import Price, PriceComponent, Tariff, TariffElement
from emsp_core.pricing.engine import PricingRules, price

CDRS = Path(__file__).parent / "data" / "ocpi"
# Component, unit price, quantity, amount.
Part = tuple[str, str, str, str]


def session(key: str, *parts: Part) -> PricedSession:
    components = tuple(
        Component(name, D(unit), D(quantity), D(amount)) for name, unit, quantity, amount in parts
    )
    return PricedSession(key, components, sum((part.amount for part in components), D(0)))


def lines(invoice_plan: InvoicePlan) -> list[tuple[str, str, int, str, str]]:
    return [
        (line.component, str(line.unit_price), line.sessions, str(line.quantity), str(line.amount))
        for line in invoice_plan.lines
    ]


def amounts(*texts: str) -> list[Decimal]:
    return [D(text) for text in texts]


# --- Lines ----------------------------------------------------------------------------------


def test_sessions_are_grouped_by_component_and_unit_price() -> None:
    # Energy at 0.39: 10 + 20 = 30 kWh for 11.70; at 0.59: 5 kWh for 2.95; fees: 3 x 0.35 = 1.05.
    result = plan(
        [
            session("A", ("ENERGY", "0.39", "10", "3.90"), ("FLAT", "0.35", "1", "0.35")),
            session("B", ("ENERGY", "0.39", "20", "7.80"), ("FLAT", "0.35", "1", "0.35")),
            session("C", ("ENERGY", "0.59", "5", "2.95"), ("FLAT", "0.35", "1", "0.35")),
        ]
    )
    assert lines(result) == [
        ("FLAT", "0.35", 3, "3", "1.05"),
        ("ENERGY", "0.39", 2, "30", "11.70"),
        ("ENERGY", "0.59", 1, "5", "2.95"),
    ]
    assert (result.total, result.exact_total, result.rounding) == (D("15.70"), D("15.70"), 0)


def test_same_component_at_two_prices_in_one_session_makes_two_lines() -> None:
    # A session across two time brackets.
    result = plan([session("A", ("ENERGY", "0.39", "4", "1.56"), ("ENERGY", "0.59", "6", "3.54"))])
    assert lines(result) == [("ENERGY", "0.39", 1, "4", "1.56"), ("ENERGY", "0.59", 1, "6", "3.54")]


def test_price_written_with_more_zeros_is_the_same_price() -> None:
    result = plan([session("A", ("FLAT", "0.5", "1", "0.50")), session("B", ("FLAT", "0.5000", "1", "0.50"))])
    assert [(line.sessions, line.amount) for line in result.lines] == [(2, D("1.00"))]


def test_session_with_a_price_twice_counts_once() -> None:
    result = plan([session("A", ("ENERGY", "0.39", "4", "1.56"), ("ENERGY", "0.39", "6", "2.34"))])
    assert lines(result) == [("ENERGY", "0.39", 1, "10", "3.90")]


def test_lines_of_sessions_at_four_decimals_sum_to_the_rounded_total() -> None:
    # 1.0040 + 2.0040 + 3.0040 = 6.0120 -> 6.01. Rounded one by one the lines would give 6.00; the
    # remainders are equal, so the first line takes the cent.
    result = plan(
        [
            session("A", ("FLAT", "1.004", "1", "1.0040")),
            session("B", ("ENERGY", "0.501", "4", "2.0040")),
            session("C", ("TIME", "1.502", "2", "3.0040")),
        ]
    )
    assert [line.amount for line in result.lines] == amounts("1.01", "2.00", "3.00")
    assert (result.total, result.exact_total, result.rounding) == (D("6.01"), D("6.0120"), D("-0.0020"))


def test_cent_goes_to_the_line_with_the_largest_remainder() -> None:
    # Energy at 0.3333: 3.3333 + 2.5921 + 1.1109 = 7.0363, fees 1.0500; 8.0863 -> 8.09.
    # Cut down: 1.05 + 7.03 = 8.08; the energy has the larger rest.
    result = plan(
        [
            session("A", ("ENERGY", "0.3333", "10.001", "3.3333"), ("FLAT", "0.35", "1", "0.3500")),
            session("B", ("ENERGY", "0.3333", "7.777", "2.5921"), ("FLAT", "0.35", "1", "0.3500")),
            session("C", ("ENERGY", "0.3333", "3.333", "1.1109"), ("FLAT", "0.35", "1", "0.3500")),
        ]
    )
    assert lines(result) == [("FLAT", "0.35", 3, "3", "1.05"), ("ENERGY", "0.3333", 3, "21.111", "7.04")]
    assert result.rounding == D("0.0037")


def test_credit_reduces_the_line_of_its_price() -> None:
    # 30 kWh - 10 kWh at 0.39.
    result = plan(
        [session("A", ("ENERGY", "0.39", "30", "11.70")), session("A-C", ("ENERGY", "0.39", "-10", "-3.90"))]
    )
    assert lines(result) == [("ENERGY", "0.39", 2, "20", "7.80")]


def test_credit_at_another_price_is_a_negative_line() -> None:
    result = plan(
        [session("A", ("ENERGY", "0.39", "30", "11.70")), session("B-C", ("ENERGY", "0.35", "-10", "-3.50"))]
    )
    assert lines(result) == [("ENERGY", "0.35", 1, "-10", "-3.50"), ("ENERGY", "0.39", 1, "30", "11.70")]
    assert result.total == D("8.20")


def test_credits_alone_make_a_negative_total_rounded_away_from_zero() -> None:
    # -1.0025 - 2.0025 = -3.0050 -> -3.01; down: -1.01 - 2.01 = -3.02, so the first gives a cent back.
    result = plan(
        [
            session("A-C", ("FLAT", "1.0025", "-1", "-1.0025")),
            session("B-C", ("ENERGY", "0.2", "-10", "-2.0025")),
        ]
    )
    assert [line.amount for line in result.lines] == amounts("-1.00", "-2.01")
    assert result.total == D("-3.01")


def test_credits_that_nearly_cancel_the_sessions_leave_the_lines_as_they_are() -> None:
    # 100.0050 - 99.9990 = 0.0060 -> 0.01. Down: 100.00 - 100.00; the cent goes to the larger rest.
    # Shared out in proportion, the lines would be 166.68 and -166.67.
    result = plan(
        [
            session("A", ("ENERGY", "0.3", "333.35", "100.0050")),
            session("B-C", ("FLAT", "99.999", "-1", "-99.9990")),
        ]
    )
    assert [(line.component, line.amount) for line in result.lines] == [
        ("FLAT", D("-100.00")),
        ("ENERGY", D("100.01")),
    ]


def test_sessions_that_cancel_exactly_keep_their_lines() -> None:
    result = plan(
        [session("A", ("FLAT", "2", "1", "2.00")), session("B-C", ("ENERGY", "0.5", "-4", "-2.00"))]
    )
    assert [line.amount for line in result.lines] == amounts("2.00", "-2.00")
    assert str(result.total) == "0.00"


def test_no_sessions_make_an_empty_plan() -> None:
    assert plan([]) == InvoicePlan((), D("0.00"), D(0), D(0))


def test_currency_without_decimals_gets_whole_amounts() -> None:
    # 150.4 + 149.3 = 299.7 -> 300; down 150 + 149, the larger rest is that of the fee.
    result = plan(
        [session("A", ("FLAT", "150.4", "1", "150.4")), session("B", ("ENERGY", "30", "5", "149.3"))],
        digits=0,
    )
    assert [str(line.amount) for line in result.lines] == ["151", "149"]
    prove(result, D("299.7"))


def test_line_order_is_fee_energy_time_parking_then_price() -> None:
    names = [
        ("PARKING_TIME", "6"),
        ("OTHER", "1"),
        ("TIME", "3"),
        ("ENERGY", "0.5"),
        ("ENERGY", "0.4"),
        ("FLAT", "1"),
    ]
    result = plan([session("A", *((name, unit, "1", unit) for name, unit in names))])
    assert [(line.component, str(line.unit_price)) for line in result.lines] == [
        ("FLAT", "1"),
        ("ENERGY", "0.4"),
        ("ENERGY", "0.5"),
        ("TIME", "3"),
        ("PARKING_TIME", "6"),
        ("OTHER", "1"),
    ]


# --- What is refused -------------------------------------------------------------------------------


def test_session_whose_components_do_not_sum_to_its_amount_is_refused() -> None:
    wrong = replace(session("DE*STW*1", ("FLAT", "1", "1", "1.00")), amount=D("1.01"))
    with pytest.raises(InvoicingError) as refusal:
        plan([wrong])
    assert str(refusal.value) == "DE*STW*1: expected 1.01, got 1.00"


def test_session_that_comes_twice_is_refused() -> None:
    one = session("DE*STW*1", ("FLAT", "1", "1", "1.00"))
    with pytest.raises(InvoicingError, match=r"DE\*STW\*1: expected once, got twice"):
        plan([one, one])


def test_annex_with_another_total_is_refused() -> None:
    result = plan([session("A", ("FLAT", "1", "1", "1.00"))])
    with pytest.raises(InvoicingError) as refusal:
        prove(result, D("1.01"))
    assert str(refusal.value) == "total: expected 1.01, got 1.00"


def test_plan_with_a_line_taken_out_is_refused() -> None:
    result = plan([session("A", ("FLAT", "1", "1", "1.00"), ("ENERGY", "0.5", "2", "1.00"))])
    with pytest.raises(InvoicingError, match=r"expected 2\.00, got 1\.00"):
        prove(replace(result, lines=result.lines[:1]), D("2.00"))


def test_annex_at_four_decimals_is_compared_to_the_cent() -> None:
    result = plan([session("A", ("FLAT", "1.0049", "1", "1.0049"))])
    prove(result, D("1.0049"))
    with pytest.raises(InvoicingError):
        prove(result, D("1.0050"))


# --- Components of a session --------------------------------------------------------------------------

# Fee 0.504 and 0.4405 a kWh; 7.25 kWh cost 3.193625, together 3.697625.
TARIFF = Tariff(
    country_code="DE",
    party_id="STW",
    id="GRID",
    currency="EUR",
    elements=(
        TariffElement(
            (PriceComponent("FLAT", D("0.504"), 1), PriceComponent("ENERGY", D("0.4405"), 1)), None
        ),
    ),
)


def split_cdr(name: str, tariff: Tariff = TARIFF, precision: int = 2) -> list[tuple[str, str, str, Decimal]]:
    cdr = parse_cdr((CDRS / f"{name}.json").read_bytes())
    explanation = price(cdr, [tariff], PricingRules("Europe/Berlin", precision))
    components = split(explanation)
    assert sum(part.amount for part in components) == explanation.totals.excl
    return sorted(
        (part.component, str(part.unit_price), str(part.quantity), part.amount) for part in components
    )


def test_components_of_a_session_sum_to_its_rounded_amount() -> None:
    # 3.70; down 0.50 + 3.19 = 3.69; 0.004 is a larger rest than 0.003625.
    assert split_cdr("minimal_cdr") == [
        ("ENERGY", "0.4405", "7.25", D("3.19")),
        ("FLAT", "0.504", "1", D("0.51")),
    ]


def test_components_keep_four_decimals_where_the_contract_does() -> None:
    # 3.697625 -> 3.6976; energy 3.1936|25 down.
    assert [part[-1] for part in split_cdr("minimal_cdr", precision=4)] == amounts("3.1936", "0.5040")


def test_what_the_minimum_price_added_is_a_component_of_its_own() -> None:
    # 5.00 - 3.697625 = 1.302375; down 3.19 + 0.50 + 1.30 = 4.99; the fee has the largest rest.
    assert split_cdr("minimal_cdr", replace(TARIFF, min_price=Price(D("5")))) == [
        ("ENERGY", "0.4405", "7.25", D("3.19")),
        ("FLAT", "0.504", "1", D("0.51")),
        ("LIMIT", "0", "1", D("1.30")),
    ]


def test_maximum_price_far_below_the_parts_does_not_distort_them() -> None:
    # 0.006 - 3.697625 = -3.691625; total 0.01. Down 3.19 + 0.50 - 3.70 = -0.01, so the two largest
    # rests get a cent: the limit (0.008375) and the fee (0.004).
    assert split_cdr("minimal_cdr", replace(TARIFF, max_price=Price(D("0.006")))) == [
        ("ENERGY", "0.4405", "7.25", D("3.19")),
        ("FLAT", "0.504", "1", D("0.51")),
        ("LIMIT", "0", "1", D("-3.69")),
    ]


def test_credit_cdr_has_negative_components_at_the_same_unit_prices() -> None:
    # -3.70; down -3.20 - 0.51 = -3.71; the energy has the larger rest (0.006375 to 0.006).
    assert split_cdr("credit_cdr") == [
        ("ENERGY", "0.4405", "-7.25", D("-3.19")),
        ("FLAT", "0.504", "-1", D("-0.51")),
    ]


def test_session_without_a_price_has_no_components() -> None:
    assert split_cdr("minimal_cdr", replace(TARIFF, elements=())) == []


def test_components_are_not_bent_to_an_amount_that_is_not_theirs() -> None:
    parts = [Component("FLAT", D("1"), D(1), D("1.004"))]
    with pytest.raises(InvoicingError, match=r"components: expected 1\.50, got 1\.004"):
        components_of(parts, D("1.50"), 2)


def test_component_survives_storing() -> None:
    part = Component("ENERGY", D("0.4405"), D("7.2500"), D("3.19"))
    assert Component.from_json(part.to_json()) == part
    assert part.to_json()["quantity"] == "7.2500"


# --- Taxes of the annex -------------------------------------------------------------------------------


# --- What always holds ----------------------------------------------------------------------------------

PRICES = ("0.39", "0.4405", "0.59", "1.3333")


def _random_session(random: Random, number: int) -> PricedSession:
    sign = random.choice([1, 1, 1, -1])
    parts = []
    for name in random.sample(["FLAT", "ENERGY", "TIME", "PARKING_TIME"], random.randint(1, 4)):
        unit = D(random.choice(PRICES))
        quantity = sign * D(random.randint(1, 90000)).scaleb(-3)
        parts.append(Component(name, unit, quantity, unit * quantity))
    total = round_money(sum((part.amount for part in parts), D(0)), 4)
    return PricedSession(f"DE*STW*{number}", components_of(parts, total, 4), total)


def test_plan_total_is_the_sum_of_its_lines_and_the_rounded_sum_of_the_sessions(random: Random) -> None:
    for _ in range(200):
        sessions = [_random_session(random, number) for number in range(random.randint(0, 25))]
        exact = sum((one.amount for one in sessions), D(0))
        result = plan(sessions)
        assert result.total == sum((line.amount for line in result.lines), D(0)) == round_money(exact, 2)
        assert result.exact_total == exact
        assert abs(result.rounding) <= D("0.005")
        prove(result, exact)


def test_no_line_differs_by_a_cent_from_the_exact_sum_of_its_group(random: Random) -> None:
    for _ in range(100):
        sessions = [_random_session(random, number) for number in range(random.randint(1, 25))]
        parts = [part for one in sessions for part in one.components]
        for line in plan(sessions).lines:
            group = [
                part
                for part in parts
                if (part.component, part.unit_price) == (line.component, line.unit_price)
            ]
            assert abs(line.amount - sum(part.amount for part in group)) < D("0.01")
            assert line.quantity == sum(part.quantity for part in group)


def test_order_of_the_sessions_makes_no_difference(random: Random) -> None:
    for _ in range(50):
        sessions = [_random_session(random, number) for number in range(12)]
        shuffled = random.sample(sessions, len(sessions))
        assert plan(shuffled) == plan(sessions)

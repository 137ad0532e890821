"""Decimal money: what is refused, the rounding rule, totals divided without loss."""

from decimal import Decimal
from random import Random

import pytest
from emsp_core.money import D, allocate, from_float, round_money, round_to_total, to_float


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


# --- D --------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["12.3400", 7, -3, Decimal("0.1")])
def test_text_integers_and_decimals_are_taken_exactly(value: str | int | Decimal) -> None:
    assert str(D(value)) == str(value)


def test_float_is_refused() -> None:
    with pytest.raises(TypeError, match=r"got the float 0\.1"):
        D(0.1)


@pytest.mark.parametrize("text", ["", "ten", "1,50", "NaN", "sNaN", "Infinity", "-inf"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        D(text)


# --- round_money ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "digits", "expected"),
    [
        ("0.125", 2, "0.13"),
        ("-0.125", 2, "-0.13"),
        ("0.124999", 2, "0.12"),
        ("-0.124999", 2, "-0.12"),
        ("2.675", 2, "2.68"),
        ("-2.665", 2, "-2.67"),
        ("0.00005", 4, "0.0001"),
        ("-0.00005", 4, "-0.0001"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("7", 2, "7.00"),
    ],
)
def test_half_is_rounded_away_from_zero(amount: str, digits: int, expected: str) -> None:
    assert str(round_money(D(amount), digits)) == expected


def test_nothing_is_rounded_to_a_negative_zero() -> None:
    assert str(round_money(D("-0.004"), 2)) == "0.00"


def test_amount_longer_than_the_28_digits_of_the_default_context_is_rounded() -> None:
    assert str(round_money(D("12345678901234567890123456789.005"), 2)) == "12345678901234567890123456789.01"


# --- the door to Odoo ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.1 + 0.2, 2, "0.30"),
        # 1.005 is stored as 1.00499999999999989...; it was written as 1.005.
        (1.005, 2, "1.01"),
        (-1.005, 2, "-1.01"),
        (1234567.8901, 4, "1234567.8901"),
        (-0.0, 2, "0.00"),
        (3, 2, "3.00"),
        (1e-7, 4, "0.0000"),
    ],
)
def test_float_of_odoo_comes_in_without_its_noise(value: float, digits: int, expected: str) -> None:
    assert str(from_float(value, digits)) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_float_that_is_no_number_does_not_come_in(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        from_float(value, 2)


def test_amount_goes_out_and_comes_back_the_same(random: Random) -> None:
    for _ in range(500):
        amount = D(random.randint(-(10**11), 10**11)).scaleb(-4)
        assert from_float(to_float(amount), 4) == amount


# --- allocate -------------------------------------------------------------------------


def test_cents_left_over_go_to_the_largest_remainders() -> None:
    # 10.00 x 1/6 = 1.666.. and 10.00 x 4/6 = 6.666..: floors 1.66 + 1.66 + 6.66 = 9.98; equal
    # remainders, so the first two get the two cents.
    assert allocate(D("10.00"), decimals("1", "1", "4"), 2) == decimals("1.67", "1.67", "6.66")


def test_equal_weights_are_served_by_position() -> None:
    assert allocate(D("1.00"), decimals("1", "1", "1"), 2) == decimals("0.34", "0.33", "0.33")


def test_negative_total_is_divided_like_a_positive_one() -> None:
    # -1/3 each: floors -0.34 x 3 = -1.02, two cents too low, so the first two give way.
    assert allocate(D("-1.00"), decimals("1", "1", "1"), 2) == decimals("-0.33", "-0.33", "-0.34")


def test_negative_weight_carries_a_negative_part() -> None:
    # Tax of 16.00 on sessions of 100.00 and a credit of -20.00: 20 % each.
    assert allocate(D("16.00"), decimals("100.00", "-20.00"), 2) == decimals("20.00", "-4.00")


def test_nothing_is_divided_into_a_negative_zero() -> None:
    assert [str(part) for part in allocate(D("0.00"), decimals("10.00", "-0.50"), 2)] == ["0.00", "0.00"]


def test_zero_weight_carries_nothing() -> None:
    assert allocate(D("0.05"), decimals("0", "2", "0", "1"), 2) == decimals("0.00", "0.03", "0.00", "0.02")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (("0", "0", "0"), ("0.07", "0.00", "0.00")),
        (("5", "-7", "2"), ("0.00", "0.07", "0.00")),
        (("3", "-3"), ("0.07", "0.00")),
    ],
)
def test_weights_that_sum_to_zero_leave_all_to_the_heaviest(
    weights: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert allocate(D("0.07"), decimals(*weights), 2) == decimals(*expected)


def test_total_without_weights_is_refused_unless_it_is_nothing() -> None:
    assert allocate(D("0.00"), [], 2) == []
    with pytest.raises(ValueError, match="weight"):
        allocate(D("0.01"), [], 2)


def test_total_finer_than_its_parts_is_refused() -> None:
    # Two parts of 0.50 would lose half a cent.
    with pytest.raises(ValueError, match="2 decimals"):
        allocate(D("1.005"), decimals("1", "1"), 2)


def test_allocation_sums_to_its_total_and_stays_within_a_unit_of_the_share(random: Random) -> None:
    for _ in range(500):
        digits = random.choice([0, 2, 4])
        unit = D(1).scaleb(-digits)
        weights = [D(random.randint(0, 10**6)) for _ in range(random.randint(1, 12))]
        total = random.randint(-(10**6), 10**6) * unit
        parts = allocate(total, weights, digits)
        assert sum(parts) == total
        if whole := sum(weights):
            shares = [total * weight / whole for weight in weights]
            assert all(abs(part - share) < unit for part, share in zip(parts, shares, strict=True))


# --- round_to_total ---------------------------------------------------------------------


def test_amounts_are_rounded_so_that_they_sum_to_their_rounded_sum() -> None:
    # 1.004 + 2.004 + 3.004 = 6.012 -> 6.01; each by itself would give 6.00.
    amounts = decimals("1.004", "2.004", "3.004")
    assert round_to_total(amounts, D("6.01"), 2) == decimals("1.01", "2.00", "3.00")


def test_amounts_that_nearly_cancel_are_only_rounded_and_not_scaled() -> None:
    # Sum 0.006 -> 0.01. In proportion, 100.005 would become 166.68.
    assert round_to_total(decimals("100.005", "-99.999"), D("0.01"), 2) == decimals("100.01", "-100.00")


@pytest.mark.parametrize("total", ["5.99", "6.04", "-6.01", "6.015"])
def test_total_that_is_no_rounding_of_the_amounts_is_refused(total: str) -> None:
    # Each 2.005 becomes 2.00 or 2.01, so 6.00 to 6.03 can be reached.
    with pytest.raises(ValueError, match=r"expected a total of 6\.015"):
        round_to_total(decimals("2.005", "2.005", "2.005"), D(total), 2)


def test_rounding_to_a_total_moves_no_amount_by_a_whole_unit(random: Random) -> None:
    for _ in range(500):
        amounts = [D(random.randint(-(10**7), 10**7)).scaleb(-4) for _ in range(random.randint(0, 15))]
        total = round_money(sum(amounts, D(0)), 2)
        parts = round_to_total(amounts, total, 2)
        assert sum(parts, D(0)) == total
        assert all(abs(part - amount) < D("0.01") for part, amount in zip(parts, amounts, strict=True))

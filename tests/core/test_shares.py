"""The invoice's tax over the sessions, one after the other."""

from random import Random

from emsp_core.money import D
from emsp_core.shares import RunningShare


def shares(total: str, *weights: str, digits: int = 2) -> list[str]:
    share = RunningShare(D(total), sum(map(D, weights), D(0)), digits)
    return [str(share.take(D(weight))) for weight in weights]


def test_invoice_tax_is_divided_over_the_sessions_by_their_net_amounts() -> None:
    # 20 % of 10.00, 0.50 and 3.33 are 2.00, 0.10 and 0.666; the invoice has 2.77.
    assert shares("2.77", "10.00", "0.50", "3.33") == ["2.00", "0.10", "0.67"]


def test_equal_sessions_take_turns_with_the_cent_that_is_left() -> None:
    # A third of 0.10 is 0.0333: 0.03, then 0.07 (half up of 0.0667) - 0.03, then 0.10 - 0.07.
    assert shares("0.10", "1", "1", "1") == ["0.03", "0.04", "0.03"]


def test_credit_takes_its_tax_back() -> None:
    # 20 % of 10.00, -4.00 and 1.00 are 2.00, -0.80 and 0.20; together 1.40.
    assert shares("1.40", "10.00", "-4.00", "1.00") == ["2.00", "-0.80", "0.20"]


def test_reverse_charge_leaves_every_session_without_tax() -> None:
    assert shares("0.00", "10.00", "-0.50") == ["0.00", "0.00"]


def test_weights_that_cancel_leave_the_whole_to_the_first() -> None:
    assert shares("0.02", "5", "-5") == ["0.02", "0.00"]


def test_parts_are_rounded_shares_and_sum_to_the_total() -> None:
    random = Random(19)
    for _ in range(200):
        weights = [D(random.randint(-500, 5000)).scaleb(-2) for _ in range(random.randint(1, 30))]
        whole = sum(weights, D(0))
        total = D(random.randint(0, 2000)).scaleb(-2)
        share = RunningShare(total, whole, 2)
        parts = [share.take(weight) for weight in weights]
        assert sum(parts, D(0)) == total
        if whole:
            assert all(
                abs(part - total * weight / whole) < D("0.01")
                for part, weight in zip(parts, weights, strict=True)
            )

"""Which items of two parties are set off, and what is left to transfer."""

from datetime import date, timedelta
from random import Random

import pytest
from emsp_core.money import D
from emsp_core.netting import OpenItem, SetOff, set_off

DAY = date(2026, 11, 10)


def item(key: int, amount: str, due: int = 0, is_credit: bool = False) -> OpenItem:
    return OpenItem(key, D(amount), DAY + timedelta(days=due), is_credit)


def cleared(result: SetOff) -> dict[int, str]:
    return {key: str(amount) for key, amount in result.cleared.items()}


def test_partner_transfers_what_our_larger_side_leaves_open() -> None:
    # 1000.00 + 500.00 against 300.00 + 450.00: 750.00 on each side, 750.00 to receive.
    result = set_off([item(1, "1000.00"), item(2, "500.00", 5), item(3, "-300.00"), item(4, "-450.00", 9)])
    assert cleared(result) == {1: "750.00", 2: "0.00", 3: "-300.00", 4: "-450.00"}
    assert (result.volume, result.balance) == (D("750.00"), D("750.00"))


def test_we_transfer_where_the_partner_claims_more() -> None:
    result = set_off([item(1, "100.00"), item(2, "-80.00", 1), item(3, "-70.00", 2)])
    assert cleared(result) == {1: "100.00", 2: "-80.00", 3: "-20.00"}
    assert result.balance == D("-50.00")


def test_oldest_due_items_are_cleared_first_whatever_their_order() -> None:
    result = set_off([item(1, "60.00", 30), item(2, "60.00", 2), item(3, "-70.00")])
    assert cleared(result) == {2: "60.00", 1: "10.00", 3: "-70.00"}


def test_credit_notes_are_cleared_before_invoices_because_nobody_transfers_them() -> None:
    # We owe a bill of 90.00 and our own credit note of 10.00; the partner owes 40.00.
    result = set_off([item(1, "40.00"), item(2, "-90.00"), item(3, "-10.00", 30, is_credit=True)])
    assert cleared(result) == {1: "40.00", 3: "-10.00", 2: "-30.00"}


def test_equal_sides_leave_nothing_to_transfer() -> None:
    result = set_off([item(1, "12.34"), item(2, "-10.00"), item(3, "-2.34")])
    assert cleared(result) == {1: "12.34", 2: "-10.00", 3: "-2.34"}
    assert result.balance == 0


def test_one_side_alone_is_not_cleared() -> None:
    result = set_off([item(1, "12.34"), item(2, "5.00")])
    assert cleared(result) == {1: "0.00", 2: "0.00"}
    assert (result.volume, result.balance) == (0, D("17.34"))


def test_nothing_open_is_nothing_to_transfer() -> None:
    assert set_off([]) == SetOff({}, D(0), D(0))


def test_item_is_set_off_once() -> None:
    with pytest.raises(ValueError, match="each item once"):
        set_off([item(1, "1.00"), item(1, "2.00")])


def test_item_without_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="got one of 0"):
        set_off([item(1, "0.00")])


def test_whatever_is_open_the_sides_are_cleared_equally_and_nothing_above_what_is_open(
    random: Random,
) -> None:
    for _ in range(500):
        items = [
            OpenItem(
                key,
                D(random.choice((-1, 1)) * random.randint(1, 10 ** random.randint(1, 8))).scaleb(-2),
                DAY + timedelta(days=random.randint(-60, 60)),
                random.random() < 0.2,
            )
            for key in range(random.randint(0, 25))
        ]
        result = set_off(items)
        amounts = {each.key: each.amount for each in items}
        assert result.cleared.keys() == amounts.keys()
        assert sum(result.cleared.values(), D(0)) == 0
        assert sum((a for a in result.cleared.values() if a > 0), D(0)) == result.volume
        for key, amount in result.cleared.items():
            assert abs(amount) <= abs(amounts[key])
            assert amount * amounts[key] >= 0
        left = {key: amounts[key] - result.cleared[key] for key in amounts}
        assert sum(left.values(), D(0)) == result.balance
        # What is left is on one side, and one item at most is split.
        assert all(amount * result.balance >= 0 for amount in left.values())
        assert sum(1 for key in amounts if left[key] and result.cleared[key]) <= 1

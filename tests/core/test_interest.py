from datetime import date, timedelta
from decimal import Decimal

from emsp_core.interest import Change, Rate, Terms, half_year, interest, rate_on, total
from hypothesis import given
from hypothesis import strategies as st

D = Decimal
ECB = [
    Rate(date(2023, 7, 1), D("4.00")),
    Rate(date(2024, 1, 1), D("4.50")),
    Rate(date(2024, 7, 1), D("4.25")),
    Rate(date(2025, 1, 1), D("3.15")),
    Rate(date(2025, 7, 1), D("2.15")),
]
LEGAL = [
    Rate(date(2024, 1, 1), D("5.07")),
    Rate(date(2024, 7, 1), D("4.92")),
    Rate(date(2025, 1, 1), D("3.71")),
    Rate(date(2025, 7, 1), D("2.76")),
]
FRANCE = Terms(ECB, D(10), LEGAL, D(3))
GERMANY = Terms([Rate(date(2025, 1, 1), D("2.27")), Rate(date(2025, 7, 1), D("1.27"))], D(9))
BEFORE = Rate(date(2020, 1, 1), D(0))


def one(amount, due, until, terms=FRANCE, changes=()):
    return interest(D(amount), list(changes), due, until, terms, 2)


def test_interest_runs_from_the_day_after_due_to_the_day_asked_for():
    # 11 to 20 September: 10 days x 1000.00 x 12.15 % / 365 = 3.3287...
    [stretch] = one(1000, date(2025, 9, 10), date(2025, 9, 20))
    assert (stretch.first, stretch.last, stretch.days) == (date(2025, 9, 11), date(2025, 9, 20), 10)
    assert (stretch.percent, stretch.amount) == (D("12.15"), D("3.33"))


def test_nothing_is_owed_on_the_due_date_itself():
    assert one(1000, date(2025, 9, 10), date(2025, 9, 10)) == []


def test_the_rate_changes_with_the_half_year():
    # 21 to 30 June: 10 days at 2.27 + 9 = 11.27 %: 1000 x 11.27 x 10 / 36500 = 3.08767
    # 1 to 20 July: 20 days at 1.27 + 9 = 10.27 %: 1000 x 10.27 x 20 / 36500 = 5.62740; together 8.71507
    stretches = one(1000, date(2025, 6, 20), date(2025, 7, 20), GERMANY)
    assert [(s.days, s.percent, s.amount) for s in stretches] == [
        (10, D("11.27"), D("3.09")),
        (20, D("10.27"), D("5.63")),
    ]
    assert total(stretches) == D("8.72")


def test_a_leap_year_has_366_days_of_one_365th():
    # France: 3 x 5.07 = 15.21 % and 3 x 4.92 = 14.76 %, more than 14.50 % and 14.25 %.
    # 100 per percent and year of 365 days: 15.21 x 182 + 14.76 x 184 = 2768.22 + 2715.84
    stretches = one(36500, date(2023, 12, 31), date(2024, 12, 31))
    assert [s.days for s in stretches] == [182, 184]
    assert [s.amount for s in stretches] == [D("2768.22"), D("2715.84")]


def test_it_is_never_less_than_three_times_the_legal_rate():
    [stretch] = one(1000, date(2024, 1, 31), date(2024, 2, 1))
    assert stretch.percent == D("15.21")


def test_a_payment_in_between_counts_from_the_day_after():
    # 10 days (to the day of payment) on 1000, 10 days on 400: 12.15 % x (10000 + 4000) / 365 = 4.66027
    stretches = one(1000, date(2025, 9, 10), date(2025, 9, 30), changes=[Change(date(2025, 9, 20), D(600))])
    assert [(s.days, s.base) for s in stretches] == [(10, D(1000)), (10, D(400))]
    # 3.32877 and 1.33151: the cents go to the larger remainder
    assert [s.amount for s in stretches] == [D("3.33"), D("1.33")]


def test_a_payment_before_the_due_date_bears_nothing():
    # 400 x 12.15 % x 10 / 365 = 1.33151
    [stretch] = one(1000, date(2025, 9, 10), date(2025, 9, 20), changes=[Change(date(2025, 9, 1), D(600))])
    assert (stretch.base, stretch.amount) == (D(400), D("1.33"))


def test_a_missing_half_year_takes_the_last_rate_and_says_so():
    first, second = one(1000, date(2025, 12, 21), date(2026, 1, 10))
    assert (first.is_assumed, second.is_assumed) == (False, True)
    assert second.known == date(2025, 7, 1)
    assert second.percent == D("12.15")


def test_no_rate_is_made_up_before_the_first_one():
    # 1 July 2023 is the first rate: 4 + 10 = 14 %, 10 days: 3.8356
    stretches = one(1000, date(2023, 6, 1), date(2023, 7, 10))
    assert [(s.first, s.amount) for s in stretches] == [(date(2023, 7, 1), D("3.84"))]
    assert rate_on(ECB, date(2023, 6, 30)) is None


def test_a_negative_reference_rate_lowers_the_points():
    # Germany, 2022: -0.88 + 9 = 8.12 %
    terms = Terms([Rate(date(2022, 1, 1), D("-0.88"))], D(9))
    [stretch] = one(1000, date(2022, 3, 1), date(2022, 3, 2), terms)
    assert stretch.percent == D("8.12")


days = st.dates(date(2023, 7, 1), date(2027, 12, 31))
amounts = st.decimals("0.01", "1000000", places=2)
paid = st.lists(st.builds(Change, days, amounts), max_size=4)


@given(amounts, days, days, paid)
def test_the_stretches_cover_each_day_once_at_most_and_never_a_paid_amount(amount, due, until, changes):
    stretches = interest(amount, changes, due, until, FRANCE, 2)
    assert all(one.last < other.first for one, other in zip(stretches, stretches[1:], strict=False))
    for stretch in stretches:
        assert due < stretch.first <= stretch.last <= until
        assert half_year(stretch.first) == half_year(stretch.last)
        for day in (stretch.first, stretch.last):
            assert stretch.base == amount - sum(change.amount for change in changes if change.day < day) > 0


@given(amounts, days, days, paid)
def test_it_is_the_sum_of_its_days_rounded_once(amount, due, until, changes):
    # Day by day, from the definition, without stretches.
    exact, day = D(0), due + timedelta(days=1)
    for day in (due + timedelta(days=n) for n in range(1, (until - due).days + 1)):
        base = amount - sum(change.amount for change in changes if change.day < day)
        percent = max(rate_on(ECB, day).percent + 10, 3 * (rate_on(FRANCE.floor, day) or BEFORE).percent)
        exact += max(base, D(0)) * percent / 36500
    found = total(interest(amount, changes, due, until, FRANCE, 2))
    assert abs(found - exact) <= D("0.0050001")


@given(amounts, days, days)
def test_paying_earlier_never_costs_more(amount, due, until):
    whole = total(one(amount, due, until))
    assert total(one(amount, due, until, changes=[Change(due + timedelta(days=5), amount)])) <= whole

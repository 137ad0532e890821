"""The chosen invoice day: it lengthens the grace, and never shortens a window."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from emsp_core.calendar import (
    SettlementPeriod,
    Terms,
    is_invoiced_in_time,
    next_period,
    period_after,
    period_of,
    vat_deadline,
)

PARIS = "Europe/Paris"
MONDAY, WEDNESDAY, THURSDAY, SUNDAY = 0, 2, 3, 6


def local(text: str, zone: str = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def terms_of(frequency: str, day: int, zone: str = PARIS, grace: int = 2, control: int = 7) -> Terms:
    return Terms(frequency, zone, grace_days=grace, control_days=control, invoice_day=day)


def dates(period: SettlementPeriod, zone: str = PARIS) -> tuple[str, str]:
    """Local days of cut-off and invoice."""
    return str(period.cut_off.astimezone(ZoneInfo(zone)).date()), str(period.invoice_date)


# --- Months -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "day", "expected"),
    [
        # Control ends on the 1st + 2 + 7 = the 10th at the earliest.
        ("2026-10", 10, ("2026-11-03", "2026-11-10")),
        ("2026-10", 12, ("2026-11-05", "2026-11-12")),
        # The 9th is a day too early: the one of the month after.
        ("2026-10", 9, ("2026-12-02", "2026-12-09")),
        ("2026-10", 1, ("2026-11-24", "2026-12-01")),
        # December, and November into the next year.
        ("2026-12", 15, ("2027-01-08", "2027-01-15")),
        ("2026-11", 5, ("2026-12-29", "2027-01-05")),
        # The last day, in months of 30, 28, 29 and 31 days.
        ("2026-10", 31, ("2026-11-23", "2026-11-30")),
        ("2026-01", 31, ("2026-02-21", "2026-02-28")),
        ("2028-01", 31, ("2028-02-22", "2028-02-29")),
        ("2026-02", 31, ("2026-03-24", "2026-03-31")),
        ("2026-01", 30, ("2026-02-21", "2026-02-28")),
        ("2026-02", 30, ("2026-03-23", "2026-03-30")),
        ("2026-01", 29, ("2026-02-21", "2026-02-28")),
    ],
)
def test_monthly_list_locks_on_the_first_chosen_day_after_grace_and_control(
    month: str, day: int, expected: tuple[str, str]
) -> None:
    assert dates(period_of(local(f"{month}-15"), terms_of("monthly", day))) == expected


@pytest.mark.parametrize(
    ("frequency", "day", "grace", "expected"),
    [
        # The second quarter ends with June: control ends on 10 July at the earliest.
        ("quarterly", 15, 2, ("2026-07-08", "2026-07-15")),
        ("quarterly", 5, 2, ("2026-07-29", "2026-08-05")),
        ("quarterly", 31, 2, ("2026-07-24", "2026-07-31")),
        # 1 July + 30 + 7 = 7 August.
        ("quarterly", 6, 30, ("2026-08-30", "2026-09-06")),
        ("half_yearly", 20, 2, ("2026-07-13", "2026-07-20")),
        ("half_yearly", 7, 30, ("2026-07-31", "2026-08-07")),
    ],
)
def test_quarter_and_half_year_take_the_first_month_in_which_the_day_fits(
    frequency: str, day: int, grace: int, expected: tuple[str, str]
) -> None:
    assert dates(period_of(local("2026-05-15"), terms_of(frequency, day, grace=grace))) == expected


# --- Weeks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "weekday", "expected"),
    [
        # The week of 12 October 2026 ends before Monday the 19th; + 2 + 7 = Wednesday the 28th.
        ("weekly", WEDNESDAY, ("2026-10-21", "2026-10-28")),
        ("weekly", THURSDAY, ("2026-10-22", "2026-10-29")),
        ("weekly", SUNDAY, ("2026-10-25", "2026-11-01")),
        ("weekly", MONDAY, ("2026-10-26", "2026-11-02")),
        # The two weeks from 5 October (1008 days = 72 x 14 after the epoch) end before the 19th as well.
        ("two_weekly", MONDAY, ("2026-10-26", "2026-11-02")),
    ],
)
def test_weekly_list_locks_on_the_chosen_weekday(
    frequency: str, weekday: int, expected: tuple[str, str]
) -> None:
    assert dates(period_of(local("2026-10-14"), terms_of(frequency, weekday))) == expected


def test_week_at_the_end_of_the_year_is_invoiced_in_january() -> None:
    # Ends before Monday 4 January 2027; + 9 = Wednesday the 13th, the next Monday is the 18th.
    period = period_of(local("2026-12-31"), terms_of("weekly", MONDAY))
    assert dates(period) == ("2027-01-11", "2027-01-18")


# --- Clock changes --------------------------------------------------------------------------


def test_window_of_a_chosen_day_across_clock_changes_keeps_its_local_midnights() -> None:
    # Forward on Sunday 29 March 2026: cut-off on the 25th, +01:00, lock on 1 April, +02:00.
    spring = period_of(local("2026-02-10"), terms_of("monthly", 1))
    assert (spring.cut_off, spring.lock_at) == (
        datetime(2026, 3, 24, 23, tzinfo=UTC),
        datetime(2026, 3, 31, 22, tzinfo=UTC),
    )
    # Back on Sunday 25 October 2026.
    autumn = period_of(local("2026-09-10"), terms_of("monthly", 28))
    assert (autumn.cut_off, autumn.lock_at) == (
        datetime(2026, 10, 20, 22, tzinfo=UTC),
        datetime(2026, 10, 27, 23, tzinfo=UTC),
    )


def test_chosen_day_without_midnight_begins_with_its_first_instant() -> None:
    # Cairo goes from 23:59:59 on 23 April 2026 (UTC+2) to 01:00 on the 24th (UTC+3).
    period = period_of(local("2026-03-10", "Africa/Cairo"), terms_of("monthly", 24, "Africa/Cairo"))
    assert period.lock_at == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert period.invoice_date == date(2026, 4, 24)


# --- A change between two periods ---------------------------------------------------------------


def test_change_of_the_day_touches_the_next_period_only() -> None:
    october = period_of(local("2026-10-15"), terms_of("monthly", 12))
    november = period_after(october.end, terms_of("monthly", 20), october.cut_off)
    assert dates(october) == ("2026-11-05", "2026-11-12")
    assert dates(november) == ("2026-12-13", "2026-12-20")


def test_list_of_a_later_period_never_closes_before_the_one_that_is_still_due() -> None:
    # October on the 5th: 5 December, its list closes on 28 November.
    october = period_of(local("2026-10-15"), terms_of("monthly", 5))
    assert dates(october) == ("2026-11-28", "2026-12-05")
    # 1 November 2026 is a Sunday and a week of one day; left alone it would close on the 4th.
    weekly = Terms("weekly", PARIS)
    assert dates(period_after(october.end, weekly)) == ("2026-11-04", "2026-11-11")
    sunday = period_after(october.end, weekly, october.cut_off)
    assert (sunday.start, dates(sunday)) == (october.end, ("2026-11-28", "2026-12-05"))
    # The weeks after it wait as well, until their own day is the later one.
    period, closings = sunday, []
    for _ in range(4):
        period = period_after(period.end, weekly, period.cut_off)
        closings.append(dates(period)[0])
    # Weeks that end before Monday 9, 16, 23 and 30 November: + 2 = the 11th, 18th, 25th, 2 December.
    assert closings == ["2026-11-28", "2026-11-28", "2026-11-28", "2026-12-02"]


def test_list_that_waits_for_an_earlier_one_locks_on_the_chosen_day_all_the_same() -> None:
    october = period_of(local("2026-10-15"), terms_of("monthly", 5))
    # 28 November + 7 = Saturday 5 December; the next Monday is the 7th, its cut-off 30 November.
    week = period_after(october.end, terms_of("weekly", MONDAY), october.cut_off)
    assert dates(week) == ("2026-11-30", "2026-12-07")


def test_cut_off_of_another_zone_is_waited_for_until_the_next_local_midnight() -> None:
    october = period_of(local("2026-10-15"), terms_of("monthly", 5))
    # 23:00 UTC on the 27th is 01:00 on the 28th in Helsinki: the day begins before it.
    week = period_after(october.end, Terms("weekly", "Europe/Helsinki"), october.cut_off)
    assert dates(week, "Europe/Helsinki") == ("2026-11-29", "2026-12-06")
    # In London it is the 27th still; the midnight of the 28th is the first one after it.
    week = period_after(october.end, Terms("weekly", "Europe/London"), october.cut_off)
    assert dates(week, "Europe/London") == ("2026-11-28", "2026-12-05")


# --- The 15th of the month after -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "deadline", "in_time"),
    [
        (Terms("monthly", PARIS), "2026-06-15", True),
        (terms_of("monthly", 15), "2026-06-15", True),
        (terms_of("monthly", 16), "2026-06-15", False),
        (terms_of("monthly", 5), "2026-06-15", False),
        (terms_of("quarterly", 15), "2026-07-15", True),
        (terms_of("half_yearly", 31), "2026-07-15", False),
    ],
)
def test_invoice_is_in_time_up_to_the_15th_of_the_month_after(
    terms: Terms, deadline: str, in_time: bool
) -> None:
    period = period_of(local("2026-05-20"), terms)
    assert str(vat_deadline(period.last_day)) == deadline
    assert is_invoiced_in_time(period.last_day, period.invoice_date) is in_time


def test_deadline_of_december_is_in_january() -> None:
    assert vat_deadline(date(2026, 12, 31)) == date(2027, 1, 15)


# --- What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "day"), [("monthly", 0), ("monthly", 32), ("quarterly", -1), ("weekly", 7), ("weekly", -1)]
)
def test_day_that_does_not_exist_is_refused(frequency: str, day: int) -> None:
    with pytest.raises(ValueError, match="expected an invoice day from"):
        terms_of(frequency, day)


def test_months_that_could_share_an_invoice_day_are_refused() -> None:
    terms_of("monthly", 31, grace=20, control=7)
    terms_of("quarterly", 31, grace=30, control=30)
    with pytest.raises(ValueError, match="at most 27 days of grace and control"):
        terms_of("monthly", 31, grace=21, control=7)


# --- What always holds -----------------------------------------------------------------------------------

ZONES = (PARIS, "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Africa/Cairo", "America/Sao_Paulo")


def _random_terms(random: Random) -> Terms:
    frequency = random.choice(("weekly", "two_weekly", "monthly", "quarterly", "half_yearly"))
    weekly = frequency.endswith("weekly")
    day = random.choice((None, random.randint(0, 6) if weekly else random.randint(1, 31)))
    grace, control = random.randint(0, 13), random.randint(0, 14)
    return Terms(frequency, random.choice(ZONES), grace, control, day)


def _random_instant(random: Random) -> datetime:
    return datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(25 * 366 * 86400))


def test_chosen_day_only_delays_and_leaves_the_window_its_days(random: Random) -> None:
    for _ in range(1000):
        terms = _random_terms(random)
        zone = ZoneInfo(terms.time_zone)
        instant = _random_instant(random)
        period = period_of(instant, terms)
        plain = period_of(
            instant, Terms(terms.frequency, terms.time_zone, terms.grace_days, terms.control_days)
        )
        delay = (period.invoice_date - plain.invoice_date).days
        cut_off = period.cut_off.astimezone(zone).date()
        assert 0 <= delay <= (6 if terms.frequency.endswith("weekly") else 30)
        assert (period.invoice_date - cut_off).days == terms.control_days
        assert period.lock_at.astimezone(zone).date() == period.invoice_date
        assert (period.start, period.end) == (plain.start, plain.end)


def test_each_period_of_a_contract_has_an_invoice_day_of_its_own(random: Random) -> None:
    for _ in range(300):
        terms = _random_terms(random)
        period = period_of(_random_instant(random), terms)
        for _ in range(15):
            following = next_period(period, terms)
            assert following.invoice_date > period.invoice_date
            period = following


def test_lists_close_in_the_order_of_their_periods_whatever_changes(random: Random) -> None:
    for _ in range(300):
        period = period_of(_random_instant(random), _random_terms(random))
        for _ in range(8):
            terms = _random_terms(random)
            following = period_after(period.end, terms, period.cut_off)
            assert following.start == period.end < following.end
            assert following.cut_off >= max(period.cut_off, following.end)
            window = following.invoice_date - following.cut_off.astimezone(ZoneInfo(terms.time_zone)).date()
            assert window.days == terms.control_days
            period = following

"""Settlement periods and control windows, in the contract's time zone."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from emsp_core.calendar import SettlementPeriod, Terms, next_period, period_after, period_for_cdr, period_of

PARIS = "Europe/Paris"
FREQUENCIES = ("weekly", "two_weekly", "monthly", "quarterly", "half_yearly")
MONTHLY = Terms("monthly", PARIS)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def days(period: SettlementPeriod) -> tuple[str, str]:
    return str(period.first_day), str(period.last_day)


# --- The default: monthly ---------------------------------------------------------------


def test_monthly_default_closes_its_list_on_the_3rd_and_locks_on_the_10th_at_midnight() -> None:
    # January in Paris is UTC+1, so local midnight is 23:00 UTC of the day before.
    assert period_of(utc("2026-01-15T12:00"), MONTHLY) == SettlementPeriod(
        start=utc("2025-12-31T23:00"),
        end=utc("2026-01-31T23:00"),
        cut_off=utc("2026-02-02T23:00"),
        lock_at=utc("2026-02-09T23:00"),
        first_day=date(2026, 1, 1),
        last_day=date(2026, 1, 31),
        invoice_date=date(2026, 2, 10),
    )


def test_terms_move_cut_off_and_lock() -> None:
    period = period_of(local("2026-01-15"), Terms("monthly", PARIS, grace_days=0, control_days=30))
    assert period.cut_off == period.end == local("2026-02-01")
    # 1 February + 30 days.
    assert period.lock_at == local("2026-03-03")
    assert period.invoice_date == date(2026, 3, 3)


def test_window_may_have_no_days_at_all() -> None:
    period = period_of(local("2026-01-15"), Terms("monthly", PARIS, grace_days=0, control_days=0))
    assert period.end == period.cut_off == period.lock_at


# --- Every frequency ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "day", "expected"),
    [
        # 12 October 2026 is a Monday.
        ("weekly", "2026-10-12", ("2026-10-12", "2026-10-18")),
        ("weekly", "2026-10-18", ("2026-10-12", "2026-10-18")),
        # ISO week 53 of 2026 lies in two years.
        ("weekly", "2027-01-01", ("2026-12-28", "2027-01-03")),
        # Counted from Monday 1 January 2024: 735 days to 5 January 2026, 735 = 52 x 14 + 7.
        ("two_weekly", "2026-01-05", ("2025-12-29", "2026-01-11")),
        ("two_weekly", "2026-01-12", ("2026-01-12", "2026-01-25")),
        ("two_weekly", "2023-12-31", ("2023-12-18", "2023-12-31")),
        ("monthly", "2026-04-30", ("2026-04-01", "2026-04-30")),
        ("monthly", "2026-12-31", ("2026-12-01", "2026-12-31")),
        ("monthly", "2026-02-28", ("2026-02-01", "2026-02-28")),
        ("monthly", "2028-02-29", ("2028-02-01", "2028-02-29")),
        ("monthly", "2100-02-28", ("2100-02-01", "2100-02-28")),
        ("quarterly", "2026-05-15", ("2026-04-01", "2026-06-30")),
        ("quarterly", "2026-12-31", ("2026-10-01", "2026-12-31")),
        ("half_yearly", "2026-06-30", ("2026-01-01", "2026-06-30")),
        ("half_yearly", "2026-07-01", ("2026-07-01", "2026-12-31")),
    ],
)
def test_period_of_a_day(frequency: str, day: str, expected: tuple[str, str]) -> None:
    assert days(period_of(local(f"{day}T13:00"), Terms(frequency, PARIS))) == expected


@pytest.mark.parametrize(
    ("frequency", "following"),
    [
        ("weekly", ("2027-01-04", "2027-01-10")),
        # 28 December 2026 is 1092 days = 78 x 14 after 1 January 2024.
        ("two_weekly", ("2027-01-11", "2027-01-24")),
        ("monthly", ("2027-01-01", "2027-01-31")),
        ("quarterly", ("2027-01-01", "2027-03-31")),
        ("half_yearly", ("2027-01-01", "2027-06-30")),
    ],
)
def test_next_period_crosses_the_end_of_the_year(frequency: str, following: tuple[str, str]) -> None:
    terms = Terms(frequency, PARIS)
    period = period_of(local("2026-12-31T23:59:59"), terms)
    after = next_period(period, terms)
    assert days(after) == following
    assert after.start == period.end


def test_period_after_a_change_of_terms_begins_where_the_last_one_ended() -> None:
    october = period_of(utc("2026-10-15T12:00"), MONTHLY)
    # 1 November 2026 is a Sunday: the week it lies in began in October.
    week = period_after(october.end, Terms("weekly", PARIS))
    assert (week.start, days(week)) == (october.end, ("2026-11-01", "2026-11-01"))
    assert days(next_period(week, Terms("weekly", PARIS))) == ("2026-11-02", "2026-11-08")
    # An hour is not billed twice either where the zone moves east.
    helsinki = period_after(october.end, Terms("monthly", "Europe/Helsinki"))
    assert (helsinki.start, days(helsinki)) == (october.end, ("2026-11-01", "2026-11-30"))


def test_period_after_unchanged_terms_is_the_next_one() -> None:
    october = period_of(utc("2026-10-15T12:00"), MONTHLY)
    assert period_after(october.end, MONTHLY) == next_period(october, MONTHLY)


def test_december_is_invoiced_in_the_new_year() -> None:
    assert period_of(local("2026-12-31T23:59:59"), MONTHLY).invoice_date == date(2027, 1, 10)


def test_leap_day_can_be_an_invoice_date() -> None:
    # 1 February 2028 + 21 + 7 days.
    terms = Terms("monthly", PARIS, grace_days=21, control_days=7)
    assert period_of(local("2028-01-31"), terms).invoice_date == date(2028, 2, 29)


# --- Clock changes and zones ------------------------------------------------------------------


def test_window_across_the_change_to_summer_time_lasts_167_hours() -> None:
    # Clocks go forward on Sunday 29 March 2026; cut-off on the 25th, lock on 1 April.
    period = period_of(local("2026-03-20T12:00"), Terms("weekly", PARIS))
    assert (period.cut_off, period.lock_at) == (utc("2026-03-24T23:00"), utc("2026-03-31T22:00"))
    assert period.lock_at - period.cut_off == timedelta(hours=167)


def test_window_across_the_change_to_winter_time_lasts_169_hours() -> None:
    # Clocks go back on Sunday 25 October 2026; cut-off on the 21st, lock on the 28th.
    period = period_of(local("2026-10-15T12:00"), Terms("weekly", PARIS))
    assert (period.cut_off, period.lock_at) == (utc("2026-10-20T22:00"), utc("2026-10-27T23:00"))
    assert period.lock_at - period.cut_off == timedelta(hours=169)


@pytest.mark.parametrize(("month", "hours"), [("03", 743), ("10", 745), ("05", 744)])
def test_month_with_a_clock_change_is_an_hour_shorter_or_longer(month: str, hours: int) -> None:
    period = period_of(local(f"2026-{month}-15"), MONTHLY)
    assert period.end - period.start == timedelta(hours=hours)


def test_same_instant_lies_in_different_months_of_different_zones() -> None:
    instant = utc("2026-01-31T22:30")
    assert period_of(instant, MONTHLY).first_day == date(2026, 1, 1)
    assert period_of(instant, Terms("monthly", "Europe/Helsinki")).first_day == date(2026, 2, 1)
    assert period_of(instant, Terms("monthly", "America/New_York")).first_day == date(2026, 1, 1)


def test_instant_may_be_given_in_any_zone() -> None:
    instant = utc("2026-01-31T23:30")
    tokyo = instant.astimezone(ZoneInfo("Asia/Tokyo"))
    assert period_of(tokyo, MONTHLY) == period_of(instant, MONTHLY)
    assert period_of(tokyo, MONTHLY).first_day == date(2026, 2, 1)


def test_day_without_midnight_begins_with_its_first_instant() -> None:
    # Cairo goes from 23:59:59 on 23 April 2026 (UTC+2) to 01:00 on the 24th (UTC+3).
    period = period_of(
        local("2026-04-15T12:00", "Africa/Cairo"), Terms("weekly", "Africa/Cairo", grace_days=4)
    )
    assert period.cut_off == utc("2026-04-23T22:00")


# --- The period of a CDR -------------------------------------------------------------------------


def test_session_that_ends_with_the_period_belongs_to_the_next_one() -> None:
    end = local("2026-02-01T00:00")
    before, _ = period_for_cdr(end - timedelta(seconds=1), end, MONTHLY)
    exactly, _ = period_for_cdr(end, end, MONTHLY)
    assert before.first_day == date(2026, 1, 1)
    assert exactly.first_day == date(2026, 2, 1)


def test_session_across_the_period_end_belongs_wholly_to_the_period_of_its_end() -> None:
    # Nobody asks for its start.
    period, is_late = period_for_cdr(local("2026-02-01T00:20"), local("2026-02-01T00:21"), MONTHLY)
    assert (period.first_day, is_late) == (date(2026, 2, 1), False)


@pytest.mark.parametrize(
    ("available_at", "first_day", "is_late"),
    [
        ("2026-01-31T20:00:00", date(2026, 1, 1), False),
        # In the days of grace.
        ("2026-02-02T09:00:00", date(2026, 1, 1), False),
        # The cut-off itself is in, a second later is not.
        ("2026-02-03T00:00:00", date(2026, 1, 1), False),
        ("2026-02-03T00:00:01", date(2026, 2, 1), True),
        # While the list is in control, and after its lock.
        ("2026-02-07T12:00:00", date(2026, 2, 1), True),
        ("2026-02-20T12:00:00", date(2026, 2, 1), True),
        # The cut-offs passed: 3 February, March, April and May. The next is 3 June, that of May.
        ("2026-05-20T12:00:00", date(2026, 5, 1), True),
    ],
)
def test_cdr_comes_on_the_first_list_that_closes_after_it_is_available(
    available_at: str, first_day: date, is_late: bool
) -> None:
    period, late = period_for_cdr(local("2026-01-31T18:00"), local(available_at), MONTHLY)
    assert (period.first_day, late) == (first_day, is_late)


def test_late_cdr_of_a_weekly_contract_takes_the_next_open_list_while_two_are_in_control() -> None:
    # Weeks of 5 and 12 October: cut-offs on the 14th and 21st, locks on the 21st and 28th.
    terms = Terms("weekly", PARIS)
    period, is_late = period_for_cdr(local("2026-10-08T10:00"), local("2026-10-21T00:00:01"), terms)
    assert (days(period), is_late) == (("2026-10-19", "2026-10-25"), True)


# --- What is refused ---------------------------------------------------------------------------------


def test_naive_instant_is_refused() -> None:
    naive = datetime(2026, 1, 15)
    with pytest.raises(ValueError, match="aware"):
        period_of(naive, MONTHLY)
    with pytest.raises(ValueError, match="aware"):
        period_for_cdr(utc("2026-01-15"), naive, MONTHLY)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "Europe", "", "../etc/passwd"])
def test_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Terms("monthly", zone)


def test_unknown_frequency_and_negative_days_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of weekly, two_weekly, monthly"):
        Terms("daily", PARIS)
    with pytest.raises(ValueError, match="days >= 0"):
        Terms("monthly", PARIS, grace_days=-1)
    with pytest.raises(ValueError, match="days >= 0"):
        Terms("monthly", PARIS, control_days=-1)


# --- What always holds -----------------------------------------------------------------------------------

ZONES = (PARIS, "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Africa/Cairo", "America/Sao_Paulo")


def _random_terms(random: Random) -> Terms:
    grace, control = random.randint(0, 10), random.randint(0, 30)
    return Terms(random.choice(FREQUENCIES), random.choice(ZONES), grace, control)


def _random_instant(random: Random) -> datetime:
    return utc("2010-01-01") + timedelta(seconds=random.randrange(25 * 366 * 86400))


def test_every_instant_lies_in_exactly_one_period_and_periods_leave_no_gap(random: Random) -> None:
    for _ in range(1000):
        terms, instant = _random_terms(random), _random_instant(random)
        period = period_of(instant, terms)
        assert period.start <= instant < period.end
        assert next_period(period, terms).start == period.end
        assert period_of(period.start, terms) == period
        assert period_of(period.end - timedelta(microseconds=1), terms) == period


def test_boundaries_are_the_first_instants_of_local_days(random: Random) -> None:
    for _ in range(1000):
        terms = _random_terms(random)
        period = period_of(_random_instant(random), terms)
        zone = ZoneInfo(terms.time_zone)
        for instant in (period.start, period.end, period.cut_off, period.lock_at):
            before = (instant - timedelta(seconds=1)).astimezone(zone).date()
            assert instant.astimezone(zone).date() == before + timedelta(days=1)


def test_every_cdr_gets_its_whole_window_on_the_earliest_list_that_can_give_it(random: Random) -> None:
    for _ in range(500):
        terms, session_end = _random_terms(random), _random_instant(random)
        available_at = session_end + timedelta(seconds=random.randrange(200 * 86400))
        period, is_late = period_for_cdr(session_end, available_at, terms)
        assert available_at <= period.cut_off
        assert session_end < period.end
        assert is_late == (not period.start <= session_end)
        if is_late:
            earlier = period_of(period.start - timedelta(seconds=1), terms)
            assert earlier.cut_off < available_at

"""Rules on dates: just inside each limit, on it and beyond."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from checking import codes, judge, lasting
from emsp_core.checks.facts import Facts

CDR = lasting(3600)
END = CDR.end_date_time


def received(**after):
    return Facts(received_at=END + timedelta(**after))


@pytest.mark.parametrize("seconds, expected", [(1, []), (0, []), (-1, ["end_before_start"])])
def test_end_before_start(seconds, expected):
    assert codes("end_before_start", lasting(seconds)) == expected


def test_end_before_start_tells_both_instants():
    (finding,) = judge("end_before_start", lasting(-60))
    assert (finding.expected, finding.found) == ("2026-10-05T08:00:00Z", "2026-10-05T07:59:00Z")


@pytest.mark.parametrize(
    "instant, is_placeholder",
    [
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        # In the sender's zone.
        (datetime(1969, 12, 31, 23, tzinfo=UTC), True),
        (datetime(1970, 1, 1, 12, tzinfo=UTC), True),
        # What other systems have for no date.
        (datetime(1, 1, 1, tzinfo=UTC), True),
        (datetime(1970, 1, 2, tzinfo=UTC), False),
    ],
)
def test_placeholder_dates(instant, is_placeholder):
    for name in ("start_date_time", "end_date_time"):
        found = judge("placeholder_date", lasting(60, **{name: instant}))
        assert [finding.path for finding in found] == ([name] if is_placeholder else [])
    both = lasting(60, start_date_time=instant, end_date_time=instant)
    assert len(judge("placeholder_date", both)) == (2 if is_placeholder else 0)


@pytest.mark.parametrize(
    "after, expected",
    [
        ({"days": 1}, []),
        ({}, []),
        ({"seconds": -299}, []),
        ({"seconds": -300}, []),
        ({"seconds": -300, "microseconds": -1}, ["end_in_future"]),
    ],
)
def test_end_in_the_future_of_its_reception(after, expected):
    assert codes("future_end", CDR, received(**after)) == expected


@pytest.mark.parametrize(
    "after, expected",
    [
        ({"days": -1}, []),
        ({"days": 89}, []),
        ({"days": 90}, []),
        ({"days": 90, "microseconds": 1}, ["received_late"]),
    ],
)
def test_received_after_more_than_ninety_days(after, expected):
    assert codes("received_late", CDR, received(**after)) == expected


def test_late_reception_tells_how_late():
    (finding,) = judge("received_late", CDR, received(days=91, hours=2, minutes=5), after_s=86400)
    assert (finding.expected, finding.found) == ("1 d", "91 d 2 h 5 min")
    assert finding.details == {"end": "2026-10-05T09:00:00Z"}


@pytest.mark.parametrize("rule", ["future_end", "received_late"])
def test_dates_are_not_judged_where_the_reception_is_unknown(rule):
    assert codes(rule, CDR) == "reception_unknown"


def test_calendar_ends_stop_no_rule():
    facts = Facts(received_at=datetime.max.replace(tzinfo=UTC))
    cdr = lasting(0, start_date_time=datetime.min.replace(tzinfo=UTC), total_energy=Decimal(1))
    assert codes("received_late", cdr, facts) == ["received_late"]
    late = lasting(0, end_date_time=datetime.max.replace(tzinfo=UTC))
    assert codes("future_end", late, Facts(received_at=datetime.min.replace(tzinfo=UTC))) == ["end_in_future"]

"""DateTime, numbers and country codes of OCPI."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from emsp_core.ocpi.countries import to_alpha_3
from emsp_core.ocpi.types import format_date_time, parse_date_time, usable


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T17:32:10Z",
        "2026-03-14T17:32:10",
        "2026-03-14T17:32:10.000Z",
        "2026-03-14T17:32:10+00:00",
        "2026-03-14T18:32:10+01:00",
        "2026-03-14T12:02:10-05:30",
        "2026-03-15T07:32:10+1400",
        "2026-03-14 17:32:10z",
    ],
)
def test_date_times_of_any_offset_are_the_same_instant_in_utc(text):
    instant = parse_date_time(text)
    assert instant == datetime(2026, 3, 14, 17, 32, 10, tzinfo=UTC)
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(
    ("fraction", "microseconds"), [(".2", 200_000), (".123", 123_000), (".123456789", 123_457)]
)
def test_fractions_of_a_second_are_kept_to_the_microsecond(fraction, microseconds):
    assert parse_date_time(f"2016-12-29T17:45:09{fraction}").microsecond == microseconds


@pytest.mark.parametrize(
    "text", ["", "2026-03-14", "14.03.2026 17:32", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_date_time_is_refused(text):
    with pytest.raises(ValueError, match="expected a date and time"):
        parse_date_time(text)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 3, 14, 17, 32, 10, tzinfo=UTC), "2026-03-14T17:32:10Z"),
        (datetime(2026, 3, 14, 17, 32, 10, 123_000, tzinfo=UTC), "2026-03-14T17:32:10.123Z"),
        (datetime(2026, 3, 14, 17, 32, 10, 123_456, tzinfo=UTC), "2026-03-14T17:32:10.123456Z"),
        (
            datetime(2026, 3, 14, 18, 32, 10, tzinfo=timezone(timedelta(hours=1))),
            "2026-03-14T17:32:10Z",
        ),
        (datetime(2026, 3, 14, 17, 32, 10), "2026-03-14T17:32:10Z"),
    ],
)
def test_instants_are_written_in_utc_and_read_back_the_same(instant, text):
    assert format_date_time(instant) == text
    assert format_date_time(parse_date_time(text)) == text


@pytest.mark.parametrize("number", ["0", "-12.5", "12345678901234567.1234", "4.9E-324"])
def test_any_amount_or_volume_can_be_counted_with(number):
    assert usable(Decimal(number))


@pytest.mark.parametrize("number", ["1E+21", "-1E+400", "1E-401", "NaN", "Infinity"])
def test_numbers_of_absurd_size_cannot(number):
    assert not usable(Decimal(number))


@pytest.mark.parametrize(
    ("code", "alpha_3"),
    [("FR", "FRA"), ("de", "DEU"), ("XK", "XKX"), ("FRA", "FRA"), ("QQ", "QQ"), ("", "")],
)
def test_country_codes_become_alpha_3_where_the_country_is_known(code, alpha_3):
    assert to_alpha_3(code) == alpha_3

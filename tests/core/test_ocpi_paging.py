"""Lists in pages: the query, the headers, and the way to the next page."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.paging import Page, next_link, next_url, page_headers, parse_page, resolve, with_query
from hypothesis import given, settings
from hypothesis import strategies as st

LIST = "https://rvr.example/ocpi/2.2.1/cdrs"
AT = datetime(2025, 6, 2, 10, tzinfo=UTC)


# --- The query --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Page(limit=50)),
        ({"limit": "10", "offset": "20"}, Page(limit=10, offset=20)),
        ({"limit": "2000"}, Page(limit=100)),
        ({"limit": " 7 ", "offset": ""}, Page(limit=7)),
        ({"limit": "1", "type": "RFID"}, Page(limit=1)),
        ({"offset": "9" * 18}, Page(limit=50, offset=10**18 - 1)),
        ({"date_from": "2025-06-02T10:00:00Z"}, Page(limit=50, date_from=AT)),
        ({"date_to": "2025-06-02T10:00:00"}, Page(limit=50, date_to=AT)),
        ({"date_from": "2025-06-02T12:00:00+02:00"}, Page(limit=50, date_from=AT)),
        # The plus sign of an offset, not encoded, comes as a blank
        ({"date_from": "2025-06-02T12:00:00 02:00"}, Page(limit=50, date_from=AT)),
        ({"date_from": "2025-06-02T12:00:00.000 02:00"}, Page(limit=50, date_from=AT)),
        ({"date_from": "2025-06-02 10:00:00"}, Page(limit=50, date_from=AT)),
        ({"date_from": " "}, Page(limit=50)),
    ],
)
def test_query_is_read(query, expected):
    assert parse_page(query, maximum=100, default=50) == expected


def test_page_is_as_large_as_may_be_where_nothing_is_said():
    assert parse_page({}, maximum=100).limit == 100
    assert parse_page({}, maximum=100, default=500).limit == 100


WHOLE = "a whole number of at least"
INSTANT = "a date and time such as 2025-06-02T10:00:00Z"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("limit", "0", f"{WHOLE} 1"),
        ("limit", "-1", f"{WHOLE} 1"),
        ("limit", "ten", f"{WHOLE} 1"),
        ("limit", "1.0", f"{WHOLE} 1"),
        ("limit", "٣", f"{WHOLE} 1"),
        ("offset", "-1", f"{WHOLE} 0"),
        ("offset", "1e3", f"{WHOLE} 0"),
        ("offset", "9" * 19, f"{WHOLE} 0"),
        ("date_from", "yesterday", INSTANT),
        ("date_from", "2025-06-02", INSTANT),
        ("date_to", "2025-13-01T00:00:00Z", INSTANT),
        ("date_to", "1748851200", INSTANT),
    ],
)
def test_parameter_that_cannot_be_used_is_named(name, text, expected):
    with pytest.raises(PayloadError) as refused:
        parse_page({"limit": "5", name: text}, maximum=100)
    error = refused.value
    assert (error.code, error.path) == ("invalid_field", name)
    assert error.params == {"expected": expected, "got": repr(text)}


# --- The answer -------------------------------------------------------------------------------


def test_headers_of_a_page_before_the_last():
    query = {"date_from": "2025-06-02T12:00:00+02:00", "limit": "2000", "type": "a&b=c", "offset": "100"}
    page = parse_page(query, maximum=100)
    assert page_headers(LIST, query, page, total=201, maximum=100) == {
        "Link": (
            f'<{LIST}?date_from=2025-06-02T12:00:00%2B02:00&type=a%26b%3Dc&offset=200&limit=100>; rel="next"'
        ),
        "X-Total-Count": "201",
        "X-Limit": "100",
    }


@pytest.mark.parametrize("total", [0, 100, 200])
def test_last_page_has_no_link(total):
    page = Page(limit=100, offset=100)
    headers = page_headers(LIST, {}, page, total=total, maximum=100)
    assert headers == {"X-Total-Count": str(total), "X-Limit": "100"}


def test_pages_are_walked_from_the_first_to_the_last():
    seen, query = [], {"limit": "3", "date_to": "2025-06-02T12:00:00+02:00"}
    while True:
        page = parse_page(query, maximum=100)
        seen += range(10)[page.offset : page.offset + page.limit]
        assert page.date_to == AT
        following = next_url(next_link(LIST, query, page, total=10), LIST)
        if following is None:
            break
        query = dict(parse_qsl(urlsplit(following).query))
    assert seen == list(range(10))


def test_parameters_go_behind_those_that_are_there():
    assert with_query("https://a/x?y=1", [("z", "2")]) == "https://a/x?y=1&z=2"
    assert with_query("https://a/x", []) == "https://a/x"


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_any_parameter_survives_the_way_out_and_in(query):
    address = with_query(LIST, query.items())
    assert dict(parse_qsl(urlsplit(address).query, keep_blank_values=True)) == query


# --- The client -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://a/cdrs?offset=50&limit=50>; rel="next"', "https://a/cdrs?offset=50&limit=50"),
        ("<https://a/cdrs?offset=50>; rel=next", "https://a/cdrs?offset=50"),
        ("<https://a/cdrs?offset=50>;rel='next'", None),
        ("<https://a/cdrs>;REL=NEXT", "https://a/cdrs"),
        ('<https://a/1>; rel="prev", <https://a/3>; rel="next"', "https://a/3"),
        ('<https://a/1>; rel=prev,<https://a/3>;rel=next,<https://a/9>; rel="last"', "https://a/3"),
        ('<https://a/3>; title="a, <b>; rel=next"; rel="prev"', None),
        ('<https://a/3>; title="to the next"; rel="last next"', "https://a/3"),
        ('<https://a/x,y;z?c=1,2>; rel="next"', "https://a/x,y;z?c=1,2"),
        ('<https://a/3>; crossorigin; rel = "next"', "https://a/3"),
        # Opaque, and taken as it is
        ('<https://a/cdrs?cursor=%7Bx%7D%3D>; rel="next"', "https://a/cdrs?cursor=%7Bx%7D%3D"),
        # Relative to the page at hand
        ('</ocpi/cdrs?offset=2>; rel="next"', "https://rvr.example/ocpi/cdrs?offset=2"),
        ('<?offset=2>; rel="next"', "https://rvr.example/ocpi/2.2.1/cdrs?offset=2"),
        ('<cdrs?offset=2>; rel="next"', "https://rvr.example/ocpi/2.2.1/cdrs?offset=2"),
        ('<../2.2.1/cdrs?offset=2>; rel="next"', "https://rvr.example/ocpi/2.2.1/cdrs?offset=2"),
        ('<//b.example/cdrs>; rel="next"', "https://b.example/cdrs"),
        ('<http://a/cdrs>; rel="next"', "http://a/cdrs"),
        ('<https://a/1>; rel="prev"', None),
        ("https://a/1; rel=next", None),
        ("<https://a/1>", None),
        ("", None),
        (None, None),
    ],
)
def test_next_page_is_found_in_the_header(header, expected):
    assert next_url(header, f"{LIST}?offset=1&limit=1") == expected


def test_long_header_is_read_at_once():
    for header in (
        "<a>;" + " " * 50_000,
        "<a>; rel=" + " " * 50_000 + "x",
        "<a>" + ";a" * 20_000,
        "<" * 50_000,
    ):
        assert next_url(header, LIST) is None


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("https://a", "x", "https://a/x"),
        ("https://a?q=1", "", "https://a?q=1"),
        ("https://a/b/c", "d#part", "https://a/b/d"),
        ("https://a/b/c", "../../../d", "https://a/d"),
        ("https://a/b/c", ".", "https://a/b/"),
        ("https://a/b/c/", "..", "https://a/b/"),
        ("https://a/b", "https://c/./d/../e", "https://c/e"),
    ],
)
def test_address_is_resolved(base, reference, expected):
    assert resolve(base, reference) == expected


steps = st.sampled_from(["..", ".", "a", "b.c", "d;e"])
paths = st.builds(
    lambda root, parts, slash: root + "/".join(parts) + slash,
    st.sampled_from(["", "/"]),
    st.lists(steps, min_size=1, max_size=5),
    st.sampled_from(["", "/"]),
)
queries = st.sampled_from(["", "?offset=2&limit=3", "?x=/../y"])


@settings(max_examples=30, deadline=None)
@given(paths, queries)
def test_address_is_resolved_as_the_standard_library_does(path, query):
    base = "https://rvr.example/ocpi/2.2.1/cdrs?offset=0"
    assert resolve(base, path + query) == urljoin(base, path + query)

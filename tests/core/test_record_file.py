"""Records of a file: borders only, every byte kept."""

import gzip

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.record_file import gunzip, read_records

LIMIT = 10_000


def raws(data: bytes) -> list[bytes]:
    return [record.raw for record in read_records(data, LIMIT)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": 1.0}', [b'{"a": 1.0}']),
        (b'\xef\xbb\xbf {"a":\n {"b": 1}\n}\n', [b'{"a":\n {"b": 1}\n}']),
        (b'{"a": 1}\n{"a": 2}\r\n\n{"a": 3}', [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']),
        (b'[{"a": 1} , {"b": [2, {}]}]', [b'{"a": 1}', b'{"b": [2, {}]}']),
        (b"[]", []),
        (b"[[], 1, null]", [b"[]", b"1", b"null"]),
        (b'["a,]b", "c"]', [b'"a,]b"', b'"c"']),
        # brackets and quotes inside texts are no borders
        (b'[{"a": "}]{\\"["}, {"b": 1}]', [b'{"a": "}]{\\"["}', b'{"b": 1}']),
        # what is no JSON keeps its place and its bytes
        (b'[{"a": 1,}, {"b": 2}]', [b'{"a": 1,}', b'{"b": 2}']),
        (b'[{"a": \xff}, {"b": 2}]', [b'{"a": \xff}', b'{"b": 2}']),
        (b'[{"a": 1}, {"b": ', [b'{"a": 1}', b'{"b":']),
        (b'[{"a": 1}]\n{"b": 2}', [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": 1\n{"b": 2}\n', [b'{"a": 1', b'{"b": 2}']),
        (b'{"a": 1}}\n{"b": 2}\n', [b'{"a": 1}}', b'{"b": 2}']),
        (b'{"a": 1,\n  "b":', [b'{"a": 1,\n  "b":']),
        (b'no JSON\n{"b": 2}\n', [b"no JSON", b'{"b": 2}']),
    ],
)
def test_records_are_the_bytes_between_the_borders(data, expected):
    assert raws(data) == expected
    assert raws(gzip.compress(data)) == expected


def test_places_count_lines_and_elements_from_one():
    lines = read_records(b'{"a": 1}\n\n{"a": 2}\n', LIMIT)
    elements = read_records(b'[{"a": 1}, {"a": 2}]', LIMIT)
    assert [record.place for record in lines] == ["line 1", "line 3"]
    assert [record.place for record in elements] == ["element 1", "element 2"]


@pytest.mark.parametrize("data", [b"", b" \n ", b"\xef\xbb\xbf"])
def test_file_without_a_record_is_refused(data):
    with pytest.raises(PayloadError, match="empty"):
        raws(data)


def test_depth_costs_no_stack():
    data = b"[" + b"[" * 9_000
    assert raws(data) == [b"[" * 9_000]


def test_gunzip_reads_all_members():
    assert gunzip(gzip.compress(b"a") + gzip.compress(b"b") + b"\x00" * 4, 2) == b"ab"


@pytest.mark.parametrize("size", [11, 10_000_000])
def test_gunzip_stops_at_its_limit(size):
    with pytest.raises(PayloadError, match="at most 10 bytes"):
        gunzip(gzip.compress(b"x" * size), 10)


def test_members_share_one_limit():
    with pytest.raises(PayloadError, match="at most 3 bytes"):
        gunzip(gzip.compress(b"ab") * 2, 3)


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b"text")[:-3], gzip.compress(b"text")[:9]])
def test_what_is_no_whole_gzip_is_refused(data):
    with pytest.raises(PayloadError, match="gzip"):
        gunzip(data, 100)


def test_file_beyond_the_limit_is_refused():
    with pytest.raises(PayloadError, match="too_large"):
        raws(b" " * (LIMIT + 1))

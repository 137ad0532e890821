"""JSON texts from outside: read exactly, compared by content."""

from decimal import Decimal

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.json_text import MAX_DEPTH, canonical, read_json, write_json


@pytest.mark.parametrize(
    "text",
    ["0.1", "1E-3", "12345678901234567.1234", "0.10", "-0.0001", "3.0000000000000000000000000000001"],
)
def test_numbers_keep_every_digit(text):
    # str() of a Decimal gives the digits it was made of; a float would have lost most of these.
    assert str(read_json(f'{{"volume": {text}}}')["volume"]) == str(Decimal(text))
    assert write_json(read_json(text)).decode() == str(Decimal(text))


def test_numbers_far_beyond_any_context_precision_survive():
    digits = "9" * 5000
    assert read_json(digits) == Decimal(digits)
    assert canonical(digits + ".0") == digits.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [true, "x"]}', '{ "b":[true,"x"],\n"a":1 }'),
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": 1.50}', '{"a": 15e-1}'),
        ('{"a": 100}', '{"a": 1E2}'),
        ('{"a": 0}', '{"a": -0.00}'),
        ('{"a": 1, "b": null}', '{"a": 1}'),
        ('{"a": {"b": null}}', '{"a": {}}'),
        ('{"a": "\\u00e9\\/"}', '{"a": "é/"}'),
        (b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'),
    ],
)
def test_same_content_in_another_spelling_is_equal(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 12345678901234567.1234}', '{"a": 12345678901234567.1235}'),
        ('{"a": 1.00000000000000000000000000001}', '{"a": 1}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": -1}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 1}', '{"A": 1}'),
        ('{"a": ""}', "{}"),
        ('{"a": []}', "{}"),
        ('{"a": [null]}', '{"a": []}'),
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": "é"}', '{"a": "e\\u0301"}'),
        ('{"a": {"b": 1}, "c": 2}', '{"a": {"b": 1, "c": 2}}'),
    ],
)
def test_other_content_differs(one, other):
    assert canonical(one) != canonical(other)


def test_canonical_text_is_json_and_its_own_canonical_form():
    text = canonical('{"b": [1.50, null, {"é": "\\""}], "a": 1e400}')
    assert text == b'{"a":1E+400,"b":[1.5,null,{"\\u00e9":"\\""}]}'
    assert canonical(text) == text


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused_not_a_crash(opening, depth):
    closing = "]" if opening == "[" else "}"
    bomb = opening * depth + "1" + closing * depth
    for reader in (read_json, canonical):
        with pytest.raises(PayloadError) as refusal:
            reader(bomb)
        assert refusal.value.code == "too_deep"


def test_nesting_up_to_the_bound_is_read():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert canonical(text) == text.encode()


def test_characters_beyond_the_basic_plane_may_be_escaped():
    assert read_json('["\\ud83d\\ude00"]') == ["\U0001f600"]


def test_key_twice_in_one_object_is_named():
    with pytest.raises(PayloadError) as refusal:
        read_json('{"id": "1", "total_cost": {"excl_vat": 1, "incl_vat": 2, "excl_vat": 9}}')
    assert refusal.value.code == "duplicate_key"
    assert str(refusal.value) == "excl_vat: expected the key once, got it again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid_json: expected JSON, got nothing"),
        ('{"a": }', "invalid_json: expected JSON, got Expecting value (line 1, column 7)"),
        ("{}{}", "invalid_json: expected JSON, got Extra data (line 1, column 3)"),
        ('{"a": NaN}', "invalid_json: expected a number, got NaN"),
        ('{"a": -Infinity}', "invalid_json: expected a number, got -Infinity"),
        ("1e99999999999999999999", "invalid_json: expected a usable number, got 1e99999999999999999999"),
        (b'{"a": "\xe9"}', "invalid_encoding: expected UTF-8, got byte 0xe9 at position 7"),
        ("\ud800", "invalid_encoding: expected UTF-8, got byte 0xed at position 0"),
        ('{"a": ["\\ud83d"]}', "invalid_encoding: expected UTF-8, got half a surrogate pair"),
        ('{"\\uDE00": 1}', "invalid_encoding: expected UTF-8, got half a surrogate pair"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text, message):
    with pytest.raises(PayloadError) as refusal:
        canonical(text)
    assert str(refusal.value) == message

"""Texts and identifiers of payment files."""

import pytest
from emsp_core.iso20022.text import is_sepa_id, is_sepa_text, sepa_id, sepa_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe & Söhne <b>", "Grosse + Sohne .b."),
        ("Αθήνα ΑΕ", "Athena AE"),
        ("Zoë_Ångström {A} [B]", "Zoe-Angstrom (A) (B)"),
        ("  two\n lines\t", "two lines"),
        ("ab🚗cd", "abcd"),
        ("🚗🚗", ""),
    ],
)
def test_a_text_is_written_with_the_letters_of_the_set(text, expected):
    assert sepa_text(text) == expected
    assert is_sepa_text(expected)


def test_a_text_is_cut_without_a_space_at_its_end():
    # Nine characters are "Charging " with the space.
    assert sepa_text("Charging stations", 9) == "Charging"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/RE//1/", "RE/1"), ("INV/2026/00001", "INV/2026/00001"), ("A/ /B", "A/B"), ("RÉF 7", "REF 7")],
)
def test_an_identifier_has_no_slash_at_its_ends_and_no_two_in_a_row(text, expected):
    assert sepa_id(text) == expected
    assert is_sepa_id(expected)


@pytest.mark.parametrize("text", ["", "/A", "A/", "A//B", "Ä", "A" * 36, " A"])
def test_what_is_no_identifier_as_it_is(text):
    assert not is_sepa_id(text)

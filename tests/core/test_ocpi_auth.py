"""The Authorization header: which tokens it may mean, and how ours is written."""

import base64

import pytest
from emsp_core.ocpi.auth import authorization_header, credential_candidates
from emsp_core.ocpi.tolerances import LAX
from hypothesis import given, settings
from hypothesis import strategies as st


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # The example of OCPI 2.2.1, 4.1.2, has a line feed behind the token
        ("Token ZXhhbXBsZS10b2tlbgo=", ("example-token", "ZXhhbXBsZS10b2tlbgo=")),
        (f"Token {encoded('clé')}", ("clé", encoded("clé"))),
        ("Token ebf3b399-779f-4497-9b9d-ac6ad3cc44d2", ("ebf3b399-779f-4497-9b9d-ac6ad3cc44d2",)),
        # Base64 by chance, of FF FE FD: no UTF-8
        ("Token //79", ("//79",)),
        ("  Token   abc-1  ", ("abc-1",)),
        ("Token two words", ("two words",)),
        (f"Token {encoded(' ')}", (encoded(" "),)),
        ("Token", ()),
        ("Token ", ()),
        ("", ()),
        ("Tokens abc", ()),
        ("Basic ZXhhbXBsZS10b2tlbgo=", ()),
        ("token abc-1", ()),
        ("Bearer abc-1", ()),
        ("abc-1", ()),
        ("Token é", ("é",)),
    ],
)
def test_candidates_of_a_header(header, expected):
    assert credential_candidates(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Token abc-1", ("abc-1",)),
        ("token abc-1", ("abc-1",)),
        ("TOKEN ZXhhbXBsZS10b2tlbgo=", ("example-token", "ZXhhbXBsZS10b2tlbgo=")),
        ("Bearer abc-1", ("abc-1",)),
        ("abc-1", ("abc-1",)),
        ("ZXhhbXBsZS10b2tlbgo=", ("example-token", "ZXhhbXBsZS10b2tlbgo=")),
        ("Basic abc", ("Basic abc",)),
        ("", ()),
    ],
)
def test_candidates_of_a_header_of_a_lax_peer(header, expected):
    assert credential_candidates(header, tolerances=LAX) == expected


def test_token_whose_base64_is_itself_is_one_candidate():
    assert credential_candidates("Token dG9r") == ("tok", "dG9r")
    assert len(credential_candidates("Token " + encoded("dG9r"))) == 2


def test_header_is_written_in_either_form():
    assert authorization_header("example-token", encoded=True) == "Token ZXhhbXBsZS10b2tlbg=="
    assert authorization_header("example-token", encoded=False) == "Token example-token"


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Other: 1", "é", "\t", "\x7f"])
def test_token_that_would_break_the_header_is_not_written_as_it_is(token):
    with pytest.raises(ValueError, match="visible ASCII") as refused:
        authorization_header(token, encoded=False)
    assert token not in str(refused.value)
    assert credential_candidates(authorization_header(token, encoded=True))[-1] == encoded(token)


@pytest.mark.parametrize("is_encoded", [True, False])
def test_no_token_makes_no_header(is_encoded):
    with pytest.raises(ValueError, match="got nothing"):
        authorization_header("", encoded=is_encoded)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), st.booleans())
def test_token_is_found_in_the_header_it_was_written_to(token, is_encoded):
    candidates = credential_candidates(authorization_header(token, encoded=is_encoded))
    assert token in candidates
    assert not is_encoded or candidates[0] == token


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_any_header_is_read(header):
    assert all(credential_candidates(header, tolerances=LAX))

"""The credentials token in the Authorization header (OCPI 2.2.1, 4.1.2)."""

import base64
import binascii
from collections.abc import Iterator

from .deviations import Deviation
from .tolerances import DEFAULT, Tolerances

_SCHEME = "Token"
_SCHEMES_SEEN = ("token", "bearer")


def credential_candidates(header: str, *, tolerances: Tolerances = DEFAULT) -> tuple[str, ...]:
    """The tokens that a header may mean, the likelier first; none for another scheme.

    From OCPI 2.2-d2 on the token is the Base64 of its UTF-8 text, before it stands there as it is, and
    many peers mix this up. The text's own example has a line feed behind the token: it is taken off.

    :param tolerances: with `header_forms` also the scheme in other letters, Bearer, and a token without
        any scheme.
    """
    credential = _credential(header.strip(), tolerances.header_forms)
    candidates = (text for text in (*_decoded(credential), credential) if text)
    return tuple(dict.fromkeys(candidates))


def find_header_deviation(header: str) -> Deviation | None:
    """What is not as it should be in a header whose token was found; it never repeats the token."""
    scheme, _, credential = header.strip().partition(" ")
    if scheme == _SCHEME:
        return None
    is_scheme = bool(credential) and scheme.lower() in _SCHEMES_SEEN
    found = repr(scheme) if is_scheme else "nothing"
    return Deviation("header_form", "Authorization", f"{_SCHEME!r} before the token", found)


def authorization_header(token: str, *, encoded: bool) -> str:
    """The header's value.

    :param token: in clear.
    :param encoded: in Base64, as from OCPI 2.2-d2 on.
    :raise ValueError: no token, or one that is to stand there as it is and cannot.
    """
    if not token:
        raise ValueError("expected a token, got nothing")
    if encoded:
        return f"{_SCHEME} {base64.b64encode(token.encode()).decode()}"
    # Neither the token nor its characters belong in a log.
    if not all("!" <= character <= "~" for character in token):
        raise ValueError("expected a token of visible ASCII characters")
    return f"{_SCHEME} {token}"


def _credential(header: str, is_lax: bool) -> str:
    scheme, _, credential = header.partition(" ")
    if scheme == _SCHEME or (is_lax and scheme.lower() in _SCHEMES_SEEN):
        return credential.strip()
    return header if is_lax else ""


def _decoded(credential: str) -> Iterator[str]:
    try:
        yield base64.b64decode(credential, validate=True).decode().strip()
    except (binascii.Error, ValueError):
        return

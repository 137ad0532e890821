"""Lists in pages (OCPI 2.2.1, 4.1.4): the query, the headers of an answer, the way to the next page.

Addresses are taken apart and put together here (RFC 3986), because core has nothing to do with the network.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from ..errors import PayloadError
from .decode import show
from .types import DATE_TIME, parse_date_time

PARAMETERS: Final = ("date_from", "date_to", "offset", "limit")
# As many digits as a database counts with.
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}")
# What is left of "+02:00" where a client did not encode the plus sign.
_LOST_PLUS: Final = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:[0-9]{2}$)")
_TIME: Final = re.compile(r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:")
# RFC 3986, appendix B.
_ADDRESS: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
# RFC 8288, section 3; values without quotes are seen too.
_PARAMETER: Final = r'\s*+;\s*+([^\s=;,<>"]++)(?:\s*+=\s*+(?:"([^"]*+)"|([^\s;,"]*+)))?'
_LINK: Final = re.compile(rf"<([^<>]*)>((?:{_PARAMETER})*)")


@dataclass(frozen=True, slots=True)
class Page:
    """Which objects are wanted: updated from `date_from` (included) to `date_to` (not included)."""

    limit: int
    offset: int = 0
    date_from: datetime | None = None
    date_to: datetime | None = None


def parse_page(query: Mapping[str, str], *, maximum: int, default: int | None = None) -> Page:
    """The page that a query asks for; blank parameters are absent, other ones are not looked at.

    :param query: decoded parameters.
    :param maximum: objects in a page; who asks for more gets as many.
    :param default: objects in a page where the query does not say; `maximum` if None.
    :raise PayloadError: invalid_field, with the parameter as path.
    """
    limit = _whole_number(query, "limit", lowest=1)
    if limit is None:
        limit = maximum if default is None else default
    return Page(
        limit=min(limit, maximum),
        offset=_whole_number(query, "offset", lowest=0) or 0,
        date_from=_instant(query, "date_from"),
        date_to=_instant(query, "date_to"),
    )


def page_headers(
    url: str, query: Mapping[str, str], page: Page, *, total: int, maximum: int
) -> dict[str, str]:
    """The headers of a page (OCPI 2.2.1, 4.1.4): X-Total-Count, X-Limit, and Link unless it is the last.

    :param url: of the list, absolute.
    :param query: parameters of the request, decoded; all of them are kept.
    :param total: objects that match, whatever the page.
    :param maximum: objects in a page, at most.
    """
    headers = {"X-Total-Count": str(total), "X-Limit": str(maximum)}
    link = next_link(url, query, page, total=total)
    return headers if link is None else {"Link": link, **headers}


def next_link(url: str, query: Mapping[str, str], page: Page, *, total: int) -> str | None:
    """The Link header to the next page, or None on the last one; arguments as `page_headers`."""
    following = page.offset + page.limit
    if following >= total:
        return None
    kept = [(name, value) for name, value in query.items() if name not in ("offset", "limit")]
    address = with_query(url, [*kept, ("offset", str(following)), ("limit", str(page.limit))])
    return f'<{address}>; rel="next"'


def with_query(url: str, query: Iterable[tuple[str, str]]) -> str:
    """An address with parameters behind those it has."""
    encoded = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in query)
    if not encoded:
        return url
    return f"{url}{'&' if '?' in url else '?'}{encoded}"


def next_url(header: str | None, url: str) -> str | None:
    """Where the next page is, or None on the last one.

    :param header: Link, as received; several headers of the name joined by commas.
    :param url: of the page at hand: some peers send the next one relative to it.
    """
    for link in _LINK.finditer(header or ""):
        for name, quoted, bare in re.findall(_PARAMETER, link[2]):
            if name.lower() == "rel" and "next" in (quoted or bare).lower().split():
                return resolve(url, link[1].strip())
    return None


class _Address(NamedTuple):
    """An address in its parts, without fragment; None is "not there", which is not "empty"."""

    scheme: str | None
    authority: str | None
    path: str
    query: str | None

    def __str__(self) -> str:
        scheme = "" if self.scheme is None else f"{self.scheme}:"
        authority = "" if self.authority is None else f"//{self.authority}"
        query = "" if self.query is None else f"?{self.query}"
        return f"{scheme}{authority}{self.path}{query}"


def resolve(base: str, reference: str) -> str:
    """An address that may be relative to another one (RFC 3986, 5.2.2), without its fragment."""
    here, there = _split(base), _split(reference)
    if there.scheme is not None:
        return str(there._replace(path=_without_dots(there.path)))
    if there.authority is not None:
        return str(there._replace(scheme=here.scheme, path=_without_dots(there.path)))
    if not there.path:
        return str(here if there.query is None else here._replace(query=there.query))
    path = there.path
    if not path.startswith("/"):
        path = f"{here.path.rpartition('/')[0]}/{path}"
    return str(here._replace(path=_without_dots(path), query=there.query))


def _split(address: str) -> _Address:
    # The expression fits any text.
    return _Address(*next(_ADDRESS.finditer(address)).groups())


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    if not path.startswith("/"):
        return path
    kept: list[str] = []
    steps = path.split("/")[1:]
    for step in steps:
        if step == "..":
            del kept[-1:]
        elif step != ".":
            kept.append(step)
    if steps[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _encode(text: str) -> str:
    return "".join(chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in text.encode())


def _whole_number(query: Mapping[str, str], name: str, *, lowest: int) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) < lowest:
        raise _refusal(name, f"a whole number of at least {lowest}", text)
    return int(text)


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if _TIME.search(text):
        text = _LOST_PLUS.sub("+", text)
    try:
        return parse_date_time(text)
    except ValueError:
        raise _refusal(name, DATE_TIME, text) from None


def _refusal(name: str, expected: str, text: str) -> PayloadError:
    return PayloadError("invalid_field", path=name, expected=expected, got=show(text))

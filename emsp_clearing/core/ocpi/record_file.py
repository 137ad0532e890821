"""Files of OCPI objects: a JSON array, JSON lines or one object, gzipped or not.

Only the borders of the records are looked for here. Each record leaves byte for byte as it stands in
the file, also one that is no valid JSON: what reads it next says what is wrong with it, and the
records around it are not lost.
"""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import PayloadError

GZIP_MAGIC = b"\x1f\x8b"
UTF8_BOM = b"\xef\xbb\xbf"

# A JSON text as far as borders matter: strings (brackets in them do not count) and brackets.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_GAP = re.compile(rb"[\s,]*")
_SCALAR = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[^,\]]+', re.DOTALL)


class Record(NamedTuple):
    """One record of a file: `place` is "line 3" or "element 3", counted from 1."""

    place: str
    raw: bytes


def gunzip(data: bytes, limit: int) -> bytes:
    """Decompress gzip data of one or more members.

    :param limit: most bytes of the result; a small file can unfold into gigabytes.
    :raise PayloadError: not gzip, cut short, or larger than `limit`.
    """
    parts: list[bytes] = []
    room = limit
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            part = stream.decompress(data, room + 1)
        except zlib.error as error:
            raise PayloadError("gzip", expected="gzip data", got=str(error)) from error
        if len(part) > room:
            raise PayloadError("too_large", expected=f"at most {limit} bytes", got="more")
        if not stream.eof:
            raise PayloadError("gzip", expected="a complete gzip stream", got="one cut short")
        parts.append(part)
        room -= len(part)
        data = stream.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def read_records(data: bytes, limit: int) -> Iterator[Record]:
    """The records of a file, in its order.

    :param limit: most bytes of the file once decompressed.
    :raise PayloadError: gzip that cannot be read, a file too large, or one without any record.
    """
    if data.startswith(GZIP_MAGIC):
        data = gunzip(data, limit)
    if len(data) > limit:
        raise PayloadError("too_large", expected=f"at most {limit} bytes", got=str(len(data)))
    data = data.removeprefix(UTF8_BOM)
    text = data.strip()
    if not text:
        raise PayloadError("empty", expected="at least one record", got="an empty file")
    if text.startswith(b"["):
        return _array_elements(text)
    if _is_one_object(text):
        return iter([Record("element 1", text)])
    return _lines(data)


def _is_one_object(text: bytes) -> bool:
    """One object, maybe over many lines; an unclosed one with objects below it is a bad line of many."""
    if not text.startswith(b"{"):
        return False
    end = _element_end(text, 0)
    return end == len(text) if end else b"\n{" not in text


def _lines(data: bytes) -> Iterator[Record]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        raw = line.strip()
        if raw:
            yield Record(f"line {number}", raw)


def _array_elements(text: bytes) -> Iterator[Record]:
    position, number = 1, 0
    while True:
        position = _skip_gap(text, position)
        if position >= len(text) or text.startswith(b"]", position):
            break
        end = _element_end(text, position) or len(text)
        number += 1
        yield Record(f"element {number}", text[position:end].rstrip())
        position = end
    for line in _lines(text[position + 1 :]):
        yield Record(f"after element {number}", line.raw)


def _skip_gap(text: bytes, position: int) -> int:
    match = _GAP.match(text, position)
    return match.end() if match else position


def _element_end(text: bytes, start: int) -> int:
    """:return: index behind the element that starts at `start`; 0 when it never closes."""
    if text[start : start + 1] not in (b"{", b"["):
        match = _SCALAR.match(text, start)
        return match.end() if match else 0
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
        if depth == 0:
            return token.end()
    return 0

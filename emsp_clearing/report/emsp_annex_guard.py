"""Refuses files that would cost too much to read, before openpyxl reads them.

An .xlsx file is a ZIP archive of XML parts. Both can be small and unfold into gigabytes: by their
compression, by entities, by elements that openpyxl keeps in memory. Each part is streamed once, which
takes about a tenth of the time of reading it.
"""

import io
from typing import NamedTuple
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

# Head and total row, and a few that a person has added.
SPARE_ROWS = 20
# Lines of another sheet, by session: price segments, findings.
DETAILS_PER_SESSION = 8
MAX_PARTS = 200
MAX_ROW_ELEMENTS = 1000
# Of a part that by its name is no XML: a thumbnail, the settings of a printer. It is not scanned.
MAX_OTHER_BYTES = 512 * 1024
CHUNK = 256 * 1024
NAMESPACE_END = "}"


class Limits(NamedTuple):
    """Of the file, of the sessions on its sheets together, and of what it unfolds to: a session is a row
    of about 3 kB."""

    file_bytes: int
    rows: int
    unpacked_bytes: int


# What anybody may send to a server, and what somebody lets the own machine read.
PUBLIC = Limits(20 * 1024 * 1024, 50_000, 300 * 1024 * 1024)
OWN_MACHINE = Limits(2 * 1024**3, 2_500_000, 20 * 1024**3)


class Limit(NamedTuple):
    """Most bytes and elements of a part; the elements of a sheet's rows do not count."""

    size: int
    elements: int


SHEET, TEXTS = "worksheet", "sst"
OTHER = Limit(4 * 1024 * 1024, 100_000)


def limit_of(root: str, limits: Limits) -> Limit:
    """By the part's root element."""
    if root == SHEET:
        return Limit(limits.unpacked_bytes, limits.rows * DETAILS_PER_SESSION + 10_000)
    if root == TEXTS:
        # Of a file that a spreadsheet program has saved: about 15 of them for a session.
        return Limit(limits.unpacked_bytes // 3, limits.rows * 40)
    return OTHER


class RefusedFile(Exception):
    """`code` says why: too_large, not_spreadsheet, unsafe, too_many_rows or no_annex."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_archive(content: bytes, limits: Limits = PUBLIC) -> None:
    """
    :raise RefusedFile: when the file is larger, or unfolds further, than a session annex may.
    :raise zipfile.BadZipFile, expat.ExpatError, OSError, ...: when it is damaged.
    """
    if len(content) > limits.file_bytes:
        raise RefusedFile("too_large")
    with ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        # No more than this is ever unpacked of a part, whatever it holds.
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > limits.unpacked_bytes:
            raise RefusedFile("unsafe")
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels")):
                _Part(part, limits).scan(archive)
            elif part.file_size > MAX_OTHER_BYTES:
                raise RefusedFile("unsafe")


class _Part:
    """One XML part while it is streamed."""

    def __init__(self, part: ZipInfo, limits: Limits) -> None:
        self.part, self.limits, self.is_sheet = part, limits, False
        self.limit: Limit | None = None
        self.elements = self.rows = self.row_elements = 0
        self.in_row = False
        self.parser = expat.ParserCreate(namespace_separator=NAMESPACE_END)
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def scan(self, archive: ZipFile) -> None:
        with archive.open(self.part) as stream:
            while chunk := stream.read(CHUNK):
                self.parser.Parse(chunk, False)
        self.parser.Parse(b"", True)

    def _refuse(self, *_arguments: object) -> None:
        # Entities are declared there. No spreadsheet program writes any.
        raise RefusedFile("unsafe")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if self.in_row:
            self.row_elements += 1
            if self.row_elements > MAX_ROW_ELEMENTS:
                raise RefusedFile("unsafe")
            return
        tag = name.rpartition(NAMESPACE_END)[2]
        if self.limit is None:
            self._enter(tag)
        self.elements += 1
        if self.elements > self.limit.elements:
            raise RefusedFile("unsafe")
        if tag == "row" and self.is_sheet:
            self.in_row, self.row_elements = True, 0
            self.rows += 1
            if self.rows > self.limits.rows * DETAILS_PER_SESSION + SPARE_ROWS:
                raise RefusedFile("too_many_rows")

    def _enter(self, root: str) -> None:
        self.limit, self.is_sheet = limit_of(root, self.limits), root == SHEET
        if self.part.file_size > self.limit.size:
            raise RefusedFile("unsafe")

    def _end(self, name: str) -> None:
        if self.in_row and name.rpartition(NAMESPACE_END)[2] == "row":
            self.in_row = False

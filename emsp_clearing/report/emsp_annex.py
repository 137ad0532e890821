"""The session annex of a clearing invoice: dataclasses in, files out.

No ORM here. Amounts are `Decimal`, instants are aware UTC datetimes, durations are whole seconds. Rows
pass by one at a time and go into the workbook and, where wanted, into files for programs; the memory
needed does not grow with their number.

Totals are values with the formulas beside them that check them against the rows, on the summary sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Protocol

from ..core.chain import listed_amount, row_hash
from . import emsp_annex_names as names
from .emsp_annex_cells import English, Language
from .emsp_annex_columns import Column, session_columns
from .emsp_annex_csv import CsvFile
from .emsp_annex_summary import write_summary
from .emsp_annex_tally import Tally
from .emsp_annex_workbook import MAX_ROWS, AnnexWorkbook, Part, Table

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class AnnexSettlement:
    """A settlement that the invoice bills, whole or in part. `list_hash` is that of its own list, which
    has `sessions` CDRs."""

    name: str
    contract: str
    date_first: date
    date_last: date
    time_zone: str
    list_hash: str
    sessions: int


@dataclass(frozen=True, slots=True)
class AnnexHeader:
    """What the annex belongs to. `untaxed` and `tax` are the invoice's, signed like the rows; `sessions` is
    the number of rows, and `list_hash` that of the list they make up."""

    company: str
    company_vat: str
    partner: str
    partner_vat: str
    settlements: Sequence[AnnexSettlement]
    invoice_number: str
    invoice_date: date
    currency: str
    precision: int
    untaxed: Decimal
    tax: Decimal
    sessions: int
    list_hash: str
    color: str = "#1f3a4d"


# Not frozen: setting the fields of a frozen one takes as long as writing them.
@dataclass(slots=True)
class AnnexRow:
    """One CDR. Token and eMA ID come in clear and leave masked; `other` is what is neither a
    session fee, energy, time nor parking (reservation, minimum price). The parts sum to `net`.

    `chain_hash` is the value of its connection's chain after it, `chain_before` that before it, empty
    for the first one.
    """

    ocpi_key: str
    cdr: str
    session_id: str
    start: datetime
    end: datetime
    time_zone: str
    place: str
    address: str
    city: str
    country: str
    evse_id: str
    connector: str
    power_type: str
    token_uid: str
    emaid: str
    energy_kwh: Decimal
    duration_s: int
    parking_s: int
    tariff: str
    session_fee: Decimal
    energy: Decimal
    time: Decimal
    parking: Decimal
    other: Decimal
    net: Decimal
    tax_label: str
    tax: Decimal
    payload_sha256: str
    chain_index: int
    chain_before: str
    chain_hash: str
    settlement: str = ""
    is_credit: bool = False
    late_from: str = ""

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    @property
    def row_sha256(self) -> str:
        return row_hash((self.ocpi_key, self.payload_sha256, listed_amount(self.net)))


@dataclass(frozen=True, slots=True)
class Detail:
    """A further sheet: what else is to be said of the sessions. It is there when it is empty, too.

    `key`: its name in all languages; `for_programs`: it also goes into files beside those of the sessions.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[object]
    for_programs: bool = False


class Sink(Protocol):
    """What takes rows, one after the other."""

    def add(self, values: Sequence[object]) -> None: ...


class CsvChoice(NamedTuple):
    delimiter: str = ","
    with_mark: bool = True


PLAIN_CSV = CsvChoice()


class AnnexFiles(NamedTuple):
    """Where to write, all below a folder for temporary files; without a path, a file is not made.

    What goes with the sessions stands beside them: `csv_segments` beside `csv`.
    """

    folder: Path
    xlsx: Path
    csv: Path | None = None
    parquet: Path | None = None

    def of_detail(self, key: str) -> AnnexFiles:
        """The files for programs that have the rows of a Detail."""
        csv, parquet = (path and path.with_name(f"{path.name}_{key}") for path in (self.csv, self.parquet))
        return self._replace(csv=csv, parquet=parquet)


def write_annex(
    files: AnnexFiles,
    header: AnnexHeader,
    rows: Iterable[AnnexRow],
    details: Sequence[Detail] = (),
    language: Language = English,
    csv: CsvChoice = PLAIN_CSV,
    limit: int = MAX_ROWS,
) -> Tally:
    """The workbook: a summary, the sessions with one line per CDR, and the details. And the same sessions
    as files for programs.

    `language._` translates a label; an Odoo environment does. `limit`: rows on a sheet.
    Raises ValueError when the parts of a row do not sum to its net amount, OSError when a file cannot be
    written.
    """
    title = language._("Session annex %(invoice)s", invoice=header.invoice_number)
    book = AnnexWorkbook(files.xlsx, files.folder, header.color, header.invoice_number, limit)
    book.book.set_properties({"title": title, "author": header.company})
    summary = book.add_sheet(language._("Summary"), landscape=False, pages_across=1)
    columns = session_columns(header, language)
    # What comes after it is for programs, and of no use on paper.
    printed = [column.name for column in columns].index(names.PAYLOAD_HASH) + 1
    numbered = header.sessions > limit
    table = Table(
        book, language._("Sessions"), columns, language._("Total"), numbered=numbered, printed=printed
    )
    tally = Tally()
    parts = _write_rows(table, checked(rows, tally), files, csv)
    _name_columns(book, columns, parts)
    for detail in details:
        beside = files.of_detail(detail.key) if detail.for_programs else AnnexFiles(files.folder, files.xlsx)
        sheet = Table(book, detail.title, detail.columns, language._("Total"))
        _write_rows(sheet, detail.rows, beside, csv)
    write_summary(book, summary, header, columns, parts, tally, language)
    book.close()
    return tally


def _write_rows(table: Table, rows: Iterable[object], files: AnnexFiles, csv: CsvChoice) -> list[Part]:
    """The rows into the workbook's table and into the files for programs, one by one."""
    columns = table.columns
    with ExitStack() as stack:
        sinks: list[Sink] = [table]
        if files.csv:
            text = CsvFile(files.csv, columns, csv.delimiter, with_mark=csv.with_mark)
            stack.callback(text.close)
            sinks.append(text)
        if files.parquet:
            # Not before it is asked for: its library takes its time and memory.
            from .emsp_annex_parquet import ParquetFile

            stored = ParquetFile(files.parquet, columns)
            stack.callback(stored.close)
            sinks.append(stored)
        values = [column.value for column in columns]
        for row in rows:
            cells = [value(row) for value in values]
            for sink in sinks:
                sink.add(cells)
    return table.close()


def checked(rows: Iterable[AnnexRow], tally: Tally) -> Iterator[AnnexRow]:
    for row in rows:
        if row.session_fee + row.energy + row.time + row.parking + row.other != row.net:
            raise ValueError(f"CDR {row.cdr}: expected parts that sum to {row.net}")
        tally.add(row)
        yield row


def _name_columns(book: AnnexWorkbook, columns: Sequence[Column], parts: Sequence[Part]) -> None:
    for number, part in enumerate(parts, 1):
        for position, column in enumerate(columns):
            if column.name:
                cells = part.cells(position).rpartition("!")[2].replace("$1:", "$2:", 1)
                if not part.rows:
                    cells = cells[:-1] + "2"
                book.define(names.name_on_sheet(column.name, number), part.title, cells)

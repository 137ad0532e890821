"""The session annex of a clearing invoice: dataclasses in, bytes of an .xlsx file out.

No ORM here. Amounts are `Decimal`, instants are aware UTC datetimes, durations are whole seconds.
The workbook is streamed (openpyxl, write-only), so the memory needed hardly grows with it.

Totals are values, because a write-only workbook cannot store the cached result of a formula, and
a reader that does not calculate would find nothing. The formulas that check those values against
the rows stand on the summary sheet.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook

from ..core.chain import listed_amount, row_hash
from .emsp_annex_cells import English, Language
from .emsp_annex_names import name_cells
from .emsp_annex_sessions import session_columns, write_sessions
from .emsp_annex_summary import write_summary

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A sheet has 1 048 576 rows; the header and the total take two of them.
MAX_SESSIONS = 1_048_574


@dataclass(frozen=True, slots=True)
class AnnexHeader:
    """What the annex belongs to. `untaxed` and `tax` are the invoice's, signed like the rows."""

    company: str
    company_vat: str
    partner: str
    partner_vat: str
    contract: str
    settlement: str
    date_first: date
    date_last: date
    time_zone: str
    invoice_number: str
    invoice_date: date
    currency: str
    precision: int
    untaxed: Decimal
    tax: Decimal
    list_hash: str
    chain_head: str
    color: str = "#1f3a4d"


@dataclass(frozen=True, slots=True)
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
    is_credit: bool = False
    late_from: str = ""

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    @property
    def row_sha256(self) -> str:
        return row_hash((self.ocpi_key, self.payload_sha256, listed_amount(self.net)))


def annex_total(rows: Sequence[AnnexRow]) -> Decimal:
    """Sum of the net amounts, exact, not rounded."""
    return sum((row.net for row in rows), Decimal(0))


def build_annex(header: AnnexHeader, rows: Sequence[AnnexRow], language: Language = English) -> bytes:
    """The workbook: a summary sheet, and the sheet "Sessions" with one line per CDR.

    `language._` translates a label; an Odoo environment does.
    Raises ValueError when the parts of a row do not sum to its net amount, or the sheet overflows.
    """
    if len(rows) > MAX_SESSIONS:
        raise ValueError(f"expected at most {MAX_SESSIONS} sessions, got {len(rows)}")
    for row in rows:
        if row.session_fee + row.energy + row.time + row.parking + row.other != row.net:
            raise ValueError(f"CDR {row.cdr}: expected parts that sum to {row.net}")
    columns = session_columns(header, language)
    totals = {column.key: sum(map(column.value, rows), start=column.zero) for column in columns if column.key}
    workbook = Workbook(write_only=True)
    workbook.properties.title = language._("Session annex %(invoice)s", invoice=header.invoice_number)
    workbook.properties.creator = header.company
    summary = workbook.create_sheet(language._("Summary"))
    sessions = workbook.create_sheet(language._("Sessions"))
    facts = write_summary(summary, header, rows, columns, totals, sessions.title, language)
    lines = write_sessions(sessions, header, rows, columns, totals, language)
    name_cells(workbook, summary.title, facts)
    name_cells(workbook, sessions.title, lines)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()

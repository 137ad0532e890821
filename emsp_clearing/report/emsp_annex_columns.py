"""The columns of the session annex: what stands in them, and what programs and spreadsheets call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from . import emsp_annex_names as names
from .emsp_annex_cells import DATE_TIME, INTEGER, KWH, MINUTES, TEXT, Language, money_format

if TYPE_CHECKING:
    from .emsp_annex import AnnexHeader, AnnexRow


class Kind(Enum):
    """Of the values of a column; each may also be None.

    TEXT may come from anybody, OWN is a text that we made of letters, digits and signs that need no
    guard. LOCAL is a datetime without zone, INSTANT one in UTC, without zone as well. SECONDS are whole; the
    workbook has them as minutes, because spreadsheets cannot show a duration that is taken back.
    """

    TEXT = "text"
    OWN = "own"
    INTEGER = "integer"
    DECIMAL = "decimal"
    SECONDS = "seconds"
    LOCAL = "local"
    INSTANT = "instant"


FIGURES = (Kind.INTEGER, Kind.DECIMAL, Kind.SECONDS)
# Decimals of what is counted, in files for programs; amounts have two or four.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is its name in files for programs, the same in all languages; `label` that in the workbook.

    `total` says whether it is summed. `name` is that of the column among the workbook's names, for
    whoever verifies it. `digits`: most decimals of its amounts in a Parquet file.
    """

    key: str
    label: str
    width: float
    value: Callable[[Any], object]
    kind: Kind = Kind.TEXT
    number_format: str = TEXT
    total: bool = False
    name: str = ""
    digits: int = DIGITS

    @property
    def is_figure(self) -> bool:
        return self.kind in FIGURES

    @property
    def zero(self) -> Decimal | int:
        return Decimal(0) if self.kind is Kind.DECIMAL else 0


def mask(identifier: str) -> str:
    """`DE8ACC12E46L89` -> `**********6L89`: at most the last four, never more than half."""
    shown = min(4, len(identifier) // 2)
    return "*" * (len(identifier) - shown) + identifier[len(identifier) - shown :]


def session_columns(header: AnnexHeader, language: Language) -> list[Column]:
    """What the two sides compare comes first, the rest of the evidence after it."""
    money = money_format(header.precision)

    def text(key: str, label: str, width: float, kind: Kind = Kind.TEXT) -> Column:
        return Column(key, label, width, attrgetter(key), kind)

    def amount(key: str, label: str, name: str = "") -> Column:
        label = f"{label} ({header.currency})"
        return Column(key, label, 13, attrgetter(key), Kind.DECIMAL, money, True, name)

    def duration(key: str, label: str) -> Column:
        return Column(key, label, 11, attrgetter(key), Kind.SECONDS, MINUTES, True)

    def local(key: str, label: str, moment: str) -> Column:
        read = attrgetter(moment)
        return Column(key, label, 20, lambda row: _local(row, read(row)), Kind.LOCAL, DATE_TIME)

    def offset(key: str, label: str, moment: str) -> Column:
        read = attrgetter(moment)
        return Column(key, label, 10, lambda row: _offset(row, read(row)), Kind.OWN)

    def instant(key: str, label: str, moment: str) -> Column:
        read = attrgetter(moment)
        return Column(key, label, 20, lambda row: read(row).replace(tzinfo=None), Kind.INSTANT, DATE_TIME)

    return [
        text("cdr", language._("CDR"), 26),
        local("start_local", language._("Start (local)"), "start"),
        offset("start_offset", language._("Offset at start"), "start"),
        local("end_local", language._("End (local)"), "end"),
        offset("end_offset", language._("Offset at end"), "end"),
        text("time_zone", language._("Time zone"), 17),
        text("place", language._("Place"), 28),
        text("city", language._("City"), 18),
        text("evse_id", language._("EVSE ID"), 22),
        Column("token", language._("Token (masked)"), 18, lambda row: mask(row.token_uid)),
        Column("emaid", language._("eMA ID (masked)"), 20, lambda row: mask(row.emaid)),
        Column("energy_kwh", "kWh", 12, attrgetter("energy_kwh"), Kind.DECIMAL, KWH, True),
        duration("duration_s", language._("Duration (min)")),
        duration("parking_s", language._("Parking (min)")),
        text("tariff", language._("Applied tariff"), 24),
        amount("session_fee", language._("Session fee")),
        amount("energy", language._("Energy")),
        amount("time", language._("Time")),
        amount("parking", language._("Parking")),
        amount("other", language._("Other")),
        amount("net", language._("Net"), names.AMOUNT),
        text("tax_label", language._("Tax code"), 12),
        amount("tax", language._("Tax")),
        amount("gross", language._("Gross")),
        Column(
            "credit",
            language._("Credit CDR"),
            11,
            lambda row: language._("credit") if row.is_credit else None,
        ),
        Column("late_from", language._("Late, from period"), 13, lambda row: row.late_from or None, Kind.OWN),
        Column(
            "settlement", language._("Settlement"), 14, attrgetter("settlement"), name=names.OF_SETTLEMENT
        ),
        text("session_id", language._("Session"), 20),
        text("address", language._("Address"), 28),
        text("country", language._("Country"), 10),
        text("connector", language._("Connector"), 18),
        text("power_type", language._("Power type"), 14),
        instant("start_utc", language._("Start (UTC)"), "start"),
        instant("end_utc", language._("End (UTC)"), "end"),
        *_evidence_columns(language),
    ]


def _evidence_columns(language: Language) -> list[Column]:
    """What `core.verify` reads, besides the net amount."""

    def evidence(name: str, key: str, label: str, width: float, kind: Kind = Kind.OWN) -> Column:
        return Column(
            key, label, width, attrgetter(key), kind, INTEGER if kind is Kind.INTEGER else TEXT, name=name
        )

    return [
        evidence(names.PAYLOAD_HASH, "payload_sha256", language._("SHA-256 of the CDR as received"), 68),
        evidence(names.KEY, "ocpi_key", language._("OCPI key"), 40, Kind.TEXT),
        evidence(names.ROW_HASH, "row_sha256", language._("SHA-256 of the row"), 68),
        evidence(names.CHAIN_INDEX, "chain_index", language._("Place in the chain"), 11, Kind.INTEGER),
        evidence(names.CHAIN_BEFORE, "chain_before", language._("Chain before the CDR"), 70),
        evidence(names.CHAIN_HASH, "chain_hash", language._("Chain after the CDR"), 70),
    ]


def _local(row: AnnexRow, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(row.time_zone)).replace(tzinfo=None)


def _offset(row: AnnexRow, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(row.time_zone)).isoformat()[-6:]

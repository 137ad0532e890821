"""DATEV format "Buchungsstapel": pairs of accounts out of journal items, and the file's rows.

Source: DATEV developer portal, DATEV-Format, header version 700, category 21, format version 13: 31 fields
of the header, 125 of a row; text fields quoted, decimal comma, semicolons, CR LF, Windows-1252.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .money import ZERO

ENCODING = "cp1252"
FORMAT_VERSION = 13
MAX_DOCUMENT, MAX_TEXT, MAX_LABEL = 36, 60, 30
# Of one batch.
MAX_ROWS = 99_999
# What a document field may hold; anything else is left out.
_NOT_IN_DOCUMENT = re.compile(r"[^A-Za-z0-9$&%*+\-/]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def _numbered(*names: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(1, count + 1) for name in names]


COLUMNS = (
    "Umsatz (ohne Soll/Haben-Kz)",
    "Soll/Haben-Kennzeichen",
    "WKZ Umsatz",
    "Kurs",
    "Basis-Umsatz",
    "WKZ Basis-Umsatz",
    "Konto",
    "Gegenkonto (ohne BU-Schlüssel)",
    "BU-Schlüssel",
    "Belegdatum",
    "Belegfeld 1",
    "Belegfeld 2",
    "Skonto",
    "Buchungstext",
    "Postensperre",
    "Diverse Adressnummer",
    "Geschäftspartnerbank",
    "Sachverhalt",
    "Zinssperre",
    "Beleglink",
    *_numbered("Beleginfo - Art", "Beleginfo - Inhalt", count=8),
    "KOST1 - Kostenstelle",
    "KOST2 - Kostenstelle",
    "Kost-Menge",
    "EU-Land u. UStID (Bestimmung)",
    "EU-Steuersatz (Bestimmung)",
    "Abw. Versteuerungsart",
    "Sachverhalt L+L",
    "Funktionsergänzung L+L",
    "BU 49 Hauptfunktionstyp",
    "BU 49 Hauptfunktionsnummer",
    "BU 49 Funktionsergänzung",
    *_numbered("Zusatzinformation - Art", "Zusatzinformation- Inhalt", count=20),
    "Stück",
    "Gewicht",
    "Zahlweise",
    "Forderungsart",
    "Veranlagungsjahr",
    "Zugeordnete Fälligkeit",
    "Skontotyp",
    "Auftragsnummer",
    "Buchungstyp",
    "USt-Schlüssel (Anzahlungen)",
    "EU-Land (Anzahlungen)",
    "Sachverhalt L+L (Anzahlungen)",
    "EU-Steuersatz (Anzahlungen)",
    "Erlöskonto (Anzahlungen)",
    "Herkunft-Kz",
    "Buchungs GUID",
    "KOST-Datum",
    "SEPA-Mandatsreferenz",
    "Skontosperre",
    "Gesellschaftername",
    "Beteiligtennummer",
    "Identifikationsnummer",
    "Zeichnernummer",
    "Postensperre bis",
    "Bezeichnung SoBil-Sachverhalt",
    "Kennzeichen SoBil-Buchung",
    "Festschreibung",
    "Leistungsdatum",
    "Datum Zuord. Steuerperiode",
    "Fälligkeit",
    "Generalumkehr (GU)",
    "Steuersatz",
    "Land",
    "Abrechnungsreferenz",
    "BVV-Position",
    "EU-Land u. UStID (Ursprung)",
    "EU-Steuersatz (Ursprung)",
    "Abw. Skontokonto",
)
_PLACE = {name: place for place, name in enumerate(COLUMNS)}
# Text fields are quoted also where they are empty. By their numbers in the description, from 1.
_TEXT_FIELDS = frozenset(
    number - 1
    for first, last in (
        *((2, 3), (6, 6), (9, 9), (11, 12), (14, 14), (16, 16), (20, 38), (40, 40), (42, 42), (48, 87)),
        *((91, 91), (95, 96), (98, 98), (102, 103), (105, 105), (107, 107), (109, 110), (112, 112)),
        *((118, 118), (120, 121), (123, 123)),
    )
    for number in range(first, last + 1)
)


@dataclass(frozen=True, slots=True)
class Item:
    """A journal item: the number of its account, and its balance; positive is a debit."""

    account: str
    balance: Decimal
    key: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """`amount` > 0 from the credit of one account to the debit of another."""

    debit: Item
    credit: Item
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Batch:
    """What the header says: advisor and client number, first day of the fiscal year, length of the numbers of
    general ledger accounts, first and last day, currency, and whether the rows are locked when they are read.
    """

    advisor: int
    client: int
    year_start: date
    account_length: int
    first: date
    last: date
    label: str
    currency: str
    is_locked: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Voucher:
    """What the rows of one journal entry share. `due`: of the partner's item, if there is one."""

    day: date
    number: str
    text: str
    due: date | None = None


def pair(items: Sequence[Item]) -> list[Pair]:
    """Split one entry into rows of two accounts each, so that every account keeps its debits and credits.

    Debits are set against credits in their order. Where one side is a single item, as on an invoice or a
    payment, each row is one item of the other side.

    :raise ValueError: when the items do not balance.
    """
    if sum((item.balance for item in items), ZERO):
        raise ValueError("expected an entry that balances")
    debits = [item for item in items if item.balance > 0]
    credits = [item for item in items if item.balance < 0]
    pairs = []
    owed = paid = ZERO
    while debits:
        owed, paid = owed or debits[0].balance, paid or -credits[0].balance
        amount = min(owed, paid)
        pairs.append(Pair(debits[0], credits[0], amount))
        owed, paid = owed - amount, paid - amount
        debits, credits = debits[not owed :], credits[not paid :]
    return pairs


def header(batch: Batch) -> str:
    """The first two lines: the batch, and the names of the columns."""
    fields = [
        *("EXTF", 700, 21, "Buchungsstapel", FORMAT_VERSION, f"{batch.created_at:%Y%m%d%H%M%S}000", None),
        *("RE", "", "", batch.advisor, batch.client, f"{batch.year_start:%Y%m%d}", batch.account_length),
        *(f"{batch.first:%Y%m%d}", f"{batch.last:%Y%m%d}", _clean(batch.label, MAX_LABEL), "", 1, 0),
        *(int(batch.is_locked), batch.currency, None, "", None, None, "", None, None, "", ""),
    ]
    quoted = {0, 3, 7, 8, 9, 16, 17, 21, 23, 26, 29, 30}
    first = [_quote(value) if place in quoted else _plain(value) for place, value in enumerate(fields)]
    return _line(first) + _line(COLUMNS)


def rows(voucher: Voucher, items: Sequence[Item], batch: Batch) -> Iterator[str]:
    """The lines of one entry. The first account of a row is that of the single side's counterpart."""
    debits = sum(1 for item in items if item.balance > 0)
    for each in pair(items):
        # The account of the row is the one that changes from row to row.
        by_debit = debits > 1
        own, other = (each.debit, each.credit) if by_debit else (each.credit, each.debit)
        values: dict[str, object] = {
            "Umsatz (ohne Soll/Haben-Kz)": f"{each.amount:.2f}".replace(".", ","),
            "Soll/Haben-Kennzeichen": "S" if by_debit else "H",
            "WKZ Umsatz": batch.currency,
            "Konto": own.account,
            "Gegenkonto (ohne BU-Schlüssel)": other.account,
            "BU-Schlüssel": own.key or other.key,
            "Belegdatum": f"{voucher.day:%d%m}",
            "Belegfeld 1": document_field(voucher.number),
            "Belegfeld 2": f"{voucher.due:%d%m%y}" if voucher.due else "",
            "Buchungstext": _clean(own.label or voucher.text, MAX_TEXT),
            "Festschreibung": int(batch.is_locked),
        }
        by_place = {_PLACE[name]: value for name, value in values.items()}
        yield _line(
            _quote(by_place.get(place, "")) if place in _TEXT_FIELDS else _plain(by_place.get(place))
            for place in range(len(COLUMNS))
        )


def is_personal_account(number: str, account_length: int, *, is_debtor: bool) -> bool:
    """Whether a number is one of a customer (debtor) or supplier: one digit longer than general ledger
    accounts, customers from 1 to 6, suppliers from 7 to 9.
    """
    digits = "123456" if is_debtor else "789"
    is_number = number.isascii() and number.isdecimal()
    return is_number and len(number) == account_length + 1 and number[0] in digits


def document_field(number: str) -> str:
    """A document's number as field 1 takes it: "INV/2026/00012", at most 36 characters, the last ones."""
    return _NOT_IN_DOCUMENT.sub("", number)[-MAX_DOCUMENT:]


def encode(text: str) -> bytes:
    """To Windows-1252; what it has not is "?"."""
    return text.encode(ENCODING, "replace")


def _clean(text: str, length: int) -> str:
    return _CONTROL.sub(" ", text).strip()[:length]


def _quote(value: object) -> str:
    return '"' + str(value or "").replace('"', '""') + '"'


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _line(fields: Iterable[str]) -> str:
    return ";".join(fields) + "\r\n"

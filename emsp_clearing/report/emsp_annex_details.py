"""The further sheets of the annex: price segments, findings, disputes. Rows are dataclasses."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from .emsp_annex import Detail
from .emsp_annex_cells import DATE_TIME, Language, in_currency
from .emsp_annex_columns import Column, Kind

# As many decimals as the figure has.
EXACT = "#,##0.00####"
# Most decimals of what is exact: a price per minute may have no end.
EXACT_DIGITS = 12


@dataclass(slots=True)
class SegmentRow:
    """One price component of one charging period. Exact and unrounded; of a credit, negative."""

    cdr: str
    ocpi_key: str
    start: datetime | None
    end: datetime | None
    component: str
    quantity: Decimal | None
    billed_quantity: Decimal | None
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    tariff: str
    reason: str


@dataclass(slots=True)
class FindingRow:
    cdr: str
    ocpi_key: str
    found_at: datetime
    severity: str
    message: str
    path: str
    expected: str
    found: str
    tolerance: str
    code: str


@dataclass(slots=True)
class DisputeRow:
    """`opened_by` is a name; the amounts are net. What is still open has no end."""

    dispute: str
    cdr: str
    ocpi_key: str
    raised: str
    opened_at: datetime
    opened_by: str
    reason: str
    explanation: str
    own_amount: Decimal | None
    disputed_amount: Decimal
    answered_at: datetime | None
    state: str
    answer: str
    agreed_amount: Decimal | None
    closed_at: datetime | None
    by_silence: str
    credit_cdr: str
    new_cdr: str


def _text(key: str, label: str, width: float) -> Column:
    return Column(key, label, width, attrgetter(key))


def _instant(key: str, label: str) -> Column:
    return Column(key, label, 20, attrgetter(key), Kind.INSTANT, DATE_TIME)


def _number(key: str, label: str, *, total: bool = False) -> Column:
    read = attrgetter(key)
    return Column(
        key, label, 14, lambda row: _shortened(read(row)), Kind.DECIMAL, EXACT, total, digits=EXACT_DIGITS
    )


def _shortened(value: Decimal | None) -> Decimal | None:
    if value is None or -int(value.as_tuple().exponent) <= EXACT_DIGITS:
        return value
    return round(value, EXACT_DIGITS)


def segments(currency: str, rows: Iterable[SegmentRow], language: Language) -> Detail:
    columns = [
        _text("cdr", language._("CDR"), 26),
        _instant("start", language._("Start (UTC)")),
        _instant("end", language._("End (UTC)")),
        _text("component", language._("Component"), 20),
        _number("quantity", language._("Quantity")),
        _number("billed_quantity", language._("Billed quantity")),
        _text("unit", language._("Unit"), 10),
        _number("unit_price", in_currency(language._("Unit price"), currency)),
        _number("amount", in_currency(language._("Exact amount"), currency), total=True),
        _text("tariff", language._("Applied tariff"), 24),
        _text("reason", language._("Conditions"), 40),
        _text("ocpi_key", language._("OCPI key"), 40),
    ]
    return Detail("segments", language._("Price segments"), columns, rows, for_programs=True)


def findings(rows: Iterable[FindingRow], language: Language) -> Detail:
    columns = [
        _text("cdr", language._("CDR"), 26),
        _instant("found_at", language._("Found at (UTC)")),
        _text("severity", language._("Severity"), 12),
        _text("message", language._("Finding"), 70),
        _text("path", language._("Field"), 28),
        _text("expected", language._("Expected"), 20),
        _text("found", language._("Found"), 20),
        _text("tolerance", language._("Tolerance"), 14),
        _text("code", language._("Code"), 24),
        _text("ocpi_key", language._("OCPI key"), 40),
    ]
    return Detail("findings", language._("Findings"), columns, rows, for_programs=True)


def disputes(currency: str, rows: Iterable[DisputeRow], language: Language) -> Detail:
    columns = [
        _text("dispute", language._("Dispute"), 16),
        _text("cdr", language._("CDR"), 26),
        _text("raised", language._("Raised"), 16),
        _instant("opened_at", language._("Opened at (UTC)")),
        _text("opened_by", language._("Opened by"), 24),
        _text("reason", language._("Reason"), 22),
        _text("explanation", language._("Explanation"), 50),
        _number("own_amount", in_currency(language._("Amount by the opener"), currency)),
        _number("disputed_amount", in_currency(language._("Disputed amount"), currency)),
        _instant("answered_at", language._("Answered at (UTC)")),
        _text("state", language._("State"), 24),
        _text("answer", language._("Answer"), 50),
        _number("agreed_amount", in_currency(language._("Agreed amount"), currency)),
        _instant("closed_at", language._("Closed at (UTC)")),
        _text("by_silence", language._("By silence"), 11),
        _text("credit_cdr", language._("Credit CDR"), 26),
        _text("new_cdr", language._("New CDR"), 26),
        _text("ocpi_key", language._("OCPI key"), 40),
    ]
    return Detail("disputes", language._("Disputes"), columns, rows)

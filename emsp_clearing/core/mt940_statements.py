"""MT940 account statements, read with the library `mt940`, whatever the bank's dialect.

A file is read whole or not at all: what the library skips, or takes from a cut-off file, would be
money that is booked wrongly. Source: SWIFT Standards MT, Category 9, MT940 (customer statement).
"""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import mt940

from .bank_text import IBAN, RETURN_REASON, BankText, provided, read_bank_text
from .errors import StatementError
from .money import ZERO

# It logs each line that it cannot read: names and accounts of payers.
logging.getLogger("mt940").setLevel(logging.CRITICAL)

ENCODINGS: Final = ("utf-8-sig", "cp1252", "latin-1")
TAG: Final = re.compile(r"^:(\d{2}[A-Z]?|NS):", re.MULTILINE)
STATEMENT_START: Final = re.compile(r"^(?=:20:)", re.MULTILINE)
OPENING: Final = ("final_opening_balance", "opening_balance", "intermediate_opening_balance")
CLOSING: Final = ("final_closing_balance", "closing_balance", "intermediate_closing_balance")
# Field 61 as SWIFT has it, with an account in the reference (ASN), with long references (Atruvia).
DIALECTS: Final[tuple[type[mt940.tags.Statement], ...]] = (
    mt940.tags.Statement,
    mt940.tags.StatementASNB,
    mt940.tags.StatementGLS,
)
# What the library answers to a field that is none.
UNREADABLE: Final = (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError)
# German codes of returned transfers and direct debits, and SWIFT's.
RETURN_CODES: Final = frozenset({"108", "109", "159", "184", "NRTI"})
# Stand in field 61 for a reference that follows in field 86, or for none.
NO_REFERENCE: Final = re.compile(r"^(NONREF|NOTPROVIDED|[EKMP]REF\b\+?)\s*")
# German sub-fields with another sign than "?" (Triodos, Austrian and Polish banks).
OTHER_SIGN: Final = re.compile(r":86:\s?\d{3}([>~^@])\d{2}")
GERMAN_ACCOUNT: Final = re.compile(r"(\d{8})/(\d{1,10})")
CURRENCY_SUFFIX: Final = re.compile(r"(?<=\d)/?[A-Z]{3}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A booked entry. `line` of the file; `amount` below zero where money went out.

    `balance`: of the account after the entry. `key`: the same in every file that holds the entry.
    """

    line: int
    day: date
    amount: Decimal
    balance: Decimal
    text: BankText
    reference: str = ""
    bank_code: str = ""
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; `line`: of the file, where it begins."""

    line: int
    number: str
    account: str
    currency: str
    day: date
    opening: Decimal
    closing: Decimal
    entries: tuple[Entry, ...]


def is_mt940(content: bytes) -> bool:
    """Whether the file is one, be it a damaged one: fields 20 and 25 stand at the beginning of lines."""
    return bool(re.search(rb"(?:^|[\r\n]):20:", content) and re.search(rb"[\r\n]:25P?:", content))


def read_mt940(content: bytes) -> list[Statement]:
    """Every statement of the file.

    :raise StatementError: with the line; codes: unreadable (`text`), account_missing,
        opening_missing, closing_missing, currencies_differ.
    """
    text = _decode(content).replace("\r\n", "\n").replace("\r", "\n")
    statements = []
    line = 1
    for block in STATEMENT_START.split(text):
        if block.startswith(":20:"):
            statements.append(_read_statement(block, line))
        line += block.count("\n")
    return _with_keys(statements)


def _decode(content: bytes) -> str:
    for encoding in ENCODINGS[:-1]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(ENCODINGS[-1])


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the statement: its tag, its text with the tag, and its line in the file."""

    tag: str
    text: str
    line: int


def _fields(block: str, line: int) -> Iterator[_Field]:
    """The fields in their order, without the bank's words on the balances, which name no entry."""
    ends_entries = False
    starts = [*(match.start() for match in TAG.finditer(block)), len(block)]
    for start, end in pairwise(starts):
        tag = block[start + 1 : block.index(":", start + 1)]
        ends_entries = (ends_entries or tag.startswith("62")) and tag != "61"
        if not (ends_entries and tag == "86"):
            text = block[start:end]
            sign = OTHER_SIGN.match(text)
            text = text.replace(sign.group(1), "?") if sign else text
            yield _Field(tag, text, line + block.count("\n", 0, start))


def _read_statement(block: str, line: int) -> Statement:
    fields = list(_fields(block, line))
    parsed = _parse(fields)
    last_line = fields[-1].line
    account = str(parsed.data.get("account_identification") or "").strip()
    opening = next((parsed.data[name] for name in OPENING if name in parsed.data), None)
    closing = next((parsed.data[name] for name in CLOSING if name in parsed.data), None)
    if not account:
        raise StatementError("account_missing", line=line)
    if opening is None:
        raise StatementError("opening_missing", line=line)
    if closing is None:
        raise StatementError("closing_missing", line=last_line)
    if opening.amount.currency != closing.amount.currency:
        raise StatementError("currencies_differ", line=last_line)
    lines = [field.line for field in fields if field.tag == "61"]
    return Statement(
        line=line,
        number=_statement_number(parsed.data),
        account=_account(account),
        currency=opening.amount.currency,
        day=closing.date,
        opening=opening.amount.amount,
        closing=closing.amount.amount,
        entries=tuple(_entries(parsed, lines, opening.amount.amount)),
    )


def _parse(fields: list[_Field]) -> mt940.models.Transactions:
    text = "".join(field.text for field in fields)
    count = sum(field.tag == "61" for field in fields)
    for dialect in DIALECTS:
        transactions = _reader(dialect)
        try:
            transactions.parse(text)
        except UNREADABLE:
            continue
        # The library writes an entry without a type over the one before it.
        if len(transactions) == count:
            return transactions
    raise _unreadable(fields)


def _reader(dialect: type[mt940.tags.Statement]) -> mt940.models.Transactions:
    tag = dialect()
    return mt940.models.Transactions(tags={tag.id: tag}, options=mt940.Options.all())


def _unreadable(fields: list[_Field]) -> StatementError:
    """The first field that cannot be read by itself."""
    bad = next((field for field in fields if not _is_readable(field)), fields[0])
    return StatementError("unreadable", line=bad.line, text=bad.text.strip().split("\n")[0])


def _is_readable(field: _Field) -> bool:
    for dialect in DIALECTS:
        try:
            transactions = _reader(dialect).parse(field.text)
        except UNREADABLE:
            continue
        if field.tag != "61" or transactions[0].data.get("id"):
            return True
    return False


def _statement_number(data: Mapping[str, Any]) -> str:
    number = "/".join(filter(None, (data.get("statement_number") or "", data.get("sequence_number") or "")))
    return number or str(data.get("transaction_reference") or "")


def _account(text: str) -> str:
    """An IBAN as it is; a German bank code and account as they stand inside the IBAN; else the number."""
    plain = CURRENCY_SUFFIX.sub("", re.sub(r"[\s.]", "", text)) if not IBAN.fullmatch(text) else text
    german = GERMAN_ACCOUNT.fullmatch(plain)
    if german:
        return f"{german.group(1)}{german.group(2):0>10}"
    # "BIC/account"
    return plain.rpartition("/")[2] or plain


def _entries(parsed: mt940.models.Transactions, lines: list[int], balance: Decimal) -> Iterator[Entry]:
    for line, transaction in zip(lines, parsed.transactions, strict=True):
        data = transaction.data
        balance += data["amount"].amount
        code = data.get("transaction_code") or data.get("id") or ""
        reference = NO_REFERENCE.sub("", (data.get("customer_reference") or "").strip())
        yield Entry(
            line=line,
            day=data.get("entry_date") or data["date"],
            amount=data["amount"].amount,
            balance=balance,
            text=_with_return_reason(_text(data), data, code),
            reference=reference,
            bank_code=code,
            note=(data.get("transaction_details") or "").strip(),
        )


def _text(data: Mapping[str, Any]) -> BankText:
    extra = (data.get("extra_details") or "").strip()
    if "applicant_name" in data:
        text = _german_text(data)
    else:
        text = read_bank_text(data.get("transaction_details") or "")
    accounts = (text.account, extra.split(" ")[0], (data.get("customer_reference") or "").strip())
    account = next((found for found in accounts if IBAN.fullmatch(found)), text.account)
    return replace(text, account=account, label=text.label or extra or data.get("posting_text") or "")


def _german_text(data: Mapping[str, Any]) -> BankText:
    """Sub-fields ?20 to ?63, with the SEPA code words in them."""
    label = " ".join(filter(None, (data.get("purpose"), data.get("additional_purpose"))))
    return BankText(
        label=" ".join(label.split()),
        payer=" ".join((data.get("applicant_name") or "").split()),
        account=(data.get("gvc_applicant_iban") or data.get("applicant_iban") or "").strip(),
        end_to_end_id=provided(data.get("end_to_end_reference") or ""),
    )


def _with_return_reason(text: BankText, data: Mapping[str, Any], code: str) -> BankText:
    is_return = code in RETURN_CODES or data.get("id") in RETURN_CODES or data["status"].startswith("R")
    if text.return_reason or not is_return:
        return text
    details = (data.get("transaction_details") or "").replace("\n", "")
    found = RETURN_REASON.search(text.label) or RETURN_REASON.search(details)
    return replace(text, return_reason=found.group() if found else data.get("return_debit_notes") or "")


def _with_keys(statements: list[Statement]) -> list[Statement]:
    """Name each entry by day, amount, text and the account's balance after it.

    MT940 has no reference that all banks give and keep unique. The balance is the same in the daily
    and in the monthly file, and tells two equal entries of a day apart.
    """
    seen: Counter[str] = Counter()

    def key(statement: Statement, entry: Entry) -> str:
        words = "".join(re.findall(r"\w+", f"{entry.reference}{entry.note}")).upper()
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        name = f"{entry.day:%Y%m%d}/{_plain(entry.amount)}/{_plain(entry.balance)}/{digest}"
        seen[f"{statement.account}/{name}"] += 1
        return f"{name}/{seen[f'{statement.account}/{name}']}"

    return [
        replace(
            statement,
            entries=tuple(replace(entry, key=key(statement, entry)) for entry in statement.entries),
        )
        for statement in statements
    ]


def _plain(amount: Decimal) -> str:
    return f"{(amount or ZERO).normalize():f}"

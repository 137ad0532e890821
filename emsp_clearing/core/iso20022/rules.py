"""What the rulebooks of the EPC demand of a pain.001 or pain.008 beyond its schema.

Sources: EPC132-08 (SCT, customer to bank), EPC130-08 and EPC131-08 (SDD Core and B2B), EPC217-08 (character
set), EPC153-22 (addresses). A transfer in another currency, or by another service level, is judged by what
holds for each message: characters, identifiers, addresses and sums.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from schwifty import BIC, IBAN

from ..money import ZERO
from ..target import is_target_day
from .text import ID_LENGTH, NAME_LENGTH, REMITTANCE_LENGTH, is_sepa_id, is_sepa_text
from .tree import Node, find, find_all, name_of, text_of, value, walk

LEAST = Decimal("0.01")
MOST = Decimal("999999999.99")
CENTS = -2
IDENTIFIERS = frozenset({"MsgId", "PmtInfId", "InstrId", "EndToEndId", "MndtId"})
TRANSACTIONS = ("CdtTrfTxInf", "DrctDbtTxInf")
SEQUENCES = frozenset({"FRST", "RCUR", "FNAL", "OOFF"})
SCHEMES = frozenset({"CORE", "B2B"})


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is "charset", "identifier", "length", "amount", "currency", "address", "account", "agent",
    "sum", "count", "date", "remittance", "scheme" or "mandate"; `path` where it stands, `value` what stands
    there."""

    rule: str
    path: str
    value: str


def check(document: Node) -> list[Problem]:
    """:param document: the element Document of a message that is valid against its schema."""
    problems = [*_texts(document), *_addresses(document), *_sums(document)]
    for batch in _batches(document):
        problems += _date(batch)
        if value(batch, "PmtTpInf/SvcLvl/Cd") == "SEPA":
            problems += [*_scheme(batch), *_parties(batch)]
            for transaction in _transactions(batch):
                problems += [*_amount(transaction), *_parties(transaction), *_remittance(transaction)]
    return problems


def is_iban(text: str) -> bool:
    """By length, form and check digits of its country."""
    return IBAN(text, allow_invalid=True).is_valid


def is_bic(text: str) -> bool:
    """By form and country; whether the bank exists is not known."""
    return BIC(text, allow_invalid=True).is_valid


def _batches(document: Node) -> list[Node]:
    return [batch for message in document for batch in find_all(message, "PmtInf")]


def _transactions(batch: Node) -> list[Node]:
    return [child for child in batch if name_of(child) in TRANSACTIONS]


def _texts(document: Node) -> Iterator[Problem]:
    for path, node in walk(document):
        text = text_of(node)
        name = name_of(node)
        if not is_sepa_text(text):
            yield Problem("charset", path, text)
        elif name in IDENTIFIERS and not is_sepa_id(text):
            yield Problem("identifier", path, text)
        if name == "Nm" and len(text) > NAME_LENGTH:
            yield Problem("length", path, text)


def _addresses(document: Node) -> Iterator[Problem]:
    for path, node in walk(document):
        if name_of(node) != "PstlAdr":
            continue
        if find(node, "AdrLine") is not None:
            yield Problem("address", f"{path}/AdrLine", value(node, "AdrLine"))
        for part in ("TwnNm", "Ctry"):
            if not value(node, part):
                yield Problem("address", f"{path}/{part}", "")


def _sums(document: Node) -> Iterator[Problem]:
    """Counts and sums of the message and of each batch."""
    for message in document:
        batches = find_all(message, "PmtInf")
        headers = [("GrpHdr", header, batches) for header in find_all(message, "GrpHdr")]
        headers += [("PmtInf", batch, [batch]) for batch in batches]
        for name, header, its_batches in headers:
            amounts = [_instructed(tx) for batch in its_batches for tx in _transactions(batch)]
            if value(header, "NbOfTxs") != str(len(amounts)):
                yield Problem("count", f"{name}/NbOfTxs", value(header, "NbOfTxs"))
            if _decimal(value(header, "CtrlSum")) != sum((amount or ZERO for amount in amounts), ZERO):
                yield Problem("sum", f"{name}/CtrlSum", value(header, "CtrlSum"))
        ids = Counter(value(tx, "PmtId/InstrId") for batch in batches for tx in _transactions(batch))
        for twice in (name for name, count in ids.items() if name and count > 1):
            yield Problem("identifier", "PmtId/InstrId", twice)


def _date(batch: Node) -> Iterator[Problem]:
    for path in ("ReqdExctnDt/Dt", "ReqdExctnDt", "ReqdColltnDt"):
        text = value(batch, path)
        if text and not is_target_day(date.fromisoformat(text)):
            yield Problem("date", path, text)


def _scheme(batch: Node) -> Iterator[Problem]:
    if value(batch, "ChrgBr") not in ("", "SLEV"):
        yield Problem("scheme", "ChrgBr", value(batch, "ChrgBr"))
    if value(batch, "PmtMtd") != "DD":
        return
    if value(batch, "PmtTpInf/LclInstrm/Cd") not in SCHEMES:
        yield Problem("scheme", "PmtTpInf/LclInstrm/Cd", value(batch, "PmtTpInf/LclInstrm/Cd"))
    if value(batch, "PmtTpInf/SeqTp") not in SEQUENCES:
        yield Problem("scheme", "PmtTpInf/SeqTp", value(batch, "PmtTpInf/SeqTp"))
    if not value(batch, "CdtrSchmeId/Id/PrvtId/Othr/Id"):
        yield Problem("mandate", "CdtrSchmeId", "")
    for transaction in _transactions(batch):
        for part in ("MndtId", "DtOfSgntr"):
            if not value(transaction, f"DrctDbtTx/MndtRltdInf/{part}"):
                yield Problem("mandate", part, value(transaction, "PmtId/EndToEndId"))


def _amount(transaction: Node) -> Iterator[Problem]:
    node = _amount_node(transaction)
    amount = _instructed(transaction)
    if amount is None or not LEAST <= amount <= MOST or not _has_cents(amount):
        yield Problem("amount", "InstdAmt", text_of(node))
    if node is None or node.get("Ccy") != "EUR":
        yield Problem("currency", "InstdAmt", (node.get("Ccy") if node is not None else None) or "")


def _parties(node: Node) -> Iterator[Problem]:
    """The name and account that stand right below a batch or a transaction, and the agent if it is named."""
    for party in ("Dbtr", "Cdtr"):
        if find(node, party) is None:
            continue
        iban = value(node, f"{party}Acct/Id/IBAN")
        if not is_iban(iban):
            yield Problem("account", f"{party}Acct/Id/IBAN", iban)
        if not value(node, f"{party}/Nm"):
            yield Problem("length", f"{party}/Nm", "")
        for tag in ("BICFI", "BIC"):
            bic = value(node, f"{party}Agt/FinInstnId/{tag}")
            if bic and not is_bic(bic):
                yield Problem("agent", f"{party}Agt/FinInstnId/{tag}", bic)


def _remittance(transaction: Node) -> Iterator[Problem]:
    free = [text_of(node) for node in find_all(transaction, "RmtInf/Ustrd")]
    structured = find_all(transaction, "RmtInf/Strd")
    if len(free) + len(structured) > 1:
        yield Problem("remittance", "RmtInf", " ".join(free))
    for text in free:
        if len(text) > REMITTANCE_LENGTH:
            yield Problem("length", "RmtInf/Ustrd", text)
    for node in structured:
        reference = value(node, "CdtrRefInf/Ref")
        if not is_sepa_id(reference) or len(reference) > ID_LENGTH:
            yield Problem("identifier", "RmtInf/Strd/CdtrRefInf/Ref", reference)


def _amount_node(transaction: Node) -> Node | None:
    node = find(transaction, "Amt/InstdAmt")
    return node if node is not None else find(transaction, "InstdAmt")


def _instructed(transaction: Node) -> Decimal | None:
    return _decimal(text_of(_amount_node(transaction)))


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _has_cents(amount: Decimal) -> bool:
    """Whether it has two decimals at most."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= CENTS

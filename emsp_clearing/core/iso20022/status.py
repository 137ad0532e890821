"""The bank's answer to a payment file: pain.002, at the levels of message, batch and transaction.

Versions 03 and 10 are alike in what is read here, as are those between them.
"""

import re
from dataclasses import dataclass

from .tree import Node, find_all, name_of, namespace_of, value

REJECTED = "RJCT"
# Known to the bank and on their way: nothing to do. The last five are of the verification of payees.
UNDER_WAY = frozenset(
    "ACCP ACTC ACSP ACSC ACWC ACWP ACCC PDNG RCVD PART PATC RCVC RVCM RVNA RVMC RVNM".split()
)
# The payee's bank does not confirm that the account belongs to the name.
NAME_DIFFERS = frozenset({"RVMC", "RVNM"})
_VERSION = re.compile(r"pain\.002\.\d{3}\.\d{2}$")
NONE_REF = "NOTPROVIDED"


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` of ISO 20022's external lists, or the bank's own; `text` what the bank adds, maybe ""."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """`code` as the bank gave it, "" where it says nothing at this level."""

    code: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """The ids are those of the file it answers to; "" where the bank does not repeat them."""

    instruction_id: str
    end_to_end_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class BatchStatus:
    batch_id: str
    status: Status
    transactions: tuple[TransactionStatus, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`original_id` is the MsgId of the file that it answers to."""

    message_id: str
    original_id: str
    status: Status
    batches: tuple[BatchStatus, ...]


def read_status_report(document: Node) -> StatusReport:
    """:raise ValueError: it is no pain.002, or does not say which file it answers to."""
    if name_of(document) != "Document" or not _VERSION.search(namespace_of(document)):
        raise ValueError(f"expected a pain.002, got {namespace_of(document) or name_of(document)!r}")
    for message in find_all(document, "CstmrPmtStsRpt"):
        original = value(message, "OrgnlGrpInfAndSts/OrgnlMsgId")
        if original:
            return StatusReport(
                message_id=value(message, "GrpHdr/MsgId"),
                original_id=original,
                status=_status(find_all(message, "OrgnlGrpInfAndSts"), "GrpSts"),
                batches=tuple(_batch(batch) for batch in find_all(message, "OrgnlPmtInfAndSts")),
            )
    raise ValueError("expected OrgnlGrpInfAndSts/OrgnlMsgId, got none")


def _batch(batch: Node) -> BatchStatus:
    return BatchStatus(
        batch_id=value(batch, "OrgnlPmtInfId"),
        status=_status([batch], "PmtInfSts"),
        transactions=tuple(_transaction(each) for each in find_all(batch, "TxInfAndSts")),
    )


def _transaction(transaction: Node) -> TransactionStatus:
    return TransactionStatus(
        instruction_id=_reference(value(transaction, "OrgnlInstrId")),
        end_to_end_id=_reference(value(transaction, "OrgnlEndToEndId")),
        status=_status([transaction], "TxSts"),
    )


def _reference(text: str) -> str:
    return "" if text == NONE_REF else text


def _status(nodes: list[Node], tag: str) -> Status:
    reasons = []
    for node in nodes:
        for info in find_all(node, "StsRsnInf"):
            code = value(info, "Rsn/Cd") or value(info, "Rsn/Prtry")
            text = " ".join(filter(None, (_line(extra) for extra in find_all(info, "AddtlInf"))))
            reasons.append(Reason(code, text))
    code = next(filter(None, (value(node, tag) for node in nodes)), "")
    return Status(code, tuple(reasons))


def _line(node: Node) -> str:
    return " ".join((node.text or "").split())

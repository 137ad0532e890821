"""The CPO's bank: a CAMT.053 statement of the credits it is told of (ISO 20022 camt.053.001.02)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"


@dataclass(frozen=True)
class Credit:
    """Money that came in. `remittance` is the payer's free text."""

    amount: Decimal
    payer: str
    iban: str
    remittance: str
    bank_reference: str


def camt053(iban: str, currency: str, day: date, opening: Decimal, credits: list[Credit]) -> bytes:
    """One statement of `day`; opening + credits = closing, as a bank guarantees."""
    document = ET.Element("Document", xmlns=NAMESPACE)
    root = ET.SubElement(document, "BkToCstmrStmt")
    header = ET.SubElement(root, "GrpHdr")
    _text(header, "MsgId", f"STMT-{day:%Y%m%d}")
    _text(header, "CreDtTm", f"{day}T22:00:00")
    statement = ET.SubElement(root, "Stmt")
    _text(statement, "Id", f"{day:%Y-%m-%d}")
    _text(statement, "ElctrncSeqNb", str(day.timetuple().tm_yday))
    _text(statement, "CreDtTm", f"{day}T22:00:00")
    account = ET.SubElement(statement, "Acct")
    _text(ET.SubElement(account, "Id"), "IBAN", iban.replace(" ", ""))
    _text(account, "Ccy", currency)
    _balance(statement, "OPBD", opening, currency, day)
    closing = opening + sum(credit.amount for credit in credits)
    _balance(statement, "CLBD", closing, currency, day)
    for credit in credits:
        _entry(statement, credit, currency, day)
    return ET.tostring(document, encoding="utf-8", xml_declaration=True)


def _balance(statement, code, amount, currency, day):
    balance = ET.SubElement(statement, "Bal")
    _text(ET.SubElement(ET.SubElement(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, amount, currency)
    _text(balance, "CdtDbtInd", "CRDT")
    _text(ET.SubElement(balance, "Dt"), "Dt", str(day))


def _entry(statement, credit, currency, day):
    entry = ET.SubElement(statement, "Ntry")
    _amount(entry, credit.amount, currency)
    _text(entry, "CdtDbtInd", "CRDT")
    _text(entry, "Sts", "BOOK")
    _text(ET.SubElement(entry, "BookgDt"), "Dt", str(day))
    _text(ET.SubElement(entry, "ValDt"), "Dt", str(day))
    _text(entry, "AcctSvcrRef", credit.bank_reference)
    details = ET.SubElement(ET.SubElement(entry, "NtryDtls"), "TxDtls")
    _text(ET.SubElement(details, "Refs"), "EndToEndId", "NOTPROVIDED")
    _amount(ET.SubElement(ET.SubElement(details, "AmtDtls"), "TxAmt"), credit.amount, currency)
    parties = ET.SubElement(details, "RltdPties")
    _text(ET.SubElement(parties, "Dbtr"), "Nm", credit.payer)
    account_id = ET.SubElement(ET.SubElement(parties, "DbtrAcct"), "Id")
    _text(account_id, "IBAN", credit.iban.replace(" ", ""))
    _text(ET.SubElement(details, "RmtInf"), "Ustrd", credit.remittance)


def _amount(parent, amount, currency):
    _text(parent, "Amt", f"{amount:.2f}").set("Ccy", currency)


def _text(parent, tag, text):
    element = ET.SubElement(parent, tag)
    element.text = text
    return element

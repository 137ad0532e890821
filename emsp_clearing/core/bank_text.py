"""The text that a bank writes beside an entry of an MT940 statement (field 86), read by its code words.

Dutch and international banks write /CODE/value (ABN AMRO, ING, Rabobank, SWIFT), French banks
" /MOTIF value", and ABN AMRO also "NAAM: value". The German ?20 sub-fields are read by the library
`mt940`. A text without code words is the label as it stands.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# A line of field 86 has so many characters; a full one goes on in the next, in the middle of a word.
LINE_LENGTH: Final = 65
# ISO 20022 says so where the payer gave no end-to-end id.
NOT_PROVIDED: Final = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})
SLASHED: Final = re.compile(
    r"/(TRTP|TRCD|IBAN|BIC|NAME|REMI|EREF|KREF|PREF|MARF|CSID|ORDP|BENM|CNTP|ISDT|RTRN|PURP|ULTD|ULTC|ULTB"
    r"|OCMT|CHGS|IACC|SVCL|ADDR)/"
)
FRENCH: Final = re.compile(r"(?:^|\s)/(DE|FRM|MOTIF|RNF|LIB|REF|EID)\s")
KEYED: Final = re.compile(r"\b(IBAN|BIC|NAAM|OMSCHRIJVING|KENMERK|MACHTIGING|INCASSANT)\s*:\s*")
# The same thing under the names of the dialects.
NAMES: Final = {
    "label": ("REMI", "MOTIF", "RNF", "LIB", "OMSCHRIJVING"),
    "payer": ("NAME", "DE", "FRM", "NAAM"),
    "account": ("IBAN",),
    "end_to_end_id": ("EREF", "EID", "REF", "KENMERK"),
    "return_reason": ("RTRN",),
}
IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
STRUCTURED: Final = re.compile(r"STRD/[A-Z]{3}/([^/]+)")
RETURN_REASON: Final = re.compile(r"\b(?:A[CGM]|BE|CN|DN|DT|ED|FF|FO|M[DS]|R[CRS]|SL|TM)\d{2}\b")


@dataclass(frozen=True, slots=True)
class BankText:
    """What the text tells; empty where it is silent."""

    label: str
    payer: str = ""
    account: str = ""
    end_to_end_id: str = ""
    creditor_reference: str = ""
    return_reason: str = ""


def read_bank_text(text: str) -> BankText:
    """:param text: field 86 with its line breaks, without German sub-fields."""
    plain = _join(text.splitlines())
    for separator in (SLASHED, FRENCH, KEYED):
        parts = separator.split(plain)
        # One code word may be a word of the text.
        if len(parts) > 3 or (len(parts) == 3 and not parts[0].strip()):
            return _read_parts(plain, dict(zip(parts[1::2], parts[2::2], strict=True)))
    return BankText(plain)


def provided(reference: str) -> str:
    """The reference, or nothing where the bank says that there is none."""
    text = reference.strip().rstrip("/").strip()
    return "" if text.upper() in NOT_PROVIDED else text


def _read_parts(plain: str, parts: dict[str, str]) -> BankText:
    found = {
        name: next((parts[code].strip() for code in codes if parts.get(code, "").strip()), "")
        for name, codes in NAMES.items()
    }
    if parts.get("CNTP"):
        # ING: account/BIC/name/city.
        words = [*parts["CNTP"].split("/"), "", ""]
        found |= {"account": found["account"] or words[0], "payer": found["payer"] or words[2]}
    structured = STRUCTURED.match(found["label"])
    label = found["label"].removeprefix("USTD//").strip("/ ")
    reason = RETURN_REASON.search(found["return_reason"])
    return BankText(
        label=label or plain,
        payer=found["payer"].strip("/ "),
        account=found["account"].strip("/ "),
        end_to_end_id=provided(found["end_to_end_id"]),
        creditor_reference=structured.group(1).strip() if structured else "",
        return_reason=reason.group() if reason else "",
    )


def _join(lines: Iterable[str]) -> str:
    """One line: a full one goes on without a space, a shorter one ends a word."""
    text = ""
    for line in lines:
        text += line if len(line) == LINE_LENGTH else f"{line} "
    return " ".join(text.split())

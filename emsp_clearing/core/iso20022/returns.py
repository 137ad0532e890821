"""Bank lines that give a payment back, told by the bank's codes or words.

Which payment it was is told by its ids alone; see the caller.
"""

import re
from collections.abc import Iterable

from unidecode import unidecode

# Sub-families of the bank transaction code (ISO 20022 external code sets): returned transfer, unpaid,
# reversed and recalled direct debit.
SUB_FAMILIES = frozenset({"RRTN", "UPDD", "PRDD", "RPCR"})
# German transaction codes of MT940: returned direct debit (B2B, Core), returned transfer.
GERMAN_CODES = frozenset({"108", "109", "159"})
_TOKEN = re.compile(r"[A-Z0-9]+")
_WORDS = re.compile(
    r"\b(?:RUE?CKLASTSCHRIFTE?N?|RUE?CKUE?BERWEISUNG|RETOUREN?|RUE?CKGABE|RETURNED|RETURN OF|"
    r"UNPAID DIRECT DEBIT|REJET|REJETEE?|IMPAYEE?|RETOUR (?:SEPA|VIREMENT|PRELEVEMENT)|"
    r"INSOLUTO|DEVOLUCION|STORNERING|R-TRANSACTION|R-TRANSAKTION)\b"
)
_REASON = re.compile(r"\b(?:AC|AG|AM|BE|DT|ED|FF|MD|MS|RC|RR|SL|TM)\d\d\b")


def is_return(bank_code: str, reason: str, texts: Iterable[str]) -> bool:
    """:param bank_code: domain, family and sub-family in any spelling, or the code of a country.
    :param reason: of the return, as the bank gives it.
    :param texts: label and additional information of the line.
    """
    if reason.strip():
        return True
    if any(token in SUB_FAMILIES or token in GERMAN_CODES for token in _tokens(bank_code)):
        return True
    return any(_WORDS.search(unidecode(text).upper()) for text in texts)


def return_reason(reason: str, texts: Iterable[str]) -> str:
    """The reason's code of four characters, as "AC04"; what the bank gives where it has none."""
    for text in (reason, *texts):
        found = _REASON.search(text.upper())
        if found:
            return found[0]
    return reason.strip()


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.upper())

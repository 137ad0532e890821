"""Texts with placeholders that a person edits: a closed list of names, and no formatting language."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"%\((\w*)\)s")
_OPENING = re.compile(r"%\(")
NAMES = frozenset(
    {
        "buyer_vat",
        "date_from",
        "date_to",
        "discount_days",
        "discount_rate",
        "interest_rate",
        "legal_basis",
        "seller_vat",
    }
)


def unknown_placeholders(text: str) -> list[str]:
    """What stands in `%(...)s` and is not in `NAMES`; "%(" where one is not closed."""
    names = _PLACEHOLDER.findall(text)
    unknown = [name for name in names if name not in NAMES]
    if len(_OPENING.findall(text)) != len(names):
        unknown.append("%(")
    return unknown


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced, or "" where one of them has no value: half a sentence is none.

    A percent sign elsewhere stays as it is. What is put in is not looked at again.
    """
    names = _PLACEHOLDER.findall(text)
    if not all(values.get(name) for name in names):
        return ""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text).strip()

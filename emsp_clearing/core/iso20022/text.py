"""Texts in the character set of the SEPA schemes.

Latin letters without accents, digits, space and / - ? : ( ) . , ' + (EPC217-08, chapter 6.1). Identifiers
neither begin nor end with a slash, and have no two in a row.
"""

import re

from unidecode import unidecode

ID_LENGTH = 35
NAME_LENGTH = 70
REMITTANCE_LENGTH = 140
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
# What has an obvious likeness inside the set; all else becomes a full stop.
_LIKE = str.maketrans('&_{[}]"`;', "+-(())'',")


def is_sepa_text(text: str) -> bool:
    return not _OUTSIDE.search(text)


def sepa_text(text: str, most: int | None = None) -> str:
    """The text in the set, spaces collapsed, cut at `most`: "Größe & Söhne" -> "Grosse + Sohne".

    "" where nothing of it can be written, as for a lone emoji.
    """
    plain = unidecode(text).translate(_LIKE)
    plain = " ".join(_OUTSIDE.sub(".", " ".join(plain.split())).split())
    return plain[:most].strip()


def sepa_id(text: str) -> str:
    """As `sepa_text`, without spaces at the slashes: "/RE//1/" -> "RE/1"."""
    return re.sub(r"/(\s*/)+", "/", sepa_text(text)).strip("/ ")


def is_sepa_id(text: str) -> bool:
    """Whether it can be an identifier as it is."""
    return 0 < len(text) <= ID_LENGTH and is_sepa_text(text) and text == sepa_id(text)

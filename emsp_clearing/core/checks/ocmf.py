"""Signed meter values in the Open Charge Metering Format: "OCMF|<payload>|<signature>" (OCMF 1.4).

The signature is verified over the payload's text exactly as it came. secp192k1 is one of the format's
curves, but none of the cryptographic library's.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ..errors import CoreError
from ..ocpi.json_text import read_json
from ..ocpi.types import usable

HEADER = "OCMF|"
DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
ALGORITHMS = frozenset(
    f"ecdsa-{curve}-sha256"
    for curve in (
        "brainpool256r1",
        "brainpool384r1",
        "brainpoolp256r1",
        "brainpoolp384r1",
        "secp192r1",
        "secp256k1",
        "secp256r1",
        "secp384r1",
    )
)
"""Table 22 in lower case, and the usual other spelling of the two of Brainpool."""

# Energy taken from the grid or given to the vehicle: the registers of table 25 and their older number.
IMPORT = re.compile(r"[0-9A-F]{1,2}-[0-9A-F]{1,2}:0?(1|98|B[0-3])\.0?8\.", re.IGNORECASE)
IN_KWH = {"kwh": Decimal(1), "wh": Decimal("0.001")}
BEGIN = frozenset("B")
END = frozenset("AELPR")


class OcmfError(CoreError):
    """Signed data that cannot be read: ocmf_unreadable, or a key: key_unreadable."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An energy register at one moment; fields that it left out are those of the reading before.

    `register`: its OBIS code, empty where none is told. `digit`: the last one that is displayed, in kWh.
    `is_usable`: whether the meter vouches for it.
    """

    reason: str
    register: str
    energy_kwh: Decimal
    digit: Decimal
    is_usable: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One signed text: what was signed, how, and the readings of imported energy in it."""

    payload: bytes
    algorithm: str
    signature: bytes
    readings: tuple[Reading, ...]

    def is_signed_by(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Whether the signature over the payload is of this key."""
        try:
            key.verify(self.signature, self.payload, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def read_key(text: str) -> ec.EllipticCurvePublicKey:
    """A public key: SubjectPublicKeyInfo in DER, as hex, base64 or PEM.

    :raise OcmfError: key_unreadable.
    """
    body = "".join(line for line in text.splitlines() if not line.startswith("-----"))
    try:
        key = load_der_public_key(_bytes_of("".join(body.split())))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise OcmfError("key_unreadable", expected="a public key of an elliptic curve", got=text[:80])
    return key


def find_text(*candidates: object) -> str | None:
    """The first of them that is OCMF, by itself or in base64 (OCPI 2.2.1, 10.4.8)."""
    for candidate in candidates:
        if not isinstance(candidate, str):
            continue
        for text in (candidate, _from_base64(candidate)):
            if text.startswith(HEADER):
                return text
    return None


def read_record(text: str) -> Record:
    """:raise OcmfError: ocmf_unreadable."""
    payload, _, signature = text.removeprefix(HEADER).rpartition("|")
    try:
        sections = [read_json(section) for section in (payload, signature)]
        if not all(isinstance(section, dict) for section in sections):
            raise ValueError("expected two JSON objects")
        data, seal = sections
        return Record(
            payload=payload.encode(),
            algorithm=str(seal.get("SA") or DEFAULT_ALGORITHM),
            signature=_signature(seal),
            readings=tuple(_readings(data.get("RD") or ())),
        )
    except (CoreError, KeyError, TypeError, ValueError) as error:
        raise OcmfError("ocmf_unreadable", got=str(error)[:200]) from error


def charged(records: Sequence[Record]) -> Mapping[str, tuple[Reading, Reading]]:
    """The first begin and the last end of each register, which has both."""
    begins: dict[str, Reading] = {}
    ends: dict[str, Reading] = {}
    for reading in (reading for record in records for reading in record.readings):
        if reading.reason in BEGIN:
            begins.setdefault(reading.register, reading)
        elif reading.reason in END:
            ends[reading.register] = reading
    return {register: (begins[register], ends[register]) for register in begins if register in ends}


def _signature(seal: Mapping[str, Any]) -> bytes:
    encoding, data = str(seal.get("SE") or "hex").lower(), seal["SD"]
    if encoding not in ("hex", "base64"):
        raise ValueError(f"expected the encoding hex or base64, got {encoding}")
    return bytes.fromhex(data) if encoding == "hex" else b64decode(data, validate=True)


def _readings(sent: Sequence[Mapping[str, Any]]) -> Iterator[Reading]:
    """Only fields that changed since the reading before are written again."""
    known: dict[str, Any] = {}
    for members in sent:
        known = {**known, **members}
        register, unit = str(known.get("RI") or ""), IN_KWH.get(str(known.get("RU") or "").lower())
        value = known.get("RV")
        if unit is None or value is None or (register and not IMPORT.match(register)):
            continue
        if not isinstance(value, Decimal) or not usable(value):
            raise ValueError(f"expected a number as RV, got {str(value)[:80]}")
        digit = Decimal(1).scaleb(int(value.as_tuple().exponent))
        is_usable = (known.get("ST") or "G") == "G" and "E" not in str(known.get("EF") or "")
        yield Reading(str(known.get("TX") or ""), register.upper(), value * unit, digit * unit, is_usable)


def _bytes_of(text: str) -> bytes:
    """Hex or base64; :raise ValueError: neither."""
    if re.fullmatch("([0-9A-Fa-f]{2})+", text):
        return bytes.fromhex(text)
    return b64decode(text, validate=True)


def _from_base64(text: str) -> str:
    try:
        return b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""

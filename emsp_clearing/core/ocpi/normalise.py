"""OCPI payloads to the objects of core, and back.

Callers name the version and never see a payload schema; another version is one more schema module
and one more entry in `versions`.
"""

from typing import Any

from ..errors import PayloadError
from . import objects, to_objects, to_payload
from .deviations import read
from .json_text import canonical, read_json, write_json
from .tolerances import DEFAULT, Tolerances
from .versions import VERSIONS, find_version

__all__ = [
    "VERSIONS",
    "canonical",
    "check_version",
    "parse_cdr",
    "parse_tariff",
    "read_json",
    "tariff_payload",
    "write_json",
]


def parse_cdr(
    raw: bytes | str | Any,
    version: str = "2.2.1",
    *,
    tolerances: Tolerances = DEFAULT,
    owner: to_objects.Owner | None = None,
) -> objects.Cdr:
    """A CDR as received: one JSON object, or what `read_json` made of it.

    Refuses only what has no usable structure; what a peer spells in its own way is understood and
    told by `deviations.find_deviations`, what makes no sense (an end before the start) is for the
    checks.

    :param tolerances: what may be otherwise than OCPI says.
    :param owner: country code and party id of whom it belongs to where it does not say.
    :raise PayloadError: unsupported_version, missing_field, invalid_field (with the field's path),
        or as `read_json`.
    """
    known = find_version(version)
    tree = read_json(raw) if isinstance(raw, (bytes, str)) else raw
    payload: Any = read(tree, known.cdr, version, tolerances)
    return known.to_cdr(payload, version, known_owner(payload, version, owner))


def parse_tariff(
    raw: bytes | str,
    version: str = "2.2.1",
    *,
    tolerances: Tolerances = DEFAULT,
    owner: to_objects.Owner | None = None,
) -> objects.Tariff:
    """A tariff as received: one JSON object.

    In OCPI 2.1.1 it does not say whose it is: the owner is empty then.

    :param tolerances: as `parse_cdr`.
    :param owner: country code and party id of the CDR that it came in, which it need not repeat.
    :raise PayloadError: as `parse_cdr`.
    """
    payload = read(read_json(raw), find_version(version).tariff, version, tolerances)
    return to_objects.tariff(payload, version, known_owner(payload, version, owner))


def tariff_payload(tariff: objects.Tariff, version: str = "2.2.1") -> dict[str, Any]:
    """A tariff as an OCPI object (OCPI 2.1.1, 2.2.1, 2.3.0: 11.3.1), to be written by `write_json`.

    Numbers are Decimal, instants are texts. What is not set is left out, except `tax_included` of OCPI
    2.3.0, which is "NO" then; what the version has no field for is left out too.

    :raise PayloadError: unsupported_version.
    """
    check_version(version)
    return to_payload.tariff(tariff, version)


def known_owner(payload: Any, version: str, owner: to_objects.Owner | None) -> to_objects.Owner:
    """The owner of an object that may not name it; nobody where the version has it elsewhere.

    :param owner: as the caller knows it.
    :raise PayloadError: missing_field, where the version wants the owner in the object.
    """
    if owner is None and find_version(version).names_owners:
        for name in ("country_code", "party_id"):
            if getattr(payload, name) is None:
                raise PayloadError("missing_field", path=name, expected="a text", got="nothing")
    return owner or to_objects.NO_OWNER


def check_version(version: str) -> None:
    """:raise PayloadError: unsupported_version, for a version this module cannot read."""
    find_version(version)

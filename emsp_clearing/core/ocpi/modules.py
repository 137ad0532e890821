"""Payloads of the OCPI modules besides CDRs and tariffs to the objects of core, and back.

As in `normalise`: callers name the version and never see a payload schema. What comes in is a JSON text, or
the tree that `read_json` made of one (an entry of a list, the `data` of an answer).

Every reader raises PayloadError: unsupported_version, missing_field or invalid_field with the field's path,
or as `read_json`. `tolerances`: what may be otherwise than OCPI says. `owner`: country code and party id of
whom the object belongs to where it does not say: in OCPI 2.1.1 the URL does.
"""

from typing import Any, TypeVar

from ..errors import PayloadError
from . import (
    deviations,
    modules_to_objects,
    modules_to_payload,
    modules_v211,
    modules_v221,
    modules_v230,
    objects,
    peer_objects,
)
from .decode import decode, is_absent, show
from .json_text import read_json
from .normalise import check_version, known_owner
from .patch import merge_patch
from .to_objects import NO_OWNER, Owner
from .tolerances import DEFAULT, LAX, Tolerances
from .types import Payload

__all__ = [
    "authorization_payload",
    "cdr_payload",
    "credentials_payload",
    "find_deviations",
    "invoice_reconciliation_payload",
    "location_payload",
    "merge_patch",
    "parse_authorization",
    "parse_connector",
    "parse_credentials",
    "parse_evse",
    "parse_invoice_reconciliation",
    "parse_location",
    "parse_location_references",
    "parse_session",
    "parse_token",
    "parse_version_details",
    "parse_versions",
    "schema_of",
    "session_payload",
    "token_payload",
    "tree_of",
    "version_details_payload",
    "versions_payload",
]

Source = bytes | str | dict[str, Any] | list[Any]
Schema = TypeVar("Schema", bound=Payload)

_MODULES = {"2.1.1": modules_v211, "2.2.1": modules_v221, "2.3.0": modules_v230}


def schema_of(schema: type[Schema], version: str) -> type[Schema]:
    """A payload schema of `modules_v221` as the version has it.

    :raise PayloadError: unsupported_version.
    """
    check_version(version)
    found: type[Schema] = getattr(_MODULES[version], schema.__name__, schema)
    return found


def parse_session(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT, owner: Owner | None = None
) -> peer_objects.Session:
    """A session, whole (OCPI 2.2.1, 9.3.1); for a change of one see `merge_patch`."""
    payload = _read(raw, modules_v221.Session, version, tolerances)
    return modules_to_objects.session(payload, known_owner(payload, version, owner))


def parse_token(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT, owner: Owner | None = None
) -> peer_objects.Token:
    """A token, whole (OCPI 2.2.1, 12.3.2)."""
    payload = _read(raw, modules_v221.Token, version, tolerances)
    return modules_to_objects.token(payload, known_owner(payload, version, owner))


def parse_location(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT, owner: Owner | None = None
) -> peer_objects.Location:
    """A location with its EVSEs (OCPI 2.2.1, 8.3.1)."""
    payload = _read(raw, modules_v221.Location, version, tolerances)
    return modules_to_objects.location(payload, known_owner(payload, version, owner))


def parse_evse(raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT) -> peer_objects.Evse:
    """An EVSE with its connectors (OCPI 2.2.1, 8.3.2)."""
    return modules_to_objects.evse(_read(raw, modules_v221.Evse, version, tolerances))


def parse_connector(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT
) -> peer_objects.Connector:
    """A connector (OCPI 2.2.1, 8.3.3)."""
    return modules_to_objects.connector(_read(raw, modules_v221.Connector, version, tolerances))


def parse_credentials(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT
) -> peer_objects.Credentials:
    """Credentials (OCPI 2.2.1, 7.3.1); the one party of OCPI 2.1.1 becomes a role without a name."""
    return modules_to_objects.credentials(_read(raw, modules_v221.Credentials, version, tolerances))


def parse_versions(raw: Source) -> tuple[peer_objects.Version, ...]:
    """The versions of a platform (OCPI 2.2.1, 6.1): a list, alike in every version."""
    tree = tree_of(raw)
    if not isinstance(tree, list):
        raise PayloadError("invalid_field", path="", expected="a list", got=show(tree))
    return tuple(_version(each, index) for index, each in enumerate(tree))


def parse_version_details(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT
) -> peer_objects.VersionDetails:
    """The modules of a platform (OCPI 2.2.1, 6.2.1)."""
    return modules_to_objects.version_details(_read(raw, modules_v221.VersionDetails, version, tolerances))


def parse_authorization(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT, owner: Owner | None = None
) -> peer_objects.AuthorizationInfo:
    """The answer to a request for authorization (OCPI 2.2.1, 12.3.1)."""
    payload = _read(raw, modules_v221.AuthorizationInfo, version, tolerances)
    return modules_to_objects.authorization(payload, owner or NO_OWNER)


def parse_location_references(
    raw: Source, version: str = "2.2.1", *, tolerances: Tolerances = DEFAULT
) -> peer_objects.LocationReferences:
    """The body of a request for authorization (OCPI 2.2.1, 12.4.3)."""
    return modules_to_objects.location_references(
        _read(raw, modules_v221.LocationReferences, version, tolerances)
    )


def parse_invoice_reconciliation(
    raw: Source, version: str = "2.3.0", *, tolerances: Tolerances = DEFAULT, owner: Owner | None = None
) -> peer_objects.InvoiceReconciliation:
    """A record of an invoice's CDRs (OCPI 2.3.0 edition 2), told by their ids or by objects with an id."""
    payload = _read(_with_plain_ids(tree_of(raw)), modules_v221.InvoiceReconciliation, version, tolerances)
    return modules_to_objects.invoice_reconciliation(payload, known_owner(payload, version, owner))


def find_deviations(
    raw: Source, schema: type[Payload], version: str = "2.2.1", *, tolerances: Tolerances = LAX
) -> tuple[deviations.Deviation, ...]:
    """As `deviations.find_deviations`, for any object.

    :param schema: of `modules_v221`, whatever the version.
    """
    tree = _with_plain_ids(tree_of(raw))
    _read(tree, schema, version, tolerances)
    return tuple(deviations.compare(tree, schema_of(schema, version), version))


def cdr_payload(
    cdr: objects.Cdr, version: str = "2.2.1", place: peer_objects.Location | None = None
) -> dict[str, Any]:
    """A CDR as an OCPI object (OCPI 2.2.1, 10.3.1), to be written by `write_json`.

    As all writers here: numbers are Decimal, instants are texts, what is not set or what the version has no
    field for is left out. OCPI 2.1.1 has no word for a credit or for a compensation of charging at home:
    the caller decides whether such a CDR may leave in it.

    :param place: the location as its owner describes it; OCPI 2.1.1 wants more of it than a CDR tells.
    :raise PayloadError: unsupported_version.
    """
    return _write(cdr, version, place)


def session_payload(
    session: peer_objects.Session, version: str = "2.2.1", place: peer_objects.Location | None = None
) -> dict[str, Any]:
    """A session as an OCPI object (OCPI 2.2.1, 9.3.1); as `cdr_payload`."""
    return _write(session, version, place)


def token_payload(token: peer_objects.Token, version: str = "2.2.1") -> dict[str, Any]:
    """A token as an OCPI object (OCPI 2.2.1, 12.3.2); as `cdr_payload`."""
    return _write(token, version)


def location_payload(location: peer_objects.Location, version: str = "2.2.1") -> dict[str, Any]:
    """A location as an OCPI object (OCPI 2.2.1, 8.3.1); as `cdr_payload`."""
    return _write(location, version)


def authorization_payload(info: peer_objects.AuthorizationInfo, version: str = "2.2.1") -> dict[str, Any]:
    """An authorization as an OCPI object (OCPI 2.2.1, 12.3.1); as `cdr_payload`."""
    return _write(info, version)


def credentials_payload(credentials: peer_objects.Credentials, version: str = "2.2.1") -> dict[str, Any]:
    """Credentials as an OCPI object (OCPI 2.2.1, 7.3.1), in 2.1.1 of the first role; as `cdr_payload`."""
    check_version(version)
    return modules_to_payload.credentials(credentials, version)


def versions_payload(versions: tuple[peer_objects.Version, ...]) -> list[dict[str, Any]]:
    """The list of versions (OCPI 2.2.1, 6.1)."""
    return [{"version": each.version, "url": each.url} for each in versions]


def version_details_payload(details: peer_objects.VersionDetails, version: str = "2.2.1") -> dict[str, Any]:
    """Modules as an OCPI object (OCPI 2.2.1, 6.2.1); as `cdr_payload`."""
    return _write(details, version)


def invoice_reconciliation_payload(
    record: peer_objects.InvoiceReconciliation, version: str = "2.3.0"
) -> dict[str, Any]:
    """A record as an OCPI object (OCPI 2.3.0 edition 2); as `cdr_payload`."""
    return _write(record, version)


def tree_of(raw: Source) -> Any:
    """The JSON tree of what comes in.

    :raise PayloadError: as `read_json`.
    """
    return read_json(raw) if isinstance(raw, (bytes, str)) else raw


def _read(raw: Source, schema: type[Schema], version: str, tolerances: Tolerances) -> Schema:
    return deviations.read(tree_of(raw), schema_of(schema, version), version, tolerances)


def _write(value: Any, version: str, place: peer_objects.Location | None = None) -> dict[str, Any]:
    check_version(version)
    return modules_to_payload.payload(value, version, place)


def _version(tree: Any, index: int) -> peer_objects.Version:
    try:
        return modules_to_objects.version(decode(tree, modules_v221.Version, text_numbers=False))
    except PayloadError as error:
        path = f"[{index}].{error.path}" if error.path else f"[{index}]"
        raise PayloadError(error.code, path=path, **error.params) from None


def _with_plain_ids(tree: Any) -> Any:
    """A record of an invoice with the ids of its CDRs in place of CDRs."""
    listed = tree.get("cdrs") if isinstance(tree, dict) else None
    if not isinstance(listed, list):
        return tree
    return {**tree, "cdrs": [_plain_id(each, index) for index, each in enumerate(listed)]}


def _plain_id(listed: Any, index: int) -> Any:
    if not isinstance(listed, dict):
        return listed
    if is_absent(listed.get("id")):
        raise PayloadError("missing_field", path=f"cdrs[{index}].id", expected="a text", got="nothing")
    return listed["id"]

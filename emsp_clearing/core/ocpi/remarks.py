"""What of a message was understood thanks to a tolerance, for the log of messages."""

from typing import Final

from . import deviations, modules, modules_v221
from .deviations import Deviation
from .tolerances import SWITCHES
from .types import Payload
from .versions import find_version

_SCHEMAS: Final[dict[str, type[Payload]]] = {
    "connector": modules_v221.Connector,
    "credentials": modules_v221.Credentials,
    "evse": modules_v221.Evse,
    "invoice_reconciliation": modules_v221.InvoiceReconciliation,
    "location": modules_v221.Location,
    "location_references": modules_v221.LocationReferences,
    "session": modules_v221.Session,
    "token": modules_v221.Token,
    "version_details": modules_v221.VersionDetails,
}


def find_tolerated(
    source: modules.Source, kind: str, version: str, *, is_change: bool = False
) -> tuple[Deviation, ...]:
    """What of an object that was taken needed a tolerance, in the order of the version's schema.

    :param kind: "tariff" or a key of `_SCHEMAS`.
    :param is_change: by PATCH: what it leaves out at its top is not missing.
    :raise PayloadError: as `read_json`; unsupported_version.
    """
    if kind == "tariff":
        schema: type[Payload] = find_version(version).tariff
    else:
        schema = modules.schema_of(_SCHEMAS[kind], version)
    found = deviations.compare(modules.tree_of(source), schema, version)
    needed = (each for each in found if each.code in SWITCHES)
    return tuple(each for each in needed if not (is_change and _is_left_out(each)))


def _is_left_out(deviation: Deviation) -> bool:
    return deviation.code in ("missing", "missing_owner") and "." not in deviation.path

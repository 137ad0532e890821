"""The location in a session or a CDR of OCPI 2.1.1: a whole Location object with the one EVSE and connector.

Later versions tell less of it. The rest comes from the Location that its owner has described; what nobody has
described is UNKNOWN where 2.1.1 has that word, and left out where it has none.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Tree = Mapping[str, Any]
# Required ones (OCPI 2.1.1, 8.3.1 to 8.3.3), and what tells a driver where it was.
_OF_LOCATION: Final = (
    *("type", "name", "address", "city", "postal_code", "country", "coordinates", "time_zone"),
)
_OF_EVSE: Final = ("uid", "evse_id", "status")
_OF_CONNECTOR: Final = ("standard", "format", "power_type", "voltage", "amperage")


def completed(location: Tree, known: Tree, updated: str) -> dict[str, Any]:
    """A location with what 2.1.1 requires.

    :param location: as far as the session or the CDR tells; its own words hold.
    :param known: the Location object of 2.1.1 that its owner has described; may be empty.
    :param updated: of the session or the CDR.
    """
    told = location.get("evses") or ()
    evses = [_evse(each, _evse_in(known, each), updated) for each in told]
    filled = {"type": "UNKNOWN", **_of(known, _OF_LOCATION), **location, "last_updated": updated}
    return filled | ({"evses": evses} if evses else {})


def _evse(evse: Tree, known: Tree, updated: str) -> dict[str, Any]:
    connectors = [
        {
            **_of(_found(known.get("connectors"), "id", connector), _OF_CONNECTOR),
            **connector,
            "last_updated": updated,
        }
        for connector in evse.get("connectors") or ()
    ]
    filled = {"status": "UNKNOWN", **_of(known, _OF_EVSE), **evse, "last_updated": updated}
    return filled | {"connectors": connectors}


def _evse_in(known: Tree, evse: Tree) -> Tree:
    """The described EVSE, by either of its ids."""
    evses = known.get("evses")
    return _found(evses, "uid", evse) or _found(evses, "evse_id", evse)


def _found(parts: Iterable[Tree] | None, id_name: str, part: Tree) -> Tree:
    wanted = part.get(id_name)
    if not wanted:
        return {}
    return next((each for each in parts or () if _is_id(each.get(id_name), wanted)), {})


def _is_id(one: str | None, other: str) -> bool:
    return (one or "").upper() == other.upper()


def _of(tree: Tree, names: Iterable[str]) -> dict[str, Any]:
    return {name: tree[name] for name in names if name in tree}

"""EVSEs and connectors inside the JSON object of a location (OCPI 2.2.1, 8.3)."""

from ..core.ocpi.types import parse_date_time

# What the lists of parts are called, and their parts' ids, from the location down.
LEVELS = (("evses", "uid"), ("connectors", "id"))


def find_part(location, ids):
    """:param dict location: as `read_json` gives it.
    :param ids: the uid of an EVSE; with it, the id of one of its connectors.
    :return: the part, or None.
    """
    part = location
    for (list_name, id_name), part_id in zip(LEVELS, ids, strict=False):
        part = next((each for each in part.get(list_name) or () if _has_id(each, id_name, part_id)), None)
        if part is None:
            return None
    return part


def with_part(location, ids, part):
    """A location in which `part` stands where its ids say; what it replaces is gone.

    What holds the part counts as updated when the part was (OCPI 2.2.1, 8.3.1).

    :param ids: as `find_part`; what is to hold the part must be there.
    """
    return _with_part(location, list(zip(LEVELS, ids, strict=False)), part)


def _with_part(holder, steps, part):
    ((list_name, id_name), part_id), *further = steps
    parts = list(holder.get(list_name) or ())
    index = next((i for i, each in enumerate(parts) if _has_id(each, id_name, part_id)), len(parts))
    parts[index : index + 1] = [_with_part(parts[index], further, part) if further else part]
    latest = max((each for each in (holder, part) if each.get("last_updated")), key=_updated, default=None)
    changed = {**holder, list_name: parts}
    return {**changed, "last_updated": latest["last_updated"]} if latest else changed


def _updated(part):
    return parse_date_time(part["last_updated"])


def _has_id(part, id_name, part_id):
    return str(part.get(id_name, "")).upper() == part_id.upper()

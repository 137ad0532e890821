"""Changes of objects by PATCH (OCPI 2.2.1, 4.1.4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ..errors import PayloadError
from .decode import is_absent, show
from .types import DATE_TIME, parse_date_time

Kind = Literal["session", "token", "location", "evse", "connector", "tariff"]


def merge_patch(stored: dict[str, Any], patch: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The object after a change; neither argument is touched.

    Fields are replaced, objects and lists as a whole; null or blank takes a field out. The charging
    periods of a session are added to those there are (OCPI 2.2.1, 9.2.2): once, when a change comes twice.
    A change older than what is stored leaves it as it is: `stored` itself comes back. Whether the result
    is still a usable object is for the kind's parser.

    :param stored: JSON object as `read_json` gives it, and so is `patch`.
    :raise PayloadError: missing_field or invalid_field: `last_updated`, or periods that are no list.
    """
    if not isinstance(patch, dict):
        raise PayloadError("invalid_field", path="", expected="an object", got=show(patch))
    if _is_older(_last_updated(patch), stored):
        return stored
    merged = {name: value for name, value in stored.items() if name not in patch}
    for name, value in patch.items():
        if kind == "session" and name == "charging_periods":
            value = _added(stored.get(name), value)
        if not is_absent(value):
            merged[name] = value
    return merged


def _last_updated(tree: Mapping[str, Any]) -> datetime:
    told: Any = tree.get("last_updated")
    if is_absent(told):
        raise PayloadError("missing_field", path="last_updated", expected=DATE_TIME, got="nothing")
    try:
        return parse_date_time(told)
    except (TypeError, ValueError):
        raise PayloadError("invalid_field", path="last_updated", expected=DATE_TIME, got=show(told)) from None


def _is_older(changed: datetime, stored: Mapping[str, Any]) -> bool:
    try:
        return changed < _last_updated(stored)
    except PayloadError:
        return False


def _added(stored: Any, periods: Any) -> list[Any] | None:
    """:return: all periods, in the order they came; null adds none."""
    known = list(stored or ())
    if is_absent(periods):
        return known or None
    if not isinstance(periods, list):
        raise PayloadError("invalid_field", path="charging_periods", expected="a list", got=show(periods))
    return known + [each for each in periods if each not in known]

"""From a tariff of core to the payload of a version."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from . import objects
from .types import format_date_time

_CONDITIONS_SINCE_22 = ("min_current", "max_current", "reservation")
# What the objects of core hold beyond a version. `version` is no field of any.
_UNKNOWN_TO: dict[str, dict[type, tuple[str, ...]]] = {
    "2.1.1": {
        objects.Tariff: (
            *("country_code", "party_id", "type", "min_price", "max_price", "preauthorize_amount"),
            *("start_date_time", "end_date_time", "tax_included", "version"),
        ),
        objects.PriceComponent: ("vat",),
    },
    "2.2.1": {objects.Tariff: ("tax_included", "preauthorize_amount", "version")},
    "2.3.0": {objects.Tariff: ("version",)},
}
_LIMIT_NAMES = {"2.2.1": ("excl_vat", "incl_vat"), "2.3.0": ("before_taxes", "after_taxes")}
# Required lists: written even when there is nothing in them.
_LISTS = ("elements", "price_components")


def tariff(value: objects.Tariff, version: str) -> dict[str, Any]:
    """A tariff with what the version has a field for; what is not set is left out.

    OCPI 2.1.1 has no word for a current or a reservation as the condition of an element. Without its
    condition such an element would price what it was not meant for: it is left out.
    """
    payload = dict(_members(value, version))
    if version == "2.1.1":
        kept = (element for element in value.elements if _is_known_to_211(element))
        payload["elements"] = [_written(element, version) for element in kept]
    if version == "2.3.0":
        payload.setdefault("tax_included", "NO")
    return payload


def _is_known_to_211(element: objects.TariffElement) -> bool:
    conditions = element.restrictions
    return conditions is None or all(getattr(conditions, name) is None for name in _CONDITIONS_SINCE_22)


def _members(value: Any, version: str) -> Iterator[tuple[str, Any]]:
    unknown = _UNKNOWN_TO[version].get(type(value), ())
    for field in fields(value):
        held = getattr(value, field.name)
        unset = held is None or (held == () and field.name not in _LISTS)
        if not unset and field.name not in unknown:
            yield field.name, _written(held, version)


def _written(value: Any, version: str) -> Any:
    if isinstance(value, objects.Price):
        return _limit(value, version)
    if is_dataclass(value):
        return dict(_members(value, version))
    if isinstance(value, tuple):
        return [_written(each, version) for each in value]
    return format_date_time(value) if isinstance(value, datetime) else value


def _limit(price: objects.Price, version: str) -> dict[str, Any]:
    """min_price or max_price: as PriceLimit from OCPI 2.3.0 on, as Price before."""
    amounts = zip(_LIMIT_NAMES[version], (price.excl_vat, price.incl_vat), strict=True)
    return {name: amount for name, amount in amounts if amount is not None}

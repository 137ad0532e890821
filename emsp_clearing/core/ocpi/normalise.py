"""OCPI payloads to the objects of core, and back.

Callers name the version and never see a payload schema, so another version is one more schema
module and converter here.
"""

from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any

from ..errors import PayloadError
from . import objects, v221
from .countries import to_alpha_3
from .decode import decode
from .json_text import canonical, read_json, write_json
from .types import Payload, format_date_time

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

VERSIONS = ("2.2.1",)

_PRICE_TYPES = (objects.Price, objects.Price | None)


def parse_cdr(raw: bytes | str, version: str = "2.2.1", *, lax: bool = False) -> objects.Cdr:
    """A CDR as received: one JSON object.

    Refuses only what has no usable structure; what a peer spells in its own way is understood and
    told by `deviations.find_deviations`, what makes no sense (an end before the start) is for the
    checks.

    :param lax: numbers may come as strings.
    :raise PayloadError: unsupported_version, missing_field, invalid_field (with the field's path),
        or as `read_json`.
    """
    check_version(version)
    return _cdr(decode(read_json(raw), v221.Cdr, lax=lax))


def parse_tariff(raw: bytes | str, version: str = "2.2.1", *, lax: bool = False) -> objects.Tariff:
    """A tariff as received: one JSON object.

    :raise PayloadError: as `parse_cdr`.
    """
    check_version(version)
    payload = decode(read_json(raw), v221.Tariff, lax=lax)
    for name in ("country_code", "party_id"):
        if getattr(payload, name) is None:
            raise PayloadError("missing_field", path=name, expected="a text", got="nothing")
    return _tariff(payload, owner=("", ""))


def tariff_payload(tariff: objects.Tariff, version: str = "2.2.1") -> dict[str, Any]:
    """A tariff as an OCPI object (OCPI 2.2.1, 11.3.1), to be written by `write_json`.

    Numbers are Decimal, instants are texts; what is not set is left out.

    :raise PayloadError: unsupported_version.
    """
    check_version(version)
    payload: dict[str, Any] = _payload(tariff)
    payload.pop("tax_included", None)
    return payload


def check_version(version: str) -> None:
    """:raise PayloadError: unsupported_version, for a version this module cannot read."""
    if version not in VERSIONS:
        known = " or ".join(VERSIONS)
        raise PayloadError("unsupported_version", expected=f"OCPI version {known}", got=version)


def _cdr(payload: v221.Cdr) -> objects.Cdr:
    owner = (payload.country_code, payload.party_id)
    values = _common(payload, objects.Cdr)
    values["cdr_token"] = objects.CdrToken(**_common(payload.cdr_token, objects.CdrToken))
    values["cdr_location"] = _location(payload.cdr_location)
    values["tariffs"] = tuple(_tariff(tariff, owner) for tariff in payload.tariffs)
    values["charging_periods"] = tuple(map(_period, payload.charging_periods))
    return objects.Cdr(**values)


def _location(payload: v221.CdrLocation) -> objects.CdrLocation:
    values = _common(payload, objects.CdrLocation)
    if payload.country:
        values["country"] = to_alpha_3(payload.country)
    if payload.coordinates:
        values["latitude"] = payload.coordinates.latitude
        values["longitude"] = payload.coordinates.longitude
    return objects.CdrLocation(**values)


def _period(payload: v221.ChargingPeriod) -> objects.ChargingPeriod:
    dimensions = tuple(objects.Dimension(each.type, each.volume) for each in payload.dimensions)
    return objects.ChargingPeriod(payload.start_date_time, dimensions, payload.tariff_id)


def _tariff(payload: v221.Tariff, owner: tuple[str, str]) -> objects.Tariff:
    values = _common(payload, objects.Tariff)
    values["country_code"] = payload.country_code or owner[0]
    values["party_id"] = payload.party_id or owner[1]
    values["elements"] = tuple(map(_element, payload.elements))
    values["tariff_alt_text"] = tuple(
        objects.DisplayText(each.language, each.text) for each in payload.tariff_alt_text
    )
    return objects.Tariff(**values)


def _element(payload: v221.TariffElement) -> objects.TariffElement:
    components = tuple(map(_component, payload.price_components))
    if payload.restrictions is None:
        return objects.TariffElement(components)
    return objects.TariffElement(components, _restrictions(payload.restrictions))


def _component(payload: v221.PriceComponent) -> objects.PriceComponent:
    step_size = 1 if payload.step_size is None else int(payload.step_size)
    return objects.PriceComponent(payload.type, payload.price, step_size, payload.vat)


def _restrictions(payload: v221.TariffRestrictions) -> objects.TariffRestrictions:
    values = _common(payload, objects.TariffRestrictions)
    for name in ("min_duration", "max_duration"):
        values[name] = values[name] if values[name] is None else int(values[name])
    return objects.TariffRestrictions(**values)


def _price(amount: v221.Amount | None) -> objects.Price | None:
    if isinstance(amount, v221.Price):
        return objects.Price(*amount.amounts())
    return amount if amount is None else objects.Price(amount)


def _common(payload: Payload, target: type) -> dict[str, Any]:
    """The values that payload and object hold under the same name."""
    names, prices = _names(type(payload), target)
    values = {name: getattr(payload, name) for name in names}
    values.update((name, _price(getattr(payload, name))) for name in prices)
    return values


@cache
def _names(schema: type[Payload], target: type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """:return: names of the fields in common: those that are no prices, those that are."""
    common = [each for each in fields(target) if each.name in schema.__struct_fields__]
    prices = tuple(each.name for each in common if each.type in _PRICE_TYPES)
    return tuple(each.name for each in common if each.name not in prices), prices


def _payload(value: Any) -> Any:
    if is_dataclass(value):
        held = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: _payload(each) for name, each in held.items() if each not in (None, ())}
    if isinstance(value, tuple):
        return [_payload(each) for each in value]
    return format_date_time(value) if isinstance(value, datetime) else value

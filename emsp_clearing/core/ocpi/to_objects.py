"""From the payload schema of any version to the objects of core."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

from . import objects, v211, v221
from .countries import to_alpha_3
from .types import Payload

_PRICE_TYPES = (objects.Price, objects.Price | None)
# How ids of EVSEs begin: country and operator, with one separator or the other.
_OWNER = re.compile(r"([A-Za-z]{2})[*-]([A-Za-z0-9]{3})(?=[*-]|$)")
Owner = tuple[str, str]
NO_OWNER: Owner = ("", "")


def cdr(payload: v221.Cdr, version: str, owner: Owner = NO_OWNER) -> objects.Cdr:
    """A CDR of OCPI 2.2.1 or 2.3.0.

    :param owner: whose it is where the payload does not say; and so below.
    """
    owner = (payload.country_code or owner[0], payload.party_id or owner[1])
    values = _cdr_values(payload, owner, version)
    values["cdr_token"] = objects.CdrToken(**_common(payload.cdr_token, objects.CdrToken))
    values["cdr_location"] = _cdr_location(payload.cdr_location)
    return objects.Cdr(**values)


def cdr_of_211(payload: v211.Cdr, version: str, owner: Owner = NO_OWNER) -> objects.Cdr:
    """A CDR of OCPI 2.1.1, which names neither its owner nor its token."""
    location = payload.location or v211.Location()
    values = _cdr_values(payload, _owner_of(payload, location) or owner, version)
    values["end_date_time"] = payload.end()
    values["cdr_token"] = objects.CdrToken(uid=payload.auth_id, contract_id=payload.auth_id)
    values["cdr_location"] = _location(location)
    return objects.Cdr(**values)


def tariff(payload: v221.Tariff, version: str, owner: Owner = NO_OWNER) -> objects.Tariff:
    """A tariff of any version.

    :param owner: whose it is where the payload does not say.
    """
    values = _common(payload, objects.Tariff)
    values["country_code"] = payload.country_code or owner[0]
    values["party_id"] = payload.party_id or owner[1]
    values["min_price"] = _limit(payload.min_price)
    values["max_price"] = _limit(payload.max_price)
    values["elements"] = tuple(map(_element, payload.elements))
    values["tariff_alt_text"] = tuple(
        objects.DisplayText(each.language, each.text) for each in payload.tariff_alt_text
    )
    return objects.Tariff(**values, version=version)


def _cdr_values(payload: v221.Cdr | v211.Cdr, owner: Owner, version: str) -> dict[str, Any]:
    values = _common(payload, objects.Cdr)
    values["country_code"], values["party_id"] = owner
    values["tariffs"] = tuple(tariff(each, version, owner) for each in payload.tariffs)
    values["charging_periods"] = tuple(map(_period, payload.charging_periods))
    return values


def _owner_of(payload: v211.Cdr, location: v211.Location) -> Owner | None:
    """The owner as far as the message tells: by itself, or by the ids of EVSE and location."""
    if payload.country_code and payload.party_id:
        return payload.country_code, payload.party_id
    for text in _named_places(location):
        match = _OWNER.match(text)
        if match and to_alpha_3(match[1]) != match[1]:
            return match[1], match[2]
    return None


def _named_places(location: v211.Location) -> Iterator[str]:
    evses = location.evses or ()
    ids = [*(evse.evse_id for evse in evses), *(evse.uid for evse in evses), location.id]
    return (text for text in ids if text)


def _location(payload: v211.Location) -> objects.CdrLocation:
    """A location of OCPI 2.1.1; among several EVSEs or connectors nobody knows which it was."""
    evses = payload.evses or ()
    evse = evses[0] if len(evses) == 1 else v211.Evse()
    connectors = evse.connectors or ()
    connector = connectors[0] if len(connectors) == 1 else v211.Connector()
    return objects.CdrLocation(
        **_place(payload),
        evse_uid=evse.uid,
        evse_id=evse.evse_id,
        connector_id=connector.id,
        connector_standard=connector.standard,
        connector_format=connector.format,
        connector_power_type=connector.power_type,
    )


def _cdr_location(payload: v221.CdrLocation) -> objects.CdrLocation:
    return objects.CdrLocation(**_place(payload))


def _place(payload: v221.CdrLocation | v211.Location) -> dict[str, Any]:
    values = _common(payload, objects.CdrLocation)
    if payload.country:
        values["country"] = to_alpha_3(payload.country)
    if payload.coordinates:
        values["latitude"] = payload.coordinates.latitude
        values["longitude"] = payload.coordinates.longitude
    return values


def _period(payload: v221.ChargingPeriod) -> objects.ChargingPeriod:
    dimensions = tuple(objects.Dimension(each.type, each.volume) for each in payload.dimensions)
    return objects.ChargingPeriod(payload.start_date_time, dimensions, payload.tariff_id)


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


def _limit(amount: v221.Amount | None) -> objects.Price | None:
    price = _price(amount)
    return price and replace(price, taxes=())


def _price(amount: v221.Amount | None) -> objects.Price | None:
    if isinstance(amount, v221.Price):
        return objects.Price(*amount.amounts(), tuple(map(_tax, amount.taxes or ())))
    return amount if amount is None else objects.Price(amount)


def _tax(payload: v221.TaxAmount) -> objects.Tax:
    return objects.Tax(payload.name, payload.amount, payload.percentage, payload.account_number)


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

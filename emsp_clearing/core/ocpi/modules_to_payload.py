"""From the objects of core to the payload of a version: CDRs and all that `peer_objects` holds.

What is not set is left out, and so is what the version has no field for. Of a code that the version does
not know, a required field takes the nearest one that it does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from . import objects, peer_objects, place_211, to_payload, v211, v221
from .types import format_date_time

_PLACE_211: Final = (
    *("evse_uid", "evse_id", "connector_id", "connector_standard", "connector_format"),
    "connector_power_type",
)
_UNKNOWN_TO_22: Final[dict[type, tuple[str, ...]]] = {
    objects.CdrLocation: ("time_zone",),
    peer_objects.Session: ("location",),
    peer_objects.LocationReferences: ("connector_ids",),
}
# What the objects of core hold beyond a version.
_UNKNOWN_TO: Final[dict[str, dict[type, tuple[str, ...]]]] = {
    "2.1.1": {
        objects.Cdr: (
            *("country_code", "party_id", "session_id", "authorization_reference", "signed_data"),
            *("total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost"),
            *("total_reservation_cost", "invoice_reference_id", "credit", "credit_reference_id"),
            "home_charging_compensation",
        ),
        objects.CdrLocation: ("state", *_PLACE_211),
        objects.ChargingPeriod: ("tariff_id",),
        peer_objects.Session: (
            *("country_code", "party_id", "authorization_reference", "location_id", "evse_uid"),
            *("connector_id", "location"),
        ),
        peer_objects.Token: (
            *("country_code", "party_id", "group_id", "default_profile_type", "energy_contract"),
        ),
        peer_objects.AuthorizationInfo: ("token", "authorization_reference"),
        peer_objects.Connector: ("max_electric_power", "tariff_ids", "capabilities"),
        peer_objects.Location: ("country_code", "party_id", "publish", "state", "help_phone"),
        peer_objects.Endpoint: ("role",),
    },
    "2.2.1": {
        **_UNKNOWN_TO_22,
        peer_objects.Connector: ("capabilities",),
        peer_objects.Location: ("help_phone",),
        peer_objects.Credentials: ("hub_party_id",),
    },
    "2.3.0": _UNKNOWN_TO_22,
}
_NAMES_211: Final = {
    objects.Cdr: {"end_date_time": "stop_date_time", "cdr_token": "auth_id", "cdr_location": "location"},
    peer_objects.Session: {
        "start_date_time": "start_datetime",
        "end_date_time": "end_datetime",
        "cdr_token": "auth_id",
    },
    peer_objects.Token: {"contract_id": "auth_id"},
    peer_objects.Connector: {"max_voltage": "voltage", "max_amperage": "amperage"},
    peer_objects.Location: {"parking_type": "type"},
}
# Required lists: written even when there is nothing in them.
_LISTS: Final = ("dimensions", "connectors", "roles", "endpoints")
_DIMENSIONS: Final = {
    "2.1.1": frozenset(v211.DIMENSION_TYPES),
    "2.2.1": frozenset(v221.DIMENSION_TYPES),
    "2.3.0": frozenset(v221.DIMENSION_TYPES),
}
_KNOWN_DIMENSIONS: Final = frozenset().union(*_DIMENSIONS.values())
_LATER_TOKENS: Final = {
    "2.1.1": ("AD_HOC_USER", "APP_USER", "EMAID"),
    "2.2.1": ("EMAID",),
    "2.3.0": (),
}


def payload(value: Any, version: str, place: peer_objects.Location | None = None) -> dict[str, Any]:
    """An object of core as the version has it, ready for `write_json`.

    :param place: where a session or a CDR took place, as its owner describes it.
    """
    written: dict[str, Any] = _written(value, version)
    is_charging = isinstance(value, (objects.Cdr, peer_objects.Session))
    if is_charging and version == "2.1.1" and "location" in written:
        known = payload(place, version) if place else {}
        written["location"] = place_211.completed(written["location"], known, written["last_updated"])
    return written


def credentials(value: peer_objects.Credentials, version: str) -> dict[str, Any]:
    """Credentials; OCPI 2.1.1 has room for one party, the first."""
    written = payload(value, version)
    if version == "2.1.1":
        [party, *_] = written.pop("roles")
        party.pop("role", None)
        written.pop("hub_party_id", None)
        written.update(party)
    return written


def _written(value: Any, version: str) -> Any:
    match value:
        case objects.Price():
            return _price(value, version)
        case objects.Tariff():
            return to_payload.tariff(value, version)
        case datetime():
            return format_date_time(value)
        case tuple():
            return [_written(each, version) for each in value]
    if not is_dataclass(value):
        return value
    written = dict(_members(value, version))
    if "latitude" in written or "longitude" in written:
        pair = ((name, written.pop(name, None)) for name in ("latitude", "longitude"))
        written["coordinates"] = {name: degrees for name, degrees in pair if degrees is not None}
    return written | _as_211(value) if version == "2.1.1" else written


def _members(value: Any, version: str) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    unknown = _UNKNOWN_TO[version].get(kind, ())
    names: Mapping[str, str] = _NAMES_211.get(kind, {}) if version == "2.1.1" else {}
    for field in fields(value):
        held = getattr(value, field.name)
        unset = held is None or (held == () and field.name not in _LISTS)
        if unset or field.name in unknown or _is_default(value, field.name):
            continue
        held = _known(field.name, held, value, version)
        if isinstance(held, objects.CdrToken) and version == "2.1.1":
            held = held.contract_id or held.uid
        yield names.get(field.name, field.name), _written(held, version)


def _is_default(value: Any, name: str) -> bool:
    """Whether it is a mark of a CDR that is not set."""
    return (
        isinstance(value, objects.Cdr)
        and name in ("credit", "home_charging_compensation")
        and not getattr(value, name)
    )


def _known(name: str, held: Any, value: Any, version: str) -> Any:
    """What is held, without the codes that are another version's."""
    if name == "dimensions":
        foreign = _KNOWN_DIMENSIONS - _DIMENSIONS[version]
        return tuple(each for each in held if each.type not in foreign)
    if name == "type" and isinstance(value, (objects.CdrToken, peer_objects.Token)):
        return "OTHER" if held in _LATER_TOKENS[version] else held
    if version == "2.1.1" and (name, held) == ("auth_method", "COMMAND"):
        return "AUTH_REQUEST"
    if version == "2.1.1" and (name, held) == ("status", "RESERVATION"):
        return "PENDING"
    return held


def _as_211(value: Any) -> dict[str, Any]:
    """The fields that OCPI 2.1.1 has in another shape."""
    match value:
        case peer_objects.Session():
            place = value.location or objects.CdrLocation(
                id=value.location_id, evse_uid=value.evse_uid, connector_id=value.connector_id
            )
            told = payload(place, "2.1.1")
            return {"location": told} if told else {}
        case objects.CdrLocation():
            return _evses_of(value)
        case peer_objects.Connector(tariff_ids=[first, *_]):
            return {"tariff_id": first}
        case peer_objects.Location():
            return {"type": _location_type(value.parking_type)}
    return {}


def _evses_of(place: objects.CdrLocation) -> dict[str, Any]:
    """The EVSE and the connector of a session, as a location of OCPI 2.1.1 holds them."""
    connector = {
        "id": place.connector_id,
        "standard": place.connector_standard,
        "format": place.connector_format,
        "power_type": place.connector_power_type,
    }
    evse: dict[str, Any] = {"uid": place.evse_uid, "evse_id": place.evse_id}
    evse["connectors"] = [_set(connector)] if _set(connector) else None
    return {"evses": [_set(evse)]} if _set(evse) else {}


def _set(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _location_type(parking_type: str | None) -> str:
    """OCPI 2.1.1, 8.4.16: required, and knows less of parking than later versions."""
    if parking_type is None:
        return "UNKNOWN"
    return "OTHER" if parking_type in ("ALONG_MOTORWAY", "ON_DRIVEWAY") else parking_type


def _price(price: objects.Price, version: str) -> dict[str, Any] | Decimal:
    """A Price of the version; OCPI 2.1.1 has a bare number, without taxes."""
    if version == "2.1.1":
        return price.excl_vat
    if version == "2.2.1":
        return _set({"excl_vat": price.excl_vat, "incl_vat": price.incl_vat})
    return _set({"before_taxes": price.excl_vat, "taxes": _taxes(price)})


def _taxes(price: objects.Price) -> list[dict[str, Any]] | None:
    """The taxes of a price (OCPI 2.3.0, 16.9); None where nobody tells them, empty where there are none."""
    if price.taxes:
        return [_set({field.name: getattr(tax, field.name) for field in fields(tax)}) for tax in price.taxes]
    if price.incl_vat is None:
        return None
    difference = price.incl_vat - price.excl_vat
    return [{"name": "VAT", "amount": difference}] if difference else []

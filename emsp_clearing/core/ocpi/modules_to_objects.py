"""From the payload schemas of any version to the objects of `peer_objects`."""

from dataclasses import replace
from typing import Any

from . import modules_v211, modules_v221, objects, peer_objects, to_objects, v221
from .countries import to_alpha_3
from .types import Payload

Owner = to_objects.Owner
# What a location of 2.1.1 says where later versions say nothing.
_NO_PARKING_TYPE = "UNKNOWN"


def session(payload: modules_v221.Session, owner: Owner) -> peer_objects.Session:
    """A session of any version."""
    values = _owned(payload, peer_objects.Session, owner)
    values["start_date_time"] = payload.start()
    values["end_date_time"] = payload.end_date_time or payload.end_datetime
    values["charging_periods"] = tuple(map(to_objects._period, payload.charging_periods))
    values["cdr_token"] = objects.CdrToken(**_common(payload.token(), objects.CdrToken))
    if isinstance(payload, modules_v211.Session):
        values.update(_place_of(payload))
    return peer_objects.Session(**values)


def _place_of(payload: modules_v211.Session) -> dict[str, Any]:
    """The place of a session of OCPI 2.1.1; the ids may be told by themselves too."""
    if payload.location is None:
        return {"location": None}
    place = to_objects._location(payload.location)
    return {
        "location": place,
        "location_id": payload.location_id or place.id,
        "evse_uid": payload.evse_uid or place.evse_uid,
        "connector_id": payload.connector_id or place.connector_id,
    }


def token(payload: modules_v221.Token, owner: Owner) -> peer_objects.Token:
    """A token of any version."""
    values = _owned(payload, peer_objects.Token, owner)
    values["contract_id"] = payload.contract()
    contract = payload.energy_contract
    if contract:
        values["energy_contract"] = peer_objects.EnergyContract(contract.supplier_name, contract.contract_id)
    return peer_objects.Token(**values)


def authorization(payload: modules_v221.AuthorizationInfo, owner: Owner) -> peer_objects.AuthorizationInfo:
    """:param owner: of the token, where it does not say."""
    values = _common(payload, peer_objects.AuthorizationInfo)
    if payload.token:
        values["token"] = token(payload.token, owner)
    if payload.location:
        values["location"] = location_references(payload.location)
    if payload.info:
        values["info"] = _text(payload.info)
    return peer_objects.AuthorizationInfo(**values)


def location_references(payload: modules_v221.LocationReferences) -> peer_objects.LocationReferences:
    """References of any version."""
    return peer_objects.LocationReferences(**_common(payload, peer_objects.LocationReferences))


def location(payload: modules_v221.Location, owner: Owner) -> peer_objects.Location:
    """A location of any version."""
    values = _owned(payload, peer_objects.Location, owner)
    values.update(_coordinates(payload.coordinates))
    if payload.country:
        values["country"] = to_alpha_3(payload.country)
    kind = payload.parking_type or payload.type
    values["parking_type"] = None if kind == _NO_PARKING_TYPE else kind
    values["evses"] = tuple(map(evse, payload.evses))
    values["directions"] = tuple(map(_text, payload.directions))
    for name in ("operator", "suboperator", "owner"):
        values[name] = _business(values[name])
    return peer_objects.Location(**values)


def evse(payload: modules_v221.Evse) -> peer_objects.Evse:
    """An EVSE of any version."""
    values = _common(payload, peer_objects.Evse)
    values.update(_coordinates(payload.coordinates))
    values["connectors"] = tuple(map(connector, payload.connectors))
    values["directions"] = tuple(map(_text, payload.directions))
    return peer_objects.Evse(**values)


def connector(payload: modules_v221.Connector) -> peer_objects.Connector:
    """A connector of any version; of tariffs sent in place of their ids the ids are taken."""
    values = _common(payload, peer_objects.Connector)
    if payload.max_voltage is None:
        values["max_voltage"] = payload.voltage
    if payload.max_amperage is None:
        values["max_amperage"] = payload.amperage
    if not payload.tariff_ids:
        values["tariff_ids"] = (payload.tariff_id,) if payload.tariff_id else _ids(payload.tariffs)
    return peer_objects.Connector(**values)


def credentials(payload: modules_v221.Credentials) -> peer_objects.Credentials:
    """Credentials of any version."""
    roles = tuple(map(_role, payload.parties()))
    return peer_objects.Credentials(payload.token, payload.url, roles, payload.hub_party_id)


def version(payload: modules_v221.Version) -> peer_objects.Version:
    """One entry of the list of versions."""
    return peer_objects.Version(payload.version, payload.url)


def version_details(payload: modules_v221.VersionDetails) -> peer_objects.VersionDetails:
    """The modules of any version."""
    endpoints = (peer_objects.Endpoint(each.identifier, each.url, each.role) for each in payload.endpoints)
    return peer_objects.VersionDetails(payload.version, tuple(endpoints))


def invoice_reconciliation(
    payload: modules_v221.InvoiceReconciliation, owner: Owner
) -> peer_objects.InvoiceReconciliation:
    """A record of any version."""
    return peer_objects.InvoiceReconciliation(**_owned(payload, peer_objects.InvoiceReconciliation, owner))


def _owned(payload: Payload, target: type, owner: Owner) -> dict[str, Any]:
    values = _common(payload, target)
    values["country_code"] = values["country_code"] or owner[0]
    values["party_id"] = values["party_id"] or owner[1]
    return values


def _common(payload: Payload, target: type) -> dict[str, Any]:
    return to_objects._common(payload, target)


def _coordinates(payload: v221.GeoLocation | None) -> dict[str, Any]:
    if payload is None:
        return {}
    return {"latitude": payload.latitude, "longitude": payload.longitude}


def _text(payload: v221.DisplayText) -> objects.DisplayText:
    return objects.DisplayText(payload.language, payload.text)


def _ids(tariffs: Any) -> tuple[str, ...]:
    found = tariffs if isinstance(tariffs, list) else []
    ids = (each.get("id") for each in found if isinstance(each, dict))
    return tuple(each for each in ids if isinstance(each, str))


def _role(payload: modules_v221.CredentialsRole) -> peer_objects.CredentialsRole:
    values = _common(payload, peer_objects.CredentialsRole)
    values["business_details"] = _business(payload.business_details)
    return peer_objects.CredentialsRole(**values)


def _business(payload: modules_v221.BusinessDetails | None) -> peer_objects.BusinessDetails | None:
    if payload is None:
        return None
    details = peer_objects.BusinessDetails(payload.name, payload.website)
    if payload.logo is None:
        return details
    return replace(details, logo=peer_objects.Image(**_common(payload.logo, peer_objects.Image)))

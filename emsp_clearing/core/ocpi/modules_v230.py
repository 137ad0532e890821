"""Payload schemas of OCPI 2.3.0 apart from CDRs and tariffs, as far as they differ from 2.2.1."""

from typing import Annotated, Any

from . import modules_codes, modules_v221, v230
from .types import DUE, ci_string, codes

MODULES = (*modules_codes.MODULES, "invoicereconciliation")  # 6.2.4
ROLES = tuple(role for role in modules_codes.ROLES if role != "HUB")  # 16.10
PARKING_RESTRICTIONS = (*modules_codes.PARKING_RESTRICTIONS, "EMPLOYEES", "TAXIS", "TENANTS")
CONNECTOR_CAPABILITIES = ("ISO_15118_20_PLUG_AND_CHARGE", "ISO_15118_2_PLUG_AND_CHARGE")


class Endpoint(modules_v221.Endpoint, kw_only=True):
    """OCPI 2.3.0, 6.2.2."""

    identifier: Annotated[str, codes(MODULES)]


class VersionDetails(modules_v221.VersionDetails, kw_only=True):
    """OCPI 2.3.0, 6.2.1."""

    endpoints: tuple[Endpoint, ...]


class CredentialsRole(modules_v221.CredentialsRole, kw_only=True):
    """OCPI 2.3.0, 7.4.1."""

    role: Annotated[str, codes(ROLES, due=True)] | None = None


class Credentials(modules_v221.Credentials, kw_only=True):
    """OCPI 2.3.0, 7.3.1: a hub names itself, and all who are reached through it as roles."""

    hub_party_id: Annotated[str, ci_string(5)] | None = None
    roles: Annotated[tuple[CredentialsRole, ...], DUE] = ()


class Session(modules_v221.Session, kw_only=True):
    """OCPI 2.3.0, 9.3.1."""

    cdr_token: Annotated[v230.CdrToken | None, DUE] = None
    total_cost: v230.Amount | None = None


class Token(modules_v221.Token, kw_only=True):
    """OCPI 2.3.0, 12.3.2."""

    type: Annotated[str, codes(v230.TOKEN_TYPES, due=True)] = "RFID"


class AuthorizationInfo(modules_v221.AuthorizationInfo, kw_only=True):
    """OCPI 2.3.0, 12.3.1."""

    token: Annotated[Token | None, DUE] = None


class Connector(modules_v221.Connector, kw_only=True):
    """OCPI 2.3.0, 8.3.3."""

    standard: Annotated[str, codes(v230.CONNECTOR_TYPES, due=True)] | None = None
    capabilities: tuple[Annotated[str, codes(CONNECTOR_CAPABILITIES)], ...] = ()


class Evse(modules_v221.Evse, kw_only=True):
    """OCPI 2.3.0, 8.3.2."""

    connectors: Annotated[tuple[Connector, ...], DUE] = ()
    parking_restrictions: tuple[Annotated[str, codes(PARKING_RESTRICTIONS)], ...] = ()
    parking: Any = None
    accepted_service_providers: Any = None


class Location(modules_v221.Location, kw_only=True):
    """OCPI 2.3.0, 8.3.1."""

    evses: tuple[Evse, ...] = ()
    parking_places: Any = None
    help_phone: Annotated[str, ci_string(25)] | None = None


class InvoiceReconciliation(modules_v221.InvoiceReconciliation, kw_only=True):
    """OCPI 2.3.0 edition 2, InvoiceReconciliationRecord, with this program's fields."""

    total_cost: v230.Amount | None = None

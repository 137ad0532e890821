"""Payload schemas of OCPI 2.1.1 apart from CDRs and tariffs, as far as they differ from 2.2.1.

The names that later versions changed are understood too, as FOREIGN. Owners stand in the URL.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from . import modules_v221, v211, v221
from .types import DUE, FOREIGN, PLAIN, FieldError, alpha_2, ci_string, codes, string

MODULES = ("cdrs", "commands", "credentials", "locations", "sessions", "tariffs", "tokens")
SESSION_STATUSES = ("ACTIVE", "COMPLETED", "INVALID", "PENDING")  # 9.4.1
TOKEN_TYPES = ("OTHER", "RFID")  # 12.4.3
CAPABILITIES = (  # 8.4.2
    *("CHARGING_PROFILE_CAPABLE", "CREDIT_CARD_PAYABLE", "REMOTE_START_STOP_CAPABLE", "RESERVABLE"),
    *("RFID_READER", "UNLOCK_CAPABLE"),
)
LOCATION_TYPES = (  # 8.4.16
    *("ON_STREET", "OTHER", "PARKING_GARAGE", "PARKING_LOT", "UNDERGROUND_GARAGE", "UNKNOWN"),
)
FACILITIES = (  # 8.4.11
    *("AIRPORT", "BUS_STOP", "CAFE", "CARPOOL_PARKING", "FUEL_STATION", "HOTEL", "MALL", "MUSEUM"),
    *("NATURE", "RECREATION_AREA", "RESTAURANT", "SPORT", "SUPERMARKET", "TAXI_STAND"),
    *("TRAIN_STATION", "WIFI"),
)


class Endpoint(modules_v221.Endpoint, kw_only=True):
    """OCPI 2.1.1, Version details endpoint: CPO and eMSP have addresses of their own, and no role."""

    identifier: Annotated[str, codes(MODULES)]
    role: Annotated[str, string(8, foreign=True)] | None = None


class VersionDetails(modules_v221.VersionDetails, kw_only=True):
    """OCPI 2.1.1, Version details endpoint."""

    endpoints: tuple[Endpoint, ...]


class Credentials(modules_v221.Credentials, kw_only=True):
    """OCPI 2.1.1, Credentials, 2.1: one party; also understood: the roles of later versions."""

    roles: Annotated[tuple[modules_v221.CredentialsRole, ...], FOREIGN] = ()
    business_details: Annotated[modules_v221.BusinessDetails | None, DUE] = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    country_code: Annotated[str, alpha_2(due=True)] | None = None

    def parties(self) -> tuple[modules_v221.CredentialsRole, ...]:
        """The one party, or the roles."""
        if not self.roles:
            for name in ("party_id", "country_code"):
                if not getattr(self, name):
                    raise FieldError(name, "a text")
        return super().parties()


class Session(modules_v221.Session, kw_only=True):
    """OCPI 2.1.1, 9.3.1: the location as a whole in place of ids."""

    country_code: Annotated[str, alpha_2(foreign=True)] | None = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    start_datetime: Annotated[datetime | None, DUE] = None
    start_date_time: Annotated[datetime | None, FOREIGN] = None
    end_datetime: datetime | None = None
    end_date_time: Annotated[datetime | None, FOREIGN] = None
    cdr_token: Annotated[v221.CdrToken | None, FOREIGN] = None
    auth_id: Annotated[str, ci_string(36, due=True)] = ""
    auth_method: Annotated[str, codes(v211.AUTH_METHODS, due=True)] | None = None
    authorization_reference: Annotated[str, ci_string(36, foreign=True)] | None = None
    location_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    evse_uid: Annotated[str, ci_string(36, foreign=True)] | None = None
    connector_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    location: Annotated[v211.Location | None, DUE] = None
    charging_periods: tuple[v211.ChargingPeriod, ...] = ()
    total_cost: Annotated[v211.Amount | None, PLAIN] = None
    status: Annotated[str, codes(SESSION_STATUSES)]

    def start(self) -> datetime:
        """The session's start, under either name."""
        if self.start_datetime is None and self.start_date_time is None:
            raise FieldError("start_datetime", "a date and time such as 2025-06-02T10:00:00Z")
        return self.start_datetime or super().start()

    def token(self) -> v221.CdrToken:
        """The token; senders of 2.1.1 leave it out too."""
        return self._named() or v221.CdrToken(uid="", contract_id="")


class Token(modules_v221.Token, kw_only=True):
    """OCPI 2.1.1, 12.3.2."""

    country_code: Annotated[str, alpha_2(foreign=True)] | None = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    type: Annotated[str, codes(TOKEN_TYPES, due=True)] = "RFID"
    auth_id: Annotated[str, ci_string(36, due=True)] | None = None
    contract_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    group_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    default_profile_type: Annotated[str, string(7, foreign=True)] | None = None
    energy_contract: Annotated[modules_v221.EnergyContract | None, FOREIGN] = None

    def contract(self) -> str:
        """The contract's id, under either name."""
        if self.auth_id is None and self.contract_id is None:
            raise FieldError("auth_id", "a text")
        return self.auth_id or super().contract()


class LocationReferences(modules_v221.LocationReferences, kw_only=True):
    """OCPI 2.1.1, 12.4.2."""

    location_id: Annotated[str, ci_string(39)]
    evse_uids: tuple[Annotated[str, ci_string(39)], ...] = ()
    connector_ids: tuple[Annotated[str, ci_string(36)], ...] = ()


class AuthorizationInfo(modules_v221.AuthorizationInfo, kw_only=True):
    """OCPI 2.1.1, 12.3.1."""

    token: Annotated[Token | None, FOREIGN] = None
    location: LocationReferences | None = None
    authorization_reference: Annotated[str, ci_string(36, foreign=True)] | None = None


class Connector(modules_v221.Connector, kw_only=True):
    """OCPI 2.1.1, 8.3.3."""

    standard: Annotated[str, codes(v211.CONNECTOR_TYPES, due=True)] | None = None
    power_type: Annotated[str, codes(v211.POWER_TYPES, due=True)] | None = None
    voltage: Annotated[Decimal | None, DUE] = None
    max_voltage: Annotated[Decimal | None, FOREIGN] = None
    amperage: Annotated[Decimal | None, DUE] = None
    max_amperage: Annotated[Decimal | None, FOREIGN] = None
    max_electric_power: Annotated[Decimal | None, FOREIGN] = None
    tariff_id: Annotated[str, ci_string(36)] | None = None
    tariff_ids: Annotated[tuple[Annotated[str, ci_string(36)], ...], FOREIGN] = ()


class Evse(modules_v221.Evse, kw_only=True):
    """OCPI 2.1.1, 8.3.2."""

    uid: Annotated[str, ci_string(39)]
    capabilities: tuple[Annotated[str, codes(CAPABILITIES)], ...] = ()
    connectors: Annotated[tuple[Connector, ...], DUE] = ()


class Location(modules_v221.Location, kw_only=True):
    """OCPI 2.1.1, 8.3.1."""

    country_code: Annotated[str, alpha_2(foreign=True)] | None = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    id: Annotated[str, ci_string(39)]
    publish: Annotated[bool, FOREIGN] = True
    publish_allowed_to: Annotated[Any, FOREIGN] = None
    type: Annotated[str, codes(LOCATION_TYPES, due=True)] | None = None
    parking_type: Annotated[str, string(18, foreign=True)] | None = None
    address: Annotated[str, string(45, due=True)] | None = None
    postal_code: Annotated[str, string(10, due=True)] | None = None
    state: Annotated[str, string(45, foreign=True)] | None = None
    evses: tuple[Evse, ...] = ()
    facilities: tuple[Annotated[str, codes(FACILITIES)], ...] = ()
    time_zone: Annotated[str, string(255)] | None = None


class InvoiceReconciliation(modules_v221.InvoiceReconciliation, kw_only=True):
    """A module of OCPI 2.3.0, with the amounts of 2.1.1."""

    total_cost: Annotated[v211.Amount | None, PLAIN] = None

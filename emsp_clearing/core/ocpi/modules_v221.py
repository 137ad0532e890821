"""Payload schemas of OCPI 2.2.1 apart from CDRs and tariffs: what parties tell of themselves and exchange.

As in `v221`: required is only what an object is of no use without, documented lengths and code lists are
annotations, and what another version calls otherwise is FOREIGN, because peers mix the versions up.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from . import modules_codes, v221
from .types import (
    COUNTRY,
    DATE_TIME,
    DUE,
    FOREIGN,
    FieldError,
    Payload,
    alpha_2,
    ci_string,
    codes,
    string,
)


class Image(Payload):
    """OCPI 2.2.1, 8.4.15."""

    url: Annotated[str, string(255, due=True)] | None = None
    thumbnail: Annotated[str, string(255)] | None = None
    category: Annotated[str, codes(modules_codes.IMAGE_CATEGORIES, due=True)] | None = None
    type: Annotated[str, ci_string(4, due=True)] | None = None
    width: Decimal | None = None
    height: Decimal | None = None


class BusinessDetails(Payload):
    """OCPI 2.2.1, 8.4.2."""

    name: Annotated[str, string(100, due=True)] | None = None
    website: Annotated[str, string(255)] | None = None
    logo: Image | None = None


class Version(Payload):
    """OCPI 2.2.1, 6.1.2."""

    version: str
    url: Annotated[str, string(255)]


class Endpoint(Payload, kw_only=True):
    """OCPI 2.2.1, 6.2.2."""

    identifier: Annotated[str, codes(modules_codes.MODULES)]
    role: Annotated[str, codes(modules_codes.INTERFACE_ROLES, due=True)] | None = None
    url: Annotated[str, string(255)]


class VersionDetails(Payload):
    """OCPI 2.2.1, 6.2.1."""

    version: str
    endpoints: tuple[Endpoint, ...]


class CredentialsRole(Payload, kw_only=True):
    """OCPI 2.2.1, 7.4.1."""

    role: Annotated[str, codes(modules_codes.ROLES, due=True)] | None = None
    business_details: Annotated[BusinessDetails | None, DUE] = None
    party_id: Annotated[str, ci_string(3)]
    country_code: Annotated[str, alpha_2()]


class Credentials(Payload, kw_only=True):
    """OCPI 2.2.1, 7.3.1; also understood: the one party of OCPI 2.1.1."""

    token: Annotated[str, string(64)]
    url: Annotated[str, string(255)]
    hub_party_id: Annotated[str, ci_string(5, foreign=True)] | None = None
    roles: Annotated[tuple[CredentialsRole, ...], DUE] = ()
    business_details: Annotated[BusinessDetails | None, FOREIGN] = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    country_code: Annotated[str, alpha_2(foreign=True)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parties()

    def parties(self) -> tuple[CredentialsRole, ...]:
        """The roles, in either form."""
        if self.roles:
            return self.roles
        if not (self.party_id and self.country_code):
            raise FieldError("roles", "a list with at least one entry")
        return (self._party(self.party_id, self.country_code),)

    def _party(self, party_id: str, country_code: str) -> CredentialsRole:
        return CredentialsRole(
            business_details=self.business_details, party_id=party_id, country_code=country_code
        )


class Session(Payload, kw_only=True):
    """OCPI 2.2.1, 9.3.1; times and token may come under the names of OCPI 2.1.1."""

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    id: Annotated[str, ci_string(36)]
    start_date_time: Annotated[datetime | None, DUE] = None
    start_datetime: Annotated[datetime | None, FOREIGN] = None
    end_date_time: datetime | None = None
    end_datetime: Annotated[datetime | None, FOREIGN] = None
    kwh: Decimal
    cdr_token: Annotated[v221.CdrToken | None, DUE] = None
    auth_id: Annotated[str, ci_string(36, foreign=True)] = ""
    auth_method: Annotated[str, codes(v221.AUTH_METHODS, due=True)] | None = None
    authorization_reference: Annotated[str, ci_string(36)] | None = None
    location_id: Annotated[str, ci_string(36, due=True)] | None = None
    evse_uid: Annotated[str, ci_string(36, due=True)] | None = None
    connector_id: Annotated[str, ci_string(36, due=True)] | None = None
    meter_id: Annotated[str, string(255)] | None = None
    currency: Annotated[str, string(3, due=True)] | None = None
    charging_periods: tuple[v221.ChargingPeriod, ...] = ()
    total_cost: v221.Amount | None = None
    status: Annotated[str, codes(modules_codes.SESSION_STATUSES)]
    last_updated: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        self.start()
        self.token()

    def start(self) -> datetime:
        """The session's start, under either name."""
        start = self.start_date_time or self.start_datetime
        if start is None:
            raise FieldError("start_date_time", DATE_TIME)
        return start

    def token(self) -> v221.CdrToken:
        """The token, under either name."""
        token = self._named()
        if token is None:
            raise FieldError("cdr_token", "an object")
        return token

    def _named(self) -> v221.CdrToken | None:
        if self.cdr_token or not self.auth_id:
            return self.cdr_token
        return v221.CdrToken(uid=self.auth_id, contract_id=self.auth_id)


class EnergyContract(Payload):
    """OCPI 2.2.1, 12.4.2."""

    supplier_name: Annotated[str, string(64, due=True)] | None = None
    contract_id: Annotated[str, string(64)] | None = None


class Token(Payload, kw_only=True):
    """OCPI 2.2.1, 12.3.2; the contract may come under the name of OCPI 2.1.1."""

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    uid: Annotated[str, ci_string(36)]
    type: Annotated[str, codes(v221.TOKEN_TYPES, due=True)] = "RFID"
    contract_id: Annotated[str, ci_string(36, due=True)] | None = None
    auth_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    visual_number: Annotated[str, string(64)] | None = None
    issuer: Annotated[str, string(64, due=True)] | None = None
    group_id: Annotated[str, ci_string(36)] | None = None
    valid: bool
    whitelist: Annotated[str, codes(modules_codes.WHITELIST_TYPES)]
    language: Annotated[str, string(2)] | None = None
    default_profile_type: Annotated[str, codes(modules_codes.PROFILE_TYPES)] | None = None
    energy_contract: EnergyContract | None = None
    last_updated: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        self.contract()

    def contract(self) -> str:
        """The contract's id, under either name."""
        contract = self.contract_id or self.auth_id
        if contract is None:
            raise FieldError("contract_id", "a text")
        return contract


class LocationReferences(Payload, kw_only=True):
    """OCPI 2.2.1, 12.4.3."""

    location_id: Annotated[str, ci_string(36)]
    evse_uids: tuple[Annotated[str, ci_string(36)], ...] = ()
    connector_ids: Annotated[tuple[Annotated[str, ci_string(36)], ...], FOREIGN] = ()


class AuthorizationInfo(Payload, kw_only=True):
    """OCPI 2.2.1, 12.3.1."""

    allowed: Annotated[str, codes(modules_codes.ALLOWED_TYPES)]
    token: Annotated[Token | None, DUE] = None
    location: LocationReferences | None = None
    authorization_reference: Annotated[str, ci_string(36)] | None = None
    info: v221.DisplayText | None = None


class Connector(Payload, kw_only=True):
    """OCPI 2.2.1, 8.3.3. `tariffs` is what some peers send in place of their ids."""

    id: Annotated[str, ci_string(36)]
    standard: Annotated[str, codes(v221.CONNECTOR_TYPES, due=True)] | None = None
    format: Annotated[str, codes(v221.CONNECTOR_FORMATS, due=True)] | None = None
    power_type: Annotated[str, codes(v221.POWER_TYPES, due=True)] | None = None
    max_voltage: Annotated[Decimal | None, DUE] = None
    voltage: Annotated[Decimal | None, FOREIGN] = None
    max_amperage: Annotated[Decimal | None, DUE] = None
    amperage: Annotated[Decimal | None, FOREIGN] = None
    max_electric_power: Decimal | None = None
    tariff_ids: tuple[Annotated[str, ci_string(36)], ...] = ()
    tariff_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    tariffs: Annotated[Any, FOREIGN] = None
    terms_and_conditions: Annotated[str, string(255)] | None = None
    capabilities: Annotated[tuple[str, ...], FOREIGN] = ()
    last_updated: Annotated[datetime | None, DUE] = None


class Evse(Payload, kw_only=True):
    """OCPI 2.2.1, 8.3.2; level and number may be numbers, as in an example of the text itself."""

    uid: Annotated[str, ci_string(36)]
    evse_id: Annotated[str, ci_string(48)] | None = None
    status: Annotated[str, codes(modules_codes.EVSE_STATUSES, due=True)] | None = None
    status_schedule: Any = None
    capabilities: tuple[Annotated[str, codes(modules_codes.CAPABILITIES)], ...] = ()
    connectors: Annotated[tuple[Connector, ...], DUE] = ()
    floor_level: Annotated[Any, string(4)] = None
    coordinates: v221.GeoLocation | None = None
    physical_reference: Annotated[Any, string(16)] = None
    directions: tuple[v221.DisplayText, ...] = ()
    parking_restrictions: tuple[Annotated[str, codes(modules_codes.PARKING_RESTRICTIONS)], ...] = ()
    images: Any = None
    last_updated: Annotated[datetime | None, DUE] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("floor_level", "physical_reference"):
            value = getattr(self, name)
            if isinstance(value, Decimal):
                setattr(self, name, str(value))
            elif value is not None and not isinstance(value, str):
                raise FieldError(name, "a text")


class Location(Payload, kw_only=True):
    """OCPI 2.2.1, 8.3.1."""

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    id: Annotated[str, ci_string(36)]
    publish: Annotated[bool, DUE] = True
    publish_allowed_to: Any = None
    name: Annotated[str, string(255)] | None = None
    address: Annotated[str, string(255, due=True)] | None = None
    city: Annotated[str, string(45, due=True)] | None = None
    postal_code: Annotated[str, string(10)] | None = None
    state: Annotated[str, string(45)] | None = None
    country: Annotated[str, COUNTRY] | None = None
    coordinates: Annotated[v221.GeoLocation | None, DUE] = None
    related_locations: Any = None
    parking_type: Annotated[str, codes(modules_codes.PARKING_TYPES)] | None = None
    type: Annotated[str, string(18, foreign=True)] | None = None
    evses: tuple[Evse, ...] = ()
    directions: tuple[v221.DisplayText, ...] = ()
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: tuple[Annotated[str, codes(modules_codes.FACILITIES)], ...] = ()
    time_zone: Annotated[str, string(255, due=True)] | None = None
    opening_times: dict[str, Any] | None = None
    charging_when_closed: bool | None = None
    images: Any = None
    energy_mix: dict[str, Any] | None = None
    help_phone: Annotated[str, ci_string(25, foreign=True)] | None = None
    last_updated: datetime


class InvoiceReconciliation(Payload, kw_only=True):
    """A module of OCPI 2.3.0, exchanged in other versions as a custom module (OCPI 2.2.1, 6.2.5).

    The ids are those of CDRs: longer than the text of the module has them, for credit CDRs. What
    stands between them and the last field is this program's.
    """

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    id: Annotated[str, ci_string(36)]
    invoice_id: Annotated[str, ci_string(255)]
    cdrs: Annotated[tuple[Annotated[str, ci_string(39)], ...], Meta(min_length=1)]
    total_cost: v221.Amount | None = None
    currency: Annotated[str, string(3)] | None = None
    annex_sha256: Annotated[str, string(64)] | None = None
    dispute_url: Annotated[str, string(255)] | None = None
    last_updated: datetime

"""What core knows of the other objects that OCPI parties exchange, whatever version they came in.

As in `objects`: field names are OCPI's own, numbers are exact `Decimal`, instants are aware and in UTC,
an optional field that was absent, null or blank is None (a list: an empty tuple), codes are plain text as
sent. The owner of an object is empty where a 2.1.1 message does not name it: it stands in the URL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, Final

from .objects import CdrLocation, CdrToken, ChargingPeriod, DisplayText, Price

# Wide enough for the product of two numbers of the largest size that `types.usable` lets through.
_WIDE: Final = Context(prec=60)
_WATT: Final = Decimal("0.001")
_SQRT_3: Final = _WIDE.sqrt(Decimal(3))
_PHASES: Final = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 1, "AC_3_PHASE": 3, "DC": 1}
# Volts between two phases, told where those between phase and neutral are due.
_LINE_TO_LINE: Final = (Decimal(380), Decimal(400))


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What belongs to a party: its owner, and an id that is the owner's own."""

    country_code: str
    party_id: str
    id: str

    @property
    def key(self) -> str:
        """Owner and id in upper case, "CC*PID*ID": the same for the same object, however spelt."""
        return f"{self.country_code}*{self.party_id}*{self.id}".upper()


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by its address (OCPI 2.2.1, 8.4.15); width and height in pixels."""

    url: str | None = None
    thumbnail: str | None = None
    category: str | None = None
    type: str | None = None
    width: Decimal | None = None
    height: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BusinessDetails:
    """Who a party is to people (OCPI 2.2.1, 8.4.2)."""

    name: str | None = None
    website: str | None = None
    logo: Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Owned):
    """A charging session, running or done (OCPI 2.2.1, 9.3.1).

    `kwh` charged so far. `total_cost`: None does not mean free of charge. `location` is what a 2.1.1
    message holds in place of the three ids; later versions have the ids alone.
    """

    start_date_time: datetime
    end_date_time: datetime | None = None
    kwh: Decimal
    cdr_token: CdrToken
    auth_method: str | None = None
    authorization_reference: str | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    connector_id: str | None = None
    location: CdrLocation | None = None
    meter_id: str | None = None
    currency: str | None = None
    charging_periods: tuple[ChargingPeriod, ...] = ()
    total_cost: Price | None = None
    status: str
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class EnergyContract:
    """The driver's own energy supplier (OCPI 2.2.1, 12.4.2)."""

    supplier_name: str | None = None
    contract_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a driver identifies with (OCPI 2.2.1, 12.3.2). `contract_id` is `auth_id` in 2.1.1."""

    country_code: str
    party_id: str
    uid: str
    type: str = "RFID"
    contract_id: str
    visual_number: str | None = None
    issuer: str | None = None
    group_id: str | None = None
    valid: bool
    whitelist: str
    language: str | None = None
    default_profile_type: str | None = None
    energy_contract: EnergyContract | None = None
    last_updated: datetime

    @property
    def key(self) -> str:
        """Owner, uid and type in upper case, "CC*PID*UID*TYPE": what tells two tokens apart."""
        return f"{self.country_code}*{self.party_id}*{self.uid}*{self.type}".upper()


@dataclass(frozen=True, slots=True)
class LocationReferences:
    """Where a driver wants to charge (OCPI 2.2.1, 12.4.3); `connector_ids` in 2.1.1 alone."""

    location_id: str
    evse_uids: tuple[str, ...] = ()
    connector_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationInfo:
    """The answer to a request for authorization (OCPI 2.2.1, 12.3.1); 2.1.1 repeats no token."""

    allowed: str
    token: Token | None = None
    location: LocationReferences | None = None
    authorization_reference: str | None = None
    info: DisplayText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A socket or a cable (OCPI 2.2.1, 8.3.3). Volts, amperes and watts.

    `max_voltage` and `max_amperage` are `voltage` and `amperage` in 2.1.1, `tariff_ids` is one `tariff_id`;
    `capabilities` exist from 2.3.0 on.
    """

    id: str
    standard: str | None = None
    format: str | None = None
    power_type: str | None = None
    max_voltage: Decimal | None = None
    max_amperage: Decimal | None = None
    max_electric_power: Decimal | None = None
    tariff_ids: tuple[str, ...] = ()
    terms_and_conditions: str | None = None
    capabilities: tuple[str, ...] = ()
    last_updated: datetime | None = None

    @property
    def capacity_kw(self) -> Decimal | None:
        """The most it can deliver, in kW to the watt; None where the message does not tell.

        What the sender states, else voltage times amperage times phases. With three phases the voltage
        is that of a phase; 380 to 400 V is meant between phases.
        """
        watts = self.max_electric_power
        if not watts or watts < 0:
            watts = self._volt_amperes()
        return None if watts is None else _WIDE.quantize(_WIDE.scaleb(watts, -3), _WATT)

    def _volt_amperes(self) -> Decimal | None:
        phases = _PHASES.get((self.power_type or "").upper())
        volts, amperes = self.max_voltage or 0, self.max_amperage or 0
        if phases is None or volts <= 0 or amperes <= 0:
            return None
        power = _WIDE.multiply(_WIDE.multiply(volts, amperes), phases)
        lowest, highest = _LINE_TO_LINE
        return _WIDE.divide(power, _SQRT_3) if phases == 3 and lowest <= volts <= highest else power


@dataclass(frozen=True, slots=True, kw_only=True)
class Evse:
    """What supplies one vehicle at a time (OCPI 2.2.1, 8.3.2)."""

    uid: str
    evse_id: str | None = None
    status: str | None = None
    capabilities: tuple[str, ...] = ()
    connectors: tuple[Connector, ...] = ()
    floor_level: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    physical_reference: str | None = None
    directions: tuple[DisplayText, ...] = ()
    parking_restrictions: tuple[str, ...] = ()
    last_updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Owned):
    """A place with EVSEs (OCPI 2.2.1, 8.3.1).

    `country` is ISO 3166-1 alpha-3 whenever it is a known country. `opening_times` and `energy_mix` are the
    objects as received. `parking_type` is `type` in 2.1.1, which publishes every location. `help_phone`
    exists from 2.3.0 on.
    """

    publish: bool = True
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state: str | None = None
    country: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    parking_type: str | None = None
    evses: tuple[Evse, ...] = ()
    directions: tuple[DisplayText, ...] = ()
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: tuple[str, ...] = ()
    time_zone: str | None = None
    opening_times: Mapping[str, Any] | None = None
    charging_when_closed: bool | None = None
    energy_mix: Mapping[str, Any] | None = None
    help_phone: str | None = None
    last_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRole:
    """A party on a platform (OCPI 2.2.1, 7.4.1); 2.1.1 does not say which role it has."""

    role: str | None = None
    business_details: BusinessDetails | None = None
    party_id: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach a platform, and who is on it (OCPI 2.2.1, 7.3.1).

    `token` in clear. `hub_party_id`: country code and party id in one, from 2.3.0 on.
    """

    token: str
    url: str
    roles: tuple[CredentialsRole, ...]
    hub_party_id: str | None = None

    def __repr__(self) -> str:
        """Without the token, which belongs in no log."""
        return f"Credentials(url={self.url!r}, roles={self.roles!r}, hub_party_id={self.hub_party_id!r})"


@dataclass(frozen=True, slots=True)
class Version:
    """A version that a platform speaks, and where its details are (OCPI 2.2.1, 6.1.2)."""

    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a module is (OCPI 2.2.1, 6.2.2); `role` SENDER or RECEIVER, none in 2.1.1."""

    identifier: str
    url: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class VersionDetails:
    """The modules of a platform in one version (OCPI 2.2.1, 6.2.1)."""

    version: str
    endpoints: tuple[Endpoint, ...]

    def find_url(self, module: str, role: str | None = None) -> str | None:
        """The first endpoint of a module, or None.

        :param role: SENDER or RECEIVER; an endpoint that names none fits, and so does any of the
            module `credentials`, where the role means nothing.
        """
        is_any_role = role is None or module.casefold() == "credentials"
        for endpoint in self.endpoints:
            fits = is_any_role or (endpoint.role or role or "").casefold() == (role or "").casefold()
            if fits and endpoint.identifier.casefold() == module.casefold():
                return endpoint.url
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReconciliation(Owned):
    """The CDRs that an invoice is about, by their ids (OCPI 2.3.0 edition 2, InvoiceReconciliationRecord).

    Beyond the text, as this program documents it: the invoice's `total_cost` and `currency`, the SHA-256 of
    its annex in hex, and where to dispute it.
    """

    invoice_id: str
    cdrs: tuple[str, ...]
    total_cost: Price | None = None
    currency: str | None = None
    annex_sha256: str | None = None
    dispute_url: str | None = None
    last_updated: datetime

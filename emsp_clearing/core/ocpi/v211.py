"""Payload schemas of OCPI 2.1.1: Tariff and CDR with everything inside them.

A field is required here only where a CDR without it could not be told apart, dated or priced; what
the text requires beyond that is marked DUE, and senders of 2.1.1 leave much of it out. What later
versions added is FOREIGN: many peers send it, and a credit or a reservation that went unnoticed would
be paid as a session. Of a location only what a CDR needs is looked into.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from . import v221
from .types import (
    COUNTRY,
    DATE_TIME,
    DUE,
    FOREIGN,
    ONE,
    PLAIN,
    FieldError,
    Payload,
    alpha_2,
    ci_string,
    codes,
    string,
)

AUTH_METHODS = ("AUTH_REQUEST", "WHITELIST")  # 10.4.1
DIMENSION_TYPES = ("ENERGY", "FLAT", "MAX_CURRENT", "MIN_CURRENT", "PARKING_TIME", "TIME")  # 10.4.3
POWER_TYPES = ("AC_1_PHASE", "AC_3_PHASE", "DC")  # 8.4.18
CONNECTOR_TYPES = (  # 8.4.4
    *(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKL"),
    *("CHADEMO", "IEC_60309_2_single_16", "IEC_60309_2_three_16", "IEC_60309_2_three_32"),
    *("IEC_60309_2_three_64", "IEC_62196_T1", "IEC_62196_T1_COMBO", "IEC_62196_T2"),
    *("IEC_62196_T2_COMBO", "IEC_62196_T3A", "IEC_62196_T3C", "TESLA_R", "TESLA_S"),
)

Amount = v221.Price | Decimal
"""A bare number without VAT (OCPI 2.1.1, 10.3.1); also understood: the prices of later versions."""


class PriceComponent(v221.PriceComponent, kw_only=True):
    """OCPI 2.1.1, 11.4.2."""

    vat: Annotated[Decimal | None, FOREIGN] = None


class TariffRestrictions(v221.TariffRestrictions, kw_only=True):
    """OCPI 2.1.1, 11.4.5."""

    min_current: Annotated[Decimal | None, FOREIGN] = None
    max_current: Annotated[Decimal | None, FOREIGN] = None
    reservation: Annotated[str, string(19, foreign=True)] | None = None


class TariffElement(v221.TariffElement, kw_only=True):
    """OCPI 2.1.1, 11.4.3."""

    price_components: tuple[PriceComponent, ...]
    restrictions: TariffRestrictions | None = None


class Tariff(v221.Tariff, kw_only=True):
    """OCPI 2.1.1, 11.3.1: its owner stands in the URL, or is the CDR's."""

    country_code: Annotated[str, alpha_2(foreign=True)] | None = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    type: Annotated[str, string(14, foreign=True)] | None = None
    min_price: Annotated[Amount | None, FOREIGN] = None
    max_price: Annotated[Amount | None, FOREIGN] = None
    elements: tuple[TariffElement, ...]
    start_date_time: Annotated[datetime | None, FOREIGN] = None
    end_date_time: Annotated[datetime | None, FOREIGN] = None


class Connector(Payload):
    """OCPI 2.1.1, 8.3.3."""

    id: Annotated[str, ci_string(36, due=True)] | None = None
    standard: Annotated[str, codes(CONNECTOR_TYPES, due=True)] | None = None
    format: Annotated[str, codes(v221.CONNECTOR_FORMATS, due=True)] | None = None
    power_type: Annotated[str, codes(POWER_TYPES, due=True)] | None = None
    voltage: Any = None
    amperage: Any = None
    tariff_id: Any = None
    terms_and_conditions: Any = None
    last_updated: Any = None


class Evse(Payload):
    """OCPI 2.1.1, 8.3.2."""

    uid: Annotated[str, ci_string(39, due=True)] | None = None
    evse_id: Annotated[str, ci_string(48)] | None = None
    status: Any = None
    status_schedule: Any = None
    capabilities: Any = None
    connectors: Annotated[tuple[Connector, ...] | None, ONE] = None
    floor_level: Any = None
    coordinates: Any = None
    physical_reference: Any = None
    directions: Any = None
    parking_restrictions: Any = None
    images: Any = None
    last_updated: Any = None


class Location(Payload):
    """OCPI 2.1.1, 8.3.1; in a CDR with the EVSE and the connector of the session alone (10.3.1)."""

    id: Annotated[str, ci_string(39, due=True)] | None = None
    type: Any = None
    name: Annotated[str, string(255)] | None = None
    address: Annotated[str, string(45, due=True)] | None = None
    city: Annotated[str, string(45, due=True)] | None = None
    postal_code: Annotated[str, string(10, due=True)] | None = None
    state: Annotated[str, string(20, foreign=True)] | None = None
    country: Annotated[str, COUNTRY] | None = None
    coordinates: Annotated[v221.GeoLocation | None, DUE] = None
    related_locations: Any = None
    evses: Annotated[tuple[Evse, ...] | None, ONE] = None
    directions: Any = None
    operator: Any = None
    suboperator: Any = None
    owner: Any = None
    facilities: Any = None
    time_zone: Annotated[str, string(255)] | None = None
    opening_times: Any = None
    charging_when_closed: Any = None
    images: Any = None
    energy_mix: Any = None
    last_updated: Any = None


class CdrDimension(v221.CdrDimension, kw_only=True):
    """OCPI 2.1.1, 10.4.2."""

    type: Annotated[str, codes(DIMENSION_TYPES)]


class ChargingPeriod(v221.ChargingPeriod, kw_only=True):
    """OCPI 2.1.1, 10.4.4."""

    dimensions: tuple[CdrDimension, ...]
    tariff_id: Annotated[str, ci_string(36, foreign=True)] | None = None


class Cdr(Payload, kw_only=True):
    """OCPI 2.1.1, 10.3.1. Many peers send the end under the name it has from 2.2 on."""

    country_code: Annotated[str, alpha_2(foreign=True)] | None = None
    party_id: Annotated[str, ci_string(3, foreign=True)] | None = None
    id: Annotated[str, ci_string(36)]
    start_date_time: datetime
    stop_date_time: Annotated[datetime | None, DUE] = None
    end_date_time: Annotated[datetime | None, FOREIGN] = None
    session_id: Annotated[str, ci_string(36, foreign=True)] | None = None
    auth_id: Annotated[str, ci_string(36, due=True)] = ""
    auth_method: Annotated[str, codes(AUTH_METHODS, due=True)] = ""
    authorization_reference: Annotated[str, ci_string(36, foreign=True)] | None = None
    location: Annotated[Location | None, DUE] = None
    meter_id: Annotated[str, string(255)] | None = None
    currency: Annotated[str, string(3)]
    tariffs: tuple[Tariff, ...] = ()
    charging_periods: Annotated[tuple[ChargingPeriod, ...], Meta(min_length=1)]
    signed_data: Annotated[dict[str, Any] | None, FOREIGN] = None
    total_cost: Annotated[Amount, PLAIN]
    total_fixed_cost: Annotated[Amount | None, FOREIGN] = None
    total_energy: Decimal
    total_energy_cost: Annotated[Amount | None, FOREIGN] = None
    total_time: Decimal
    total_time_cost: Annotated[Amount | None, FOREIGN] = None
    total_parking_time: Decimal | None = None
    total_parking_cost: Annotated[Amount | None, FOREIGN] = None
    total_reservation_cost: Annotated[Amount | None, FOREIGN] = None
    remark: Annotated[str, string(255)] | None = None
    invoice_reference_id: Annotated[str, ci_string(39, foreign=True)] | None = None
    credit: Annotated[bool, FOREIGN] = False
    credit_reference_id: Annotated[str, ci_string(39, foreign=True)] | None = None
    home_charging_compensation: Annotated[bool, FOREIGN] = False
    last_updated: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        self.end()

    def end(self) -> datetime:
        """The session's end, under either name."""
        end = self.stop_date_time or self.end_date_time
        if end is None:
            raise FieldError("stop_date_time", DATE_TIME)
        return end

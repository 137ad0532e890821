"""Payload schemas of OCPI 2.2.1: Tariff and CDR with everything inside them.

A field is required here only where a CDR without it could not be told apart, attached, dated or
priced; what the text requires beyond that is marked DUE. Annotations carry the documented length
or code list, see `types`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from .types import (
    COUNTRY,
    DUE,
    FOREIGN,
    NET,
    FieldError,
    Payload,
    alpha_2,
    ci_string,
    codes,
    string,
)

AUTH_METHODS = ("AUTH_REQUEST", "COMMAND", "WHITELIST")  # 10.4.1
DIMENSION_TYPES = (  # 10.4.3, with those the text reserves for sessions
    *("CURRENT", "ENERGY", "ENERGY_EXPORT", "ENERGY_IMPORT", "MAX_CURRENT", "MIN_CURRENT"),
    *("MAX_POWER", "MIN_POWER", "PARKING_TIME", "POWER", "RESERVATION_TIME"),
    *("STATE_OF_CHARGE", "TIME"),
)
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")  # 11.4.1
RESERVATION_TYPES = ("RESERVATION", "RESERVATION_EXPIRES")  # 11.4.3
COMPONENT_TYPES = ("ENERGY", "FLAT", "PARKING_TIME", "TIME")  # 11.4.5
TARIFF_TYPES = ("AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN", "REGULAR")
TOKEN_TYPES = ("AD_HOC_USER", "APP_USER", "OTHER", "RFID")  # 12.4.4
CONNECTOR_FORMATS = ("CABLE", "SOCKET")  # 8.4.4
POWER_TYPES = ("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")  # 8.4.19
CONNECTOR_TYPES = (  # 8.4.5
    *("CHADEMO", "CHAOJI", "GBT_AC", "GBT_DC", "PANTOGRAPH_BOTTOM_UP", "PANTOGRAPH_TOP_DOWN"),
    *(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKLMNO"),
    *("IEC_60309_2_single_16", "IEC_60309_2_three_16", "IEC_60309_2_three_32"),
    *("IEC_60309_2_three_64", "IEC_62196_T1", "IEC_62196_T1_COMBO", "IEC_62196_T2"),
    *("IEC_62196_T2_COMBO", "IEC_62196_T3A", "IEC_62196_T3C", "TESLA_R", "TESLA_S"),
    *(f"NEMA_{rating}" for rating in ("5_20", "6_30", "6_50", "10_30", "10_50", "14_30", "14_50")),
)


class TaxAmount(Payload, kw_only=True):
    """One tax in a Price of OCPI 2.3.0; the amount is all we count with."""

    name: Annotated[str, DUE] = ""
    account_number: str | None = None
    percentage: Decimal | None = None
    amount: Decimal


class Price(Payload):
    """OCPI 2.2.1, 16.5; also understood: Price and PriceLimit of OCPI 2.3.0."""

    excl_vat: Annotated[Decimal | None, NET] = None
    incl_vat: Decimal | None = None
    before_taxes: Annotated[Decimal | None, FOREIGN] = None
    after_taxes: Annotated[Decimal | None, FOREIGN] = None
    taxes: Annotated[tuple[TaxAmount, ...] | None, FOREIGN] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.amounts()

    def amounts(self) -> tuple[Decimal, Decimal | None]:
        """:return: without VAT, and with it where the sender says so."""
        if self.excl_vat is not None:
            return self.excl_vat, self.incl_vat
        if self.before_taxes is None:
            raise FieldError("excl_vat", "a number")
        return self.before_taxes, self.total(self.before_taxes)

    def total(self, before_taxes: Decimal) -> Decimal | None:
        """The amount with taxes, as far as the shape of OCPI 2.3.0 tells it."""
        if self.taxes is None or self.after_taxes is not None:
            return self.after_taxes
        return sum((tax.amount for tax in self.taxes), before_taxes)


Amount = Price | Decimal
"""A Price, or the bare number of OCPI 2.1.1, which is without VAT."""


class DisplayText(Payload):
    """OCPI 2.2.1, 16.3."""

    language: Annotated[str, string(2, due=True)] = ""
    text: Annotated[str, string(512, due=True)] = ""


class PriceComponent(Payload):
    """OCPI 2.2.1, 11.4.2. Without a step size, which FLAT has no use for, nothing is rounded up."""

    type: Annotated[str, codes(COMPONENT_TYPES)]
    price: Decimal
    vat: Decimal | None = None
    step_size: Annotated[Decimal | None, DUE] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_whole("step_size")


class TariffRestrictions(Payload):
    """OCPI 2.2.1, 11.4.6."""

    start_time: Annotated[str, string(5)] | None = None
    end_time: Annotated[str, string(5)] | None = None
    start_date: Annotated[str, string(10)] | None = None
    end_date: Annotated[str, string(10)] | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: Decimal | None = None
    max_duration: Decimal | None = None
    day_of_week: tuple[Annotated[str, codes(WEEKDAYS)], ...] = ()
    reservation: Annotated[str, codes(RESERVATION_TYPES)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_whole("min_duration")
        self._check_whole("max_duration")


class TariffElement(Payload):
    """OCPI 2.2.1, 11.4.4."""

    price_components: tuple[PriceComponent, ...]
    restrictions: TariffRestrictions | None = None


class Tariff(Payload, kw_only=True):
    """OCPI 2.2.1, 11.3.1. Inside a CDR the owner may be left out: it is the CDR's."""

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    id: Annotated[str, ci_string(36)]
    currency: Annotated[str, string(3)]
    type: Annotated[str, codes(TARIFF_TYPES)] | None = None
    tariff_alt_text: tuple[DisplayText, ...] = ()
    tariff_alt_url: Annotated[str, string(255)] | None = None
    min_price: Amount | None = None
    max_price: Amount | None = None
    elements: tuple[TariffElement, ...]
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None
    energy_mix: Any = None
    tax_included: Annotated[str, string(3, foreign=True)] | None = None
    preauthorize_amount: Annotated[Decimal | None, FOREIGN] = None
    last_updated: Annotated[datetime | None, DUE] = None


class CdrToken(Payload, kw_only=True):
    """OCPI 2.2.1, 10.4.5. In 2.2 the token had no owner."""

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    uid: Annotated[str, ci_string(36)]
    type: Annotated[str, codes(TOKEN_TYPES, due=True)] | None = None
    contract_id: Annotated[str, ci_string(36)]


class GeoLocation(Payload):
    """OCPI 2.2.1, 8.4.13: texts; numbers are understood, they are what most systems hold."""

    latitude: Annotated[Any, DUE] = None
    longitude: Annotated[Any, DUE] = None

    def __post_init__(self) -> None:
        for name in ("latitude", "longitude"):
            value = getattr(self, name)
            if isinstance(value, Decimal):
                setattr(self, name, str(value))
            elif value is not None and not isinstance(value, str):
                raise FieldError(name, "a text such as '50.770774'")


class CdrLocation(Payload):
    """OCPI 2.2.1, 10.4.4. `time_zone` is an extension: the price may depend on the local time."""

    id: Annotated[str, ci_string(36, due=True)] | None = None
    name: Annotated[str, string(255)] | None = None
    address: Annotated[str, string(45, due=True)] | None = None
    city: Annotated[str, string(45, due=True)] | None = None
    postal_code: Annotated[str, string(10)] | None = None
    state: Annotated[str, string(20)] | None = None
    country: Annotated[str, COUNTRY] | None = None
    coordinates: Annotated[GeoLocation | None, DUE] = None
    evse_uid: Annotated[str, ci_string(36, due=True)] | None = None
    evse_id: Annotated[str, ci_string(48, due=True)] | None = None
    connector_id: Annotated[str, ci_string(36, due=True)] | None = None
    connector_standard: Annotated[str, codes(CONNECTOR_TYPES, due=True)] | None = None
    connector_format: Annotated[str, codes(CONNECTOR_FORMATS, due=True)] | None = None
    connector_power_type: Annotated[str, codes(POWER_TYPES, due=True)] | None = None
    time_zone: Annotated[str, string(255, foreign=True)] | None = None


class CdrDimension(Payload):
    """OCPI 2.2.1, 10.4.2."""

    type: Annotated[str, codes(DIMENSION_TYPES)]
    volume: Decimal


class ChargingPeriod(Payload):
    """OCPI 2.2.1, 10.4.6."""

    start_date_time: datetime
    dimensions: tuple[CdrDimension, ...]
    tariff_id: Annotated[str, ci_string(36)] | None = None


class Cdr(Payload, kw_only=True):
    """OCPI 2.2.1, 10.3.1. `signed_data` (10.4.7) is evidence: kept as it is, never looked into.

    Who takes the CDR may know its owner without being told.
    """

    country_code: Annotated[str, alpha_2(due=True)] | None = None
    party_id: Annotated[str, ci_string(3, due=True)] | None = None
    id: Annotated[str, ci_string(39)]
    start_date_time: datetime
    end_date_time: datetime
    session_id: Annotated[str, ci_string(36)] | None = None
    cdr_token: CdrToken
    auth_method: Annotated[str, codes(AUTH_METHODS)]
    authorization_reference: Annotated[str, ci_string(36)] | None = None
    cdr_location: CdrLocation
    meter_id: Annotated[str, string(255)] | None = None
    currency: Annotated[str, string(3)]
    tariffs: tuple[Tariff, ...] = ()
    charging_periods: Annotated[tuple[ChargingPeriod, ...], Meta(min_length=1)]
    signed_data: dict[str, Any] | None = None
    total_cost: Amount
    total_fixed_cost: Amount | None = None
    total_energy: Decimal
    total_energy_cost: Amount | None = None
    total_time: Decimal
    total_time_cost: Amount | None = None
    total_parking_time: Decimal | None = None
    total_parking_cost: Amount | None = None
    total_reservation_cost: Amount | None = None
    remark: Annotated[str, string(255)] | None = None
    invoice_reference_id: Annotated[str, ci_string(39)] | None = None
    credit: bool = False
    credit_reference_id: Annotated[str, ci_string(39)] | None = None
    home_charging_compensation: bool = False
    last_updated: datetime

"""What core knows of a CDR and of a tariff, whatever OCPI version they came in.

Field names are OCPI's own. Amounts and volumes are exact `Decimal`; instants are aware and in UTC;
an optional field that was absent, null or blank is None (a list: an empty tuple). Codes of an
open enumeration are plain text, as sent: a newer peer's value is kept, never refused. Identifiers
are kept as sent too; they compare without regard to case, which is what `key` is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

NOT_AVAILABLE = "#NA"
"""What a required text holds when its value cannot be known (OCPI 2.2.1, 4.1.9)."""


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a price; `percentage` and `account_number` where its law wants them (OCPI 2.3.0)."""

    name: str
    amount: Decimal
    percentage: Decimal | None = None
    account_number: str | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """An amount in the currency of the object around it (OCPI 2.2.1, 16.5).

    `incl_vat`: None where the sender does not say; in OCPI 2.1.1 it never does. `taxes`: what lies
    between the two, by tax, where the sender tells them apart (OCPI 2.3.0).
    """

    excl_vat: Decimal
    incl_vat: Decimal | None = None
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class DisplayText:
    """A text for drivers in one language (OCPI 2.2.1, 16.3)."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """What one unit costs (OCPI 2.2.1, 11.4.2).

    `price`: excluding VAT, per kWh (ENERGY), per hour (TIME, PARKING_TIME) or per session (FLAT).
    `step_size`: Wh or seconds. `vat`: percentage; None is "no VAT", which is not a rate of zero.
    """

    type: str
    price: Decimal
    step_size: int = 1
    vat: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRestrictions:
    """When a tariff element applies; all conditions together (OCPI 2.2.1, 11.4.6).

    Times "HH:MM" and dates "YYYY-MM-DD" are texts in the charger's local time, as sent. Energy in
    kWh, current in A over all phases, power in kW, duration in seconds since the session's start.
    """

    start_time: str | None = None
    end_time: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[str, ...] = ()
    reservation: str | None = None


@dataclass(frozen=True, slots=True)
class TariffElement:
    """Price components that share their restrictions (OCPI 2.2.1, 11.4.4)."""

    price_components: tuple[PriceComponent, ...]
    restrictions: TariffRestrictions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A tariff of a CPO (OCPI 2.2.1, 11.3.1).

    The owner is empty where a 2.1.1 message does not name it. `tax_included` (YES, NO, N/A) and
    `preauthorize_amount`, for payment terminals, exist from OCPI 2.3.0 on. The taxes of a price limit
    are not told apart. `version` is that of its text: what a missing VAT rate means depends on it.
    """

    country_code: str
    party_id: str
    id: str
    currency: str
    elements: tuple[TariffElement, ...]
    type: str | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None
    tax_included: str | None = None
    preauthorize_amount: Decimal | None = None
    tariff_alt_text: tuple[DisplayText, ...] = ()
    tariff_alt_url: str | None = None
    last_updated: datetime | None = None
    version: str = "2.2.1"

    @property
    def key(self) -> str:
        """Owner and id in upper case, "CC*PID*ID": the same for the same tariff, however spelt."""
        return f"{self.country_code}*{self.party_id}*{self.id}".upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrToken:
    """The token that started the session (OCPI 2.2.1, 10.4.5).

    `contract_id` is the driver's eMA id. The owner is required by the text, yet peers that came
    from 2.2 leave it out. OCPI 2.1.1 has neither owner nor type, and one id for both: `uid` and
    `contract_id` are its `auth_id`, empty where that is missing.
    """

    country_code: str | None = None
    party_id: str | None = None
    uid: str
    type: str | None = None
    contract_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrLocation:
    """Where the session took place (OCPI 2.2.1, 10.4.4).

    The text requires most of these fields; a CDR is not refused for them. `country` is ISO 3166-1
    alpha-3 whenever it is a known country. `time_zone` is a field of 2.1.1 alone; some peers send it
    in later versions too.
    """

    id: str | None = None
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state: str | None = None
    country: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    evse_uid: str | None = None
    evse_id: str | None = None
    connector_id: str | None = None
    connector_standard: str | None = None
    connector_format: str | None = None
    connector_power_type: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """A volume of a charging period: kWh, hours, A or kW by its type (OCPI 2.2.1, 10.4.2)."""

    type: str
    volume: Decimal


@dataclass(frozen=True, slots=True)
class ChargingPeriod:
    """Volumes from this instant to the next period's start (OCPI 2.2.1, 10.4.6)."""

    start_date_time: datetime
    dimensions: tuple[Dimension, ...]
    tariff_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    """A charge detail record (OCPI 2.2.1, 10.3.1).

    Energy in kWh, times in hours. Charging periods stand in the order received, amounts and
    volumes of a credit CDR have the signs received. `signed_data` is the object as received.

    OCPI 2.1.1 has no owner in the message: it is read off the EVSE's id, and empty where that does not
    tell. `auth_method` is empty where a 2.1.1 message leaves it out.
    """

    country_code: str
    party_id: str
    id: str
    start_date_time: datetime
    end_date_time: datetime
    session_id: str | None = None
    cdr_token: CdrToken
    auth_method: str
    authorization_reference: str | None = None
    cdr_location: CdrLocation
    meter_id: str | None = None
    currency: str
    tariffs: tuple[Tariff, ...] = ()
    charging_periods: tuple[ChargingPeriod, ...]
    signed_data: Mapping[str, Any] | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Decimal
    total_energy_cost: Price | None = None
    total_time: Decimal
    total_time_cost: Price | None = None
    total_parking_time: Decimal | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: str | None = None
    invoice_reference_id: str | None = None
    credit: bool = False
    credit_reference_id: str | None = None
    home_charging_compensation: bool = False
    last_updated: datetime

    @property
    def key(self) -> str:
        """Owner and id in upper case, "CC*PID*ID": the same for the same CDR, however spelt."""
        return f"{self.country_code}*{self.party_id}*{self.id}".upper()

    def without_tariffs(self) -> "Cdr":
        """The same session with no tariff of the sender's, for pricing it by another one."""
        periods = tuple(replace(period, tariff_id=None) for period in self.charging_periods)
        return replace(self, tariffs=(), charging_periods=periods)

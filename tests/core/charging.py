"""Sessions and tariffs for the tests of pricing, as short as they can be told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from emsp_core.ocpi.objects import (
    Cdr,
    CdrLocation,
    CdrToken,
    ChargingPeriod,
    Dimension,
    Price,
    PriceComponent,
    Tariff,
    TariffElement,
    TariffRestrictions,
)

# A Monday, 10:00 in Paris and Amsterdam.
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
NUMBERS = ("min_kwh", "max_kwh", "min_current", "max_current", "min_power", "max_power")


def period(minutes, *, tariff_id=None, **volumes):
    """:param minutes: how long it lasts. :param volumes: kWh (energy), hours, A or kW, as text."""
    return minutes, tariff_id, volumes


def session(*periods, start=START, **values):
    """A CDR of these periods, one after the other; its totals are theirs."""
    at, sent, sums = start, [], {}
    for minutes, tariff_id, volumes in periods:
        dimensions = tuple(Dimension(name.upper(), Decimal(volume)) for name, volume in volumes.items())
        sent.append(ChargingPeriod(at, dimensions, tariff_id))
        for name, volume in volumes.items():
            sums[name] = sums.get(name, Decimal(0)) + Decimal(volume)
        at += timedelta(minutes=minutes)
    hours = Decimal((at - start) // timedelta(seconds=1)) / 3600
    facts = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "CDR-1",
        "start_date_time": start,
        "end_date_time": at,
        "session_id": "S-1",
        "cdr_token": CdrToken(uid="04A1", contract_id="DE-SMO-C1"),
        "auth_method": "WHITELIST",
        "cdr_location": CdrLocation(id="L1", evse_uid="1", connector_id="1"),
        "currency": "EUR",
        "charging_periods": tuple(sent),
        "total_cost": Price(Decimal(0)),
        "total_energy": sums.get("energy", Decimal(0)),
        "total_time": hours,
        "last_updated": at,
    }
    return Cdr(**{**facts, **values})


def component(kind, amount, step_size=0, vat=None):
    """Without rounding, unless a step is given."""
    return PriceComponent(kind, Decimal(amount), step_size, None if vat is None else Decimal(vat))


def element(*components, **restrictions):
    """:param components: `component`s, or (kind, amount). :param restrictions: numbers as text."""
    held = tuple(each if isinstance(each, PriceComponent) else component(*each) for each in components)
    if not restrictions:
        return TariffElement(held)
    values = {key: Decimal(each) if key in NUMBERS else each for key, each in restrictions.items()}
    return TariffElement(held, TariffRestrictions(**values))


def tariff(*elements, **values):
    """A tariff in EUR of the session's CPO."""
    facts = {"country_code": "FR", "party_id": "RVR", "id": "T", "currency": "EUR"}
    return Tariff(elements=elements, **{**facts, **values})


def limit(excl, incl=None):
    """A min_price or max_price."""
    return Price(Decimal(excl), None if incl is None else Decimal(incl))


def codes(result):
    """Of its notes."""
    return [note.code for note in result.notes]


def pair(cost):
    """A cost as text, None where it is not known."""
    return tuple(None if amount is None else str(amount) for amount in (cost.excl, cost.incl))

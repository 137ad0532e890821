"""One small story, played through the public doors: two months of a CPO with two eMSP partners.

Month 1 comes as a file from the former system; month 2 over OCPI; month 3 brings one credit CDR.
The clock is given to the settlement run (`as_of`), nothing is patched. Amounts are worked out by
hand beside each session, so that the demo and the black-box test can be checked with a pencil.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Paris")
GRACE_DAYS, CONTROL_DAYS = 2, 7

PLACES = (
    ("Parking Bellecour", "Place Bellecour", "69002", "Lyon", "FR*RVR*E1001*1"),
    ("Gare Part-Dieu", "5 place Charles Béraudier", "69003", "Lyon", "FR*RVR*E1002*2"),
    ("Halles de Valence", "12 rue des Alpes", "26000", "Valence", "FR*RVR*E2001*1"),
)


@dataclass(frozen=True)
class Session:
    """What a driver did: kWh, minutes of charging, minutes parked after it."""

    name: str
    party: str
    kwh: str
    charging_min: int
    parking_min: int
    net: str


# Spree Mobility: 0.50 per session + 0.42 per kWh + 0.08 per started minute parked.
# Hexagone Mobilité: 1.00 per session + 0.39 per kWh + 0.05 per started minute of charging.
FIRST_MONTH = (
    Session("M1-HXM-1", "FR*HXM", "20.0", 100, 0, "13.80"),  # 1.00 + 7.80 + 5.00
    Session("M1-HXM-2", "FR*HXM", "15.25", 45, 0, "9.20"),  # 1.00 + 5.9475 + 2.25 = 9.1975
)
SECOND_MONTH = (
    Session("M2-SMO-1", "DE*SMO", "22.5", 95, 0, "9.95"),  # 0.50 + 9.45
    Session("M2-SMO-2", "DE*SMO", "10.35", 50, 20, "6.45"),  # 0.50 + 4.347 + 1.60 = 6.447
    Session("M2-SMO-3", "DE*SMO", "48.2", 42, 0, "20.74"),  # 0.50 + 20.244 = 20.744
    Session("M2-SMO-4", "DE*SMO", "7.04", 64, 180, "17.86"),  # 0.50 + 2.9568 + 14.40 = 17.8568
    Session("M2-HXM-1", "FR*HXM", "12.0", 61, 0, "8.73"),  # 1.00 + 4.68 + 3.05
    Session("M2-HXM-2", "FR*HXM", "31.75", 30, 0, "14.88"),  # 1.00 + 12.3825 + 1.50 = 14.8825
    Session("M2-HXM-3", "FR*HXM", "5.5", 20, 0, "4.15"),  # 1.00 + 2.145 + 1.00 = 4.145
)
CREDITED = "M2-SMO-4"


@dataclass(frozen=True)
class Month:
    """A calendar month in the contracts' zone, with the instants of its settlement (aware UTC)."""

    first: date

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def next(self) -> "Month":
        return Month((self.first + timedelta(days=32)).replace(day=1))

    @property
    def previous(self) -> "Month":
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def cut_off(self) -> datetime:
        return _midnight(self.next.first + timedelta(days=GRACE_DAYS))

    @property
    def lock(self) -> datetime:
        return _midnight(self.next.first + timedelta(days=GRACE_DAYS + CONTROL_DAYS))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


def open_month(now: datetime) -> Month:
    """The month whose list still takes CDRs that come in at `now` and that has begun long enough
    for its sessions to lie in the past: in the first two days of a month, the month before."""
    today = now.astimezone(ZONE).date()
    month = Month(today.replace(day=1))
    return month if today.day > GRACE_DAYS else month.previous


def spread(sessions, first: datetime, last: datetime):
    """Pair each session with a start, evenly between two instants, so that all have ended by `last`.

    The evening hours are not avoided: no price of the story depends on the time of day.
    """
    step = (last - first) / len(sessions)
    longest = timedelta(hours=5)
    for index, session in enumerate(sessions):
        start = min(first + step * index, last - longest)
        yield session, start.replace(microsecond=0)


def cdr(session: Session, start: datetime, run: str, place: int = 0) -> dict:
    """An OCPI 2.2.1 CDR of `session`. `run` makes the ids of one play its own."""
    name, address, postal_code, city, evse_id = PLACES[place % len(PLACES)]
    country_code, __, party_id = session.party.partition("*")
    charging_end = start + timedelta(minutes=session.charging_min)
    end = charging_end + timedelta(minutes=session.parking_min)
    periods = [_period(start, ENERGY=float(session.kwh), TIME=_hours(session.charging_min))]
    if session.parking_min:
        periods.append(_period(charging_end, PARKING_TIME=_hours(session.parking_min)))
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": f"{run}-{session.name}",
        "start_date_time": _text(start),
        "end_date_time": _text(end),
        "session_id": f"{run}-S-{session.name}",
        "cdr_token": {
            "country_code": country_code,
            "party_id": party_id,
            "uid": f"04{uuid.uuid5(uuid.NAMESPACE_OID, session.name).hex[:12].upper()}",
            "type": "RFID",
            "contract_id": f"{country_code}-{party_id}-C{place:08d}-5",
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": f"LOC-{place % len(PLACES) + 1}",
            "name": name,
            "address": address,
            "city": city,
            "postal_code": postal_code,
            "country": "FRA",
            "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
            "evse_uid": f"{place % len(PLACES) + 1001}",
            "evse_id": evse_id,
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": periods,
        "total_cost": {"excl_vat": float(session.net)},
        "total_energy": float(session.kwh),
        "total_time": _hours(session.charging_min + session.parking_min),
        "total_parking_time": _hours(session.parking_min),
        "last_updated": _text(end),
    }


def credit_of(original: dict, run: str) -> dict:
    """The credit CDR of `original`: all its data, the total negated (OCPI 2.2.1, 10.1.1)."""
    return {
        **original,
        "id": f"{run}-CREDIT-{CREDITED}",
        "credit": True,
        "credit_reference_id": original["id"],
        "total_cost": {"excl_vat": -original["total_cost"]["excl_vat"]},
    }


def json_lines(payloads) -> bytes:
    return b"".join(json.dumps(payload, ensure_ascii=False).encode() + b"\n" for payload in payloads)


def _period(start, **volumes):
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    return {"start_date_time": _text(start), "dimensions": dimensions}


def _hours(minutes: int) -> float:
    """OCPI numbers carry four decimals."""
    return round(minutes / 60, 4)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

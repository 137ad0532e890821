"""CDRs that each break one rule, as a charge point system would send them.

The contract: 0.50 per session + 0.42 per kWh + 0.08 per started minute parked. The clean session of 10 kWh
in an hour costs 0.50 + 4.20 = 4.70. The rules' limits are set to those of `LIMITS`.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIMITS = {
    "energy_range_max_kwh": 40,
    "cost_range_max_amount": 20,
    "no_energy": "note",
}
TOKEN, BLOCKED, LONG, OTHER = (f"04QUALITY0000{number}" for number in range(1, 5))
EVSE, OTHER_EVSE, THIRD_EVSE = "FR*RVR*E7001*1", "FR*RVR*E7002*1", "FR*RVR*E7003*1"
INVALID_SESSION, WITHOUT_CDR = "QS-INVALID", "QS-WITHOUT-CDR"
KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Case:
    """`codes`: of all findings expected. `state`: of the CDR then. `change`: spoils the clean CDR."""

    rule: str
    codes: frozenset
    state: str
    change: Callable[[dict], None]


def text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def clean(run: str, number: int, now: datetime) -> dict:
    """10 kWh in an hour, each session seven hours before the one with the number before it."""
    start = now - timedelta(hours=8 + 7 * number)
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": f"{run}-Q{number}",
        "start_date_time": text(start),
        "end_date_time": text(start + timedelta(hours=1)),
        "session_id": f"{run}-QS{number}",
        "cdr_token": {
            "country_code": "DE",
            "party_id": "SMO",
            "uid": TOKEN,
            "type": "RFID",
            "contract_id": "DE-SMO-C00000001-5",
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "LOC-Q",
            "name": "Parking Bellecour",
            "address": "Place Bellecour",
            "city": "Lyon",
            "postal_code": "69002",
            "country": "FRA",
            "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
            "evse_uid": "7001",
            "evse_id": EVSE,
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [period(start, ENERGY=10.0, TIME=1.0)],
        "total_cost": {"excl_vat": 4.70},
        "total_energy": 10.0,
        "total_time": 1.0,
        "last_updated": text(start + timedelta(hours=1)),
    }


def period(start: datetime, **volumes: float) -> dict:
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    return {"start_date_time": text(start), "dimensions": dimensions}


def location() -> dict:
    """A place with three chargers of 22 kW."""
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "LOC-Q",
        "publish": True,
        "name": "Parking Bellecour",
        "address": "Place Bellecour",
        "city": "Lyon",
        "postal_code": "69002",
        "country": "FRA",
        "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
        "time_zone": "Europe/Paris",
        "evses": [_evse("7001", EVSE), _evse("7002", OTHER_EVSE), _evse("7003", THIRD_EVSE)],
        "last_updated": "2026-01-01T00:00:00Z",
    }


def _evse(uid: str, evse_id: str) -> dict:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "last_updated": "2026-01-01T00:00:00Z",
    }
    return {
        "uid": uid,
        "evse_id": evse_id,
        "status": "AVAILABLE",
        "connectors": [connector],
        "last_updated": "2026-01-01T00:00:00Z",
    }


def token(uid: str, *, valid: bool) -> dict:
    return {
        "country_code": "DE",
        "party_id": "SMO",
        "uid": uid,
        "type": "RFID",
        "contract_id": "DE-SMO-C00000001-5",
        "issuer": "Spree Mobility",
        "valid": valid,
        "whitelist": "ALLOWED",
        "last_updated": "2026-01-01T00:00:00Z",
    }


def session(session_id: str, status: str, start: datetime) -> dict:
    """10 kWh in an hour, as the session of a CDR."""
    cdr = clean("", 0, start)
    cdr_token, place = cdr["cdr_token"], cdr["cdr_location"]
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": session_id,
        "start_date_time": text(start),
        "end_date_time": text(start + timedelta(hours=1)),
        "kwh": 10.0,
        "cdr_token": cdr_token,
        "auth_method": "WHITELIST",
        "location_id": place["id"],
        "evse_uid": place["evse_uid"],
        "connector_id": place["connector_id"],
        "currency": "EUR",
        "status": status,
        "last_updated": text(start + timedelta(hours=1)),
    }


def abroad(run: str, number: int, uid: str, start: datetime) -> dict:
    """Our driver at another operator's charger: half a kWh in four minutes, with the tariff, for 0.25."""
    cdr = clean(run, number, start)
    lasting(cdr, start, 1 / 15, ENERGY=0.5, TIME=0.0667)
    tariff = {
        "country_code": "NL",
        "party_id": "NKP",
        "id": "NKP-1",
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]}],
        "last_updated": "2026-01-01T00:00:00Z",
    }
    cdr.update(country_code="NL", party_id="NKP", tariffs=[tariff], total_cost={"excl_vat": 0.25})
    cdr["cdr_token"].update(country_code="FR", party_id="RVM", uid=uid, contract_id=f"FR-RVM-{uid}-1")
    return cdr


# -- what makes a CDR a bad one


def instant(cdr: dict, name: str) -> datetime:
    return datetime.strptime(cdr[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def lasting(cdr: dict, start: datetime, hours: float, **volumes: float) -> None:
    """Let it begin at `start` and last so long, in one charging period of these volumes."""
    cdr["start_date_time"], cdr["end_date_time"] = text(start), text(start + timedelta(hours=hours))
    cdr["last_updated"] = cdr["end_date_time"]
    cdr["charging_periods"] = [period(start, **volumes)]
    cdr["total_energy"], cdr["total_time"] = volumes.get("ENERGY", 0.0), round(hours, 4)


def costing(cdr: dict, net: float) -> None:
    cdr["total_cost"] = {"excl_vat": net}


def too_much_energy(cdr: dict) -> None:
    # 41 kWh in two hours are 20.5 kW: 0.50 + 17.22 = 17.72
    lasting(cdr, instant(cdr, "start_date_time"), 2, ENERGY=41.0, TIME=2.0)
    costing(cdr, 17.72)


def too_dear(cdr: dict) -> None:
    # 300 minutes parked: 0.50 + 4.20 + 24.00 = 28.70
    start = instant(cdr, "start_date_time")
    lasting(cdr, start, 6, ENERGY=10.0, TIME=1.0)
    cdr["charging_periods"].append(period(start + timedelta(hours=1), PARKING_TIME=5.0))
    cdr["total_parking_time"] = 5.0
    costing(cdr, 28.70)


def too_long(cdr: dict) -> None:
    lasting(cdr, datetime.now(UTC) - timedelta(days=9), 8 * 24, ENERGY=10.0, TIME=192.0)
    # Nobody else is there at the time.
    cdr["cdr_token"]["uid"] = LONG
    cdr["cdr_location"].update(evse_uid="7002", evse_id=OTHER_EVSE)


def in_no_time(cdr: dict) -> None:
    lasting(cdr, instant(cdr, "start_date_time"), 0, ENERGY=10.0, TIME=0.0)


def without_energy(cdr: dict) -> None:
    lasting(cdr, instant(cdr, "start_date_time"), 1, ENERGY=0.0, TIME=1.0)
    costing(cdr, 0.50)


def too_fast(cdr: dict) -> None:
    # 20 kWh in half an hour are 40 kW: 0.50 + 8.40 = 8.90
    lasting(cdr, instant(cdr, "start_date_time"), 0.5, ENERGY=20.0, TIME=0.5)
    costing(cdr, 8.90)


def ending_first(cdr: dict) -> None:
    cdr["end_date_time"] = text(instant(cdr, "start_date_time") - timedelta(minutes=5))


def in_future(cdr: dict) -> None:
    lasting(cdr, datetime.now(UTC) + timedelta(hours=1), 1, ENERGY=10.0, TIME=1.0)


def long_ago(cdr: dict) -> None:
    lasting(cdr, datetime.now(UTC) - timedelta(days=100), 1, ENERGY=10.0, TIME=1.0)


def other_energy_in_periods(cdr: dict) -> None:
    # 9 kWh are priced: 0.50 + 3.78 = 4.28
    cdr["charging_periods"] = [period(instant(cdr, "start_date_time"), ENERGY=9.0, TIME=1.0)]
    costing(cdr, 4.28)


def unsorted_periods(cdr: dict) -> None:
    start = instant(cdr, "start_date_time")
    cdr["charging_periods"] = [
        period(start + timedelta(minutes=30), ENERGY=5.0, TIME=0.5),
        period(start, ENERGY=5.0, TIME=0.5),
    ]


def setting(**changes) -> Callable[[dict], None]:
    return lambda cdr: cdr.update(deepcopy(changes))


def starting_in_1970(cdr: dict) -> None:
    cdr["start_date_time"] = "1970-01-01T00:00:00Z"


def all_in_1970(cdr: dict) -> None:
    lasting(cdr, datetime(1970, 1, 1, tzinfo=UTC), 1, ENERGY=10.0, TIME=1.0)


def of_a_stranger(cdr: dict) -> None:
    cdr["cdr_token"].update(country_code="NL", party_id="XYZ", contract_id="NL-XYZ-C00000001-5")


def of_invalid_session(cdr: dict) -> None:
    cdr["session_id"] = INVALID_SESSION


def credit_of_nothing(cdr: dict) -> None:
    cdr.update(credit=True, credit_reference_id="NEVER-SENT", total_cost={"excl_vat": -4.70})


def like_the_clean_one(cdr: dict, **changes: str) -> None:
    """At the time of the first CDR; by default with another card, at another charger."""
    first = clean(cdr["id"].rpartition("-")[0], 0, datetime.now(UTC))
    names = ("start_date_time", "end_date_time", "last_updated", "charging_periods")
    cdr.update({name: first[name] for name in names})
    cdr["cdr_token"]["uid"] = changes.get("uid", LONG)
    cdr["cdr_location"].update(
        evse_uid=changes.get("evse_uid", "7002"), evse_id=changes.get("evse_id", OTHER_EVSE)
    )


def same_session(cdr: dict) -> None:
    like_the_clean_one(cdr)
    cdr["session_id"] = f"{cdr['id'].rpartition('-')[0]}-QS0"


def same_connector(cdr: dict) -> None:
    like_the_clean_one(cdr, uid=OTHER, evse_uid="7001", evse_id=EVSE)


def same_token(cdr: dict) -> None:
    like_the_clean_one(cdr, uid=TOKEN, evse_uid="7003", evse_id=THIRD_EVSE)


def at(**changes) -> Callable[[dict], None]:
    return lambda cdr: cdr["cdr_location"].update(changes)


def with_token(uid: str) -> Callable[[dict], None]:
    return lambda cdr: cdr["cdr_token"].update(uid=uid)


def signed(*, tampered: bool = False) -> Callable[[dict], None]:
    """OCMF over 10 kWh, from 100.0 to 110.0 kWh."""

    def change(cdr: dict) -> None:
        readings = [
            {
                "TM": "2026-11-01T10:00:00,000+0000 S",
                "TX": tx,
                "RV": value,
                "RI": "1-b:1.8.0",
                "RU": "kWh",
                "ST": "G",
            }
            for tx, value in (("B", 100.0), ("E", 110.0))
        ]
        body = json.dumps({"FV": "1.0", "GI": "M", "GS": "1", "PG": "T1", "RD": readings})
        signature = KEY.sign(body.encode(), ec.ECDSA(hashes.SHA256())).hex()
        if tampered:
            body = body.replace("110.0", "120.0")
        key = KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        record = f"OCMF|{body}|{json.dumps({'SA': 'ECDSA-secp256r1-SHA256', 'SD': signature})}"
        cdr["signed_data"] = {
            "encoding_method": "OCMF",
            "public_key": base64.b64encode(key).decode(),
            "signed_values": [{"nature": "End", "plain_data": body, "signed_data": record}],
        }

    return change


def case(rule: str, codes: str, state: str, change: Callable[[dict], None]) -> Case:
    return Case(rule, frozenset(codes.split()), state, change)


NEGATIVE = "end_before_start total_time_differs period_time_differs"
FROM_1970 = "placeholder_date duration_above_max first_period_start total_time_differs no_tariff"
CASES = (
    case("energy_range", "energy_above_max", "quarantine", too_much_energy),
    case("cost_range", "cost_above_max", "quarantine", too_dear),
    case("duration_range", "duration_above_max", "quarantine", too_long),
    case("zero_time_energy", "energy_in_no_time", "quarantine", in_no_time),
    case("no_energy", "cost_without_energy", "open", without_energy),
    case("charging_speed", "too_fast", "quarantine", too_fast),
    case("future_end", "end_in_future", "quarantine", in_future),
    case("received_late", "received_late", "quarantine", long_ago),
    case("cost_consistency", "cost_mismatch", "open", setting(total_cost={"excl_vat": 9.99})),
    case("currency", "currency_mismatch", "quarantine", setting(currency="CHF")),
    case("vat", "incl_below_excl", "open", setting(total_cost={"excl_vat": 4.70, "incl_vat": 1.0})),
    case("token_unknown", "token_unknown", "open", with_token("04QUALITY99999")),
    case("token_blocked", "token_blocked", "quarantine", with_token(BLOCKED)),
    case("energy_sum", "energy_sum_differs", "open", other_energy_in_periods),
    case("time_sum", "total_time_in_minutes", "open", setting(total_time=60)),
    case("period_order", "periods_unsorted", "open", unsorted_periods),
    case("unknown_location", "location_unknown", "open", at(id="LOC-X", evse_uid="X", evse_id="FR*RVR*EX*1")),
    case("unknown_evse", "evse_unknown", "open", at(evse_uid="9", evse_id="FR*RVR*E9*1")),
    case("signed_data", "signature_invalid key_not_registered", "quarantine", signed(tampered=True)),
    case("meter_key", "key_not_registered", "open", signed()),
    case("end_before_start", NEGATIVE, "quarantine", ending_first),
    case("placeholder_date", FROM_1970, "quarantine", starting_in_1970),
    case("duplicate_session", "session_twice", "quarantine", same_session),
    case("overlap_connector", "connector_overlap", "quarantine", same_connector),
    case("overlap_token", "token_overlap", "open", same_token),
    case("session_invalid", "session_invalid", "quarantine", of_invalid_session),
    case("credit_original", "credit_orphan", "quarantine", credit_of_nothing),
)
# Why each belongs to no contract.
UNATTACHED = {"no_contract": of_a_stranger, "contract_dates": all_in_1970}

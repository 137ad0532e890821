"""Objects of a small charge point operator, as OCPI 2.1.1 and 2.2.1 write them."""

from datetime import UTC, datetime, timedelta


def instant(minutes: float = 0) -> str:
    """So many minutes from now, to the second."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Operator:
    """:param party: whose objects they are, for example NL*FCP. :param version: 2.1.1 or 2.2.1.
    :param driver: the eMSP whose driver charges. :param run: end of all ids."""

    def __init__(self, party: str, version: str, driver: str, run: str):
        self.country_code, __, self.party_id = party.partition("*")
        self.driver = driver
        self.version = version
        self.run = run

    @property
    def is_old(self) -> bool:
        return self.version == "2.1.1"

    def name(self, kind: str) -> str:
        return f"{kind}-{self.run}"

    @property
    def cdr_token(self) -> dict:
        country_code, __, party_id = self.driver.partition("*")
        owner = {"country_code": country_code, "party_id": party_id}
        return {**owner, "uid": "04A1B2", "type": "RFID", "contract_id": emaid(self.driver)}

    def location(self) -> dict:
        place = {
            "name": "Parking Bellecour",
            "address": "Place Bellecour",
            "city": "Lyon",
            "postal_code": "69002",
            "country": "FRA",
            "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
            "time_zone": "Europe/Paris",
            "opening_times": {"twentyfourseven": True},
            "evses": [self._evse()],
        }
        return self._owned(
            "LOC", {**place, "type": "ON_STREET"} if self.is_old else {**place, "publish": True}
        )

    def _evse(self):
        volts, amperes = ("voltage", "amperage") if self.is_old else ("max_voltage", "max_amperage")
        tariff = self.name("TAR")
        connector = {
            "id": "1",
            "standard": "IEC_62196_T2",
            "format": "SOCKET",
            "power_type": "AC_3_PHASE",
            volts: 230,
            amperes: 32,
            **({"tariff_id": tariff} if self.is_old else {"tariff_ids": [tariff]}),
            "last_updated": instant(-600),
        }
        return {
            "uid": self.name("EVSE"),
            "evse_id": f"{self.country_code}*{self.party_id}*E{self.run}*1",
            "status": "AVAILABLE",
            "capabilities": ["RFID_READER"],
            "connectors": [connector],
            "last_updated": instant(-600),
        }

    def tariff(self) -> dict:
        night = {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SATURDAY", "SUNDAY"]}
        elements = [
            {"price_components": [component("ENERGY", 0.25)], "restrictions": night},
            {"price_components": [component("FLAT", 0.5), component("ENERGY", 0.42)]},
        ]
        return self._owned("TAR", {"currency": "EUR", "elements": elements})

    def session(self, kwh: float, status: str = "ACTIVE") -> dict:
        common = {"kwh": kwh, "auth_method": "WHITELIST", "currency": "EUR", "status": status}
        common["charging_periods"] = [period(-60, ENERGY=kwh)]
        if self.is_old:
            place = {
                "auth_id": emaid(self.driver),
                "location": self.location(),
                "start_datetime": instant(-60),
            }
        else:
            place = {
                "start_date_time": instant(-60),
                "cdr_token": self.cdr_token,
                "location_id": self.name("LOC"),
                "evse_uid": self.name("EVSE"),
                "connector_id": "1",
            }
        return self._owned("SES", {**common, **place})

    def cdr(self, number: int) -> dict:
        """22.5 kWh in 90 minutes: 0.50 + 22.5 x 0.42 = 9.95. Each has hours of its own."""
        start = -200 - 120 * number
        session = self.name("SES") if not number else self.name(f"SES{number}")
        common = {
            "start_date_time": instant(start),
            "auth_method": "WHITELIST",
            "currency": "EUR",
            "tariffs": [self.tariff()],
            "charging_periods": [period(start, ENERGY=22.5, TIME=1.5)],
            "total_energy": 22.5,
            "total_time": 1.5,
        }
        if self.is_old:
            common |= {"stop_date_time": instant(start + 90), "auth_id": emaid(self.driver)}
            common |= {"location": self.location(), "total_cost": 9.95}
        else:
            common |= {"end_date_time": instant(start + 90), "cdr_token": self.cdr_token}
            common |= {"session_id": session, "cdr_location": self._cdr_location()}
            common |= {"total_cost": {"excl_vat": 9.95, "incl_vat": 11.94}}
        return self._owned(f"CDR{number}", common)

    def _cdr_location(self):
        location = self.location()
        [evse] = location["evses"]
        [connector] = evse["connectors"]
        names = ("id", "name", "address", "city", "postal_code", "country", "coordinates")
        return {
            **{name: location[name] for name in names},
            "evse_uid": evse["uid"],
            "evse_id": evse["evse_id"],
            "connector_id": connector["id"],
            **{f"connector_{name}": connector[name] for name in ("standard", "format", "power_type")},
        }

    def _owned(self, kind, content):
        owner = {} if self.is_old else {"country_code": self.country_code, "party_id": self.party_id}
        return {**owner, "id": self.name(kind), **content, "last_updated": instant(-5)}


def token(party: str, version: str, uid: str) -> dict:
    """A token of the eMSP `party`."""
    country_code, __, party_id = party.partition("*")
    common = {
        "uid": uid,
        "type": "RFID",
        "visual_number": "0007-1",
        "issuer": "Spree Mobility",
        "valid": True,
        "whitelist": "ALLOWED",
        "language": "de",
        "last_updated": instant(-5),
    }
    if version == "2.1.1":
        return {**common, "auth_id": emaid(party)}
    return {"country_code": country_code, "party_id": party_id, "contract_id": emaid(party), **common}


def emaid(party: str) -> str:
    return f"{party.replace('*', '-')}-C00000007-1"


def component(kind: str, price: float) -> dict:
    return {"type": kind, "price": price, "step_size": 1}


def period(minutes: float, **volumes: float) -> dict:
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    return {"start_date_time": instant(minutes), "dimensions": dimensions}

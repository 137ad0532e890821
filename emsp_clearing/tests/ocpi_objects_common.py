from copy import deepcopy

from .common import raw
from .http_common import EmspHttpCommon

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")

TOKEN = {
    "country_code": "DE",
    "party_id": "SMO",
    "uid": "04A1B2C3D4E5F6",
    "type": "RFID",
    "contract_id": "DE-SMO-C00012345-6",
    "visual_number": "DF000-2001-8999-1",
    "issuer": "Spree Mobility",
    "group_id": "DF000-2001-8999",
    "valid": True,
    "whitelist": "ALLOWED_OFFLINE",
    "language": "de",
    "last_updated": "2026-10-01T10:00:00Z",
}
TOKEN_211 = {
    "uid": "04A1B2C3D4E5F6",
    "type": "RFID",
    "auth_id": "DE-SMO-C00012345-6",
    "visual_number": "DF000-2001-8999-1",
    "issuer": "Spree Mobility",
    "valid": True,
    "whitelist": "ALLOWED_OFFLINE",
    "language": "de",
    "last_updated": "2026-10-01T10:00:00Z",
}
CONNECTOR = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "tariff_ids": ["AC-1"],
    "last_updated": "2026-10-01T09:00:00Z",
}
CONNECTOR_211 = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "voltage": 230,
    "amperage": 32,
    "tariff_id": "AC-1",
    "last_updated": "2026-10-01T09:00:00Z",
}
EVSE = {
    "uid": "EVSE-1",
    "evse_id": "NL*TNM*E1001*1",
    "status": "AVAILABLE",
    "connectors": [CONNECTOR],
    "last_updated": "2026-10-01T09:00:00Z",
}
LOCATION = {
    "country_code": "NL",
    "party_id": "TNM",
    "id": "LOC-1",
    "publish": True,
    "name": "Garage Museumplein",
    "address": "Van Baerlestraat 33B",
    "city": "Amsterdam",
    "postal_code": "1071 AP",
    "country": "NLD",
    "coordinates": {"latitude": "52.357500", "longitude": "4.880900"},
    "evses": [EVSE],
    "operator": {"name": "The New Motion"},
    "time_zone": "Europe/Amsterdam",
    "last_updated": "2026-10-01T09:00:00Z",
}
LOCATION_211 = {
    "id": "LOC-1",
    "type": "UNDERGROUND_GARAGE",
    "name": "Garage Museumplein",
    "address": "Van Baerlestraat 33B",
    "city": "Amsterdam",
    "postal_code": "1071 AP",
    "country": "NLD",
    "coordinates": {"latitude": "52.357500", "longitude": "4.880900"},
    "evses": [{**EVSE, "connectors": [CONNECTOR_211]}],
    "operator": {"name": "The New Motion"},
    "time_zone": "Europe/Amsterdam",
    "last_updated": "2026-10-01T09:00:00Z",
}
PERIOD = {
    "start_date_time": "2026-10-05T08:00:00Z",
    "dimensions": [{"type": "ENERGY", "volume": 4.2}],
}
SESSION = {
    "country_code": "NL",
    "party_id": "TNM",
    "id": "S-1",
    "start_date_time": "2026-10-05T08:00:00Z",
    "kwh": 4.2,
    "cdr_token": {
        "country_code": "DE",
        "party_id": "SMO",
        "uid": "04A1B2C3D4E5F6",
        "type": "RFID",
        "contract_id": "DE-SMO-C00012345-6",
    },
    "auth_method": "WHITELIST",
    "location_id": "LOC-1",
    "evse_uid": "EVSE-1",
    "connector_id": "1",
    "currency": "EUR",
    "charging_periods": [PERIOD],
    "total_cost": {"excl_vat": 2.1},
    "status": "ACTIVE",
    "last_updated": "2026-10-05T08:10:00Z",
}
SESSION_211 = {
    "id": "S-1",
    "start_datetime": "2026-10-05T08:00:00Z",
    "kwh": 4.2,
    "auth_id": "DE-SMO-C00012345-6",
    "auth_method": "WHITELIST",
    "location": LOCATION_211,
    "currency": "EUR",
    "charging_periods": [PERIOD],
    "total_cost": 2.1,
    "status": "ACTIVE",
    "last_updated": "2026-10-05T08:10:00Z",
}
ELEMENT = {
    "price_components": [
        {"type": "ENERGY", "price": 0.42, "step_size": 1},
        {"type": "FLAT", "price": 0.5, "step_size": 1},
    ]
}
TARIFF = {
    "country_code": "NL",
    "party_id": "TNM",
    "id": "AC-1",
    "currency": "EUR",
    "type": "REGULAR",
    "elements": [ELEMENT],
    "last_updated": "2026-10-01T09:00:00Z",
}
TARIFF_211 = {
    "id": "AC-1",
    "currency": "EUR",
    "elements": [ELEMENT],
    "last_updated": "2026-10-01T09:00:00Z",
}
PAYLOADS = {
    "tokens": (TOKEN_211, TOKEN),
    "sessions": (SESSION_211, SESSION),
    "tariffs": (TARIFF_211, TARIFF),
    "locations": (LOCATION_211, LOCATION),
}


def payload_of(module, version="2.2.1", **changes):
    """An object of a module as a partner sends it in a version; other fields by name."""
    of_211, later = PAYLOADS[module]
    payload = deepcopy(of_211 if version == "2.1.1" else later)
    if (module, version) == ("sessions", "2.3.0"):
        payload["total_cost"] = {"before_taxes": 2.1}
    if (module, version) == ("tariffs", "2.3.0"):
        payload["tax_included"] = "NO"
    payload.update(changes)
    return payload


class OcpiObjectsCommon(EmspHttpCommon):
    """Our own chargers (FR*RVR, `token`), a CPO (NL*TNM, `cpo_token`) and an eMSP (DE*SMO, `emsp_token`)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cpo, cls.cpo_token = cls._connect("EMSP", "CPO", "NL", "TNM")
        cls.emsp, cls.emsp_token = cls._connect("CPO", "EMSP", "DE", "SMO")

    @classmethod
    def _connect(cls, our_role, peer_role, country_code, party_id, **vals):
        """:return: (connection, its token)."""
        connection = cls.env["emsp.ocpi.connection"].create(
            {
                "name": f"{country_code}*{party_id}",
                "company_id": cls.company.id,
                "our_role": our_role,
                "peer_role": peer_role,
                "country_code": country_code,
                "ocpi_party_id": party_id,
                "time_zone": "Europe/Paris",
                **vals,
            }
        )
        return connection, connection._generate_token()

    def send(self, method, url, payload, token, **options):
        """Send an object, as dict or bytes, below /ocpi."""
        data = raw(payload) if isinstance(payload, dict) else payload
        return self.ocpi(method, f"/ocpi/{url}", data=data, token=token, **options)

    def fetch(self, url, token, **options):
        return self.ocpi("GET", f"/ocpi/{url}", token=token, **options)

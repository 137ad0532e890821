from odoo.tests import tagged

from .common import cdr_payload
from .ocpi_objects_common import CONNECTOR, EVSE, VERSIONS, OcpiObjectsCommon, payload_of

LATER = "2026-10-02T09:00:00Z"


@tagged("post_install", "-at_install")
class TestOcpiLocations(OcpiObjectsCommon):
    """Locations that a CPO tells us: receiver interface (OCPI 2.2.1, 8.2.2)."""

    url = "emsp/2.2.1/locations/NL/TNM/LOC-1"

    def location(self):
        return self.env["emsp.location"].search([("connection_id", "=", self.cpo.id)])

    def connectors(self):
        return self.location().connector_ids

    def put(self, part="", payload=None, **changes):
        payload = {**(payload or payload_of("locations")), **changes}
        return self.send("PUT", self.url + part, payload, self.cpo_token)

    def patch(self, part="", **changes):
        return self.send("PATCH", self.url + part, changes, self.cpo_token)

    def data(self, part=""):
        return self.fetch(self.url + part, self.cpo_token).json()["data"]

    def test_put_stores_a_location_and_its_connectors_in_every_version(self):
        for version in VERSIONS:
            location_id = f"L{version.replace('.', '')}"
            url = f"emsp/{version}/locations/NL/TNM/{location_id}"
            payload = payload_of("locations", version, id=location_id)
            with self.subTest(version=version):
                self.assertAnswer(self.send("PUT", url, payload, self.cpo_token), 201, 1000)
                location = self.env["emsp.location"].search([("ocpi_id", "=", location_id)])
                self.assertEqual(
                    (location.name, location.city, location.country, location.time_zone, location.operator),
                    ("Garage Museumplein", "Amsterdam", "NLD", "Europe/Amsterdam", "The New Motion"),
                )
                connector = location.connector_ids
                self.assertEqual(
                    (connector.evse_uid, connector.evse_id, connector.connector_id, connector.tariff_codes),
                    ("EVSE-1", "NL*TNM*E1001*1", "1", "AC-1"),
                )
                # 230 V * 32 A * 3 phases
                self.assertEqual((connector.capacity_kw, connector.power_type), (22.08, "AC_3_PHASE"))
                self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload)

    def test_put_again_changes_nothing_and_is_answered_as_done(self):
        self.assertAnswer(self.put(), 201, 1000)
        connector = self.connectors()
        self.assertAnswer(self.put(), 200, 1000)
        self.assertEqual((len(self.location()), self.connectors()), (1, connector))

    def test_patch_of_a_location_leaves_its_evses(self):
        self.put()
        self.assertAnswer(self.patch(name="Garage P1", last_updated=LATER), 200, 1000)
        self.assertEqual((self.location().name, len(self.connectors())), ("Garage P1", 1))
        self.assertAnswer(self.patch(name="Garage P0", last_updated="2026-09-01T09:00:00Z"), 200, 1000)
        self.assertEqual(self.location().name, "Garage P1")
        self.assertAnswer(self.patch(name="Garage P2"), 400, 2001, "last_updated")

    def test_status_of_an_evse_is_patched_and_the_location_dated(self):
        self.put()
        self.assertAnswer(self.patch("/EVSE-1", status="CHARGING", last_updated=LATER), 200, 1000)
        self.assertEqual(self.connectors().evse_status, "CHARGING")
        data = self.data()
        self.assertEqual((data["evses"][0]["status"], data["last_updated"]), ("CHARGING", LATER))
        self.assertEqual(data["evses"][0]["connectors"], [CONNECTOR])
        self.assertEqual(self.data("/evse-1")["status"], "CHARGING")
        older = {"status": "AVAILABLE", "last_updated": "2026-10-01T10:00:00Z"}
        self.assertAnswer(self.patch("/EVSE-1", **older), 200, 1000)
        self.assertEqual(self.connectors().evse_status, "CHARGING")

    def test_evse_is_added_and_replaced(self):
        self.put()
        new = {**EVSE, "uid": "EVSE-2", "evse_id": "NL*TNM*E1002", "last_updated": LATER}
        self.assertAnswer(self.put("/EVSE-2", new), 201, 1000)
        self.assertAnswer(self.put("/EVSE-2", new, connectors=[], last_updated=LATER), 200, 1000)
        self.assertEqual(self.connectors().mapped("evse_uid"), ["EVSE-1"])
        self.assertEqual([evse["uid"] for evse in self.data()["evses"]], ["EVSE-1", "EVSE-2"])

    def test_connector_is_added_patched_and_read(self):
        self.put()
        fast = {
            **CONNECTOR,
            "id": "2",
            "power_type": "DC",
            "max_electric_power": 50000,
            "last_updated": LATER,
        }
        self.assertAnswer(self.put("/EVSE-1/2", fast), 201, 1000)
        self.assertEqual(self.connectors().mapped("capacity_kw"), [22.08, 50])
        change = {"max_electric_power": 25000, "last_updated": "2026-10-03T09:00:00Z"}
        self.assertAnswer(self.patch("/EVSE-1/2", **change), 200, 1000)
        self.assertEqual(self.connectors().mapped("capacity_kw"), [22.08, 25])
        self.assertEqual(self.data("/EVSE-1/2"), {**fast, **change})
        data = self.data()
        self.assertEqual(data["last_updated"], "2026-10-03T09:00:00Z")
        self.assertEqual(data["evses"][0]["last_updated"], "2026-10-03T09:00:00Z")

    def test_older_part_changes_nothing(self):
        self.put()
        older = {**EVSE, "status": "BLOCKED", "last_updated": "2026-09-01T09:00:00Z"}
        self.assertAnswer(self.put("/EVSE-1", older), 200, 1000)
        self.assertEqual(self.connectors().evse_status, "AVAILABLE")

    def test_connector_that_is_gone_is_archived_and_comes_back(self):
        self.put()
        connector = self.connectors()
        self.put(evses=[], last_updated=LATER)
        self.assertFalse(connector.active)
        self.put(last_updated="2026-10-03T09:00:00Z")
        self.assertEqual(self.connectors(), connector)

    def test_unknown_place_gets_404(self):
        change = {"status": "CHARGING", "last_updated": LATER}
        for part in ("", "/EVSE-1", "/EVSE-1/1"):
            self.assertAnswer(self.fetch(self.url + part, self.cpo_token), 404, 2000)
            self.assertAnswer(self.patch(part, **change), 404, 2000)
        self.assertAnswer(self.put("/EVSE-1", EVSE), 404, 2000)
        self.put()
        for part in ("/EVSE-9", "/EVSE-9/1", "/EVSE-1/9"):
            self.assertAnswer(self.fetch(self.url + part, self.cpo_token), 404, 2000)
            self.assertAnswer(self.patch(part, **change), 404, 2000)
        self.assertAnswer(self.put("/EVSE-9/1", CONNECTOR), 404, 2000)

    def test_ids_of_the_url_are_those_of_the_body(self):
        self.assertAnswer(self.put(id="LOC-2"), 400, 2001, "id:")
        self.put()
        self.assertAnswer(self.put("/EVSE-1", {**EVSE, "uid": "EVSE-2"}), 400, 2001, "uid:")
        self.assertAnswer(self.put("/EVSE-1/1", {**CONNECTOR, "id": "2"}), 400, 2001, "id:")

    def test_bad_part_is_refused_with_the_path_of_the_field(self):
        self.put()
        bad = {**EVSE, "connectors": [{**CONNECTOR, "max_voltage": "high"}]}
        self.assertAnswer(self.put("/EVSE-1", bad), 400, 2001, "connectors[0].max_voltage:")
        self.assertAnswer(self.put("/EVSE-1/1", {**CONNECTOR, "id": None}), 400, 2001, "id:")

    def test_part_of_another_version_is_taken(self):
        self.put()
        url = "emsp/2.1.1/locations/NL/TNM/LOC-1/EVSE-1/1"
        change = {"amperage": 16, "last_updated": LATER}
        self.assertAnswer(self.send("PATCH", url, change, self.cpo_token), 200, 1000)
        self.assertEqual(self.connectors().capacity_kw, 11.04)
        self.assertEqual(self.data("/EVSE-1/1")["max_amperage"], 16)

    def test_same_connector_twice_is_one(self):
        self.put(evses=[EVSE, EVSE])
        self.assertEqual(len(self.connectors()), 1)

    def test_time_zone_of_the_location_comes_before_the_connections(self):
        own = {"country_code": "FR", "party_id": "RVR"}
        location = payload_of("locations", **own, time_zone="Indian/Reunion")
        url = "emsp/2.2.1/locations/FR/RVR/LOC-1"
        self.send("PUT", url, location, self.token)
        told = cdr_payload(2)
        told["cdr_location"]["time_zone"] = "Europe/Berlin"
        elsewhere = cdr_payload(3)
        elsewhere["cdr_location"]["id"] = "LOC-2"
        cdrs = self._receive(cdr_payload(1), told, elsewhere)
        self.assertEqual(
            {cdr.ocpi_id: cdr.time_zone for cdr in cdrs},
            {"CDR-1": "Indian/Reunion", "CDR-2": "Europe/Berlin", "CDR-3": "Europe/Paris"},
        )
        location.update(time_zone="CEST", last_updated=LATER)
        self.send("PUT", url, location, self.token)
        self.assertEqual(self._receive(cdr_payload(4)).time_zone, "Europe/Paris")

    def test_cdr_finds_its_charger_by_uid_or_by_evse_id(self):
        own = {"country_code": "FR", "party_id": "RVR"}
        evse = {**EVSE, "evse_id": "FR*RVR*E1001*1"}
        location = payload_of("locations", **own, evses=[evse])
        self.send("PUT", "emsp/2.2.1/locations/FR/RVR/LOC-1", location, self.token)
        other_uid = cdr_payload(2)
        other_uid["cdr_location"].update(id="LOC-9", evse_uid="#NA", evse_id="FR*RVR*E1001*1")
        unknown = cdr_payload(3)
        unknown["cdr_location"].update(evse_uid="EVSE-9", evse_id="FR*RVR*E9")
        cdrs = self._receive(cdr_payload(1), other_uid, unknown)
        found = {cdr.ocpi_id: cdr.location_connector_id.capacity_kw for cdr in cdrs}
        self.assertEqual(found, {"CDR-1": 22.08, "CDR-2": 22.08, "CDR-3": 0})

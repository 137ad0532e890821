from datetime import datetime
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged

from .common import cdr_payload, raw
from .ocpi_objects_common import PERIOD, VERSIONS, OcpiObjectsCommon, payload_of


@tagged("post_install", "-at_install")
class TestOcpiSessions(OcpiObjectsCommon):
    """Sessions that a CPO tells us: receiver interface (OCPI 2.2.1, 9.2.2)."""

    url = "emsp/2.2.1/sessions/NL/TNM/S-1"

    def session(self):
        return self.env["emsp.session"].search([("connection_id", "=", self.cpo.id)])

    def put(self, **changes):
        return self.send("PUT", self.url, payload_of("sessions", **changes), self.cpo_token)

    def patch(self, **changes):
        return self.send("PATCH", self.url, changes, self.cpo_token)

    def test_put_stores_a_session_in_every_version(self):
        for version in VERSIONS:
            session_id = f"S{version.replace('.', '')}"
            url = f"emsp/{version}/sessions/NL/TNM/{session_id}"
            payload = payload_of("sessions", version, id=session_id)
            with self.subTest(version=version):
                self.assertAnswer(self.send("PUT", url, payload, self.cpo_token), 201, 1000)
                session = self.env["emsp.session"].search([("ocpi_id", "=", session_id)])
                self.assertEqual(
                    (session.ocpi_key, session.status, session.energy_kwh, session.stated_amount),
                    (f"NL*TNM*{session_id}", "ACTIVE", 4.2, 2.1),
                )
                self.assertEqual(session.session_start_at, datetime(2026, 10, 5, 8, 0))
                self.assertEqual((session.emaid, session.currency_id.name), ("DE-SMO-C00012345-6", "EUR"))
                self.assertEqual((session.token_country_code, session.token_party_id), ("DE", "SMO"))
                self.assertEqual(
                    (session.ocpi_location_id, session.evse_uid, session.ocpi_connector_id),
                    ("LOC-1", "EVSE-1", "1"),
                )
                self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload)

    def test_put_again_changes_nothing_and_is_answered_as_done(self):
        self.assertAnswer(self.put(), 201, 1000)
        self.assertAnswer(self.put(), 200, 1000)
        self.assertEqual(len(self.session()), 1)

    def test_put_replaces_everything_also_the_periods(self):
        self.put()
        self.put(charging_periods=None, kwh=5, last_updated="2026-10-05T08:20:00Z")
        self.assertEqual(self.session().energy_kwh, 5)
        self.assertIsNone(self.fetch(self.url, self.cpo_token).json()["data"]["charging_periods"])

    def test_patch_adds_its_periods_to_those_there_are(self):
        self.put()
        later = {"start_date_time": "2026-10-05T08:10:00Z", "dimensions": [{"type": "ENERGY", "volume": 3.3}]}
        changes = {"kwh": 7.5, "charging_periods": [later], "last_updated": "2026-10-05T08:20:00Z"}
        for __ in range(2):
            self.assertAnswer(self.patch(**changes), 200, 1000)
        data = self.fetch(self.url, self.cpo_token).json()["data"]
        self.assertEqual(data["charging_periods"], [PERIOD, later])
        self.assertEqual((data["kwh"], self.session().energy_kwh), (7.5, 7.5))

    def test_patch_ends_a_session_in_every_version(self):
        self.put()
        for minute, version in enumerate(VERSIONS):
            end = "end_datetime" if version == "2.1.1" else "end_date_time"
            changes = {
                end: f"2026-10-05T09:0{minute}:00Z",
                "status": "COMPLETED",
                "last_updated": f"2026-10-05T09:0{minute}:00Z",
            }
            url = self.url.replace("2.2.1", version)
            with self.subTest(version=version):
                self.assertAnswer(self.send("PATCH", url, changes, self.cpo_token), 200, 1000)
                self.assertEqual(self.session().session_end_at, datetime(2026, 10, 5, 9, minute))
                self.assertEqual((self.session().status, self.session().energy_kwh), ("COMPLETED", 4.2))

    def test_older_patch_changes_nothing_and_is_answered_as_done(self):
        self.put()
        self.assertAnswer(self.patch(kwh=1, last_updated="2026-10-05T08:05:00Z"), 200, 1000)
        self.assertEqual(self.session().energy_kwh, 4.2)

    def test_patch_needs_last_updated_and_a_usable_result(self):
        self.put()
        self.assertAnswer(self.patch(kwh=5), 400, 2001, "last_updated")
        self.assertAnswer(self.patch(kwh=None, last_updated="2026-10-05T08:20:00Z"), 400, 2001, "kwh")
        self.assertAnswer(self.patch(id="S-2", last_updated="2026-10-05T08:20:00Z"), 400, 2001, "id:")
        self.assertEqual(self.session().energy_kwh, 4.2)

    def test_unknown_session_gets_404(self):
        self.assertAnswer(self.fetch(self.url, self.cpo_token), 404, 2000)
        self.assertAnswer(self.patch(kwh=5, last_updated="2026-10-05T08:20:00Z"), 404, 2000)

    def test_ids_of_the_url_are_those_of_the_body_without_case(self):
        for changes, path in (({"id": "S-2"}, "id:"), ({"country_code": "DE"}, "country_code:")):
            self.assertAnswer(self.put(**changes), 400, 2001, path)
        response = self.send(
            "PUT", self.url.replace("NL/TNM/S-1", "nl/tnm/s-1"), payload_of("sessions"), self.cpo_token
        )
        self.assertAnswer(response, 201, 1000)

    def test_word_of_the_prose_and_unknown_states_are_taken(self):
        self.put(status="RESERVED")
        self.assertEqual(self.session().status, "RESERVATION")
        self.assertAnswer(self.put(status="PAUSED", last_updated="2026-10-05T08:20:00Z"), 200, 1000)
        self.assertFalse(self.session().status)

    def test_session_and_its_cdr_know_their_token_and_charger(self):
        location = payload_of("locations", country_code="FR", party_id="RVR", time_zone="Indian/Reunion")
        self.send("PUT", "emsp/2.2.1/locations/FR/RVR/LOC-1", location, self.token)
        self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6", payload_of("tokens"), self.emsp_token)
        session = payload_of("sessions", country_code="FR", party_id="RVR")
        self.send("PUT", "emsp/2.2.1/sessions/FR/RVR/S-1", session, self.token)
        cdr = self._receive(cdr_payload())
        stored = self.env["emsp.session"].search([("connection_id", "=", self.connection.id)])
        self.assertEqual((stored.cdr_ids, stored.token_id), (cdr, cdr.token_id))
        self.assertEqual(cdr.token_id.emaid, "DE-SMO-C00012345-6")
        self.assertEqual(cdr.location_connector_id, stored.location_connector_id)
        self.assertEqual(cdr.location_connector_id.location_id.name, "Garage Museumplein")
        self.assertEqual(cdr.time_zone, "Indian/Reunion")

    def test_session_that_another_request_stores_now_is_tried_again(self):
        endpoint = self.cpo._as_endpoint()
        sessions = endpoint.env["emsp.session"]
        address = {"country_code": "NL", "party_id": "TNM", "id": "S-1"}
        body = raw(payload_of("sessions"))
        with (
            patch.object(type(sessions), "create", side_effect=UniqueViolation()),
            self.assertRaises(ConcurrencyError),
        ):
            sessions._put(endpoint, "2.2.1", address, body, datetime(2026, 10, 5))

    def test_methods_that_ocpi_does_not_define_get_405(self):
        for method in ("POST", "DELETE"):
            response = self.send(method, self.url, payload_of("sessions"), self.cpo_token)
            self.assertAnswer(response, 405, 2000)

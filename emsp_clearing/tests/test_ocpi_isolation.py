from odoo.tests import tagged

from .common import cdr_payload
from .ocpi_objects_common import CONNECTOR, EVSE, OcpiObjectsCommon, payload_of

CHANGE = {"last_updated": "2026-11-01T00:00:00Z"}


@tagged("post_install", "-at_install")
class TestOcpiIsolation(OcpiObjectsCommon):
    """What came over one connection is neither read nor written over another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub, cls.hub_token = cls._connect("EMSP", "CPO", "NL", "HUB", is_hub=True)
        cls.other_cpo, cls.other_cpo_token = cls._connect("EMSP", "CPO", "NL", "ABC")
        cls.emsp_hub, cls.emsp_hub_token = cls._connect("CPO", "EMSP", "DE", "HUB", is_hub=True)
        cls.other_emsp, cls.other_emsp_token = cls._connect("CPO", "EMSP", "DE", "ABC")
        cls.company_2 = cls.env["res.company"].create({"name": "Second house"})
        cls.far_cpo, cls.far_cpo_token = cls._connect("EMSP", "CPO", "NL", "TNM", company_id=cls.company_2.id)

    def assertNotTouched(self, url, payload, owner, strangers, methods=("GET", "PUT", "PATCH")):
        """Put an object as its owner; then nobody else reads or changes it."""
        self.assertAnswer(self.send("PUT", url, payload, owner), 201, 1000)
        for token in strangers:
            for method in methods:
                with self.subTest(url=url, method=method, stranger=token[:4]):
                    body = {**payload, **CHANGE} if method == "PUT" else dict(CHANGE)
                    response = self.send(method, url, body, token)
                    self.assertIn(response.status_code, (400, 404), response.text)
                    self.assertNotIn("data", response.json())
        self.assertEqual(self.fetch(url, owner).json()["data"], payload)

    def test_sessions(self):
        strangers = (self.hub_token, self.other_cpo_token, self.token, self.emsp_token)
        self.assertNotTouched(
            "emsp/2.2.1/sessions/NL/TNM/S-1", payload_of("sessions"), self.cpo_token, strangers
        )

    def test_tariffs(self):
        strangers = (self.hub_token, self.other_cpo_token, self.token, self.emsp_token)
        url = "emsp/2.2.1/tariffs/NL/TNM/AC-1"
        methods = ("GET", "PUT", "DELETE")
        self.assertNotTouched(url, payload_of("tariffs"), self.cpo_token, strangers, methods)
        change = self.send("PATCH", url.replace("2.2.1", "2.1.1"), CHANGE, self.hub_token)
        self.assertAnswer(change, 404, 2000)

    def test_locations_and_their_parts(self):
        strangers = (self.hub_token, self.other_cpo_token, self.token, self.emsp_token)
        url = "emsp/2.2.1/locations/NL/TNM/LOC-1"
        self.assertNotTouched(url, payload_of("locations"), self.cpo_token, strangers)
        for token in strangers:
            for part, payload in (("/EVSE-1", EVSE), ("/EVSE-1/1", CONNECTOR)):
                for method in ("GET", "PUT", "PATCH"):
                    body = {**payload, **CHANGE} if method == "PUT" else dict(CHANGE)
                    response = self.send(method, url + part, body, token)
                    self.assertAnswer(response, 404, 2000)
        self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload_of("locations"))

    def test_tokens(self):
        strangers = (self.emsp_hub_token, self.other_emsp_token, self.token, self.cpo_token)
        url = "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6"
        self.assertNotTouched(url, payload_of("tokens"), self.emsp_token, strangers)

    def test_our_own_token_is_not_overwritten_by_a_partner(self):
        own = self.env["emsp.token"].create(
            {"ocpi_id": "04A1B2C3D4E5F6", "emaid": "DE-SMO-C00012345-6", "company_id": self.company.id}
        )
        url = "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6"
        for method in ("GET", "PUT", "PATCH"):
            response = self.send(method, url, payload_of("tokens", valid=False), self.emsp_token)
            self.assertAnswer(response, 404, 2000)
        self.assertTrue(own.is_valid)

    def test_cdrs(self):
        payload = cdr_payload(country_code="NL", party_id="TNM")
        url = "emsp/2.2.1/cdrs"
        location = self.send("POST", url, payload, self.cpo_token).headers["Location"]
        for token in (self.hub_token, self.other_cpo_token, self.token, self.emsp_token):
            self.assertAnswer(self.ocpi_get(location, token=token), 404, 2000)
        for token in (self.other_cpo_token, self.token):
            self.assertAnswer(self.send("POST", url, payload, token), 400, 2001)
        self.assertAnswer(self.send("POST", url, payload, self.emsp_token), 404, 2000)

    def test_lists_are_of_the_callers_company_and_party(self):
        self._receive(cdr_payload())
        own = {"country_code": "FR", "party_id": "RVR"}
        self.send("PUT", "emsp/2.2.1/sessions/FR/RVR/S-1", payload_of("sessions", **own), self.token)
        self.send("PUT", "emsp/2.2.1/locations/FR/RVR/LOC-1", payload_of("locations", **own), self.token)
        self.env["emsp.token"].create(
            {"ocpi_id": "CARD-1", "emaid": "FR-RVR-C00000001-X", "company_id": self.company.id}
        )
        __, far_emsp_token = self._connect("CPO", "EMSP", "DE", "SMO", company_id=self.company_2.id)
        for module, others in (("cdrs", 0), ("sessions", 0), ("locations", 1), ("tariffs", 0)):
            for token, count in (
                (self.emsp_token, 1),
                (self.other_emsp_token, others),
                (far_emsp_token, 0),
            ):
                with self.subTest(module=module, count=count):
                    response = self.fetch(f"cpo/2.2.1/{module}", token)
                    self.assertAnswer(response, 200, 1000)
                    self.assertEqual(len(response.json()["data"]), count)
                    self.assertEqual(response.headers["X-Total-Count"], str(count))
            self.assertAnswer(self.fetch(f"cpo/2.2.1/{module}", self.cpo_token), 404, 2000)
        self.assertEqual(len(self.fetch("emsp/2.2.1/tokens", self.cpo_token).json()["data"]), 1)
        self.assertEqual(self.fetch("emsp/2.2.1/tokens", self.far_cpo_token).json()["data"], [])
        self.assertAnswer(self.fetch("emsp/2.2.1/tokens", self.emsp_token), 404, 2000)
        authorize = "emsp/2.2.1/tokens/CARD-1/authorize"
        self.assertAnswer(self.send("POST", authorize, b"", self.far_cpo_token), 404, 2004)
        self.assertAnswer(self.send("POST", authorize, b"", self.emsp_token), 404, 2000)

    def test_same_object_at_another_company_is_another_one(self):
        for module, object_id in (("sessions", "S-1"), ("tariffs", "AC-1"), ("locations", "LOC-1")):
            url = f"emsp/2.2.1/{module}/NL/TNM/{object_id}"
            with self.subTest(module=module):
                self.assertNotTouched(url, payload_of(module), self.cpo_token, ())
                changed = {**payload_of(module), **CHANGE}
                self.assertAnswer(self.send("PUT", url, changed, self.far_cpo_token), 201, 1000)
                self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload_of(module))

    def test_object_of_an_archived_connection_goes_to_the_one_that_follows_it(self):
        url = "emsp/2.2.1/sessions/NL/TNM/S-1"
        self.send("PUT", url, payload_of("sessions"), self.cpo_token)
        self.cpo.active = False
        follower, token = self._connect("EMSP", "CPO", "NL", "TNM")
        self.assertAnswer(self.fetch(url, token), 404, 2000)
        self.assertAnswer(self.send("PUT", url, payload_of("sessions"), token), 200, 1000)
        self.assertEqual(self.env["emsp.session"].search([]).connection_id, follower)
        self.assertAnswer(self.fetch(url, token), 200, 1000)

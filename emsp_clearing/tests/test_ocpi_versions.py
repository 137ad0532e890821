from odoo.tests import tagged

from .http_common import EmspHttpCommon

EMSP_SIDE = {
    ("cdrs", "RECEIVER"),
    ("sessions", "RECEIVER"),
    ("tariffs", "RECEIVER"),
    ("locations", "RECEIVER"),
    ("tokens", "SENDER"),
}
CPO_SIDE = {
    ("cdrs", "SENDER"),
    ("sessions", "SENDER"),
    ("tariffs", "SENDER"),
    ("locations", "SENDER"),
    ("tokens", "RECEIVER"),
}
COMMON_MODULES = {module for module, __ in EMSP_SIDE}
# OCPI 2.3.0, edition 2.
ADDED = {
    "2.2.1": set(),
    "2.3.0": {("invoicereconciliation", "SENDER"), ("invoicereconciliation", "RECEIVER")},
}
ROUTING = {
    "OCPI-to-country-code": "FR",
    "OCPI-to-party-id": "RVR",
    "OCPI-from-country-code": "de",
    "OCPI-from-party-id": "SMO",
}


@tagged("post_install", "-at_install")
class TestOcpiVersions(EmspHttpCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vals = {"country_code": "DE", "ocpi_party_id": "SMO", "peer_role": "EMSP"}
        cls.emsp = cls.connection.copy({"name": "Spree", **vals})
        cls.emsp_token = cls.emsp._generate_token()
        cls.cpo = cls.connection.copy({"name": "CPO", "our_role": "EMSP", "ocpi_party_id": "ABC"})
        cls.cpo_token = cls.cpo._generate_token()

    def endpoints(self, version, token=None):
        data = self.ocpi_get(f"/ocpi/{version}", token=token).json()["data"]
        self.assertEqual(data["version"], version)
        return data["endpoints"]

    def test_every_version_is_listed_with_its_address(self):
        versions = self.ocpi_get("/ocpi/versions").json()["data"]
        self.assertEqual(
            versions,
            [
                {"version": version, "url": f"{self.base_url()}/ocpi/{version}"}
                for version in ("2.1.1", "2.2.1", "2.3.0")
            ],
        )

    def test_details_list_what_exists_for_the_callers_role(self):
        for token, side, modules in (
            (self.token, "emsp", EMSP_SIDE),
            (self.cpo_token, "emsp", EMSP_SIDE),
            (self.emsp_token, "cpo", CPO_SIDE),
        ):
            for version in ("2.2.1", "2.3.0"):
                credentials, *functional = self.endpoints(version, token)
                url = f"{self.base_url()}/ocpi/{version}/credentials"
                self.assertEqual(credentials, {"identifier": "credentials", "role": "SENDER", "url": url})
                found = {(each["identifier"], each["role"]) for each in functional}
                self.assertEqual({each for each in found if each[0] in COMMON_MODULES}, modules)
                self.assertLessEqual(found - modules, ADDED[version])
                for each in functional:
                    url = f"{self.base_url()}/ocpi/{side}/{version}/{each['identifier']}"
                    self.assertEqual(each["url"], url)

    def test_details_of_2_1_1_name_no_roles(self):
        endpoints = self.endpoints("2.1.1")
        self.assertEqual({name for each in endpoints for name in each}, {"identifier", "url"})
        self.assertEqual(
            {each["identifier"] for each in endpoints},
            {"credentials", *(module for module, __ in EMSP_SIDE)},
        )

    def test_version_that_does_not_exist_is_not_found(self):
        for version in ("2.2", "2.0", "3.0", "2.2.1/x"):
            self.assertAnswer(self.ocpi_get(f"/ocpi/{version}"), 404, 2000)

    def test_every_listed_endpoint_answers(self):
        for token in (self.token, self.emsp_token):
            for version in ("2.1.1", "2.2.1", "2.3.0"):
                for endpoint in self.endpoints(version, token):
                    with self.subTest(url=endpoint["url"]):
                        # Some take the address of an object only. OCPI has no OPTIONS: what exists
                        # answers 405, what does not 404.
                        found = {
                            self.ocpi("OPTIONS", endpoint["url"] + rest, token=token).status_code
                            for rest in ("", "/FR/RVR/X")
                        }
                        self.assertIn(405, found)

    def test_the_other_side_of_the_house_does_not_exist_for_the_caller(self):
        self.assertAnswer(self.ocpi_get("/ocpi/cpo/2.2.1/cdrs"), 404, 2000)
        self.assertAnswer(self.ocpi_get("/ocpi/emsp/2.2.1/tokens", token=self.emsp_token), 404, 2000)
        self.assertAnswer(self.ocpi_get("/ocpi/cpo/2.2.1/cdrs", token=self.emsp_token), 200, 1000)

    def test_ocpi_4_2_1_routing_headers_are_swapped_and_kept(self):
        response = self.ocpi_post(b"{}", headers=ROUTING)
        found = {name: response.headers.get(name) for name in ROUTING}
        self.assertEqual(
            found,
            {
                "OCPI-to-country-code": "DE",
                "OCPI-to-party-id": "SMO",
                "OCPI-from-country-code": "FR",
                "OCPI-from-party-id": "RVR",
            },
        )
        message = self.messages()
        self.assertEqual((message.from_party, message.to_party), ("DE*SMO", "FR*RVR"))

    def test_no_routing_headers_where_ocpi_has_none(self):
        for url in ("/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials", "/ocpi/emsp/2.1.1/tokens"):
            response = self.ocpi_get(url, headers=ROUTING)
            self.assertFalse({name.lower() for name in response.headers if name.lower().startswith("ocpi-")})

    def test_routing_header_that_names_no_party_is_passed_over(self):
        response = self.ocpi_post(b"{}", headers={**ROUTING, "OCPI-from-party-id": "<b>"})
        self.assertNotIn("OCPI-to-party-id", response.headers)
        self.assertFalse(self.messages().from_party)

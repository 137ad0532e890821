from datetime import datetime

from odoo.tests import tagged

from .ocpi_objects_common import ELEMENT, VERSIONS, OcpiObjectsCommon, payload_of

DEARER = {"price_components": [{"type": "ENERGY", "price": 0.52, "step_size": 1}]}


@tagged("post_install", "-at_install")
class TestOcpiTariffs(OcpiObjectsCommon):
    """Tariffs that a CPO tells us: receiver interface (OCPI 2.2.1, 11.2.2)."""

    url = "emsp/2.2.1/tariffs/NL/TNM/AC-1"

    def tariffs(self):
        """All versions, the oldest first."""
        return self.env["emsp.tariff"].search([("connection_id", "=", self.cpo.id)], order="id")

    def put(self, **changes):
        return self.send("PUT", self.url, payload_of("tariffs", **changes), self.cpo_token)

    def test_put_stores_a_tariff_in_every_version(self):
        for version in VERSIONS:
            tariff_id = f"AC{version.replace('.', '')}"
            url = f"emsp/{version}/tariffs/NL/TNM/{tariff_id}"
            payload = payload_of("tariffs", version, id=tariff_id)
            with self.subTest(version=version):
                self.assertAnswer(self.send("PUT", url, payload, self.cpo_token), 201, 1000)
                tariff = self.env["emsp.tariff"].search([("ocpi_id", "=", tariff_id)])
                self.assertEqual(
                    (tariff.ocpi_key, tariff.currency_id.name, tariff.is_current, tariff.ocpi_version),
                    (f"NL*TNM*{tariff_id}", "EUR", True, version),
                )
                self.assertEqual(tariff.last_updated, datetime(2026, 10, 1, 9, 0))
                self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload)

    def test_every_version_is_kept_with_its_time(self):
        self.assertAnswer(self.put(), 201, 1000)
        self.assertAnswer(self.put(elements=[DEARER], last_updated="2026-10-02T09:00:00Z"), 200, 1000)
        first, second = self.tariffs()
        self.assertEqual((first.is_current, second.is_current), (False, True))
        self.assertEqual(first.ended_at, second.received_at)
        self.assertFalse(second.ended_at)
        self.assertIn("0.42", first.payload)
        self.assertEqual(self.fetch(self.url, self.cpo_token).json()["data"]["elements"], [DEARER])
        self.assertEqual((first.version_count, second.version_count), (2, 2))
        self.assertEqual(
            self.env["emsp.tariff"].search(first.action_view_versions()["domain"]), second + first
        )

    def test_put_again_makes_no_version(self):
        self.put()
        self.assertAnswer(self.put(), 200, 1000)
        self.assertEqual(len(self.tariffs()), 1)

    def test_tariff_that_came_last_holds_whatever_its_clock_says(self):
        self.put()
        self.assertAnswer(self.put(elements=[DEARER], last_updated="2026-09-01T09:00:00Z"), 200, 1000)
        self.assertIn("0.52", self.tariffs().filtered("is_current").payload)

    def test_delete_ends_a_tariff_and_keeps_it(self):
        self.put()
        response = self.ocpi("DELETE", f"/ocpi/{self.url}", token=self.cpo_token)
        self.assertAnswer(response, 200, 1000)
        self.assertEqual((self.tariffs().is_current, bool(self.tariffs().ended_at)), (False, True))
        self.assertAnswer(self.fetch(self.url, self.cpo_token), 404, 2000)
        again = self.ocpi("DELETE", f"/ocpi/{self.url}", token=self.cpo_token)
        self.assertAnswer(again, 404, 2000)
        self.assertAnswer(self.put(), 201, 1000)
        self.assertEqual(self.tariffs().mapped("is_current"), [False, True])

    def test_patch_is_known_to_211_alone(self):
        url = "emsp/2.1.1/tariffs/NL/TNM/AC-1"
        self.send("PUT", url, payload_of("tariffs", "2.1.1"), self.cpo_token)
        change = {"elements": [DEARER], "last_updated": "2026-10-02T09:00:00Z"}
        self.assertAnswer(self.send("PATCH", self.url, change, self.cpo_token), 405, 2000)
        self.assertAnswer(self.send("PATCH", url, change, self.cpo_token), 200, 1000)
        first, second = self.tariffs()
        self.assertIn("0.42", first.payload)
        self.assertEqual(self.fetch(url, self.cpo_token).json()["data"]["currency"], "EUR")
        self.assertIn("0.52", second.payload)
        self.assertAnswer(
            self.send("PATCH", url, {"elements": [ELEMENT]}, self.cpo_token), 400, 2001, "last_updated"
        )

    def test_older_patch_of_211_changes_nothing(self):
        url = "emsp/2.1.1/tariffs/NL/TNM/AC-1"
        self.send("PUT", url, payload_of("tariffs", "2.1.1"), self.cpo_token)
        change = {"elements": [DEARER], "last_updated": "2026-09-02T09:00:00Z"}
        self.assertAnswer(self.send("PATCH", url, change, self.cpo_token), 200, 1000)
        self.assertEqual(len(self.tariffs()), 1)

    def test_ids_of_the_url_are_those_of_the_body(self):
        self.assertAnswer(self.put(id="AC-2"), 400, 2001, "id:")
        self.assertAnswer(self.put(party_id="ABC"), 400, 2001, "party_id:")
        self.assertFalse(self.tariffs())

    def test_bad_tariff_is_refused_with_the_path_of_the_field(self):
        self.assertAnswer(self.put(currency=None), 400, 2001, "currency:")
        self.assertAnswer(self.put(elements="free"), 400, 2001, "elements:")

    def test_oddities_are_told_in_words(self):
        self.put()
        self.assertFalse(self.tariffs().oddities)
        odd = {"price_components": [{"type": "ENERGY", "price": 42, "step_size": 1}]}
        self.put(elements=[odd], last_updated="2026-10-02T09:00:00Z")
        self.assertIn("42; &lt;= 5 would be expected", self.tariffs()[1].oddities)

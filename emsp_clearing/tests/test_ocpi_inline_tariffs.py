from copy import deepcopy

from odoo.tests import tagged

from .ocpi_objects_common import CONNECTOR, ELEMENT, OcpiObjectsCommon, payload_of
from .test_ocpi_pull import PullCommon

DEARER = {"price_components": [{"type": "ENERGY", "price": 0.52, "step_size": 1}]}


def location_with(*tariffs, version="2.2.1", **changes):
    """A location whose first connector carries tariffs in place of their ids."""
    location = payload_of("locations", version, **changes)
    (connector,) = location["evses"][0]["connectors"]
    connector.pop("tariff_ids", None)
    connector.pop("tariff_id", None)
    connector["tariffs"] = deepcopy(list(tariffs))
    return location


class InlineCommon:
    def tariffs(self, **values):
        domain = [("connection_id", "=", self.cpo.id), *((n, "=", v) for n, v in values.items())]
        return self.env["emsp.tariff"].search(domain, order="id")

    def refused(self):
        domain = [("connection_id", "=", self.cpo.id), ("method", "=", "INLINE")]
        return self.env["emsp.ocpi.message"].search(domain, order="id")


@tagged("post_install", "-at_install")
class TestInlineTariffs(InlineCommon, OcpiObjectsCommon):
    """Connectors that carry their tariffs, as Plugsurfing documents it."""

    url = "emsp/2.2.1/locations/NL/TNM/LOC-1"

    def put(self, *tariffs, status=200, **changes):
        location = location_with(*tariffs, **changes)
        self.assertAnswer(self.send("PUT", self.url, location, self.cpo_token), status, 1000)

    def test_tariffs_are_stored_as_if_they_were_pushed(self):
        self.put(payload_of("tariffs"), payload_of("tariffs", id="DC-1"), status=201)
        self.assertEqual(self.tariffs().mapped("ocpi_key"), ["NL*TNM*AC-1", "NL*TNM*DC-1"])
        connector = self.env["emsp.location.connector"].search([("company_id", "=", self.company.id)])
        self.assertEqual(connector.tariff_codes, "AC-1, DC-1")
        response = self.fetch("emsp/2.2.1/tariffs/NL/TNM/AC-1", self.cpo_token)
        self.assertEqual(response.json()["data"], payload_of("tariffs"))
        self.assertFalse(self.refused())

    def test_tariff_without_an_owner_is_the_locations(self):
        tariff = payload_of("tariffs")
        del tariff["country_code"], tariff["party_id"]
        self.put(tariff, status=201)
        self.assertEqual(self.tariffs().ocpi_key, "NL*TNM*AC-1")

    def test_211_tariffs_are_taken_too(self):
        url = self.url.replace("2.2.1", "2.1.1")
        location = location_with(payload_of("tariffs", "2.1.1"), version="2.1.1")
        self.assertAnswer(self.send("PUT", url, location, self.cpo_token), 201, 1000)
        self.assertEqual((self.tariffs().ocpi_key, self.tariffs().ocpi_version), ("NL*TNM*AC-1", "2.1.1"))

    def test_bad_tariffs_are_kept_as_messages_and_the_location_is_taken(self):
        stranger = payload_of("tariffs", party_id="XXX")
        bad = payload_of("tariffs", id="BAD", currency=7)
        self.put(bad, payload_of("tariffs"), stranger, {"id": 7}, "text", status=201)
        self.assertEqual(self.tariffs().mapped("ocpi_id"), ["AC-1"])
        messages = self.refused()
        self.assertEqual(messages.mapped("path"), ["currency", "party_id", "id", "id"])
        self.assertEqual(messages[0].object_ocpi_id, "BAD")
        self.assertIn('"currency":7', messages[0].body)
        self.assertTrue(all(messages.mapped("is_refused")))

    def test_tariff_of_another_connection_is_not_overwritten(self):
        other, token = self._connect("EMSP", "CPO", "NL", "HUB", is_hub=True)
        url = "emsp/2.2.1/tariffs/NL/TNM/AC-1"
        self.assertAnswer(self.send("PUT", url, payload_of("tariffs"), token), 201, 1000)
        self.put(payload_of("tariffs", elements=[DEARER]), status=201)
        self.assertEqual((len(self.tariffs()), self.refused().path), (0, "id"))

    def test_changed_price_is_a_new_version_and_a_changed_status_is_none(self):
        bad = payload_of("tariffs", id="BAD", currency=7)
        self.put(payload_of("tariffs", elements=[ELEMENT]), bad, status=201)
        change = {"status": "CHARGING", "last_updated": "2026-10-02T09:00:00Z"}
        response = self.send("PATCH", f"{self.url}/EVSE-1", change, self.cpo_token)
        self.assertAnswer(response, 200, 1000)
        self.assertEqual((len(self.tariffs()), len(self.refused())), (1, 1))
        later = "2026-10-03T09:00:00Z"
        self.put(payload_of("tariffs", elements=[DEARER]), bad, last_updated=later)
        self.assertEqual(self.tariffs().mapped("is_current"), [False, True])
        self.assertEqual(len(self.refused()), 1)

    def test_tariff_of_a_connector_that_is_put_alone_is_taken(self):
        self.put(status=201)
        connector = {**CONNECTOR, "tariff_ids": [], "tariffs": [payload_of("tariffs")]}
        connector["last_updated"] = "2026-10-02T09:00:00Z"
        response = self.send("PUT", f"{self.url}/EVSE-1/1", connector, self.cpo_token)
        self.assertAnswer(response, 200, 1000)
        self.assertEqual(self.tariffs().ocpi_id, "AC-1")


@tagged("post_install", "-at_install")
class TestInlineTariffsOfLists(InlineCommon, PullCommon):
    def test_tariffs_in_a_list_of_locations_are_taken(self):
        bad = payload_of("tariffs", id="BAD", currency=7)
        self.cpo_system.lists["locations"] = [
            location_with(payload_of("tariffs"), bad),
            location_with(payload_of("tariffs"), id="LOC-2"),
        ]
        cursor = self.read_list("locations")
        self.assertEqual((cursor.new_count, cursor.refused_count), (2, 0))
        self.assertEqual(self.tariffs().mapped("ocpi_id"), ["AC-1"])
        self.assertEqual(self.refused().object_ocpi_id, "BAD")

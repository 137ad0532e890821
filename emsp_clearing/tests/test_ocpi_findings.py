from datetime import datetime

from odoo.tests import tagged

from .common import cdr_payload
from .ocpi_objects_common import VERSIONS, OcpiObjectsCommon

OLD = datetime(2026, 5, 1)
RECEIVED = datetime(2026, 10, 6, 6, 0)
RELEASED = datetime(2026, 10, 8, 6, 0)


@tagged("post_install", "-at_install")
class TestOcpiFindings(OcpiObjectsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connections = cls.connection | cls.cpo | cls.emsp
        cls.connections.offer_findings = True
        cls.emsp.write({"own_country_code": "FR", "own_party_id": "RVR"})

    def findings(self, side, token, query="", version="2.2.1"):
        response = self.fetch(f"{side}/{version}/findings{query}", token)
        self.assertAnswer(response, 200, 1000)
        return response.json()["data"]

    def ids(self, *args, **options):
        return sorted({finding["cdr"]["id"] for finding in self.findings(*args, **options)})

    def noted(self, number, **changes):
        return self._receive(cdr_payload(number, total_cost={"excl_vat": 7.0}, **changes))

    def test_module_is_listed_where_it_was_agreed_under_a_name_of_our_own(self):
        for version in VERSIONS:
            endpoints = self.fetch(version, self.emsp_token).json()["data"]["endpoints"]
            [found] = [each for each in endpoints if each["identifier"] == "frrvr-findings"]
            self.assertTrue(found["url"].endswith(f"/ocpi/cpo/{version}/findings"))
            self.assertEqual(found.get("role"), None if version == "2.1.1" else "SENDER")
            self.assertAnswer(self.ocpi_get(found["url"], token=self.emsp_token), 200, 1000)
        self.emsp.offer_findings = False
        endpoints = self.fetch("2.2.1", self.emsp_token).json()["data"]["endpoints"]
        self.assertFalse([each for each in endpoints if "findings" in each["identifier"]])
        self.assertAnswer(self.fetch("cpo/2.2.1/findings", self.emsp_token), 404, 2000)

    def test_finding_tells_rule_values_and_its_cdr(self):
        cdr = self.noted(1)
        record = cdr.finding_ids[0]
        [finding] = [each for each in self.findings("emsp", self.token) if each["id"] == str(record.id)]
        self.assertEqual(finding["cdr"], {"country_code": "FR", "party_id": "RVR", "id": "CDR-1"})
        self.assertEqual((finding["cdr_state"], finding["code"]), ("open", record.code))
        self.assertEqual(finding["message"], record.message)
        self.assertEqual((finding["expected"], finding["found"]), (record.expected, record.found))
        self.assertEqual((finding["superseded"], finding["last_updated"]), (False, "2026-10-06T06:00:00Z"))

    def test_held_cdr_is_for_its_sender_alone_until_it_is_released(self):
        held = self._receive(cdr_payload(1, start=OLD))
        self.assertEqual(held.state, "quarantine")
        self.assertEqual(self.ids("emsp", self.token), ["CDR-1"])
        self.assertEqual(self.ids("cpo", self.emsp_token), [])
        held._release(RELEASED)
        self.assertEqual(self.ids("cpo", self.emsp_token), ["CDR-1"])
        # Who reads what is new meets it then, although it was found two days before.
        self.assertEqual(self.ids("cpo", self.emsp_token, "?date_from=2026-10-08T00:00:00Z"), ["CDR-1"])
        held._store({"state": "void"})
        self.assertEqual(self.ids("cpo", self.emsp_token), [])

    def test_list_is_paged_and_cut_by_dates(self):
        for number in range(1, 4):
            self.noted(number)
        total = len(self.findings("emsp", self.token))
        response = self.fetch("emsp/2.2.1/findings?limit=1&offset=1", self.token)
        self.assertEqual(len(response.json()["data"]), 1)
        self.assertEqual(response.headers["X-Total-Count"], str(total))
        self.assertIn("offset=2", response.headers["Link"])
        self.assertEqual(self.findings("emsp", self.token, "?date_from=2026-10-06T06:00:01Z"), [])
        self.assertEqual(self.findings("emsp", self.token, "?date_to=2026-10-06T06:00:00Z"), [])
        self.assertAnswer(self.fetch("emsp/2.2.1/findings?limit=x", self.token), 400, 2001)

    def test_what_was_taken_back_is_told_as_such(self):
        cdr = self.noted(1)
        cdr.finding_ids.sudo().superseded_at = RELEASED
        found = self.findings("emsp", self.token, "?date_from=2026-10-08T00:00:00Z")
        self.assertEqual({each["superseded"] for each in found}, {True})
        self.assertEqual({each["last_updated"] for each in found}, {"2026-10-08T06:00:00Z"})

    def test_findings_of_others_are_not_shown(self):
        self.noted(1)
        __, other_emsp_token = self._connect("CPO", "EMSP", "DE", "ABC", offer_findings=True)
        company = self.env["res.company"].create({"name": "Second house"})
        vals = {"company_id": company.id, "own_country_code": "BE", "offer_findings": True}
        __, far_token = self._connect("CPO", "EMSP", "DE", "SMO", **vals)
        self.assertEqual(self.ids("cpo", self.emsp_token), ["CDR-1"])
        self.assertEqual(self.ids("emsp", self.token), ["CDR-1"])
        for token in (other_emsp_token, far_token):
            self.assertEqual(self.findings("cpo", token), [])
        self.assertEqual(self.findings("emsp", self.cpo_token), [])
        # The other side of the house does not exist for a partner.
        self.assertAnswer(self.fetch("emsp/2.2.1/findings", self.emsp_token), 404, 2000)
        self.assertAnswer(self.fetch("cpo/2.2.1/findings", self.token), 404, 2000)
        self.assertAnswer(self.fetch("cpo/2.2.1/findings", "nobody"), 401, 2000)

    def test_list_is_only_read(self):
        self.assertAnswer(self.send("POST", "emsp/2.2.1/findings", {}, self.token), 405, 2000)

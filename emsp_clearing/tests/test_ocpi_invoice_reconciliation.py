import hashlib
import json
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import cdr_payload, raw
from .ocpi_objects_common import OcpiObjectsCommon
from .settlement_common import SettlementCommon, credit_of

OURS = "/ocpi/cpo/2.3.0/invoicereconciliation"
RECORD = {
    "country_code": "NL",
    "party_id": "TNM",
    "id": "REC-1",
    "invoice_id": "INV-2026-10",
    "cdrs": ["T-1", "T-2"],
    "last_updated": "2026-11-03T08:00:00Z",
}


@tagged("post_install", "-at_install")
class TestOwnInvoices(SettlementCommon, OcpiObjectsCommon):
    """Direct billing, as the CPO (OCPI 2.3.0 edition 2): a record for each invoice."""

    def records(self):
        return self.env["emsp.invoice.reconciliation"].search([("direction", "=", "ours")])

    def test_invoice_makes_one_record_with_its_cdrs(self):
        settlement = self._settle(cdr_payload(1), cdr_payload(2))
        record = self.records()
        self.assertEqual((record.settlement_id, record.move_id), (settlement, settlement.move_id))
        self.assertEqual((record.invoice_reference, record.cdr_count), (settlement.move_id.name, 2))
        payload = json.loads(record.payload)
        self.assertEqual(
            (payload["country_code"], payload["party_id"], payload["invoice_id"], payload["cdrs"]),
            ("FR", "RVR", settlement.move_id.name, ["CDR-1", "CDR-2"]),
        )
        self.assertEqual((len(payload["id"]), payload["currency"]), (36, "EUR"))
        self.assertEqual(payload["total_cost"]["before_taxes"], 12.8)
        annex = settlement.move_id.emsp_annex_id.raw
        self.assertEqual(payload["annex_sha256"], hashlib.sha256(annex).hexdigest())
        self.assertTrue(payload["dispute_url"].endswith(f"/my/invoices/{settlement.move_id.id}"))

    def test_run_again_makes_no_second_record(self):
        settlement = self._settle(cdr_payload())
        record = self.records()
        self.assertEqual(settlement._publish_reconciliation(settlement.move_id), record)
        self.assertEqual(self.records(), record)

    def test_credit_note_tells_a_negative_total(self):
        self._settle(cdr_payload())
        self._receive(credit_of(cdr_payload()), received_at=datetime(2026, 11, 12))
        self._run_due(datetime(2026, 12, 2, 23, 0))
        self._run_due(datetime(2026, 12, 9, 23, 0))
        [newer] = self.records() - self._settlement(10).reconciliation_ids
        self.assertEqual(newer.move_id.move_type, "out_refund")
        payload = json.loads(newer.payload)
        self.assertEqual((payload["cdrs"], payload["total_cost"]["before_taxes"]), (["CDR-C"], -6.4))

    def test_nothing_invoiced_makes_no_record(self):
        self._settle()
        self.assertFalse(self.records())

    def test_partner_reads_its_own_records_and_no_others(self):
        self._settle(cdr_payload())
        response = self.ocpi_get(OURS, token=self.emsp_token)
        self.assertAnswer(response, 200, 1000)
        told = [each["invoice_id"] for each in response.json()["data"]]
        self.assertEqual(told, [self.records().invoice_reference])
        self.assertEqual((response.headers["X-Total-Count"], response.headers["X-Limit"]), ("1", "100"))
        __, stranger = self._connect("CPO", "EMSP", "SE", "XXX")
        self.assertEqual(self.ocpi_get(OURS, token=stranger).json()["data"], [])
        self.assertAnswer(self.ocpi_get(OURS, token=self.cpo_token), 404, 2000)

    def test_list_is_paged_and_bounded_by_date(self):
        self._settle(cdr_payload())
        updated = self.records().last_updated.isoformat()
        for query, count in (("?offset=1", 0), (f"?date_from={updated}Z", 1), (f"?date_to={updated}Z", 0)):
            with self.subTest(query=query):
                data = self.ocpi_get(OURS + query, token=self.emsp_token).json()["data"]
                self.assertEqual(len(data), count)

    def test_our_records_are_not_written_by_partners(self):
        self._settle(cdr_payload())
        record = self.records()
        url = f"{OURS}/FR/RVR/{record.ocpi_id}"
        self.assertAnswer(self.ocpi_get(url, token=self.emsp_token), 404, 2000)
        self.assertAnswer(self.ocpi("DELETE", url, token=self.emsp_token), 404, 2000)
        body = raw({**RECORD, "country_code": "FR", "party_id": "RVR", "id": record.ocpi_id})
        self.assertAnswer(self.ocpi("PUT", url, token=self.emsp_token, data=body), 400, 2001, "country_code")

    def test_module_is_of_230_alone(self):
        for version, expected in (("2.1.1", set()), ("2.2.1", set()), ("2.3.0", {"SENDER", "RECEIVER"})):
            told = self.ocpi_get(f"/ocpi/{version}", token=self.emsp_token).json()["data"]["endpoints"]
            roles = {each.get("role") for each in told if each["identifier"] == "invoicereconciliation"}
            with self.subTest(version=version):
                self.assertEqual(roles, expected)
        url = OURS.replace("2.3.0", "2.2.1")
        self.assertAnswer(self.ocpi_get(url, token=self.emsp_token), 404, 2000)

    def test_record_is_queued_once_for_a_partner_that_takes_records(self):
        self.emsp.version = "2.3.0"
        url = "https://smo.test/ocpi/records"
        self.env["emsp.ocpi.endpoint"].create(
            {
                "connection_id": self.emsp.id,
                "identifier": "invoicereconciliation",
                "role": "RECEIVER",
                "url": url,
            }
        )
        # `_settle` runs jobs at once; sending is tested elsewhere.
        self.startPatcher(patch.object(type(self.emsp), "_enqueue_push", lambda *__: None))
        self._settle(cdr_payload())
        record = self.records()
        pushes = self.env["emsp.ocpi.push"].search([("module", "=", "invoicereconciliation")])
        self.assertEqual((pushes.connection_id, pushes.method, pushes.res_id), (self.emsp, "POST", record.id))
        self.assertEqual(pushes._message(datetime(2026, 11, 12)), (url, record.payload.encode()))
        record.sudo()._announce()
        self.emsp._queue_untold()
        found = self.env["emsp.ocpi.push"].search([("module", "=", "invoicereconciliation")])
        self.assertEqual(found, pushes)

    def test_partner_without_such_an_endpoint_is_not_told(self):
        self.emsp.version = "2.3.0"
        self._settle(cdr_payload())
        self.assertFalse(self.env["emsp.ocpi.push"].search([("module", "=", "invoicereconciliation")]))

    def test_people_read_records_and_do_not_write_them(self):
        self._settle(cdr_payload())
        with self.assertRaises(AccessError):
            self.records().sudo(False).write({"invoice_reference": "other"})


@tagged("post_install", "-at_install")
class TestPartnersInvoices(OcpiObjectsCommon):
    """Records that partners send: a CPO of its own CDRs, an eMSP of ours where it bills for us."""

    url = "emsp/2.3.0/invoicereconciliation"

    def setUp(self):
        super().setUp()
        for number in (1, 2):
            payload = cdr_payload(number, country_code="NL", party_id="TNM", id=f"T-{number}")
            self.assertAnswer(self.ocpi_post(payload, token=self.cpo_token), 201, 1000)

    def records(self):
        return self.env["emsp.invoice.reconciliation"].search([("direction", "=", "theirs")], order="id")

    def post(self, **changes):
        return self.send("POST", self.url, {**RECORD, **changes}, self.cpo_token)

    def put(self, record_id="REC-1", **changes):
        url = f"{self.url}/NL/TNM/{record_id}"
        return self.send("PUT", url, {**RECORD, "id": record_id, **changes}, self.cpo_token)

    def outcomes(self, record=None):
        lines = (record or self.records()).line_ids
        return {line.ocpi_cdr_id: line.outcome for line in lines}

    def test_new_record_is_matched_and_given_back(self):
        self.assertAnswer(self.post(cdrs=["T-1", "t-2", "T-9"]), 201, 1000)
        record = self.records()
        self.assertEqual(self.outcomes(), {"T-1": "known", "t-2": "known", "T-9": "unknown"})
        self.assertEqual(
            (record.cdr_count, record.known_count, record.unknown_count, record.repeated_count), (3, 2, 1, 0)
        )
        self.assertEqual((record.connection_id, record.invoice_reference), (self.cpo, "INV-2026-10"))
        data = self.fetch(f"{self.url}/NL/TNM/REC-1", self.cpo_token).json()["data"]
        self.assertEqual(data, {**RECORD, "cdrs": ["T-1", "t-2", "T-9"]})

    def test_ids_may_come_as_objects(self):
        self.assertAnswer(self.post(cdrs=[{"id": "T-1"}, {"id": "T-2"}]), 201, 1000)
        self.assertEqual(self.outcomes(), {"T-1": "known", "T-2": "known"})

    def test_extra_fields_are_read(self):
        self.cpo.default_contract_id = self.contract
        extra = {
            "total_cost": {"before_taxes": 100.5},
            "currency": "EUR",
            "annex_sha256": "ab" * 32,
            "dispute_url": "javascript:alert(1)",
        }
        self.assertAnswer(self.post(**extra), 201, 1000)
        record = self.records()
        self.assertEqual((record.stated_amount, record.currency_id.name), (100.5, "EUR"))
        self.assertEqual(record.annex_sha256, "ab" * 32)
        self.assertFalse(record.dispute_url)
        self.assertEqual(record.difference, 100.5 - record.cdr_amount)

    def test_cdr_of_two_records_is_told(self):
        self.post()
        self.assertAnswer(self.post(id="REC-2", invoice_id="INV-2", cdrs=["T-2"]), 201, 1000)
        first, second = self.records()
        self.assertEqual((self.outcomes(first), self.outcomes(second))[1], {"T-2": "repeated"})
        self.assertEqual(second.line_ids.repeated_in_id, first)
        self.assertEqual(self.outcomes(first), {"T-1": "known", "T-2": "known"})
        self.assertAnswer(self.put(cdrs=["T-1"]), 200, 1000)
        self.assertEqual(self.outcomes(second), {"T-2": "known"})

    def test_cdr_listed_twice_is_told(self):
        self.post(cdrs=["T-1", "t-1"])
        self.assertEqual(self.outcomes(), {"T-1": "known", "t-1": "repeated"})
        self.assertEqual(len(self.records().line_ids.cdr_id), 1)

    def test_record_again_changes_nothing_and_other_content_is_refused(self):
        self.post()
        self.assertAnswer(self.post(), 200, 1000)
        self.assertAnswer(self.post(invoice_id="other"), 200, 2001, "PUT")
        self.assertEqual(self.records().invoice_reference, "INV-2026-10")

    def test_put_changes_a_record_and_makes_one(self):
        self.assertAnswer(self.put(), 201, 1000)
        self.assertAnswer(self.put(cdrs=["T-1"], last_updated="2026-11-04T08:00:00Z"), 200, 1000)
        self.assertEqual(self.outcomes(), {"T-1": "known"})
        self.assertAnswer(self.put(cdrs=["T-2"], last_updated="2026-11-02T08:00:00Z"), 200, 1000)
        self.assertEqual(self.outcomes(), {"T-1": "known"})

    def test_delete_takes_a_record_back_and_keeps_it(self):
        self.post()
        self.post(id="REC-2", cdrs=["T-1"])
        first, second = self.records()
        url = f"/ocpi/{self.url}/NL/TNM/REC-1"
        self.assertAnswer(self.ocpi("DELETE", url, token=self.cpo_token), 200, 1000)
        self.assertTrue(first.withdrawn_at)
        self.assertEqual(self.outcomes(second), {"T-1": "known"})
        self.assertAnswer(self.ocpi("DELETE", url, token=self.cpo_token), 404, 2000)
        self.assertAnswer(self.ocpi_get(url, token=self.cpo_token), 404, 2000)
        self.assertAnswer(self.post(), 201, 1000)
        self.assertEqual(len(self.records()), 3)

    def test_cdr_that_comes_later_is_found_when_matched_again(self):
        self.post(cdrs=["T-3"])
        self.assertEqual(self.outcomes(), {"T-3": "unknown"})
        payload = cdr_payload(3, country_code="NL", party_id="TNM", id="T-3")
        self.ocpi_post(payload, token=self.cpo_token)
        self.records().action_match()
        self.assertEqual(self.outcomes(), {"T-3": "known"})
        self.assertEqual(self.records().unknown_count, 0)

    def test_reverse_billing_names_our_cdrs_of_the_partners_tokens(self):
        self.ocpi_post(cdr_payload(1))
        other = cdr_payload(2)
        other["cdr_token"] = {**other["cdr_token"], "party_id": "HXM", "contract_id": "DE-HXM-C00012345-6"}
        self.ocpi_post(other)
        record = {**RECORD, "country_code": "DE", "party_id": "SMO", "cdrs": ["CDR-1", "CDR-2"]}
        response = self.send("POST", "cpo/2.3.0/invoicereconciliation", record, self.emsp_token)
        self.assertAnswer(response, 201, 1000)
        self.assertEqual(self.outcomes(), {"CDR-1": "known", "CDR-2": "unknown"})
        self.assertEqual(self.records().line_ids.cdr_id.connection_id, self.connection)

    def test_record_of_another_party_is_refused(self):
        self.assertAnswer(self.post(party_id="XXX"), 400, 2001, "party_id")
        self.assertAnswer(self.put(party_id="XXX"), 400, 2001, "party_id")

    def test_unreadable_records_are_refused(self):
        for changes, message in (
            ({"cdrs": []}, "cdrs"),
            ({"cdrs": [{}]}, "cdrs[0].id"),
            ({"cdrs": ["a\0b"]}, "cdrs[0]"),
            ({"invoice_id": None}, "invoice_id"),
        ):
            with self.subTest(message=message):
                self.assertAnswer(self.post(**changes), 400, 2001, message)
        self.assertFalse(self.records())

    def test_one_cpos_record_is_hidden_from_another(self):
        self.post()
        __, stranger = self._connect("EMSP", "CPO", "BE", "OTH")
        url = f"/ocpi/{self.url}/NL/TNM/REC-1"
        self.assertAnswer(self.ocpi_get(url, token=stranger), 404, 2000)
        self.assertAnswer(self.ocpi("DELETE", url, token=stranger), 404, 2000)


@tagged("post_install", "-at_install")
class TestBothDirections(SettlementCommon, OcpiObjectsCommon):
    def test_cdr_that_we_invoiced_is_told_when_the_partner_bills_it_too(self):
        self._settle(cdr_payload())
        record = {**RECORD, "country_code": "DE", "party_id": "SMO", "cdrs": ["CDR-1"]}
        self.send("POST", "cpo/2.3.0/invoicereconciliation", record, self.emsp_token)
        theirs = self.env["emsp.invoice.reconciliation"].search([("direction", "=", "theirs")])
        self.assertEqual(theirs.line_ids.outcome, "repeated")
        self.assertEqual(theirs.line_ids.repeated_in_id, self._settlement().reconciliation_ids)
        self.assertEqual(theirs.cdr_amount, 6.4)

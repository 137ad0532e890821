import json

from odoo.tests import tagged

from .common import cdr_payload, raw
from .webhook_common import OLD, WebhookCommon


@tagged("post_install", "-at_install")
class TestWebhookAudience(WebhookCommon):
    """Who is told of which CDR."""

    def test_held_cdr_is_told_to_its_sender_and_released_to_both(self):
        ours = self.create_webhook()
        sender = self.create_webhook(connection_id=self.connection.id)
        emsp = self.create_webhook(connection_id=self.emsp.id)
        payer = self.create_webhook(partner_id=self.partner.id)
        held = self._receive(cdr_payload(1, start=OLD))
        self.assertEqual(held.state, "quarantine")
        for webhook in (ours, sender):
            self.assertEqual(self.events(webhook), [("cdr.flagged", "CDR-1")])
        for webhook in (emsp, payer):
            self.assertFalse(self.events(webhook))
        held._decide("release", "Checked")
        for webhook in (ours, sender, emsp, payer):
            self.assertEqual(self.events(webhook)[-1], ("cdr.released", "CDR-1"))

    def test_link_of_a_held_cdr_is_for_who_may_see_it_held(self):
        sender = self.create_webhook(connection_id=self.connection.id)
        emsp = self.create_webhook(connection_id=self.emsp.id)
        held = self._receive(cdr_payload(1, start=OLD))
        held._decide("release", "Checked")
        tokens = {
            webhook: json.loads(webhook.delivery_ids[0].payload)["data"]["explanation_url"].split("=")[-1]
            for webhook in (sender, emsp)
        }
        held._store({"state": "quarantine"})
        self.assertTrue(self.env["emsp.cdr"]._find_explained(held.id, tokens[sender]))
        self.assertFalse(self.env["emsp.cdr"]._find_explained(held.id, tokens[emsp]))

    def test_cdr_of_another_party_is_not_told(self):
        other, __ = self._connect("CPO", "EMSP", "NL", "OTH")
        stranger = self.env["res.partner"].create({"name": "Other"})
        webhooks = (
            self.create_webhook(connection_id=other.id),
            self.create_webhook(partner_id=stranger.id),
            self.create_webhook(connection_id=self.cpo.id),
        )
        self._receive(cdr_payload())
        for webhook in webhooks:
            self.assertFalse(self.events(webhook))

    def test_claim_of_a_cpo_is_told_to_that_cpo_and_to_no_emsp(self):
        partner = self.env["res.partner"].create({"name": "TNM"})
        self._create_contract(partner, "NL", "TNM", partner_role="cpo")
        cpo = self.create_webhook(connection_id=self.cpo.id)
        of_partner = self.create_webhook(partner_id=partner.id)
        emsp = self.create_webhook(connection_id=self.emsp.id)
        endpoint = self.cpo._as_endpoint()
        payload = cdr_payload(start=OLD, country_code="NL", party_id="TNM")
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [raw(payload)], self.now)
        receipt.record.sudo()._rate(self.now)
        self.assertEqual(self.events(cpo), [("cdr.flagged", "CDR-1")])
        self.assertEqual(self.events(of_partner), [("cdr.flagged", "CDR-1")])
        self.assertFalse(self.events(emsp))

    def test_other_company_hears_nothing(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        webhook = self.create_webhook(company_id=other.id)
        self._receive(cdr_payload())
        self.assertFalse(self.events(webhook))

    def test_what_is_switched_off_archived_or_has_no_secret_is_not_queued(self):
        off = self.create_webhook(is_priced_told=False)
        archived = self.create_webhook(active=False)
        bare = self.create_webhook()
        bare.sudo().secret_hint = False
        self._receive(cdr_payload())
        for webhook in (off, archived, bare):
            self.assertFalse(self.events(webhook))

    def test_held_cdr_without_a_price_has_none_and_no_link(self):
        webhook = self.create_webhook()
        self._receive(cdr_payload(currency="USD"))
        data = json.loads(webhook.delivery_ids.payload)["data"]
        self.assertEqual(data["state"], "quarantine")
        self.assertIsNone(data["price"]["amount_excl_vat"])
        self.assertIsNone(data["explanation_url"])
        self.assertIn("currency_mismatch", [finding["code"] for finding in data["findings"]])

    def test_batch_costs_no_query_for_each_cdr(self):
        self.create_webhook()
        few = self._receive(*(cdr_payload(number) for number in range(2, 4)), rate=False)
        many = self._receive(*(cdr_payload(number) for number in range(10, 40)), rate=False)
        counts = []
        for cdrs in (few, many):
            self.env.flush_all()
            cdrs.invalidate_recordset()
            before = self.env.cr.sql_log_count
            with self.trapped("_job_send"):
                cdrs._announce("cdr.priced")
                self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)

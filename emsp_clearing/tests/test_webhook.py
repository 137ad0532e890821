import hashlib
import hmac
import json
from datetime import datetime, timedelta

from odoo import SUPERUSER_ID, Command, sql_db
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.queue_job.exception import RetryableJobError

from ..models.emsp_webhook_delivery import WEBHOOK_LOCK
from .common import cdr_payload
from .webhook_common import HOOK, SECRET, WebhookCommon


@tagged("post_install", "-at_install")
class TestWebhookSending(WebhookCommon):
    def setUp(self):
        super().setUp()
        self.receiver = self.run_receiver()
        self.webhook = self.hook_to(self.receiver)

    def failures(self, state="open"):
        return self.env["emsp.exception"].search(
            [("fact_key", "=", f"emsp.webhook:{self.webhook.id}"), ("state", "=", state)]
        )

    def test_price_is_told_with_its_difference_and_explanation(self):
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        self.send_due(self.webhook)
        [(method, path, headers, body)] = self.receiver.requests
        event = json.loads(body)
        delivery = self.webhook.delivery_ids
        self.assertEqual((method, path, headers["Content-Type"]), ("POST", HOOK, "application/json"))
        self.assertEqual({event["id"], headers["X-Emsp-Delivery"]}, {delivery.uid})
        self.assertEqual((event["type"], event["data"]["state"]), ("cdr.priced", "open"))
        self.assertEqual(
            event["data"]["cdr"],
            {"country_code": "FR", "party_id": "RVR", "id": "CDR-1", "session_id": "S-1"},
        )
        self.assertEqual(
            event["data"]["price"],
            {
                "currency": "EUR",
                "stated_excl_vat": "7.00",
                "amount_excl_vat": "6.40",
                "difference": "-0.60",
            },
        )
        self.assertEqual(event["data"]["payload_sha256"], cdr.payload_sha256)
        self.assertIn(f"/emsp/cdr/{cdr.id}/explanation?access_token=", event["data"]["explanation_url"])
        self.assertEqual(event["data"]["findings"], [finding._told() for finding in cdr.finding_ids])
        self.assertIn("7.00 EUR", [finding["found"] for finding in event["data"]["findings"]])
        self.assertEqual((delivery.state, delivery.http_status, delivery.attempts), ("sent", 204, 1))
        self.assertEqual(self.webhook.last_result, "HTTP 204")

    def test_signature_is_what_a_receiver_works_out_by_hand(self):
        self._receive(cdr_payload())
        self.send_due(self.webhook)
        [(__, __, headers, body)] = self.receiver.requests
        parts = dict(part.split("=") for part in headers["X-Emsp-Signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
        self.assertEqual(parts["v1"], expected.hexdigest())
        age = datetime.now().timestamp() - int(parts["t"])
        self.assertTrue(0 <= age < 60, age)

    def test_job_is_asked_for_at_once(self):
        cdr = self._receive(cdr_payload(), rate=False)
        with self.trapped("_job_send") as jobs:
            cdr._rate(self.now)
        self.assertEqual(
            [(job.method.__self__, job.properties.get("eta")) for job in jobs], [(self.webhook, None)]
        )

    def test_rating_that_is_rolled_back_queues_nothing(self):
        cdr = self._receive(cdr_payload(), rate=False)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            cdr._rate(self.now)
            self.env.flush_all()
            self.assertTrue(self.webhook.delivery_ids)
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertFalse(self.webhook.delivery_ids)

    def test_failed_one_is_tried_again_ever_more_rarely_under_the_same_id(self):
        self._receive(cdr_payload())
        self.receiver.answers[HOOK] = (500, b"", {})
        delivery, waits, after = self.webhook.delivery_ids, [], timedelta(0)
        for __ in range(4):
            self.send_due(self.webhook, after)
            waits.append((delivery.next_try_at - self.now - after) // timedelta(minutes=1))
            after = delivery.next_try_at - self.now
        self.assertEqual(waits, [1, 2, 4, 8])
        self.assertEqual((delivery.state, delivery.attempts, delivery.http_status), ("failed", 4, 500))
        self.receiver.answers[HOOK] = (200, b"", {})
        self.send_due(self.webhook, after)
        self.assertEqual((delivery.state, delivery.attempts), ("sent", 5))
        self.assertEqual(
            {headers["X-Emsp-Delivery"] for __, __, headers, __ in self.receiver.requests}, {delivery.uid}
        )
        self.assertEqual(len({body for *__, body in self.receiver.requests}), 1)

    def test_receiver_that_is_down_is_left_alone_and_the_others_wait(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        self.receiver.answers[HOOK] = (503, b"", {})
        jobs = self.send_due(self.webhook)
        self.assertEqual(len(self.receiver.requests), 1)
        self.assertEqual(self.webhook.paused_until, self.now + timedelta(minutes=1))
        self.assertEqual([job.properties["eta"] for job in jobs], [self.webhook.paused_until])
        self.send_due(self.webhook, timedelta(seconds=30))
        self.assertEqual(len(self.receiver.requests), 1)
        self.receiver.answers[HOOK] = (200, b"", {})
        self.send_due(self.webhook, timedelta(minutes=1))
        self.assertEqual(self.webhook.delivery_ids.mapped("state"), ["sent", "sent"])
        self.assertFalse(self.webhook.paused_until or self.webhook.failure_count)

    def test_event_that_the_receiver_refuses_holds_up_no_other(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        answers = [(422, b"", {}), (200, b"", {})]
        self.receiver.answers[HOOK] = lambda: answers.pop(0)
        self.send_due(self.webhook)
        self.assertEqual(self.webhook.delivery_ids.sorted("id").mapped("state"), ["failed", "sent"])
        self.assertFalse(self.webhook.paused_until)

    def test_redirect_is_not_followed(self):
        self._receive(cdr_payload())
        self.receiver.answers[HOOK] = (302, b"", {"Location": f"{self.receiver.base}/elsewhere"})
        self.send_due(self.webhook)
        self.assertEqual(self.receiver.paths(), [HOOK])
        self.assertEqual(self.webhook.delivery_ids.http_status, 302)

    def test_after_seven_days_it_is_given_up_with_an_exception_and_can_be_repeated(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        self.receiver.answers[HOOK] = (500, b"", {})
        self.send_due(self.webhook, timedelta(days=6))
        self.assertFalse(self.failures())
        self.send_due(self.webhook, timedelta(days=7))
        self.assertEqual(self.webhook.delivery_ids.mapped("state"), ["given_up", "given_up"])
        failure = self.failures()
        self.assertEqual((failure.kind, failure.company_id), ("push_failed", self.company))
        self.assertIn("did not take 2 events", failure.name)
        self.assertIn("HTTP 500", failure.name)
        self.receiver.answers[HOOK] = (200, b"", {})
        with self.trapped("_job_send") as jobs:
            self.webhook.delivery_ids.action_repeat()
        self.assertEqual(len(jobs), 1)
        self.send_due(self.webhook)
        self.assertEqual(self.webhook.delivery_ids.mapped("state"), ["sent", "sent"])
        self.assertFalse(self.failures())
        self.assertTrue(self.failures("closed"))

    def test_sent_one_is_repeated_under_its_id(self):
        self._receive(cdr_payload())
        self.send_due(self.webhook)
        self.webhook.delivery_ids.action_repeat()
        self.send_due(self.webhook)
        first, second = self.receiver.requests
        self.assertEqual(first[2]["X-Emsp-Delivery"], second[2]["X-Emsp-Delivery"])

    def test_second_job_of_a_webhook_is_put_off(self):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [WEBHOOK_LOCK, self.webhook.id])
            with self.assertRaises(RetryableJobError):
                self.send_due(self.webhook)

    def test_cron_takes_up_what_has_lost_its_job(self):
        self._receive(cdr_payload())
        with self.trapped("_job_send") as jobs:
            self.env["emsp.webhook"]._cron_send(self.now)
        self.assertEqual(len(jobs), 1)
        self.send_due(self.webhook)
        with self.trapped("_job_send") as jobs:
            self.env["emsp.webhook"]._cron_send(self.now)
        self.assertFalse(jobs)

    def test_address_of_a_private_network_is_refused_when_it_is_stored_and_when_it_is_called(self):
        with self.assertRaisesRegex(ValidationError, "private network"):
            self.create_webhook("https://127.0.0.1/hook", allow_private_network=False)
        self._receive(cdr_payload())
        # As if the name had led elsewhere when it was typed in.
        self.env.cr.execute(
            "UPDATE emsp_webhook SET allow_private_network = FALSE, url = %s WHERE id = %s",
            [self.receiver.base.replace("http:", "https:"), self.webhook.id],
        )
        self.env.invalidate_all()
        self.send_due(self.webhook)
        self.assertFalse(self.receiver.requests)
        self.assertIn("private network", self.webhook.delivery_ids.last_error)

    def test_address_without_tls_or_with_a_password_is_refused(self):
        for url in ("http://hooks.example.com/x", "https://me:pw@hooks.example.com/x", "hooks"):
            with self.subTest(url=url), self.assertRaisesRegex(ValidationError, "https://"):
                self.create_webhook(url, allow_private_network=False)

    def test_old_deliveries_go(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        self.send_due(self.webhook)
        first, second = self.webhook.delivery_ids
        self.env.cr.execute(
            "UPDATE emsp_webhook_delivery SET write_date = write_date - interval '31 days' WHERE id = %s",
            [first.id],
        )
        self.env["emsp.webhook.delivery"].with_user(SUPERUSER_ID)._gc_done()
        self.assertEqual(self.webhook.delivery_ids, second)

    def test_test_button_tells_what_the_receiver_answers(self):
        action = self.webhook.action_test()
        self.assertEqual(action["params"]["type"], "success")
        [(__, __, headers, body)] = self.receiver.requests
        self.assertEqual(json.loads(body)["type"], "webhook.test")
        self.assertIn("v1=", headers["X-Emsp-Signature"])
        self.receiver.answers[HOOK] = (418, b"", {})
        self.assertIn("HTTP 418", self.webhook.action_test()["params"]["message"])

    def test_secret_is_shown_once_and_read_by_nobody(self):
        manager = new_test_user(
            self.env,
            "hook_manager",
            "emsp_clearing.emsp_clearing_group_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        webhook = self.webhook.with_user(manager).sudo(False)
        action = webhook.action_new_secret()
        secret = action["context"]["default_secret"]
        shown = Form(self.env["emsp.webhook.secret"].with_user(manager).with_context(**action["context"]))
        self.assertEqual(shown.secret, secret)
        self.assertNotIn(secret, webhook.sudo().secret)
        self.assertEqual(webhook._secret_clear(), secret)
        with self.assertRaises(AccessError):
            webhook.read(["secret"])
        with self.assertRaises(AccessError):
            webhook.write({"secret": "mine"})

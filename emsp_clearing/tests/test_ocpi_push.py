from datetime import date, datetime, timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import cdr_payload, raw
from .ocpi_objects_common import payload_of
from .ocpi_push_common import PushCommon


@tagged("post_install", "-at_install")
class TestPushCdrs(PushCommon):
    def test_cdr_is_posted_once_it_is_open_and_its_place_is_kept(self):
        cdr = self._receive(cdr_payload())
        push = self.outbox()
        self.assertEqual((push.state, push.key, push.method), ("pending", "FR*RVR*CDR-1", "POST"))
        self.push()
        self.assertEqual(self.emsp_system.told, [("POST", "cdrs", "", cdr_payload())])
        self.assertEqual((push.state, push.attempts), ("sent", 1))
        self.assertEqual(push.location_url, f"{self.emsp_system.base}/cdrs/1")
        headers = self.emsp_system.requests[0][2]
        self.assertEqual(headers["X-Correlation-ID"], push.correlation_uid)
        self.assertEqual((headers["OCPI-to-country-code"], headers["OCPI-to-party-id"]), ("DE", "SMO"))
        self.assertEqual(cdr.state, "open")

    def test_cdrs_of_a_batch_cost_no_query_each(self):
        few = self._receive(*(cdr_payload(number) for number in range(2)), rate=False)
        many = self._receive(*(cdr_payload(number) for number in range(10, 40)), rate=False)
        counts = []
        for cdrs in (few, many):
            cdrs._store({"state": "open"})
            self.env.flush_all()
            cdrs.invalidate_recordset()
            before = self.env.cr.sql_log_count
            with trap_jobs():
                cdrs._queue_push()
                self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(len(self.outbox()), 32)
        # The first batch also reads what is the same for all; a row more is one more in the same INSERT.
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_cdr_that_waits_or_is_held_is_not_sent_until_it_is_released(self):
        old = cdr_payload(1, start=datetime(2026, 5, 1))
        held = self._receive(old)
        self.assertEqual(held.state, "quarantine")
        self._receive(cdr_payload(2), rate=False)
        self.assertFalse(self.outbox())
        held._decide("release", "Late by agreement")
        self.assertEqual(self.outbox().key, "FR*RVR*CDR-1")

    def test_cdr_that_is_held_again_before_its_turn_is_sent_after_its_release_alone(self):
        cdr = self._receive(cdr_payload())
        cdr._update_state("quarantine")
        self.push()
        self.assertFalse(self.emsp_system.told)
        self.assertEqual(self.outbox().state, "dropped")
        cdr._decide("release", "Checked")
        self.push()
        self.assertEqual([told[3]["id"] for told in self.emsp_system.told], ["CDR-1"])

    def test_cdr_of_another_party_is_not_sent(self):
        stranger = {**cdr_payload()["cdr_token"], "country_code": "NL", "party_id": "OTH"}
        self._create_contract(self.env["res.partner"].create({"name": "Other"}), "NL", "OTH")
        cdr = self._receive(cdr_payload(cdr_token=stranger))
        self.assertEqual(cdr.state, "open")
        self.assertFalse(self.env["emsp.ocpi.push"].search([]))

    def test_cdr_that_a_cpo_claims_from_us_is_not_passed_on(self):
        endpoint = self.cpo._as_endpoint()
        payload = cdr_payload(country_code="NL", party_id="TNM")
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [raw(payload)], self.now)
        cdr = receipt.record.sudo()
        cdr._store({"state": "open"})
        self.assertEqual((cdr.token_country_code, cdr.token_party_id), ("DE", "SMO"))
        cdr._queue_push()
        self.assertFalse(self.outbox())

    def test_nothing_is_queued_where_the_switch_is_off_or_no_address_is_known(self):
        self.emsp.push_cdrs = False
        self._receive(cdr_payload(1))
        self.emsp.push_cdrs = True
        self.emsp.endpoint_ids.filtered(lambda each: each.identifier == "cdrs").unlink()
        self._receive(cdr_payload(2))
        self.assertFalse(self.outbox())

    def test_push_that_is_asked_for_again_sends_nothing_twice(self):
        cdr = self._receive(cdr_payload())
        self.push()
        cdr._queue_push()
        self.emsp.action_push_now()
        self.push()
        self.assertEqual(len(self.outbox()), 1)
        self.assertEqual(len(self.emsp_system.told), 1)

    def test_push_now_queues_what_was_open_before_the_partner_had_an_address(self):
        self.emsp.push_cdrs = False
        self._receive(cdr_payload())
        self.emsp.push_cdrs = True
        with trap_jobs() as trap:
            self.emsp.with_user(self.user_of("operator")).action_push_now()
            trap.perform_enqueued_jobs()
        self.assertEqual(self.outbox().state, "sent")

    def test_voided_cdr_is_not_sent(self):
        cdr = self._receive(cdr_payload())
        cdr._void("Test charge")
        self.push()
        self.assertEqual(self.outbox().state, "dropped")
        self.assertFalse(self.emsp_system.told)

    def test_credit_that_neutralises_follows_an_original_that_was_sent(self):
        self._receive(cdr_payload(1))
        self.push()
        credit = cdr_payload(2, credit=True, credit_reference_id="CDR-1")
        self.assertEqual(self._receive(credit).state, "void")
        self.push()
        self.assertEqual([told[3]["id"] for told in self.emsp_system.told], ["CDR-1", "CDR-2"])

    def test_credit_that_neutralises_stays_here_with_an_original_that_was_not_sent(self):
        self._receive(cdr_payload(1))
        self._receive(cdr_payload(2, credit=True, credit_reference_id="CDR-1"))
        self.push()
        self.push()
        self.assertEqual(self.outbox().mapped("state"), ["dropped", "dropped"])
        self.assertFalse(self.emsp_system.told)

    def test_credit_waits_for_its_original(self):
        self._receive(cdr_payload(1))
        self.emsp_system.script = [(500, b"", {})]
        self.push()
        self._receive(cdr_payload(2, credit=True, credit_reference_id="CDR-1"))
        self.push()
        original, credit = self.outbox()
        self.assertEqual((original.state, credit.state, credit.attempts), ("pending", "pending", 0))
        self.assertEqual(credit.next_try_at, original.next_try_at)
        self.push(after=timedelta(minutes=2))
        # The original is void by now; the partner may have it from the first try, so it needs the credit.
        self.push(after=timedelta(minutes=2))
        self.assertEqual(self.outbox().mapped("state"), ["dropped", "sent"])

    def test_ocpi_2_1_1_has_no_word_for_a_credit(self):
        self._receive(cdr_payload(1))
        self.push()
        self.emsp.version = "2.1.1"
        self.env.flush_all()
        self._receive(cdr_payload(2, credit=True, credit_reference_id="CDR-1"))
        self.push()
        credit = self.outbox()[1]
        self.assertEqual(credit.state, "failed")
        self.assertIn("no credit CDRs", credit.last_error)

    def test_cdr_is_said_in_the_partners_version(self):
        self.emsp.version = "2.3.0"
        self.env.flush_all()
        self._receive(cdr_payload())
        self.push()
        self.assertEqual(self.emsp_system.told[0][3]["total_cost"], {"before_taxes": 6.4})


@tagged("post_install", "-at_install")
class TestPushObjects(PushCommon):
    def test_session_of_our_chargers_is_put_to_the_partner_of_its_token(self):
        self.emsp.push_sessions = True
        self.receive_own("sessions")
        self.push()
        [(method, __, path, body)] = self.emsp_system.told_of("sessions")
        self.assertEqual((method, path, body["id"]), ("PUT", "FR/RVR/S-1", "S-1"))

    def test_of_several_changes_only_the_newest_is_sent(self):
        self.emsp.push_sessions = True
        for minute, energy in (("10", 4.2), ("20", 5.1), ("30", 6.3)):
            self.receive_own("sessions", kwh=energy, last_updated=f"2026-10-05T08:{minute}:00Z")
        self.push()
        [told] = self.emsp_system.told_of("sessions")
        self.assertEqual(told[3]["kwh"], 6.3)
        self.assertEqual(self.outbox().mapped("state"), ["dropped", "dropped", "sent"])

    def test_session_of_a_cpo_is_not_passed_on(self):
        self.emsp.push_sessions = True
        endpoint = self.cpo._as_endpoint()
        address = {"country_code": "NL", "party_id": "TNM", "id": "S-1"}
        body = raw(payload_of("sessions"))
        endpoint.env["emsp.session"]._put(endpoint, "2.2.1", address, body, self.now)
        self.assertFalse(self.outbox())

    def test_location_of_our_chargers_is_put_to_every_partner_that_wants_it(self):
        self.emsp.push_locations = True
        self.receive_own("locations", id="LOC/1 é")
        self.push()
        [(method, __, path, body)] = self.emsp_system.told_of("locations")
        self.assertEqual((method, path, body["id"]), ("PUT", "FR/RVR/LOC/1 é", "LOC/1 é"))
        self.assertIn("/locations/FR/RVR/LOC%2F1%20%C3%A9", self.emsp_system.paths("PUT"))

    def test_own_token_is_put_when_it_is_made_and_when_it_changes(self):
        self.cpo.push_tokens = True
        self.add_endpoints(self.cpo, self.cpo_system, "RECEIVER", "tokens")
        token = self.env["emsp.token"].create(
            {"ocpi_id": "04AA", "emaid": "FR-RVR-C12345678-9", "token_type": "APP_USER"}
        )
        self.push(self.cpo)
        self.assertEqual(self.cpo_system.paths("PUT"), ["/tokens/FR/RVR/04AA?type=APP_USER"])
        token.write({"last_updated": self.now + timedelta(minutes=1), "is_valid": False})
        self.push(self.cpo)
        self.assertEqual([told[3]["valid"] for told in self.cpo_system.told], [True, False])
        with self.assertRaisesRegex(UserError, "was sent to partners"):
            token.unlink()

    def test_partners_token_is_not_passed_on(self):
        self.cpo.push_tokens = True
        self.add_endpoints(self.cpo, self.cpo_system, "RECEIVER", "tokens")
        endpoint = self.emsp._as_endpoint()
        tokens = endpoint.env["emsp.token"]
        address = tokens._address({"country_code": "DE", "party_id": "SMO", "uid": "04A1B2C3D4E5F6"}, "RFID")
        tokens._put(endpoint, "2.2.1", address, raw(payload_of("tokens")), self.now)
        self.assertFalse(self.outbox(self.cpo))


@tagged("post_install", "-at_install")
class TestPushTariffs(PushCommon):
    def setUp(self):
        super().setUp()
        self.emsp.push_tariffs = True

    def told(self):
        return [(method, path) for method, __, path, __ in self.emsp_system.told_of("tariffs")]

    def test_published_grid_of_the_partners_contract_is_put(self):
        self._create_grid("DC-2026")
        self.push()
        [(method, __, path, body)] = self.emsp_system.told_of("tariffs")
        self.assertEqual((method, path), ("PUT", "FR/RVR/AC-2026"))
        prices = {part["type"]: part["price"] for part in body["elements"][0]["price_components"]}
        self.assertEqual(prices["ENERGY"], 0.39)

    def test_tariff_whose_prices_stay_is_put_once(self):
        connections = self.env["emsp.ocpi.connection"]
        connections._cron_push(self.now)
        self.push()
        self.grid.name = "Another name"
        connections._cron_push(self.now)
        self.push()
        self.assertEqual(self.told(), [("PUT", "FR/RVR/AC-2026")])

    def test_version_that_ends_is_deleted_and_the_next_one_put(self):
        self.env["emsp.ocpi.connection"]._cron_push(self.now)
        self.push()
        action = self.grid.action_new_version()
        following = self.env["emsp.price.grid"].browse(action["res_id"])
        following.valid_from = date(2027, 1, 1)
        following.action_publish()
        self.push()
        self.assertEqual(len(self.told()), 1, "the new version does not hold yet")
        day = datetime(2027, 1, 1, 12, 0)
        self.env["emsp.ocpi.connection"]._cron_push(day)
        self.now = day
        self.push()
        self.assertEqual(self.told()[1:], [("PUT", "FR/RVR/AC-2026-2"), ("DELETE", "FR/RVR/AC-2026")])

    def test_tariff_that_comes_back_is_put_again(self):
        connections = self.env["emsp.ocpi.connection"]
        for grids in (self.grid, self.grid.browse(), self.grid):
            self.contract.price_grid_ids = [Command.set(grids.ids)]
            connections._cron_push(self.now)
            self.push()
        self.assertEqual([method for method, __ in self.told()], ["PUT", "DELETE", "PUT"])

    def test_end_of_a_tariff_that_the_partner_does_not_know_is_no_failure(self):
        connections = self.env["emsp.ocpi.connection"]
        connections._cron_push(self.now)
        self.push()
        self.contract.price_grid_ids = [Command.clear()]
        connections._cron_push(self.now)
        self.emsp_system.script = [(404, b"", {})]
        self.push()
        self.assertEqual(self.outbox(method="DELETE").state, "sent")

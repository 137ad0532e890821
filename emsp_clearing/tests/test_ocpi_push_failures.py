import time
from datetime import UTC, timedelta
from email.utils import format_datetime
from unittest.mock import patch

from odoo import SUPERUSER_ID, sql_db
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import emsp_ocpi_network, emsp_ocpi_push_run
from ..models.emsp_ocpi_traffic import PUSH_LOCK
from .common import cdr_payload
from .ocpi_objects_common import payload_of
from .ocpi_push_common import PushCommon

HTTP_503 = (503, b"", {})


@tagged("post_install", "-at_install")
class TestPushFailures(PushCommon):
    def test_timeout_repeats_the_same_post_and_a_known_duplicate_counts_as_sent(self):
        self._receive(cdr_payload())

        def slow(method, module, query):
            # Taken, but the answer comes too late.
            self.emsp_system.told.append(("POST", "cdrs", "", cdr_payload()))
            time.sleep(0.6)
            return self.emsp_system.ok(None)

        self.emsp_system.script = [slow]
        with patch.object(emsp_ocpi_network, "TIMEOUT_S", (0.2, 0.2)):
            self.push()
        push = self.outbox()
        self.assertEqual((push.state, push.attempts), ("pending", 1))
        self.assertIn("did not answer in time", push.last_error)
        self.push(after=timedelta(minutes=2))
        self.assertEqual((push.state, push.attempts, push.last_error), ("sent", 2, False))
        bodies = {request[3] for request in self.emsp_system.requests}
        self.assertEqual(len(bodies), 1)
        self.assertEqual(len(self.emsp_system.requests), 2)

    def test_tries_come_later_and_later_and_end_after_seven_days(self):
        self._receive(cdr_payload())
        push, waits, after = self.outbox(), [], timedelta(0)
        self.emsp_system.script = [(500, b"", {})] * 100
        while push.state == "pending":
            self.push(after=after)
            waits.append(push.next_try_at - self.now - after)
            after = push.next_try_at - self.now
        minutes = [wait.total_seconds() / 60 for wait in waits]
        self.assertEqual(minutes[:9], [1, 2, 4, 8, 16, 32, 64, 128, 256])
        self.assertEqual(set(minutes[9:]), {360})
        self.assertEqual(push.state, "given_up")
        self.assertGreaterEqual(after - waits[-1], timedelta(days=7))
        self.assertLess(after - waits[-1], timedelta(days=7, hours=6))
        failure = self.failures(self.emsp)
        self.assertEqual(failure.partner_id, self.emsp.partner_id)
        self.assertIn("did not take 1 of our messages (OCPI module cdrs)", failure.name)
        self.assertIn("HTTP 500", failure.name)
        self.assertIn("Outbox", failure.suggestion)

    def test_repeat_sends_what_was_given_up_and_closes_the_exception(self):
        self._receive(cdr_payload())
        self.emsp_system.script = [HTTP_503]
        self.outbox().sudo().write({"first_try_at": self.now - timedelta(days=8), "attempts": 30})
        self.push()
        push = self.outbox()
        self.assertEqual(push.state, "given_up")
        self.assertTrue(self.failures(self.emsp))
        with trap_jobs() as trap:
            push.with_user(self.user_of("operator")).action_repeat()
            self.assertEqual((push.state, push.attempts, push.first_try_at), ("pending", 0, False))
            trap.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(push.state, "sent")
        self.assertFalse(self.failures(self.emsp))

    def test_refusal_is_not_repeated_and_is_told_to_people(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        refusal = {"status_code": 2001, "status_message": "no such token"}
        self.emsp_system.script = [(200, refusal, {}), (400, b"", {})]
        self.assertFalse(self.push(), "nothing is left to send")
        self.assertEqual(self.outbox().mapped("state"), ["failed", "failed"])
        self.assertIn("2001 no such token", self.outbox()[0].last_error)
        self.assertIn("did not take 2 of our messages", self.failures(self.emsp).name)
        self.push(after=timedelta(days=1))
        self.assertEqual(len(self.emsp_system.requests), 2)

    def test_answer_that_is_no_success_is_tried_again(self):
        for answer in ((200, {"status_code": 3000}, {}), (200, b"<html>", {}), (408, b"", {})):
            self._receive(cdr_payload(len(self.outbox()) + 1))
            self.emsp_system.script = [answer]
            self.push()
            push = self.outbox()[-1]
            self.assertEqual((push.state, push.hold_until), ("pending", False), answer)

    def test_429_leaves_the_partner_alone_for_as_long_as_it_asks(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        for header, wait in (("700", timedelta(seconds=700)), (None, timedelta(minutes=2))):
            self.emsp_system.script = [(429, b"", {"Retry-After": header} if header else {})]
            start = self.outbox()[0].next_try_at - self.now
            [job] = self.push(after=max(start, timedelta(0)))
            first, second = self.outbox()
            self.assertEqual(first.hold_until - self.now, max(start, timedelta(0)) + wait)
            self.assertEqual(job.properties["eta"], first.hold_until)
            self.assertEqual((second.state, second.attempts), ("pending", 0))
            requests = len(self.emsp_system.requests)
            self.push(after=max(start, timedelta(0)) + wait / 2)
            self.assertEqual(len(self.emsp_system.requests), requests, "asked during its time")
        self.push(after=timedelta(hours=1))
        self.assertEqual(self.outbox().mapped("state"), ["sent", "sent"])

    def test_429_may_name_a_date(self):
        self._receive(cdr_payload())
        until = (self.now + timedelta(minutes=17)).replace(tzinfo=UTC)
        self.emsp_system.script = [(429, b"", {"Retry-After": format_datetime(until, usegmt=True)})]
        self.push()
        self.assertEqual(self.outbox().hold_until, self.now + timedelta(minutes=17))

    def test_partner_that_cannot_be_reached_is_called_once_and_not_for_each_message(self):
        self._receive(*(cdr_payload(number) for number in range(5)))
        self.emsp_system.script = [HTTP_503]
        [job] = self.push()
        self.assertEqual(len(self.emsp_system.requests), 1)
        self.assertEqual(job.properties["eta"], self.now + timedelta(minutes=1))
        self.assertEqual(set(self.outbox().mapped("first_try_at")), {self.now})
        self.push(after=timedelta(minutes=1))
        self.assertEqual(set(self.outbox().mapped("state")), {"sent"})

    def test_partner_that_is_gone_for_a_week_ends_all_that_waits(self):
        self._receive(*(cdr_payload(number) for number in range(3)))
        self.emsp_system.script = [HTTP_503] * 2
        self.push()
        self.push(after=timedelta(days=7, hours=1))
        self.assertEqual(set(self.outbox().mapped("state")), {"given_up"})
        self.assertIn("did not take 3 of our messages", self.failures(self.emsp).name)

    def test_slow_partner_holds_nobody_up(self):
        other, __ = self._connect("CPO", "EMSP", "NL", "OTH", push_sessions=True)
        system = self.run_peer(other, "RECEIVER", "sessions", party=("NL", "OTH"))
        theirs = {**payload_of("sessions")["cdr_token"], "country_code": "NL", "party_id": "OTH"}
        self._receive(cdr_payload())
        self.receive_own("sessions", cdr_token=theirs)
        self.env.flush_all()
        with sql_db.db_connect(self.env.cr.dbname).cursor() as slow:
            # A job that waits for an answer of the first partner.
            slow.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [PUSH_LOCK, self.emsp.id])
            with self.assertRaises(RetryableJobError):
                self.push()
            self.push(other)
        self.assertEqual(self.outbox(other).state, "sent")
        self.assertEqual(len(system.told), 1)
        self.assertEqual((self.outbox().state, self.outbox().attempts), ("pending", 0))

    def test_step_that_takes_long_hands_over_to_the_next(self):
        self._receive(cdr_payload(1), cdr_payload(2))
        with patch.object(emsp_ocpi_push_run, "LONGEST_STEP_S", 0):
            [job] = self.push()
        self.assertEqual(self.outbox().mapped("state"), ["sent", "pending"])
        self.assertFalse(job.properties["eta"])

    def test_endpoint_that_is_gone_is_told_to_people(self):
        self._receive(cdr_payload())
        self.emsp.endpoint_ids.unlink()
        self.push()
        self.assertIn("has no address", self.outbox().last_error)
        self.assertTrue(self.failures(self.emsp))

    def test_switch_that_is_turned_off_drops_what_waits_and_on_again_revives_it(self):
        self._receive(cdr_payload())
        self.emsp.push_cdrs = False
        self.push()
        self.assertEqual(self.outbox().state, "dropped")
        self.emsp.push_cdrs = True
        self.emsp.action_push_now()
        self.push()
        self.assertEqual(self.outbox().state, "sent")

    def test_hourly_run_takes_up_what_has_lost_its_job(self):
        self._receive(cdr_payload())
        self.outbox().sudo().write({"next_try_at": self.now - timedelta(minutes=5)})
        with trap_jobs() as trap:
            self.env["emsp.ocpi.connection"]._cron_push(self.now)
            trap.assert_jobs_count(1)
            trap.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(self.outbox().state, "sent")


@tagged("post_install", "-at_install")
class TestPushRights(PushCommon):
    def test_operators_repeat_users_read_and_nobody_edits(self):
        self._receive(cdr_payload())
        push, user = self.outbox(), self.user_of("user")
        self.assertEqual(push.with_user(user).key, "FR*RVR*CDR-1")
        with self.assertRaises(AccessError):
            push.with_user(user).action_repeat()
        with self.assertRaises(AccessError):
            self.emsp.with_user(user).action_push_now()
        manager = self.user_of("manager")
        for method, args in (("write", ({"state": "sent"},)), ("unlink", ()), ("copy", ())):
            with self.assertRaises(AccessError):
                getattr(push.with_user(manager), method)(*args)

    def test_each_role_opens_the_screens(self):
        self._receive(cdr_payload())
        self.emsp.with_user(SUPERUSER_ID)._enqueue_pull()
        for group in ("user", "operator", "manager"):
            user = self.user_of(group)
            self.assertEqual(Form(self.outbox().with_user(user)).key, "FR*RVR*CDR-1")
            self.assertTrue(Form(self.emsp.with_user(user)).push_cdrs)
            for action in ("action_view_outbox", "action_view_cursors"):
                self.assertTrue(getattr(self.emsp.with_user(user), action)()["domain"])
        self.assertEqual((self.emsp.waiting_count, self.emsp.unsent_count), (1, 0))

    def test_sent_message_is_not_repeated(self):
        self._receive(cdr_payload())
        self.push()
        with self.assertRaisesRegex(UserError, "Nothing of this"):
            self.outbox().action_repeat()

    def test_row_leads_to_its_record_and_its_messages(self):
        cdr = self._receive(cdr_payload())
        self.emsp_system.script = [HTTP_503]
        self.push()
        push = self.outbox()
        action = push.action_view_record()
        self.assertEqual((action["res_model"], action["res_id"]), ("emsp.cdr", cdr.id))
        messages = self.env["emsp.ocpi.message"].search(push.action_view_messages()["domain"])
        self.assertEqual((messages.http_status, messages.method), (503, "POST"))

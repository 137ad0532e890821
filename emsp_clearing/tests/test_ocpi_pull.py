from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, sql_db
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models.emsp_ocpi_traffic import PULL_LOCK
from .common import cdr_payload
from .ocpi_objects_common import payload_of
from .ocpi_traffic_common import OcpiTrafficCommon

NOW = datetime(2026, 11, 20, 10, 0)


class PullCommon(OcpiTrafficCommon):
    def cursor_of(self, module, connection=None):
        cursors = self.env["emsp.ocpi.cursor"].with_user(SUPERUSER_ID)
        return cursors._of(connection or self.cpo, module)

    def read_list(self, module, connection=None, as_of=NOW):
        """A run to its end, or to its first failure, as the jobs make it."""
        cursor = self.cursor_of(module, connection)
        cursor._job_read_page(as_of)
        while cursor.page_url and not cursor.last_error:
            cursor._job_read_page(as_of)
        return cursor

    def cdrs_of_peer(self, count, **changes):
        return [cdr_payload(number, country_code="NL", party_id="TNM", **changes) for number in range(count)]

    def stored_ids(self, model="emsp.cdr", connection=None):
        found = self.env[model].search([("connection_id", "=", (connection or self.cpo).id)])
        return sorted(found.mapped("ocpi_id"))

    def pulled_messages(self, connection=None):
        domain = [("connection_id", "=", (connection or self.cpo).id), ("method", "=", "PULL")]
        return self.env["emsp.ocpi.message"].search(domain, order="id")


@tagged("post_install", "-at_install")
class TestPullPages(PullCommon):
    def test_pages_are_followed_to_the_end_one_job_each(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(5)
        cursor = self.cursor_of("cdrs")
        pages = 0
        with trap_jobs() as trap:
            cursor._enqueue()
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
                # Rating jobs of the CDRs are trapped as well.
                trap.enqueued_jobs = [j for j in trap.enqueued_jobs if j.model_name == cursor._name]
                pages += 1
        self.assertEqual(pages, 3)
        self.assertEqual(self.stored_ids(), [f"CDR-{number}" for number in range(5)])
        self.assertEqual((cursor.new_count, cursor.known_count, cursor.refused_count), (5, 0, 0))
        self.assertTrue(cursor.last_run_at and cursor.date_from)
        self.assertFalse(cursor.page_url)

    def test_run_that_died_after_page_two_loses_and_doubles_nothing(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(5)
        cursor = self.cursor_of("cdrs")
        cursor._job_read_page(NOW)
        cursor._job_read_page(NOW)
        self.env.flush_all()
        # The third page is stored, but its job is killed before it commits.
        with patch.object(type(cursor), "_move_on", side_effect=RuntimeError("killed")):
            with self.assertRaises(RuntimeError):
                cursor._job_read_page(NOW)
        self.env.invalidate_all()
        self.assertEqual(len(self.stored_ids()), 4)
        self.assertFalse(cursor.date_from, "the list was not read to its end")
        self.read_list("cdrs")
        self.assertEqual(self.stored_ids(), [f"CDR-{number}" for number in range(5)])
        self.assertEqual((cursor.new_count, cursor.date_from), (5, NOW))
        offsets = [path.partition("offset=")[2] for path in self.cpo_system.paths("GET")]
        self.assertEqual(offsets, ["", "2", "4", "4"])

    def test_next_run_asks_for_what_changed_since_the_last_one_began(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(1)
        cursor = self.read_list("cdrs")
        cursor.overlap_minutes = 30
        self.cpo_system.lists["cdrs"] += self.cdrs_of_peer(3)[1:]
        self.read_list("cdrs", as_of=NOW + timedelta(hours=1))
        self.assertIn("date_from=2026-11-20T09:30:00Z&limit=100", self.cpo_system.paths("GET")[1])
        self.assertEqual((cursor.new_count, cursor.known_count), (2, 1))
        self.assertEqual(cursor.date_from, NOW + timedelta(hours=1))

    def test_first_run_asks_for_all_but_of_sessions_and_cdrs_for_recent_ones(self):
        for module in ("cdrs", "sessions", "tariffs", "locations"):
            self.read_list(module)
        cdrs, sessions, tariffs, locations = self.cpo_system.paths("GET")
        self.assertIn("date_from=2026-08-22T10:00:00Z", cdrs)
        self.assertIn("date_from=2026-10-20T10:00:00Z", sessions)
        self.assertNotIn("date_from", tariffs + locations)

    def test_list_that_leads_in_a_circle_ends(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(8)

        def in_a_circle(method, module, query):
            status, content, headers = self.cpo_system.page(module, query)
            if query.get("offset") == "6":
                headers["Link"] = '</cdrs?offset=2>; rel="next"'
            return status, content, headers

        self.cpo_system.script = [in_a_circle] * 50
        cursor = self.read_list("cdrs")
        self.assertEqual(len(self.stored_ids()), 8)
        self.assertEqual(cursor.date_from, NOW)
        self.assertLess(len(self.cpo_system.paths("GET")), 16)

    def test_list_that_shrank_while_it_was_read_is_read_again(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(4)
        cursor = self.cursor_of("cdrs")
        cursor._job_read_page(NOW)
        del self.cpo_system.lists["cdrs"][0]
        self.read_list("cdrs")
        self.assertEqual(self.stored_ids(), ["CDR-0", "CDR-1", "CDR-3"])
        self.assertFalse(cursor.date_from)
        self.read_list("cdrs", as_of=NOW + timedelta(hours=1))
        self.assertEqual(self.stored_ids(), ["CDR-0", "CDR-1", "CDR-2", "CDR-3"])
        self.assertTrue(cursor.date_from)

    def test_empty_list_counts_as_read(self):
        self.assertEqual(self.read_list("cdrs").date_from, NOW)

    def test_run_that_was_left_a_day_ago_starts_anew(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(3)
        self.cursor_of("cdrs")._job_read_page(NOW)
        cursor = self.read_list("cdrs", as_of=NOW + timedelta(days=2))
        self.assertEqual(len(self.cpo_system.paths("GET")), 3)
        self.assertEqual(cursor.date_from, NOW + timedelta(days=2))


@tagged("post_install", "-at_install")
class TestPullObjects(PullCommon):
    def test_bad_object_is_kept_and_stops_no_other(self):
        good = self.cdrs_of_peer(4)
        bad = {**good[1], "id": "BAD", "total_energy": "many"}
        self.cpo_system.lists["cdrs"] = [good[0], bad, good[2], "no object"]
        cursor = self.read_list("cdrs")
        self.assertEqual(self.stored_ids(), ["CDR-0", "CDR-2"])
        self.assertEqual((cursor.new_count, cursor.refused_count, cursor.date_from), (2, 2, NOW))
        messages = self.pulled_messages()
        self.assertEqual(messages.mapped("place"), ["1", "1"])
        self.assertEqual(
            (messages[0].object_ocpi_id, messages[0].path, messages[0].direction),
            ("BAD", "total_energy", "in"),
        )
        self.assertIn('"total_energy":"many"', messages[0].body)
        self.assertTrue(all(messages.mapped("is_refused")))

    def test_bad_object_of_another_module_stops_no_other(self):
        first, second, third = (payload_of("sessions", id=f"S-{number}") for number in range(3))
        foreign = {**second, "party_id": "XXX"}
        nameless = {**third, "id": ""}
        self.cpo_system.lists["sessions"] = [foreign, nameless, {**first, "kwh": "x"}, third]
        cursor = self.read_list("sessions")
        self.assertEqual(self.stored_ids("emsp.session"), ["S-2"])
        self.assertEqual((cursor.new_count, cursor.refused_count), (1, 3))
        self.assertEqual(self.pulled_messages().mapped("path"), ["party_id", "id", "kwh"])

    def test_bad_object_that_is_read_again_is_kept_once(self):
        self.cpo_system.lists["cdrs"] = [{**self.cdrs_of_peer(1)[0], "total_energy": "many"}]
        self.read_list("cdrs")
        self.read_list("cdrs", as_of=NOW + timedelta(hours=1))
        self.assertEqual(len(self.pulled_messages()), 1)

    def test_each_module_is_stored_where_a_push_would_store_it(self):
        for module, model in (
            ("sessions", "emsp.session"),
            ("tariffs", "emsp.tariff"),
            ("locations", "emsp.location"),
        ):
            self.cpo_system.lists[module] = [payload_of(module)]
            cursor = self.read_list(module)
            self.assertEqual((cursor.new_count, cursor.last_error), (1, False), module)
            self.assertEqual(len(self.stored_ids(model)), 1)
            again = self.read_list(module, as_of=NOW + timedelta(hours=1))
            self.assertEqual((again.new_count, again.known_count), (0, 1), module)

    def test_tokens_are_read_from_emsps(self):
        self.add_endpoints(self.emsp, self.emsp_system, "SENDER", "tokens")
        self.emsp_system.lists["tokens"] = [
            payload_of("tokens"),
            payload_of("tokens", uid="APP-1", type="APP_USER"),
        ]
        cursor = self.read_list("tokens", self.emsp)
        self.assertEqual(cursor.new_count, 2)
        self.assertEqual(self.stored_ids("emsp.token", self.emsp), ["04A1B2C3D4E5F6", "APP-1"])

    def test_ocpi_2_1_1_objects_belong_to_the_platform(self):
        self.cpo.version = "2.1.1"
        self.env.flush_all()
        self.cpo_system.lists["locations"] = [payload_of("locations", "2.1.1")]
        self.cpo_system.lists["sessions"] = [payload_of("sessions", "2.1.1")]
        self.assertEqual(self.read_list("locations").refused_count, 0)
        self.assertEqual(self.read_list("sessions").refused_count, 0)
        location = self.env["emsp.location"].search([("connection_id", "=", self.cpo.id)])
        self.assertEqual(location.ocpi_key, "NL*TNM*LOC-1")

    def test_own_charge_points_are_read_where_they_offer_lists(self):
        self.run_peer(self.connection, "SENDER", "cdrs").lists["cdrs"] = [cdr_payload(1), cdr_payload(2)]
        cursor = self.read_list("cdrs", self.connection)
        self.assertEqual((cursor.new_count, cursor.date_from), (2, NOW))
        self.assertEqual(self.connection._enqueue_pull(), ["cdrs"])

    def test_object_that_another_transaction_stores_now_puts_the_page_off(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(1)
        cursor = self.cursor_of("cdrs")
        with (
            patch.object(type(self.env["emsp.cdr"]), "_receive", side_effect=ConcurrencyError("now")),
            self.assertRaises(RetryableJobError),
        ):
            cursor._job_read_page(NOW)


@tagged("post_install", "-at_install")
class TestPullFailures(PullCommon):
    def read_failing(self, *answers, module="cdrs", as_of=NOW):
        """:return: (cursor, seconds until the next try or None)."""
        self.cpo_system.script = list(answers)
        with trap_jobs() as trap:
            cursor = self.cursor_of(module)
            cursor._job_read_page(as_of)
            jobs = [call for call in trap.calls if call.method.__name__ == "_job_read_page"]
        return cursor, jobs[-1].properties["eta"] if jobs else None

    def test_partner_that_fails_is_asked_again_later_and_later(self):
        waits = [self.read_failing((503, b"", {}))[1] for __ in range(7)]
        self.assertEqual(waits, [60, 120, 240, 480, 960, 1920, None])
        cursor = self.cursor_of("cdrs")
        self.assertIn("HTTP 503", cursor.last_error)
        self.assertFalse(cursor.date_from)
        self.read_list("cdrs")
        self.assertEqual((cursor.failure_count, cursor.last_error), (0, False))

    def test_partner_that_asks_for_time_gets_it(self):
        cursor, wait = self.read_failing((429, b"", {"Retry-After": "700"}))
        self.assertEqual(wait, 700)
        self.assertIn("HTTP 429", cursor.last_error)

    def test_partner_that_refuses_is_asked_by_the_next_hourly_run(self):
        for answer in ((404, b"", {}), (200, {"status_code": 2001}, {})):
            cursor, wait = self.read_failing(answer)
            self.assertIsNone(wait)
            self.assertTrue(cursor.last_error)

    def test_position_that_the_partner_forgot_starts_the_list_anew(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(5)
        cursor = self.cursor_of("cdrs")
        cursor._job_read_page(NOW)
        self.cpo_system.script = [(404, b"", {})]
        cursor._job_read_page(NOW)
        self.assertFalse(cursor.page_url or cursor.date_from)
        self.read_list("cdrs", as_of=NOW + timedelta(hours=1))
        self.assertEqual(len(self.stored_ids()), 5)

    def test_later_page_that_fails_is_read_again_alone(self):
        self.cpo_system.lists["cdrs"] = self.cdrs_of_peer(3)
        cursor = self.cursor_of("cdrs")
        cursor._job_read_page(NOW)
        __, wait = self.read_failing((500, b"", {}))
        self.assertEqual(wait, 60)
        self.read_list("cdrs")
        self.assertEqual(len(self.cpo_system.paths("GET")), 3)
        self.assertEqual(cursor.new_count, 3)

    def test_two_jobs_of_a_list_take_turns(self):
        cursor = self.cursor_of("cdrs")
        with sql_db.db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [PULL_LOCK, cursor.id])
            with self.assertRaises(RetryableJobError):
                cursor._job_read_page(NOW)
        self.assertFalse(self.cpo_system.requests)


@tagged("post_install", "-at_install")
class TestPullTriggers(PullCommon):
    def test_cron_reads_the_lists_that_partners_offer_each_at_its_own_time(self):
        with trap_jobs() as trap:
            self.env["emsp.ocpi.connection"]._cron_pull()
        jobs = [call for call in trap.calls if call.method.__name__ == "_job_read_page"]
        modules = [job.method.__self__.module for job in jobs]
        self.assertEqual(modules, ["locations", "tariffs", "sessions", "cdrs"])
        self.assertEqual(len({job.properties["eta"] for job in jobs}), 1, "one jitter for each partner")
        self.assertTrue(0 < jobs[0].properties["eta"] <= 1800)

    def test_connection_that_is_switched_off_or_archived_is_not_read(self):
        self.cpo.is_pulled = False
        with trap_jobs() as trap:
            self.env["emsp.ocpi.connection"]._cron_pull()
        trap.assert_jobs_count(0)
        self.cpo.action_archive()
        self.env.flush_all()
        self.cursor_of("cdrs")._job_read_page(NOW)
        self.assertFalse(self.cpo_system.requests)

    def test_operators_read_at_once_and_users_do_not(self):
        user, operator, manager = (
            new_test_user(
                self.env,
                f"pull_{group}",
                f"emsp_clearing.emsp_clearing_group_{group}",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            for group in ("user", "operator", "manager")
        )
        with self.assertRaises(AccessError):
            self.cpo.with_user(user).action_pull_now()
        with trap_jobs() as trap:
            self.cpo.with_user(operator).action_pull_now()
            trap.assert_jobs_count(4)
            trap.perform_enqueued_jobs()
        cursor = self.cursor_of("cdrs")
        self.assertTrue(cursor.last_run_at)
        with self.assertRaises(AccessError):
            cursor.with_user(operator).write({"date_from": NOW})
        cursor.with_user(manager).write({"date_from": NOW})
        with self.assertRaisesRegex(UserError, "Only the date"):
            cursor.with_user(manager).write({"page_url": "https://elsewhere.test"})

    @mute_logger("odoo.sql_db")
    def test_list_of_a_connection_has_one_cursor(self):
        cursor = self.cursor_of("cdrs")
        self.assertEqual(self.cursor_of("cdrs"), cursor)

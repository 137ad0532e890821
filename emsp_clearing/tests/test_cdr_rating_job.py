from contextlib import closing
from datetime import datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo.sql_db import db_connect
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import EmspCommon, cdr_payload, raw

RECEIVED = datetime(2026, 10, 6, 6, 0)
SHOWN = datetime(2026, 10, 5, 20, 0)


@tagged("post_install", "-at_install")
class TestCdrRatingJob(EmspCommon):
    """Which job prices a CDR, and when."""

    def _post(self, *numbers, connection=None, **options):
        """:return: the new CDRs, not yet priced."""
        endpoint = (connection or self.connection)._as_endpoint()
        payloads = [raw(cdr_payload(number)) for number in numbers]
        receipts = endpoint.env["emsp.cdr"]._receive(endpoint, payloads, RECEIVED, **options)
        return self.env["emsp.cdr"].browse([receipt.record.id for receipt in receipts])

    def _jobs(self):
        return self.env["queue.job"].sudo().search([("method_name", "=like", "_job_rate%")])

    def test_cdrs_that_come_one_by_one_within_a_second_share_a_job(self):
        with freeze_time("2026-10-06 06:00:00.100"):
            self._post(1)
        with freeze_time("2026-10-06 06:00:00.900"):
            self._post(2)
        job = self._jobs()
        self.assertEqual(job.method_name, "_job_rate_arrivals")
        self.assertEqual(job.eta, datetime(2026, 10, 6, 6, 0, 3))
        with freeze_time("2026-10-06 06:00:01"):
            self._post(3)
        self.assertEqual(len(self._jobs()), 2)

    def test_cdr_leaves_the_job_to_another_request_of_its_second(self):
        key = f"emsp.cdr:rate-arrivals:{self.connection.id}:2026-10-06 06:00:00"
        with closing(db_connect(self.env.cr.dbname).cursor()) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            with freeze_time("2026-10-06 06:00:00"):
                self._post(1)
            self.assertFalse(self._jobs())
            with freeze_time("2026-10-06 06:00:01"):
                self._post(2)
            self.assertEqual(len(self._jobs()), 1)

    def test_page_is_priced_by_a_job_of_its_own(self):
        with trap_jobs() as trap:
            page = self._post(1, 2)
        trap.assert_jobs_count(1, only=page._job_rate)
        trap.assert_jobs_count(1)

    def test_job_prices_all_that_has_come(self):
        with trap_jobs() as trap:
            first, second = self._post(1), self._post(2)
            trap.perform_enqueued_jobs()
        self.assertEqual((first | second).mapped("state"), ["open", "open"])
        self.assertEqual((first.amount_untaxed, second.amount_untaxed), (6.4, 6.4))

    def test_job_leaves_what_another_prices_now(self):
        with trap_jobs() as trap:
            cdrs = self._post(1) | self._post(2)
            held, free = cdrs

            def lock(records):
                return records - held

            with patch.object(type(cdrs), "try_lock_for_update", lock):
                trap.perform_enqueued_jobs()
        self.assertEqual((held.state, free.state), ("received", "open"))

    def test_more_than_a_batch_takes_another_job(self):
        module = "odoo.addons.emsp_clearing.models.emsp_cdr_rating"
        with trap_jobs() as trap, patch(f"{module}.RATING_BATCH", 1):
            cdrs = self._post(1) | self._post(2)
            self.env["emsp.cdr"]._job_rate_arrivals(self.connection)
            self.assertEqual(cdrs.mapped("state"), ["open", "received"])
            trap.assert_enqueued_job(self.env["emsp.cdr"]._job_rate_arrivals, args=(self.connection,))

    def test_what_a_former_system_had_shown_stays_shown_since_then(self):
        with trap_jobs():
            imported = self._post(1, 2, available_at=SHOWN)
        self.env["emsp.cdr"]._job_rate_arrivals(self.connection)
        self.assertEqual(imported.mapped("available_at"), [SHOWN, SHOWN])
        self.assertEqual(imported.mapped("state"), ["open", "open"])

    def test_job_of_one_connection_leaves_those_of_others(self):
        other = self.connection.copy({"ocpi_party_id": "OTH", "country_code": "BE"})
        with trap_jobs():
            cdr = self._post(1)
        self.env["emsp.cdr"]._job_rate_arrivals(other)
        self.assertEqual(cdr.state, "received")

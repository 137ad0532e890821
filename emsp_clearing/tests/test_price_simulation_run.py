from datetime import date, datetime
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import emsp_price_simulation_run
from .common import cdr_payload
from .price_simulation_common import SimulationCommon
from .test_access import AccessCommon


@tagged("post_install", "-at_install")
class TestBatches(SimulationCommon):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(emsp_price_simulation_run, "BATCH_SIZE", 1))

    def _started(self):
        self._two_sessions()
        simulation = self._simulation()
        with trap_jobs() as trap:
            simulation.action_run()
        return simulation, trap

    def test_run_enqueues_a_job_per_batch_in_its_own_channel(self):
        simulation, trap = self._started()
        trap.assert_jobs_count(2)
        jobs = trap.enqueued_jobs
        self.assertEqual({job.channel for job in jobs}, {"root.emsp_simulation"})
        self.assertEqual(len({job.identity_key for job in jobs}), 2)
        self.assertTrue(all(job.priority > 10 for job in jobs))
        # sudo: the functions of jobs are the system's
        function = self.env.ref("emsp_clearing.job_function_emsp_price_simulation_batch_price").sudo()
        self.assertEqual(function.name, "<emsp.price.simulation.batch>._job_price")
        self.assertEqual(function.channel, "root.emsp_simulation")
        self.assertEqual((simulation.state, simulation.cdr_count, simulation.done_count), ("running", 2, 0))

    def test_killed_and_repeated_batch_counts_once(self):
        self.connection.time_zone = False
        self._receive(cdr_payload(3))
        self.other_grid.line_ids[0].write({"hour_from": "06:00", "hour_to": "22:00"})
        self.connection.time_zone = "Europe/Paris"
        simulation, __ = self._started()
        first, second, third = simulation.batch_ids
        with trap_jobs():
            with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
                first._job_price()
                raise ZeroDivisionError
            self.env.invalidate_all()
            self.assertEqual(simulation.done_count, 0)
            for batch in (first, first, second, second, first):
                batch._job_price()
            simulation._job_finish()
            self.assertEqual((simulation.state, simulation.done_count), ("running", 2))
            third._job_price()
            third._job_price()
            simulation._job_finish()
            simulation._job_finish()
            third._job_price()
        self.assertEqual((simulation.state, simulation.done_count), ("done", 3))
        self.assertEqual(self._totals(simulation), (2, 17.777, 10.73, 9.44, -1.29))
        self.assertEqual(len(simulation.problem_ids), 1)

    def test_cancelled_run_leaves_nothing_to_its_jobs(self):
        simulation, __ = self._started()
        batches = simulation.batch_ids
        simulation.action_reset()
        with trap_jobs() as trap:
            batches._job_price()
            simulation._job_finish()
            trap.assert_jobs_count(0)
        self.assertEqual(simulation.state, "draft")
        self.assertFalse(simulation.line_ids or simulation.batch_ids.exists())

    def test_running_what_if_is_not_started_twice(self):
        simulation, __ = self._started()
        batches = simulation.batch_ids
        with trap_jobs() as trap:
            simulation.action_run()
            trap.assert_jobs_count(0)
        self.assertEqual(simulation.batch_ids, batches)

    def test_failed_batch_fails_the_run_with_its_reason_and_it_can_run_again(self):
        simulation, __ = self._started()
        batch_class = type(simulation.batch_ids)
        with trap_jobs():
            with patch.object(batch_class, "_load_cdrs", side_effect=AccessError("No access")):
                simulation.batch_ids[0]._job_price()
            simulation.batch_ids[1]._job_price()
            simulation._job_finish()
        self.assertEqual((simulation.state, simulation.failure_reason), ("failed", "No access"))
        self.assertFalse(simulation.line_ids)
        self._run(simulation)
        self.assertEqual((simulation.state, simulation.amount_other), ("done", 9.44))
        self.assertFalse(simulation.failure_reason)


@tagged("post_install", "-at_install")
class TestQueries(SimulationCommon):
    def _queries(self, cdrs):
        simulation = self._simulation(cdr_ids=[Command.set(cdrs.ids)])
        with trap_jobs():
            simulation.action_run()
        [batch] = simulation.batch_ids
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        with trap_jobs():
            batch._job_price()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_batch_of_500_needs_hardly_more_queries_than_one_of_50(self):
        cdrs = self._receive(*[cdr_payload(number) for number in range(1, 501)])
        self._queries(cdrs[:1])  # fills the caches of the registry
        few, many = self._queries(cdrs[:50]), self._queries(cdrs)
        self.assertLess(many, 30)
        self.assertLessEqual(abs(many - few), 2)


@tagged("post_install", "-at_install")
class TestSimulationRights(AccessCommon, SimulationCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other CPO"})
        cls.stranger = cls._create_user("operator", cls.other_company)

    def _as(self, user, records):
        return records.with_user(user).sudo(False)

    def test_operator_runs_a_what_if(self):
        self._two_sessions()
        operator = self.users["operator"]
        model = self._as(operator, self.env["emsp.price.simulation"])
        simulation = model.create(
            {
                "price_grid_id": self.other_grid.id,
                "date_from": date(2026, 10, 1),
                "date_to": date(2026, 10, 31),
            }
        )
        self._run(simulation)
        self.assertEqual((simulation.state, simulation.amount_other), ("done", 9.44))
        self.assertIn("Spree", str(simulation.summary_html))
        self._run(simulation)
        simulation.action_reset()
        with self.assertRaises(AccessError):
            simulation.unlink()

    def test_user_reads_and_does_not_run(self):
        self._two_sessions()
        simulation = self._as(self.users["user"], self._run())
        for records in (simulation, simulation.line_ids):
            self.assertTrue(records.read())
        for step in (simulation.action_run, simulation.action_reset):
            with self.assertRaises(AccessError):
                step()
        with self.assertRaises(AccessError):
            simulation.copy()
        self.assertEqual(simulation.sudo().copy().state, "draft")

    def test_nobody_edits_results(self):
        self._two_sessions()
        lines = self._run().line_ids
        for role in ("operator", "manager"):
            own = self._as(self.users[role], lines)
            with self.subTest(role=role), self.assertRaises(AccessError):
                own.write({"amount_other": 1.0})
            with self.subTest(role=role), self.assertRaises(AccessError):
                own.unlink()

    def test_results_are_hidden_from_another_company(self):
        stranger = {**cdr_payload()["cdr_token"], "party_id": "XXX"}
        self._receive(cdr_payload(1), cdr_payload(2, cdr_token=stranger))
        simulation = self._simulation()
        with trap_jobs():
            simulation.action_run()
            batch = simulation.batch_ids
        self._run(done := self._simulation())
        for records in (simulation, batch, done.line_ids, done.problem_ids):
            foreign = self._as(self.stranger, records)
            with self.subTest(model=records._name):
                self.assertTrue(records)
                self.assertFalse(foreign.search([("id", "in", records.ids)]))
                with self.assertRaises(AccessError):
                    foreign.read(["id", "company_id"])

    def test_cdrs_and_grids_of_another_company_are_not_taken(self):
        connection = self.env["emsp.ocpi.connection"].create(
            {
                "name": "Theirs",
                "company_id": self.other_company.id,
                "our_role": "CPO",
                "country_code": "FR",
                "ocpi_party_id": "RVR",
            }
        )
        self._two_sessions()
        endpoint = connection._as_endpoint()
        [receipt] = endpoint.env["emsp.cdr"]._receive(
            endpoint, [self._cdrs()[0].payload.encode()], datetime(2026, 10, 6)
        )
        theirs = receipt.record.sudo()
        simulation = self._run()
        self.assertEqual((simulation.cdr_count, simulation.problem_count), (2, 0))
        with self.assertRaisesRegex(UserError, "compan"):
            self._simulation(cdr_ids=[Command.set(theirs.ids)])
        with self.assertRaisesRegex(UserError, "compan"):
            self._simulation(company_id=self.other_company.id)

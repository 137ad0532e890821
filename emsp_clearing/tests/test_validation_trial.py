from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import emsp_validation_trial_run
from .common import cdr_payload
from .test_access import AccessCommon
from .test_validation_ruleset import RulesetCommon

NOW = datetime(2026, 10, 20, 12, 0)


class TrialCommon(RulesetCommon):
    def _trial(self, ruleset=None, **vals):
        action = (ruleset or self.everyone).action_try()
        trial = self.env["emsp.validation.trial"].browse(action["res_id"])
        trial.write(vals)
        return trial

    def _ten(self):
        """Ten CDRs whose price is 6.40; five state 0, 1, 3, 4 and 10 % more, and five take 1 to 5 kWh more,
        at their price: 0.39 for a kWh."""
        stated = [6.40, 6.46, 6.59, 6.66, 7.04]
        payloads = [
            cdr_payload(number, total_cost={"excl_vat": amount})
            for number, amount in enumerate(stated, start=1)
        ]
        payloads += [
            cdr_payload(5 + more, energy=10.0 + more, total_cost={"excl_vat": round(6.4 + 0.39 * more, 2)})
            for more in range(1, 6)
        ]
        return self._receive(*payloads)

    def _line(self, trial, rule):
        line = trial.line_ids.filtered(lambda line: line.rule == rule)
        return (line.today, line.after, line.added, line.gone, round(line.amount, 2))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTrial(TrialCommon):
    def test_begins_with_the_rules_of_the_set(self):
        self.everyone.write({"vat": "hold", "energy_range_max_kwh": 77})
        trial = self._trial()
        self.assertEqual(trial._rule_values(), self.everyone._rule_values())
        self.assertEqual((trial.days, trial.state, trial.change_html), (30, "draft", False))

    def test_wider_tolerance_and_narrower_range_are_counted(self):
        cdrs = self._ten()
        trial = self._trial(cost_consistency_tolerance_pct=5, energy_range_max_kwh=13)
        trial.action_try()
        self.assertEqual((trial.state, trial.cdr_count, trial.done_count), ("done", 10, 10))
        # 3, 4 and 10 % are beyond 2 %; 10 % alone beyond 5 %.
        self.assertEqual(self._line(trial, "cost_consistency"), (3, 1, 0, 2, 6.40))
        # 14 and 15 kWh: 6.40 + 4 * 0.39 = 7.96 and 8.35.
        self.assertEqual(self._line(trial, "energy_range"), (0, 2, 2, 0, 16.31))
        self.assertEqual(trial.changed_count, 4)
        self.assertEqual((trial.held_today, trial.held_after), (0, 2))
        self.assertEqual(trial.cdr_ids.cdr_id, cdrs[2] | cdrs[3] | cdrs[8] | cdrs[9])
        held = trial.cdr_ids.filtered(lambda line: line.cdr_id == cdrs[9])
        self.assertEqual((held.action_today, held.action_after, held.rule_names), ("off", "hold", "Energy"))
        self.assertEqual(held.action_view_cdr()["res_id"], cdrs[9].id)

    def test_other_action_changes_the_cdrs_and_not_their_number(self):
        self._ten()
        trial = self._trial(cost_consistency="hold")
        trial.action_try()
        self.assertEqual(self._line(trial, "cost_consistency"), (3, 3, 0, 0, 19.20))
        self.assertEqual((trial.changed_count, trial.held_after), (3, 3))
        line = trial.line_ids.filtered("is_changed")
        self.assertEqual(
            (line.rule, line.action_today, line.action_after), ("cost_consistency", "note", "hold")
        )

    def test_rule_that_cannot_tell_is_counted(self):
        self._ten()
        trial = self._trial(signed_data_required="note")
        trial.action_try()
        self.assertEqual(self._line(trial, "signed_data_required")[:2], (0, 10))
        speed = trial.line_ids.filtered(lambda line: line.rule == "charging_speed")
        self.assertEqual((speed.not_judged, speed.today), (10, 0))

    def test_today_is_what_was_found_when_the_cdrs_came(self):
        cdrs = self._ten()
        trial = self._trial(vat="hold")
        trial.action_try()
        found = {}
        for finding in cdrs.finding_ids.filtered("rule"):
            found.setdefault(finding.rule, set()).add(finding.cdr_id)
        self.assertEqual(
            {line.rule: line.today for line in trial.line_ids if line.today},
            {rule: len(flagged) for rule, flagged in found.items()},
        )

    def test_credit_is_judged_by_the_price_of_its_original(self):
        original = self._receive(cdr_payload())
        credit = cdr_payload(1, id="C-1", credit=True, credit_reference_id="CDR-1")
        credit["total_cost"] = {"excl_vat": -7.0}
        credit = self._receive(credit)
        self.assertEqual(credit._stored_prices()[credit.id].net, -original._stored_prices()[original.id].net)

    def test_nothing_is_stored_on_the_cdrs(self):
        cdrs = self._ten()
        before = cdrs.read(["state", "ruleset_version", "not_judged", "finding_ids"])
        trial = self._trial(energy_range_max_kwh=1)
        trial.action_try()
        self.assertEqual(cdrs.read(["state", "ruleset_version", "not_judged", "finding_ids"]), before)
        self.assertEqual(self.everyone.version, 1)

    def test_apply_makes_a_version_of_the_set(self):
        self._ten()
        trial = self._trial(energy_range_max_kwh=13)
        with self.assertRaisesRegex(UserError, "Try them first"):
            trial.action_apply()
        trial.action_try()
        action = trial.action_apply()
        self.assertEqual((action["res_model"], action["res_id"]), (self.everyone._name, self.everyone.id))
        self.assertEqual((self.everyone.version, self.everyone.energy_range_max_kwh), (2, 13))
        self.assertIn("Energy to (kWh): 1000 → 13", self.everyone.message_ids[0].body)
        self.assertFalse(trial.exists())

    def test_results_go_with_the_rules_that_they_are_of(self):
        self._ten()
        trial = self._trial(energy_range_max_kwh=13)
        trial.action_try()
        trial.write({"energy_range_max_kwh": 13})
        self.assertEqual(trial.state, "done")
        trial.energy_range_max_kwh = 12
        self.assertEqual((trial.state, trial.changed_count), ("draft", 0))
        self.assertFalse(trial.line_ids or trial.cdr_ids)

    def test_set_that_changed_meanwhile_is_not_overwritten(self):
        self._ten()
        trial = self._trial(energy_range_max_kwh=13)
        trial.action_try()
        self.everyone.vat = "off"
        with self.assertRaisesRegex(UserError, "changed since"):
            trial.action_apply()
        trial.action_discard()
        self.assertEqual((self.everyone.energy_range_max_kwh, self.everyone.vat), (1000, "off"))

    def test_only_cdrs_of_the_set_and_of_the_days_are_judged(self):
        self._ten()
        other = self.env["res.partner"].create({"name": "Havel", "is_company": True})
        self._create_contract(other, "DE", "HAV")
        token = {**cdr_payload(20)["cdr_token"], "party_id": "HAV"}
        theirs = self._receive(cdr_payload(20, cdr_token=token))
        own = self._own_rules(other)
        trial = self._trial(own, energy_range_max_kwh=1)
        trial.action_try()
        self.assertEqual((trial.cdr_count, trial.cdr_ids.cdr_id), (1, theirs))
        trial = self._trial(energy_range_max_kwh=1)
        trial.action_try()
        self.assertEqual(trial.cdr_count, 10)
        trial.days = 7
        with self.assertRaisesRegex(UserError, "last 7 days"):
            trial.action_try()

    def test_set_of_another_company_judges_none_of_ours(self):
        self._ten()
        other = self.env["res.company"].create({"name": "Other CPO"})
        trial = self._trial(self.rulesets._default_of(other), energy_range_max_kwh=1)
        with self.assertRaisesRegex(UserError, "No CDR"):
            trial.action_try()

    def test_many_cdrs_are_judged_by_jobs_one_after_the_other(self):
        self._ten()
        expected = self._trial(energy_range_max_kwh=13)
        expected.action_try()
        self.startPatcher(patch.object(emsp_validation_trial_run, "BATCH", 2))
        self.startPatcher(patch.object(emsp_validation_trial_run, "AT_ONCE", 4))
        trial = self._trial(energy_range_max_kwh=13)
        counts = []
        with trap_jobs() as trap:
            trial.action_try()
            self.assertEqual((trial.state, trial.done_count), ("running", 0))
            while trap.enqueued_jobs:
                trap.perform_enqueued_jobs()
                counts.append(trial.done_count)
        self.assertEqual(counts, [4, 8, 10])
        self.assertEqual(trial.state, "done")
        for rule in expected.line_ids.mapped("rule"):
            self.assertEqual(self._line(trial, rule), self._line(expected, rule))
        self.assertEqual(trial.cdr_ids.cdr_id, expected.cdr_ids.cdr_id)

    def test_repeated_job_and_one_of_a_former_run_do_nothing(self):
        self._ten()
        self.startPatcher(patch.object(emsp_validation_trial_run, "BATCH", 2))
        self.startPatcher(patch.object(emsp_validation_trial_run, "AT_ONCE", 4))
        trial = self._trial(energy_range_max_kwh=13)
        with trap_jobs():
            trial.action_try()
            run_number = trial.run_number
            trial._job_work(run_number, 0)
            trial._job_work(run_number, 0)
            self.assertEqual(trial.done_count, 4)
            trial.action_try()
            trial._job_work(run_number, 0)
            self.assertEqual(trial.done_count, 0)

    def test_batch_of_500_needs_the_queries_of_one_of_10(self):
        self._receive(*[cdr_payload(number) for number in range(1, 501)])
        cdrs = self.env["emsp.cdr"].search([("connection_id", "=", self.connection.id)])
        trial = self._trial(energy_range_max_kwh=13, run_at=NOW)

        def queries(batch):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            trial._judge_batch(batch, emsp_validation_trial_run.TrialTally())
            return self.env.cr.sql_log_count - before

        queries(cdrs[:1])
        self.assertEqual(queries(cdrs), queries(cdrs[:10]))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTrialRights(AccessCommon, TrialCommon):
    def test_managers_try_and_others_do_not(self):
        self._ten()
        everyone = self.everyone.with_user(self.users["manager"]).sudo(False)
        trial = self._trial(everyone, energy_range_max_kwh=13)
        trial.with_user(self.users["manager"]).action_try()
        self.assertEqual(trial.state, "done")
        trial.with_user(self.users["manager"]).action_apply()
        self.assertEqual(self.everyone.version, 2)
        for role in ("user", "operator"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.everyone.with_user(self.users[role]).sudo(False).action_try()

    def test_trial_is_hidden_from_another_company(self):
        stranger = self._create_user("manager", self.env["res.company"].create({"name": "Other CPO"}))
        self._ten()
        trial = self._trial(energy_range_max_kwh=13)
        trial.action_try()
        for records in (trial, trial.line_ids, trial.cdr_ids):
            foreign = records.with_user(stranger).sudo(False)
            with self.subTest(model=records._name):
                self.assertTrue(records)
                self.assertFalse(foreign.search([("id", "in", records.ids)]))
                with self.assertRaises(AccessError):
                    foreign.read(["company_id"])

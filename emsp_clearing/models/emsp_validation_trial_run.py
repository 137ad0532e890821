from odoo import fields, models
from odoo.exceptions import UserError

from ..core.checks.ruleset import Ruleset, run
from ..core.money import from_float
from .emsp_validation_trial_tally import TrialTally

# CDRs judged together.
BATCH = 1000
# So many are judged while the user waits; more go to the background, as many to a job.
AT_ONCE = 5000


class EmspValidationTrialRun(models.Model):
    """A trial's run: batch after batch in the order of the CDRs' ids."""

    _inherit = "emsp.validation.trial"

    def action_try(self):
        """Judge the past CDRs by the set as it is and as it would be."""
        self.ensure_one()
        self._drop_results()
        self.write({"run_at": fields.Datetime.now(), "run_number": self.run_number + 1})
        count = self.env["emsp.cdr"].search_count(self._cdr_domain())
        if not count:
            raise UserError(
                self.env._("No CDR that this rule set judges came in the last %(days)s days.", days=self.days)
            )
        self.write({"state": "running", "cdr_count": count})
        if count <= AT_ONCE:
            self._work()
        else:
            self._enqueue()
        return True

    def _enqueue(self):
        self.with_delay(
            identity_key=f"emsp.validation.trial:{self.id}:{self.run_number}:{self.last_id}",
            description=self.display_name,
        )._job_work(self.run_number, self.last_id)

    def _job_work(self, run_number, last_id):
        """The next part of a run; one that was done before, or of a run that was given up, does nothing."""
        if not self.exists() or (self.run_number, self.last_id) != (run_number, last_id):
            return
        if self.state == "running" and not self._work():
            self._enqueue()

    def _work(self):
        """Judge as many CDRs as one job does. :return: whether all are judged."""
        tally = TrialTally.from_json(self.tally)
        domain, last_id, done = self._cdr_domain(), self.last_id, 0
        batch = True
        while batch and done < AT_ONCE:
            batch = self.env["emsp.cdr"].search([*domain, ("id", ">", last_id)], order="id", limit=BATCH)
            if batch:
                self._judge_batch(batch, tally)
                last_id, done = batch[-1].id, done + len(batch)
                # Payloads and explanations of a batch are not needed again.
                batch.invalidate_recordset(["payload", "explanation"], flush=False)
        self.write({"last_id": last_id, "done_count": self.done_count + done, "tally": tally.to_json()})
        if not batch:
            self._finish(tally)
        return not batch

    def _judge_batch(self, cdrs, tally):
        today = self.ruleset_id._settings()
        then = self._settings()
        changed = {name: setting for name, setting in then.items() if setting != today[name]}
        whole, other = Ruleset(today), Ruleset(changed)
        subjects, context = cdrs._as_subjects()
        all_facts = self.env["emsp.cdr"]._gather_facts(self.company_id, subjects, context)
        for subject, facts in zip(subjects, all_facts, strict=True):
            amount = from_float(subject.record.amount_untaxed, 4)
            before, after = run(subject.cdr, facts, whole), run(subject.cdr, facts, other)
            tally.add(subject.record.id, amount, before, after, changed.keys())

    def _finish(self, tally):
        today, then = self.ruleset_id._settings(), self._settings()
        lines = [
            {"trial_id": self.id, "rule": rule, "action_today": today[rule].action, **counts}
            | {"action_after": then[rule].action, "is_changed": today[rule] != then[rule]}
            for rule, counts in tally.lines(then)
        ]
        self.env["emsp.validation.trial.line"].create(lines)
        cdrs = [{"trial_id": self.id, **change} for change in tally.changes]
        self.env["emsp.validation.trial.cdr"].create(cdrs)
        self.write(
            {
                "state": "done",
                "tally": False,
                "cdr_count": self.done_count,
                "changed_count": tally.changed,
                "held_today": tally.held_today,
                "held_after": tally.held_after,
            }
        )

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .emsp_cdr_rating import RATING_BATCH, is_held

# Of these, findings may still change; the rest is settled, given up or was never judged.
JUDGED_STATES = ("quarantine", "open", "disputed")
# Older sessions are not billed without the partner's consent: nobody waits for facts about them.
LOOK_BACK = timedelta(days=120)
# Facts come in bursts: one judgement for all of them.
RECHECK_WAIT_S = 5


class EmspCdrRecheck(models.Model):
    """Facts that come after the CDR: a location, a token, a tariff, a session, a price grid.

    What they take away is marked and stays; what they add is a new finding. A CDR that nothing holds
    any more is released, one that something new holds goes back to quarantine.
    """

    _inherit = "emsp.cdr"

    @api.model
    def _enqueue_recheck(self, record, domain):
        """Judge CDRs again that a record is about.

        :param record: of any model; its changes within a few seconds make one job.
        :param domain: of the CDRs.
        """
        since = fields.Datetime.to_string(fields.Datetime.now() - LOOK_BACK)
        domain = Domain(domain) & Domain(
            [
                ("company_id", "=", record.company_id.id),
                ("state", "in", JUDGED_STATES),
                ("session_end_at", ">=", since),
            ]
        )
        if self.search_count(domain, limit=1):
            self.with_delay(
                eta=RECHECK_WAIT_S, identity_key=f"emsp.cdr:recheck:{record._name}:{record.id}"
            )._job_recheck(list(domain))

    @api.model
    def _job_recheck(self, domain, after=0):
        """:param list domain: of the CDRs. :param int after: id of the last one that was judged again."""
        cdrs = self.search([*domain, ("id", ">", after)], order="id", limit=RATING_BATCH)
        cdrs._recheck(fields.Datetime.now())
        if len(cdrs) == RATING_BATCH:
            self.with_delay()._job_recheck(domain, cdrs[-1].id)

    def _recheck(self, as_of):
        """:param datetime as_of: naive UTC; what is released can be seen from then on."""
        cdrs = self.filtered(lambda cdr: cdr.state in JUDGED_STATES)
        for company in cdrs.company_id:
            of_company = cdrs.filtered(lambda cdr, c=company: cdr.company_id == c)
            of_company.filtered(lambda cdr: not cdr.is_credit)._recheck_sessions(as_of)
            credits = of_company.filtered(lambda cdr: cdr.is_credit and cdr.state == "quarantine")
            credits._rate_credits(as_of)

    def _recheck_sessions(self, as_of):
        freed, caught = self.browse(), self.browse()
        for appraisal in self._appraise():
            cdr = appraisal.record
            # What the partner sees keeps its price: it may have approved it.
            in_quarantine = cdr.state == "quarantine"
            cdr._store_changes({**(appraisal.price if in_quarantine else {}), **appraisal.judgement})
            new = cdr._update_findings(appraisal.findings, as_of)
            if in_quarantine and not is_held(appraisal.findings):
                freed |= cdr
            elif cdr.state == "open" and is_held(new):
                caught |= cdr
        freed._release(as_of)
        caught._update_state("quarantine", settlement_id=False)

    def _update_findings(self, found, as_of):
        """Mark the findings that do not hold any more, and add the new ones.

        :param found: vals of all that hold now. :return: list of those that are new.
        """
        self.ensure_one()
        current = self.finding_ids.filtered(lambda finding: not finding.superseded_at)
        wanted = {finding_key(vals): vals for vals in found}
        known = {finding_key(finding) for finding in current}
        new = [vals for key, vals in wanted.items() if key not in known]
        current.filtered(lambda finding: finding_key(finding) not in wanted)._supersede(as_of)
        self.env["emsp.cdr.finding"].create([{"cdr_id": self.id, "found_at": as_of, **vals} for vals in new])
        return new


def finding_key(finding):
    """What tells findings of a CDR apart.

    :param finding: a record, or its values.
    """
    names = ("code", "severity", "path", "expected", "found")
    values = finding if isinstance(finding, dict) else {name: finding[name] for name in names}
    return tuple(values.get(name) or "" for name in names)

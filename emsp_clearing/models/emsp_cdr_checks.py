from typing import NamedTuple

from odoo import api, fields, models

from ..core.checks.ruleset import run
from ..core.ocpi.deviations import deviations_of_stored
from .check_messages import check_text, reason_text
from .emsp_cdr_facts import Subject, owner_of
from .emsp_ocpi_object import naive
from .emsp_token import token_party


class Judgement(NamedTuple):
    """What the rules said of a CDR: fields of the CDR to store, and its findings as vals."""

    vals: dict
    findings: list


class EmspCdrChecks(models.Model):
    """The rules, applied to CDRs."""

    _inherit = "emsp.cdr"

    ruleset_id = fields.Many2one(
        "emsp.validation.ruleset", string="Checked by", readonly=True, ondelete="set null"
    )
    ruleset_version = fields.Integer(readonly=True)
    not_judged = fields.Json(readonly=True, help="Rules that lacked facts, with the reason's code.")
    not_judged_text = fields.Text(string="Not judged", compute="_compute_not_judged_text")

    @api.depends("not_judged")
    @api.depends_context("lang")
    def _compute_not_judged_text(self):
        labels = dict(self.env["emsp.cdr.finding"]._selection_rule())
        for cdr in self:
            lines = [
                f"{labels[name]}: {reason_text(self.env, code)}"
                for name, code in (cdr.not_judged or {}).items()
                if name in labels
            ]
            cdr.not_judged_text = "\n".join(lines) or False

    @api.model
    def _judge(self, company, subjects, context):
        """:param list[Subject] subjects: of the company.
        :return: list of Judgement, in the same order.
        """
        partners = self.env["res.partner"].union(*(subject.contract.partner_id for subject in subjects))
        rulesets = self.env["emsp.validation.ruleset"]._by_partner(company, partners)
        judgements = []
        for subject, facts in zip(subjects, self._gather_facts(company, subjects, context), strict=True):
            ruleset, core = rulesets[subject.contract.partner_id.id]
            judgements.append(judgement(ruleset, run(subject.cdr, facts, core)))
        return judgements

    @api.model
    def _refusals(self, connection, cdrs, received_at):
        """What the rules refuse of CDRs that are about to be stored.

        They are judged by what is known at once. A rule that needs our price, too, holds the CDR later.

        :param cdrs: core Cdrs.
        :return: dict number in the list -> (path, text in English).
        """
        rulesets = self.env["emsp.validation.ruleset"]
        company = connection.company_id
        if not cdrs or not rulesets._refuses_in(company.id):
            return {}
        context = self._find_context(company, cdrs)
        subjects = [
            Subject(cdr, received_at, contract, self.browse())
            for cdr, contract in zip(cdrs, self._contracts_of(connection, cdrs, context), strict=True)
        ]
        partners = self.env["res.partner"].union(*(subject.contract.partner_id for subject in subjects))
        by_partner = rulesets._by_partner(company, partners)
        env = self.env(context={**self.env.context, "lang": "en_US"})
        refusals = {}
        for number, facts in enumerate(self._gather_facts(company, subjects, context)):
            subject = subjects[number]
            __, core = by_partner[subject.contract.partner_id.id]
            for finding, __ in run(subject.cdr, facts, core.only("refuse")).findings:
                text = check_text(env, finding.code, finding_params(finding))
                refusals.setdefault(number, (finding.path or "", text))
        return refusals

    @api.model
    def _contracts_of(self, connection, cdrs, context):
        """:return: list of emsp.contract, empty where a CDR has none."""
        facts = [
            (
                connection,
                (token_party(cdr.cdr_token, context.tokens.find(cdr.cdr_token)), owner_of(cdr)),
                naive(cdr.end_date_time),
            )
            for cdr in cdrs
        ]
        return [contract for contract, __ in self._find_contracts(connection.company_id, facts)]

    def _deviations(self):
        """Notes on what the sender should mend, although it was understood."""
        found = deviations_of_stored(self.payload.encode(), self.ocpi_version)
        return [
            {
                "code": deviation.code,
                "severity": "note",
                "path": deviation.path,
                "expected": deviation.expected,
                "found": deviation.found,
            }
            for deviation in found
        ]


def judgement(ruleset, verdict):
    """:param verdict: core Verdict. :return: Judgement."""
    vals = {
        "ruleset_id": ruleset.id,
        "ruleset_version": ruleset.version,
        "not_judged": dict(verdict.not_evaluated) or False,
    }
    return Judgement(vals, [finding_vals(ruleset, *judged) for judged in verdict.findings])


def finding_vals(ruleset, finding, action):
    """:param finding: core Finding. :param action: what it leads to."""
    return {
        "rule": finding.rule,
        "code": finding.code,
        "severity": action,
        "path": finding.path,
        "expected": finding.expected,
        "found": finding.found,
        "tolerance": finding.tolerance,
        "details": dict(finding.details) or False,
        "ruleset_id": ruleset.id,
        "ruleset_version": ruleset.version,
    }


def finding_params(finding):
    """:return: the values of a core Finding's sentence."""
    values = {"expected": finding.expected, "found": finding.found, "tolerance": finding.tolerance}
    return {**values, **finding.details}

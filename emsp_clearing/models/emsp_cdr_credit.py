from odoo import models
from odoo.exceptions import UserError

from ..core.checks.facts import PriceFacts
from ..core.money import D, from_float
from .check_messages import check_text
from .emsp_cdr_facts import Subject
from .emsp_cdr_price import hold
from .emsp_cdr_rating import Appraisal, is_held, once


class EmspCdrCredit(models.Model):
    """Credit CDRs: always a full credit of one original (OCPI 2.2.1, 10.1.1)."""

    _inherit = "emsp.cdr"

    def _rate_credits(self, as_of):
        """Settle credit CDRs of one company.

        An original that is not locked yet is neutralised together with its credit; a locked one
        makes the credit a negative line of the next settlement.
        """
        for credit, __, judgement, found in self._appraise_credits():
            credit._update_findings(found, as_of)
            original = credit._find_original()
            if is_held(found):
                credit._store(judgement)
                credit._update_state("quarantine")
            else:
                credit._store({**judgement, "credited_cdr_id": original.id})
                credit._settle_credit(original, as_of)

    def _settle_credit(self, original, as_of):
        if original.state in ("locked", "invoiced"):
            self._store(self._vals_from_original(original))
            self._update_state("open", available_at=as_of)
        else:
            reason = self.env._("Neutralised by credit CDR %(credit)s.", credit=self.ocpi_id)
            (original | self)._void(reason)

    def _release(self, as_of):
        """A credit CDR that a rule held is settled as if nothing had held it."""
        credits = self.filtered("is_credit")
        for credit in credits:
            problem = credit._release_problem()
            if problem:
                raise UserError(problem)
            original = credit._find_original()
            credit._store({"credited_cdr_id": original.id})
            credit._settle_credit(original, as_of)
        return credits | super(EmspCdrCredit, self - credits)._release(as_of)

    def _release_problem(self):
        if not self.is_credit:
            return super()._release_problem()
        problems = self._credit_problems(self._find_original())
        if not problems:
            return None
        return check_text(self.env, problems[0]["code"], {"expected": "-", "found": problems[0]["found"]})

    def _appraise_credits(self):
        """:return: as `_appraise`; one after the other, because two may credit the same original."""
        for credit in self:
            cdr, original = credit._received_cdr(), credit._find_original()
            context = self._find_context(credit.company_id, [cdr])
            credit._store(self._vals_from_context(cdr, credit.connection_id, context))
            price = credit._price_of_credit(original)
            subject = Subject(cdr, credit.received_at, credit.contract_id, credit, price)
            [verdict] = self._judge(credit.company_id, [subject], context)
            problems = credit._credit_problems(original)
            yield Appraisal(
                credit,
                {},
                verdict.vals,
                once([*problems, *verdict.findings, *credit._deviations()]),
            )

    def _price_of_credit(self, original):
        if not original or not original.explanation:
            return None
        return PriceFacts(-from_float(original.amount_untaxed, 4))

    def _find_original(self):
        self.ensure_one()
        key = "*".join((self.ocpi_country_code, self.ocpi_party_id, self.credited_ocpi_id or ""))
        return self.search([("company_id", "=", self.company_id.id), ("ocpi_key", "=", key.upper())], limit=1)

    def _credit_problems(self, original):
        """What keeps a credit from being settled, even where the rule is off; as vals."""
        if not original or original.contract_id != self.contract_id or original.state == "received":
            return [self._credit_hold("credit_orphan")]
        if self.search_count([("credited_cdr_id", "=", original.id)], limit=1):
            return [self._credit_hold("credit_double")]
        return [self._credit_hold("credit_of_void")] if original.state == "void" else []

    def _credit_hold(self, code):
        found = self.credited_ocpi_id or "-"
        return hold(code, rule="credit_original", path="credit_reference_id", found=found)

    def _vals_from_original(self, original):
        """The mirror of the original, whatever sign the sender used."""
        return {
            "energy_kwh": -original.energy_kwh,
            "duration_s": -original.duration_s,
            "parking_s": -original.parking_s,
            "price_grid_id": original.price_grid_id.id,
            "priced_by": original.priced_by,
            "amount_untaxed": -original.amount_untaxed,
            "components": [negated(component) for component in original.components],
            "explanation": original.explanation,
        }


def negated(component):
    """A stored component with quantity and amount reversed; the unit price stays."""
    return {**component, **{key: str(-D(component[key])) for key in ("quantity", "amount")}}

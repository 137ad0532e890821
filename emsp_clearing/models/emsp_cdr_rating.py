from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models

from ..core.errors import PricingError
from ..core.invoicing import split
from ..core.money import D, from_float, to_float
from ..core.ocpi.deviations import find_deviations
from ..core.ocpi.normalise import parse_cdr
from ..core.ocpi.tolerances import LAX
from ..core.pricing.engine import PricingRules, price
from ..core.pricing.explanation import SUBTOTALS
from ..core.pricing.lint import lint_tariff

MAX_AGE = timedelta(days=90)
# A stated cost this far from ours (share of ours) is worth a note; the contract's price is billed.
COST_TOLERANCE = D("0.02")
# CDRs that one job rates, at most.
RATING_BATCH = 1000
# Of a problem's parameters, those that a finding has fields for.
VALUES = {"expected", "found"}


class Rating(NamedTuple):
    """What rating one CDR came to: the fields to store and the findings as vals."""

    vals: dict
    findings: list


class EmspCdrRating(models.Model):
    """The contract's price of a CDR, with its explanation, and what is doubtful about it."""

    _inherit = "emsp.cdr"

    def _job_rate(self):
        self._rate(fields.Datetime.now())

    @api.model
    def _job_rate_arrivals(self, connection):
        """Rate what a connection has posted and nobody else rates now."""
        domain = [("connection_id", "=", connection.id), ("state", "=", "received")]
        found = self.search([*domain, ("contract_id", "!=", False)], order="id", limit=RATING_BATCH)
        found.try_lock_for_update()._rate(fields.Datetime.now())
        if len(found) == RATING_BATCH:
            self.with_delay()._job_rate_arrivals(connection)

    def _rate(self, as_of):
        """Price the received CDRs and open them to the partner; what is held goes to quarantine.

        :param datetime as_of: naive UTC; the moment from which the partner can see them, where no
            former system had shown them already.
        """
        cdrs = self.filtered(lambda cdr: cdr.state == "received" and cdr.contract_id)
        cdrs._link()
        tariffs = {}
        findings = []
        by_state = {"open": self.browse(), "quarantine": self.browse()}
        for cdr in cdrs.filtered(lambda cdr: not cdr.is_credit):
            rating = cdr._price(tariffs)
            rating.findings.extend(cdr._doubts(rating))
            cdr._store(rating.vals)
            findings += [{"cdr_id": cdr.id, "found_at": as_of, **vals} for vals in rating.findings]
            held = any(vals["severity"] == "hold" for vals in rating.findings)
            by_state["quarantine" if held else "open"] |= cdr
        self.env["emsp.cdr.finding"].create(findings)
        shown = by_state["open"].filtered("available_at")
        shown._update_state("open")
        (by_state["open"] - shown)._update_state("open", available_at=as_of)
        by_state["quarantine"]._update_state("quarantine")
        cdrs.filtered("is_credit")._rate_credits(as_of)

    def _price(self, tariffs):
        """By the tariff that the contract says: its own grid, or the one that came with the CDR.

        :param dict tariffs: compiled tariffs, shared by the batch.
        :return: Rating.
        """
        self.ensure_one()
        grid = self.contract_id._grid_at(self.session_start_at)
        cdr = self._received_cdr() if self.contract_id.price_source == "cdr" else None
        if cdr and cdr.tariffs:
            return self._price_by_own(cdr, grid, tariffs)
        if not grid:
            return Rating({}, [self._hold("no_tariff")])
        try:
            explanation = self._explain(grid, tariffs)
            vals = {**self._vals_of(explanation), "price_grid_id": grid.id}
        except PricingError as error:
            return Rating({}, [self._pricing_hold(error)])
        return Rating(vals, self._pricing_notes(explanation))

    def _price_by_own(self, cdr, grid, tariffs):
        """By the tariffs that came with the CDR.

        :param cdr: core Cdr. :param grid: the agreed one, may be empty.
        :return: Rating.
        """
        try:
            explanation = price(cdr, cdr.tariffs, self._pricing_rules())
            vals = {**self._vals_of(explanation), "price_grid_id": False}
        except PricingError as error:
            return Rating({}, [self._pricing_hold(error)])
        notes = self._pricing_notes(explanation) + self._tariff_notes(cdr, tariffs)
        if grid:
            notes += self._grid_doubt(explanation, grid, tariffs)
        return Rating(vals, notes)

    def _vals_of(self, explanation):
        """:raise PricingError: tax_unknown."""
        return {
            "priced_by": ", ".join(tariff.id for tariff in explanation.tariffs),
            "amount_untaxed": to_float(explanation.net),
            "components": [component.to_json() for component in split(explanation)],
            "explanation": explanation.to_json(),
        }

    def _pricing_hold(self, error):
        return self._hold(error.code, path=error.path, **self._expectation(error))

    def _pricing_notes(self, explanation):
        """What the engine noted, as vals."""
        # That a tariff has no price for time at all is its maker's will, no finding about the session.
        return [
            {"code": note.code, "severity": "note", "path": note.path, **self._expectation(note)}
            for note in explanation.notes
            if note.code != "unpriced" or SUBTOTALS[note.params["dimension"]] in explanation.subtotals
        ]

    def _tariff_notes(self, cdr, cache):
        """What is odd about the tariffs that came with the CDR, as vals; looked at once for a batch."""
        notes = []
        for index, tariff in enumerate(cdr.tariffs):
            key = (tariff, bool(self.time_zone))
            if key not in cache:
                cache[key] = lint_tariff(tariff, time_zone_known=bool(self.time_zone))
            notes += [
                {
                    "code": lint.code,
                    "severity": "note",
                    "path": f"tariffs[{index}].{lint.path}",
                    "expected": lint.params.get("expected"),
                    "found": lint.params.get("found"),
                    "details": {name: lint.params[name] for name in lint.params.keys() - VALUES},
                }
                for lint in cache[key]
                if lint.severity != "info"
            ]
        return notes

    def _grid_doubt(self, explanation, grid, tariffs):
        """A25: the CDR's tariff rules; that the agreed grid gives another price is for people to see."""
        try:
            agreed = self._explain(grid, tariffs).net
        except PricingError:
            return []
        if abs(explanation.net - agreed) <= abs(agreed) * COST_TOLERANCE:
            return []
        return [self._money_note("grid_mismatch", "tariffs", agreed, explanation.net)]

    def _explain(self, grid, tariffs):
        """The price of the session by a grid, whoever agreed on it.

        :param dict tariffs: compiled tariffs by grid, shared by the batch.
        :return: Explanation.
        :raise PricingError: as `engine.price`.
        """
        tariff = grid._tariff_for(self, tariffs)
        return price(self._contract_cdr(), [tariff], self._pricing_rules())

    def _pricing_rules(self):
        return PricingRules(time_zone=self.time_zone or None, precision=int(self.contract_id.price_precision))

    def _received_cdr(self):
        """The CDR as core knows it, with the tariffs that its sender put in."""
        owner = (self.ocpi_country_code, self.ocpi_party_id)
        return parse_cdr(self.payload.encode(), self.ocpi_version, tolerances=LAX, owner=owner)

    def _contract_cdr(self):
        """The CDR freed of the sender's tariffs, for pricing it by one of ours."""
        return self._received_cdr().without_tariffs()

    def _doubts(self, rating):
        """Findings on the message, the facts and the price, as vals."""
        doubts = self._deviations()
        if self.session_end_at < self.session_start_at:
            doubts.append(
                self._hold(
                    "end_before_start",
                    expected=fields.Datetime.to_string(self.session_start_at),
                    found=fields.Datetime.to_string(self.session_end_at),
                )
            )
        if self.received_at - self.session_end_at > MAX_AGE:
            doubts.append(
                self._hold("session_too_old", found=fields.Date.to_string(self.session_end_at.date()))
            )
        if rating.vals:
            doubts += self._cost_doubt(rating.vals["amount_untaxed"])
        return doubts

    def _deviations(self):
        """Notes on what the sender should mend, although it was understood."""
        found = find_deviations(self.payload.encode(), self.ocpi_version)
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

    def _cost_doubt(self, amount):
        ours, stated = from_float(amount, 4), from_float(self.stated_amount, 4)
        if abs(stated - ours) <= abs(ours) * COST_TOLERANCE:
            return []
        return [self._money_note("cost_mismatch", "total_cost", ours, stated)]

    def _money_note(self, code, path, expected, found):
        currency = self.currency_id.name
        return {
            "code": code,
            "severity": "note",
            "path": path,
            "expected": f"{expected:.2f} {currency}",
            "found": f"{found:.2f} {currency}",
        }

    def _hold(self, code, **vals):
        return {"code": code, "severity": "hold", **vals}

    def _expectation(self, problem):
        """:param problem: a PricingError or Note. :return: its values, as a finding stores them."""
        values = problem.params
        found = values.get("got") or values.get("dimension") or values.get("restriction")
        params = {"found": found, **values}
        return {key: str(params[key]) for key in ("expected", "found") if params.get(key) is not None}

    def _rate_credits(self, as_of):
        """Settle credit CDRs (OCPI 2.2.1, 10.1.1): always a full credit of one original.

        An original that is not locked yet is neutralised together with its credit; a locked one
        makes the credit a negative line of the next settlement.
        """
        for credit in self:
            notes = [{"cdr_id": credit.id, "found_at": as_of, **vals} for vals in credit._deviations()]
            credit.env["emsp.cdr.finding"].create(notes)
            original = credit._find_original()
            problem = credit._credit_problem(original)
            if problem:
                credit.env["emsp.cdr.finding"].create({"cdr_id": credit.id, "found_at": as_of, **problem})
                credit._update_state("quarantine")
            elif original.state in ("locked", "invoiced"):
                credit._store(credit._vals_from_original(original))
                credit._update_state("open", available_at=as_of)
            else:
                reason = self.env._("Neutralised by credit CDR %(credit)s.", credit=credit.ocpi_id)
                credit._store({"credited_cdr_id": original.id})
                (original | credit)._void(reason)

    def _find_original(self):
        self.ensure_one()
        key = "*".join((self.ocpi_country_code, self.ocpi_party_id, self.credited_ocpi_id or ""))
        return self.search([("company_id", "=", self.company_id.id), ("ocpi_key", "=", key.upper())], limit=1)

    def _credit_problem(self, original):
        if not original or original.contract_id != self.contract_id or original.state in ("received", "void"):
            return self._hold("credit_orphan", path="credit_reference_id", found=self.credited_ocpi_id or "-")
        if self.search_count([("credited_cdr_id", "=", original.id)], limit=1):
            return self._hold("credit_double", path="credit_reference_id", found=self.credited_ocpi_id)
        return None

    def _vals_from_original(self, original):
        """The mirror of the original, whatever sign the sender used."""
        return {
            "credited_cdr_id": original.id,
            "price_grid_id": original.price_grid_id.id,
            "priced_by": original.priced_by,
            "amount_untaxed": -original.amount_untaxed,
            "components": [negated(component) for component in original.components],
            "explanation": original.explanation,
        }


def negated(component):
    """A stored component with quantity and amount reversed; the unit price stays."""
    return {**component, **{key: str(-D(component[key])) for key in ("quantity", "amount")}}

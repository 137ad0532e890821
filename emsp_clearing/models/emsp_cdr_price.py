from typing import NamedTuple

from odoo import models

from ..core.checks.facts import PriceFacts
from ..core.errors import PricingError
from ..core.invoicing import split
from ..core.money import D, to_float
from ..core.ocpi.normalise import parse_cdr
from ..core.ocpi.tolerances import LAX
from ..core.pricing.engine import PricingRules, price
from ..core.pricing.explanation import SUBTOTALS
from ..core.pricing.lint import lint_tariff

# The CDR's tariff rules; another price than this share of the grid's is worth a note.
GRID_TOLERANCE = D("0.02")
# Of a problem's parameters, those that a finding has fields for.
VALUES = {"expected", "found"}
# What the engine notes of charging periods, and the rules of core.checks judge with their limits.
JUDGED_BY_RULES = frozenset(
    {
        "energy_sum",
        "first_period_start",
        "parking_sum",
        "period_after_end",
        "period_start_twice",
        "periods_unsorted",
        "time_sum",
        "time_volume",
    }
)


class Rating(NamedTuple):
    """What pricing one CDR came to: the fields to store, the findings as vals, the price for the rules."""

    vals: dict
    findings: list
    price: PriceFacts | None = None


class EmspCdrPrice(models.Model):
    """The contract's price of a CDR, with its explanation."""

    _inherit = "emsp.cdr"

    def _price(self, cdr, sent, cache):
        """By the tariff that the contract says: its own grid, or the CPO's.

        :param cdr: core Cdr of this record.
        :param sent: core Tariffs of the CPO for it: those in the CDR, else those that were published.
        :param dict cache: compiled tariffs, shared by the batch.
        :return: Rating.
        """
        self.ensure_one()
        grid = self.contract_id._grid_at(self.session_start_at)
        if self.contract_id.price_source == "cdr" and sent:
            return self._price_by_own(cdr, sent, grid, cache)
        if not grid:
            return Rating({}, [hold("no_tariff")])
        try:
            explanation = self._explain(grid, cache, cdr)
            vals = {**self._vals_of(explanation), "price_grid_id": grid.id}
        except PricingError as error:
            return Rating({}, [pricing_hold(error)])
        return Rating(vals, pricing_notes(explanation), PriceFacts.of(explanation))

    def _price_by_own(self, cdr, sent, grid, cache):
        """By the CPO's tariffs.

        :param grid: the agreed one, may be empty.
        :return: Rating.
        """
        try:
            explanation = price(cdr, sent, self._pricing_rules())
            vals = {**self._vals_of(explanation), "price_grid_id": False}
        except PricingError as error:
            return Rating({}, [pricing_hold(error)])
        notes = pricing_notes(explanation) + self._tariff_notes(cdr, cache)
        if grid:
            notes += self._grid_doubt(explanation, grid, cache, cdr)
        return Rating(vals, notes, PriceFacts.of(explanation))

    def _vals_of(self, explanation):
        """:raise PricingError: tax_unknown."""
        return {
            "priced_by": ", ".join(tariff.id for tariff in explanation.tariffs),
            "amount_untaxed": to_float(explanation.net),
            "components": [component.to_json() for component in split(explanation)],
            "explanation": explanation.to_json(),
        }

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

    def _grid_doubt(self, explanation, grid, cache, cdr):
        """A25: the CDR's tariff rules; that the agreed grid gives another price is for people to see."""
        try:
            agreed = self._explain(grid, cache, cdr).net
        except PricingError:
            return []
        if abs(explanation.net - agreed) <= abs(agreed) * GRID_TOLERANCE:
            return []
        currency = self.currency_id.name
        values = {"expected": f"{agreed:.2f} {currency}", "found": f"{explanation.net:.2f} {currency}"}
        return [{"code": "grid_mismatch", "severity": "note", "path": "tariffs", **values}]

    def _explain(self, grid, cache, cdr=None):
        """The price of the session by a grid, whoever agreed on it.

        :param dict cache: compiled tariffs by grid, shared by the batch.
        :param cdr: core Cdr of this record, where it was read before.
        :return: Explanation.
        :raise PricingError: as `engine.price`.
        """
        tariff = grid._tariff_for(self, cache)
        cdr = cdr or self._received_cdr()
        return price(cdr.without_tariffs(), [tariff], self._pricing_rules())

    def _pricing_rules(self):
        return PricingRules(time_zone=self.time_zone or None, precision=int(self.contract_id.price_precision))

    def _received_cdr(self):
        """The CDR as core knows it, with the tariffs that its sender put in."""
        owner = (self.ocpi_country_code, self.ocpi_party_id)
        return parse_cdr(self.payload.encode(), self.ocpi_version, tolerances=LAX, owner=owner)


def pricing_notes(explanation):
    """What the engine noted, as vals, but for what the rules judge."""
    # That a tariff has no price for time at all is its maker's will, no finding about the session.
    return [
        {"code": note.code, "severity": "note", "path": note.path, **expectation(note)}
        for note in explanation.notes
        if note.code not in JUDGED_BY_RULES
        and (note.code != "unpriced" or SUBTOTALS[note.params["dimension"]] in explanation.subtotals)
    ]


def pricing_hold(error):
    """:param PricingError error: why there is no price. :return: vals of a finding."""
    rule = "currency" if error.code == "currency_mismatch" else False
    return hold(error.code, rule=rule, path=error.path, **expectation(error))


def hold(code, **vals):
    """:return: vals of a finding that holds the CDR whatever the rules say: it cannot be billed."""
    return {"code": code, "severity": "hold", **vals}


def expectation(problem):
    """:param problem: a PricingError or Note. :return: its values, as a finding stores them."""
    values = problem.params
    found = values.get("got") or values.get("dimension") or values.get("restriction")
    params = {"found": found, **values}
    return {key: str(params[key]) for key in ("expected", "found") if params.get(key) is not None}

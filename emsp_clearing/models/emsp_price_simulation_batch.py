from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils

from ..core.errors import CoreError, PricingError
from ..core.invoicing import Component, split
from ..core.money import from_float
from .emsp_price_simulation_tally import Tally, by_component

# Of queue_job: the default is 10, and lower numbers go first.
PRIORITY = 50
# Read at once: a payload is never prefetched.
CDR_FIELDS = (
    "payload",
    "state",
    "connection_id",
    "contract_id",
    "partner_id",
    "settlement_id",
    "ocpi_version",
    "ocpi_country_code",
    "ocpi_party_id",
    "time_zone",
    "session_end_at",
    "energy_kwh",
    "is_credit",
    "credited_cdr_id",
    "currency_id",
    "price_grid_id",
    "amount_untaxed",
    "components",
)


class EmspPriceSimulationBatch(models.Model):
    """Some CDRs of a what-if and what they came to. Only jobs write it; it goes when the run is done."""

    _name = "emsp.price.simulation.batch"
    _description = "Batch of a what-if"
    _order = "simulation_id, number"

    simulation_id = fields.Many2one(
        "emsp.price.simulation", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="simulation_id.company_id", store=True, index=True)
    number = fields.Integer(required=True, readonly=True)
    selection = fields.Json(readonly=True, prefetch=False, help="The ids of its CDRs.")
    cdr_count = fields.Integer(string="CDRs", readonly=True)
    is_done = fields.Boolean(readonly=True)
    error = fields.Char(readonly=True)
    result = fields.Json(readonly=True, prefetch=False, help="The sums, as a Tally gives them.")

    def _enqueue(self):
        self.ensure_one()
        self.with_delay(
            identity_key=f"emsp.price.simulation.batch:{self.id}",
            priority=PRIORITY,
            description=f"{self.simulation_id.name}: {self.number}",
        )._job_price()

    def _job_price(self):
        """Price the batch; what an earlier attempt stored is replaced."""
        # Gone when the run was given up, repeated or finished.
        if not self.exists() or self.simulation_id.state != "running":
            return
        try:
            tally, problems = self._price()
            vals = {"result": tally.to_json(), "error": False}
        except UserError as error:
            vals, problems = {"result": False, "error": str(error)}, []
        # sudo: results are written by the job alone; the CDRs were read with the user's own rights
        batch_sudo = self.sudo()
        batch_sudo.env["emsp.price.simulation.problem"].search([("batch_id", "=", self.id)]).unlink()
        batch_sudo.env["emsp.price.simulation.problem"].create(problems)
        batch_sudo.write({"is_done": True, **vals})
        # No shared identity key: a job that another batch asked for may have looked before this one ended.
        self.simulation_id.with_delay(
            identity_key=f"emsp.price.simulation.batch:{self.id}:finish", priority=PRIORITY
        )._job_finish()

    def _price(self):
        """:return: (Tally of what can be compared, vals of the problems of the rest).

        :raise UserError: the grid changed since the run began.
        """
        self.simulation_id._check_grid_unchanged()
        tally, problems, tariffs = Tally(), [], {}
        for cdr in self._load_cdrs():
            try:
                self._compare(cdr, tariffs, tally)
            except CoreError as error:
                problems.append(self._prepare_problem_vals(cdr, error))
        return tally, problems

    def _load_cdrs(self):
        """The batch's CDRs with their originals in cache; what became void meanwhile is left out."""
        cdrs = self.env["emsp.cdr"].browse(self.selection)
        cdrs.fetch(CDR_FIELDS)
        cdrs.credited_cdr_id.fetch(CDR_FIELDS)
        return cdrs.filtered(lambda cdr: cdr.state != "void")

    def _compare(self, cdr, tariffs, tally):
        """Add a CDR's amounts today and by the other grid.

        :raise CoreError: it has no price today, or none by the other grid.
        """
        if not cdr.price_grid_id:
            raise PricingError("not_priced_today")
        # A credit is the mirror of its original, whatever sign its sender used.
        session = cdr.credited_cdr_id or cdr
        sign = -1 if cdr.credited_cdr_id else 1
        other = by_component(split(session._explain(self.simulation_id.price_grid_id, tariffs)))
        today = by_component(map(Component.from_json, cdr.components), from_float(cdr.amount_untaxed, 4))
        tally.add_session(
            self._group(cdr),
            count=sign,
            energy=sign * from_float(session.energy_kwh, 4),
            today=today,
            other={component: sign * amount for component, amount in other.items()},
        )

    def _group(self, cdr):
        """:return: partner id, first and last day: of the settlement, else of the contract's month."""
        if cdr.settlement_id:
            days = (cdr.settlement_id.date_first, cdr.settlement_id.date_last)
        else:
            day = cdr.contract_id._local_date(cdr.session_end_at)
            days = (date_utils.start_of(day, "month"), date_utils.end_of(day, "month"))
        return cdr.partner_id.id, *map(fields.Date.to_string, days)

    def _prepare_problem_vals(self, cdr, error):
        found = error.params.get("found", error.params.get("got"))
        return {
            "simulation_id": self.simulation_id.id,
            "batch_id": self.id,
            "cdr_id": cdr.id,
            "code": error.code,
            "path": error.path,
            "expected": error.params.get("expected") and str(error.params["expected"]),
            "found": found and str(found),
        }

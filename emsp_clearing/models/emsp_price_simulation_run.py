from odoo import fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import split_every

from odoo.addons.queue_job.exception import RetryableJobError

from ..core.chain import payload_hash
from ..core.money import to_float
from .emsp_price_simulation_tally import Sums, Tally
from .emsp_settlement_run import BUSY_RETRY_S

BATCH_SIZE = 500


class EmspPriceSimulationRun(models.Model):
    """A what-if's run: the selection is frozen, batches price, the last one makes the lines."""

    _inherit = "emsp.price.simulation"

    def _run(self):
        self.ensure_one()
        cdrs = self.env["emsp.cdr"].search(self._selection_domain(), order="id")
        if not cdrs:
            raise UserError(
                self.env._("What-if %(name)s selects no CDR. Widen its range or its filters.", name=self.name)
            )
        grid = self.price_grid_id
        if not grid.line_ids:
            raise UserError(self.env._("Price grid %(grid)s has no price yet.", grid=grid.display_name))
        self._drop_results()
        self._update_state(
            "running",
            run_at=fields.Datetime.now(),
            cdr_count=len(cdrs),
            grid_hash=self._grid_hash(),
            grid_summary=grid.summary,
        )
        for batch in self._create_batches(cdrs.ids):
            batch._enqueue()

    def _grid_hash(self):
        """:return: the same, as long as the grid's prices are the same."""
        self.ensure_one()
        lines = [line._to_core() for line in self.price_grid_id.line_ids]
        return payload_hash(repr(lines).encode())

    def _check_grid_unchanged(self):
        """:raise UserError: a draft grid was edited during the run: batches would have different prices."""
        if self.grid_hash != self._grid_hash():
            raise UserError(
                self.env._(
                    "Price grid %(grid)s was changed during the run. Run again.",
                    grid=self.price_grid_id.display_name,
                )
            )

    def _create_batches(self, ids):
        # sudo: nobody edits batches; the right to run was checked by the caller
        batches = (
            self.env["emsp.price.simulation.batch"]
            .sudo()
            .create(
                [
                    {
                        "simulation_id": self.id,
                        "number": number,
                        "selection": list(part),
                        "cdr_count": len(part),
                    }
                    for number, part in enumerate(split_every(BATCH_SIZE, ids), start=1)
                ]
            )
        )
        return batches.sudo(self.env.su)

    def _drop_results(self):
        # sudo: nobody edits results; the right to drop them was checked by the caller
        simulations_sudo = self.sudo()
        simulations_sudo.batch_ids.unlink()
        simulations_sudo.line_ids.unlink()
        simulations_sudo.problem_ids.unlink()
        nothing = ("cdr_count", "session_count", "energy_kwh", "amount_today", "amount_other", "difference")
        empty = ("failure_reason", "run_at", "grid_hash", "grid_summary", "summary")
        self._store({**dict.fromkeys(nothing, 0), **dict.fromkeys(empty, False)})

    def _job_finish(self):
        """Make the lines once every batch is done; each batch asks for it, the last one gets it.

        :raise RetryableJobError: another transaction works on the simulation now.
        """
        if not self.exists():
            return
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            reason = self.env._("Another run works on %(name)s.", name=self.name)
            raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True) from error
        self.invalidate_recordset(["state", "batch_ids"])
        if self.state != "running" or not all(self.batch_ids.mapped("is_done")):
            return
        reason = next(filter(None, self.batch_ids.mapped("error")), None)
        if reason:
            self._update_state("failed", failure_reason=reason)
        else:
            self._finish()

    def _finish(self):
        tally = Tally()
        self.batch_ids.fetch(["result"])
        for batch in self.batch_ids:
            tally.merge(batch.result or [])
        # sudo: nobody edits results
        lines_sudo = self.env["emsp.price.simulation.line"].sudo()
        lines_sudo.create([lines_sudo._prepare_vals(self, key, sums) for key, sums in tally.components()])
        self.sudo().batch_ids.unlink()
        partners = tally.by_partner()
        total = sum(partners.values(), Sums())
        self._update_state(
            "done",
            session_count=total.sessions,
            energy_kwh=to_float(total.energy),
            amount_today=to_float(total.today),
            amount_other=to_float(total.other),
            difference=to_float(total.other - total.today),
            summary=[[partner_id, *sums.to_json()] for partner_id, sums in partners.items()],
        )

import logging

import psycopg2

from odoo import models
from odoo.exceptions import ConcurrencyError, UserError

from odoo.addons.queue_job.exception import RetryableJobError

# Settlements of a job, by step; of the other steps each has one of its own. Odoo makes and posts many
# invoices at once in a fraction of the time that they take one by one. What is sent is ready when its job is
# done.
BATCH_SIZES = {"lock": 10, "invoice": 10, "send": 5}
# CDRs of a job, or one settlement: what dies half-way is begun again.
BATCH_CDRS = 5000
# The whole transaction is replayed, by the job queue.
REPLAYED = (psycopg2.OperationalError, ConcurrencyError, RetryableJobError)

_logger = logging.getLogger(__name__)


class EmspSettlementBatch(models.Model):
    """Jobs do a step of several settlements at once; where one of them fails, each is done by a job of its
    own, so that it keeps nobody back."""

    _inherit = "emsp.settlement"

    def _enqueue_due_steps(self, as_of):
        """Enqueue for each settlement the step that is due at `as_of`, if any."""
        for step, due in self.grouped(lambda settlement: settlement._due_step(as_of)).items():
            if step:
                for batch in due._batches(step):
                    batch._enqueue(step, as_of)

    def _batches(self, step):
        """:return: list of settlements that a job takes together, in their order."""
        batches, room = [], 0
        for settlement in self:
            size = settlement._batch_share()
            if not batches or len(batches[-1]) >= BATCH_SIZES.get(step, 1) or size > room:
                batches.append(self.browse())
                room = BATCH_CDRS
            batches[-1] |= settlement
            room -= size
        return batches

    def _batch_share(self):
        """For how many CDRs the settlement counts. What is blocked would stop a batch again, and an invoice
        for each session is work for a job by itself."""
        is_alone = self.blocked_reason or self.invoice_scope == "cdr"
        return BATCH_CDRS if is_alone else self.cdr_count

    def _enqueue(self, step, as_of):
        ids = ",".join(map(str, sorted(self.ids)))
        job = self.with_delay(
            identity_key=f"emsp.settlement:{ids}:{step}",
            description=f"{', '.join(self.mapped('name'))}: {step}",
        )
        getattr(job, f"_job_{step}")(as_of)

    def _job_lock(self, as_of):
        self._do_together("lock", as_of)

    def _job_invoice(self, as_of):
        self._do_together("invoice", as_of)

    def _job_send(self, as_of):
        self._do_together("send", as_of)

    def _do_together(self, step, as_of):
        """Do the step of these settlements in one transaction; where that fails, each in one of its own."""
        try:
            with self.env.cr.savepoint():
                getattr(self, f"_step_{step}")(as_of)
        except REPLAYED:
            raise
        except Exception as error:
            if len(self) == 1:
                raise
            # What a person can mend is told by the settlement itself.
            is_told = isinstance(error, (UserError, OSError))
            level = logging.INFO if is_told else logging.ERROR
            _logger.log(level, "%s of %s one by one: %s", step, self.ids, error, exc_info=not is_told)
            for settlement in self:
                settlement._enqueue(step, as_of)

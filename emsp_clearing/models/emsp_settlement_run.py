import errno
import os
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, LockError, UserError
from odoo.fields import Domain

from odoo.addons.queue_job.exception import RetryableJobError

from ..core.calendar import period_after, period_of

# Of the transaction that looks for due steps: two at once would open the same periods.
RUN_LOCK = 0x656D7370
# No job takes as long; a CDR that waits longer has lost its own.
JOB_LIMIT = timedelta(hours=1)
# Until a settlement that another run holds is tried again.
BUSY_RETRY_S = 10
# What an administrator mends: the disk or the quota is full, a limit of the process, a disk that is broken.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class EmspSettlementRun(models.Model):
    """The steps of a settlement. Each is a job that can be repeated: what is done stays done.

    Time is an argument: `as_of` (naive UTC) is the moment the run is made for. A step judges by the
    instants of the settlement itself, so a run that comes late gives what a punctual one had given.
    """

    _inherit = "emsp.settlement"

    @api.model
    def _cron_run_due(self, as_of=None):
        """Enqueue every step that is due at `as_of`, and look for late payments.

        :raise ConcurrencyError: another run is at work; the caller is replayed.
        """
        as_of = as_of or fields.Datetime.now()
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s)", [RUN_LOCK])
        if not self.env.cr.fetchone()[0]:
            raise ConcurrencyError(self.env._("Another run of the settlement steps is at work."))
        self.env["emsp.cdr"]._enqueue_forgotten(fields.Datetime.now() - JOB_LIMIT)
        self._open_calendar(as_of)
        unfinished = self.search([("state", "in", ("collecting", "control", "locked", "invoiced"))])
        unfinished._enqueue_due_steps(as_of)
        self.search([("state", "=", "collecting")])._refresh_totals()
        self.search([("state", "in", ("invoiced", "sent"))])._settle_paid()
        self.env["emsp.exception"]._update_late(as_of)
        self.env["emsp.exception"]._update_disputed_paid(as_of)
        unsealed = self.env["emsp.cdr"]._read_group([("chain_hash", "=", False)], ["connection_id"])
        for (connection,) in unsealed:
            connection._seal_chain()

    @api.model
    def _open_calendar(self, as_of):
        """Make sure that each contract has a settlement for every period up to the one of `as_of`."""
        contracts = self.env["emsp.contract"].search([("state", "in", ("active", "ended"))])
        groups = self._read_group(
            [("contract_id", "in", contracts.ids)], ["contract_id"], ["period_end:max", "cut_off_at:max"]
        )
        # The list of a later period never closes before that of an earlier one: both are of the last.
        last = {contract: (end, cut_off) for contract, end, cut_off in groups}
        vals_list = []
        for contract in contracts.filtered(lambda contract: contract._still_settles(as_of)):
            vals_list += self._prepare_missing_periods(contract, last.get(contract), as_of)
        return self.create(vals_list)

    @api.model
    def _prepare_missing_periods(self, contract, last, as_of):
        """:param last: end and cut-off of the last settlement (naive UTC), or None.
        :return: vals of the settlements between the last one and the one whose period holds `as_of`.
        """
        terms = contract._terms()
        now = as_of.replace(tzinfo=UTC)
        vals_list = []
        if last:
            end, cut_off = (instant.replace(tzinfo=UTC) for instant in last)
            period = period_after(end, terms, cut_off)
        else:
            period = period_of(now, terms)
            # Sessions of the period before may still be in their grace when the contract starts.
            previous = period_of(period.start - timedelta(seconds=1), terms)
            starts_in_time = previous.last_day >= contract.date_start
            if previous.cut_off > now and starts_in_time:
                vals_list.append(self._prepare_period_vals(contract, previous))
        while period.start <= now:
            vals_list.append(self._prepare_period_vals(contract, period))
            period = period_after(period.end, terms, period.cut_off)
        return vals_list

    @api.model
    def _prepare_period_vals(self, contract, period):
        return {
            "name": self.env["ir.sequence"].next_by_code("emsp.settlement"),
            "contract_id": contract.id,
            "period_start": naive(period.start),
            "period_end": naive(period.end),
            "date_first": period.first_day,
            "date_last": period.last_day,
            "cut_off_at": naive(period.cut_off),
            "lock_at": naive(period.lock_at),
            "invoice_date": period.invoice_date,
            "time_zone": contract.time_zone,
        }

    def _due_step(self, as_of):
        """The name of the step that is due at `as_of`, or None."""
        self.ensure_one()
        if self.contract_id.state == "suspended":
            return None
        if self.state == "collecting" and self.cut_off_at <= as_of:
            return "open_window"
        if self.state == "control" and self.lock_at <= as_of:
            return "lock"
        if self.contract_id.partner_role == "cpo":
            # The CPO bills these sessions to us; its invoice is compared with the locked list.
            return None
        if self.carried_forward and self.state == "locked" and self._has_successor(as_of):
            return None
        return {"locked": "invoice", "invoiced": "send"}.get(self.state)

    def _locked_for(self, *states):
        """Take the rows: of two runs the second one is put off, and then finds the step done.

        :return: the settlements that are (still) in one of `states`.
        :raise RetryableJobError: another transaction works on one of them now.
        """
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            names = ", ".join(self.mapped("name"))
            reason = self.env._("Another run works on %(settlement)s.", settlement=names)
            raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True) from error
        self.invalidate_recordset(["state", "move_ids", "move_id"])
        return self.filtered(lambda settlement: settlement.state in states)

    def _job_open_window(self, as_of):
        """Close the list: what the partner could see by the cut-off and no other list has is on it.

        Lists of the contract that should have closed before do so first, or their CDRs would go to
        this one.
        """
        earlier = self.search(
            [
                ("contract_id", "=", self.contract_id.id),
                ("state", "=", "collecting"),
                ("period_end", "<=", self.period_start),
            ],
            order="period_start",
        )
        for settlement in earlier | self:
            settlement._close_list()
            settlement._enqueue_due_steps(as_of)

    def _close_list(self):
        if not self._locked_for("collecting"):
            return
        cdrs, listed = self.env["emsp.cdr"], Domain("settlement_id", "=", self.id)
        cdrs._store_of(self._candidates_domain(self.cut_off_at), {"settlement_id": self.id})
        cdrs._store_of(listed & Domain("session_end_at", "<", self.period_start), {"is_late": True})
        terms = self.contract_id.read(self._contract_terms(), load=None)[0]
        terms.pop("id")
        self._update_state("control", **terms)
        self._refresh_totals()
        self._store({"list_hash": self._seal()})

    def _step_lock(self, as_of):
        """Seal the lists at the lock instant; what is still disputed or held moves on."""
        closing = self._locked_for("control")
        for settlement in closing:
            settlement._lock_list()
        closing._enqueue_due_steps(as_of)

    def _lock_list(self):
        cdrs, listed = self.env["emsp.cdr"], Domain("settlement_id", "=", self.id)
        cdrs._store_of(listed & Domain("state", "!=", "open"), {"settlement_id": False})
        cdrs._update_state_of(listed, "locked")
        self._update_state("locked")
        for (connection,) in cdrs._read_group(listed, ["connection_id"]):
            connection._seal_chain()
        self._refresh_totals()
        self._store({"list_hash": self._seal()})

    def _step_invoice(self, as_of):
        """Bill the settlements, and those that go with them: all of it is there or nothing.

        With an invoice for each session, a transaction makes some of them and leaves the rest to the next.
        :raise UserError, OSError: one of several cannot be billed; of one alone, it is blocked.
        """
        waiting = self._locked_for("locked")
        waiting._prepare_invoicing(as_of)
        groups, others = waiting._take_billing_groups(as_of)
        billed = self.browse().union(*groups)
        try:
            with self.env.cr.savepoint():
                self._take_journals(groups)
                self._invoice(groups)
        except (UserError, OSError) as error:
            if len(self) > 1:
                raise
            self._block(self._reason_to_wait(error), getattr(error, "emsp_kind", "blocked"))
            return
        billed._unblock(as_of)
        others.union(*(group[:1] for group in groups))._enqueue_due_steps(as_of)

    @api.model
    def _take_journals(self, groups):
        """Two jobs that post to one hashed journal: the second is put off before it has done anything.

        :raise RetryableJobError: another transaction posts to one of the journals now.
        """
        journals = self.env["account.journal"].union(*(group[:1]._sale_journal() for group in groups))
        hashed = journals.filtered("restrict_mode_hash_table")
        try:
            hashed.lock_for_update(allow_referencing=True)
        except LockError as error:
            reason = self.env._("Another run posts to %(journal)s.", journal=", ".join(hashed.mapped("name")))
            raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True) from error

    def _prepare_invoicing(self, as_of):
        """Extension point: what is decided before settlements are billed, and stays where that is refused."""

    def _step_send(self, as_of):
        """Hand the packages to the mail queue; a settlement is sent when SMTP has taken its own."""
        for settlement in self._locked_for("invoiced", "sent", "settled"):
            try:
                with self.env.cr.savepoint():
                    settlement._send()
            except (UserError, OSError) as error:
                settlement._block(settlement._reason_to_wait(error), getattr(error, "emsp_kind", "blocked"))
            else:
                settlement._unblock(as_of)

    def _reason_to_wait(self, error):
        """:return: in words, what keeps the settlement from its next step.
        :raise OSError: `error` itself, when it is none of the disk: that is a failure of the program.
        """
        if not isinstance(error, OSError):
            return str(error)
        if error.errno not in DISK_ERRORS:
            raise error
        return self.env._("A file cannot be written: %(reason)s", reason=os.strerror(error.errno))

    def _settle_paid(self):
        """Settlements whose invoice is paid are settled."""
        self.filtered(lambda s: s.payment_state in ("paid", "reversed"))._update_state("settled")


def naive(instant):
    """An aware instant as Odoo stores it."""
    return instant.astimezone(UTC).replace(tzinfo=None)

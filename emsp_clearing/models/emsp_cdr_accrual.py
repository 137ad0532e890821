from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

# A CDR is in the first of them that it fits.
COLUMNS = ("held", "credited", "disputed", "late", "unbilled")
WAITING_STATES = ("received", "quarantine")


class EmspCdrAccrual(models.Model):
    """Which CDRs belong to the books of a day and are on no invoice of it, and why.

    Two points in time are told apart. The day decides what belongs to its books: sessions that ended by
    its end in the contract's time zone, and documents dated by it. `known_at` decides what was known: CDRs
    that had come, were visible, or were disputed at that instant. Of some things no history is kept, so
    today's state counts: whether a CDR is void or in quarantine, which list it is on and whether as a late
    one, whether a document is posted, and which settlements a vendor bill is linked to.
    """

    _inherit = "emsp.cdr"

    accrual_slice = fields.Char(
        store=False,
        search="_search_accrual_slice",
        help="Finds the CDRs behind a figure of an accrual, by the line's id and the column's name.",
    )

    @api.model
    def _search_accrual_slice(self, operator, value):
        if operator != "in":
            return NotImplemented
        domains = []
        for name in value:
            line_id, column = name.split(":")
            # Read with the rights of the user: who may not see the line is shown none of it.
            line = self.env["emsp.accrual.line"].search([("id", "=", int(line_id))])
            if line:
                domains.append(line._column_domain(column))
        return Domain.OR(domains)

    @api.model
    def _accrual_domains(self, contracts, day, known_at):
        """:param contracts: of one company. :param date day: the last of the books.
        :param datetime known_at: naive UTC.
        :return: dict column -> Domain; no CDR is in two of them.
        """
        remaining = self._unbilled_domain(contracts, day, known_at)
        tests = {
            "held": (
                Domain("available_at", "=", False)
                | Domain("available_at", ">", known_at)
                | Domain("state", "in", WAITING_STATES)
            ),
            # One that came before the lock of its original voided both: what is left credits an invoice.
            "credited": Domain("is_credit", "=", True),
            "disputed": Domain(
                "dispute_ids",
                "any",
                Domain("opened_at", "<=", known_at)
                & (Domain("closed_at", "=", False) | Domain("closed_at", ">", known_at)),
            ),
            "late": self._late_domain(contracts, known_at),
            "unbilled": Domain.TRUE,
        }
        domains = {}
        for column in COLUMNS:
            domains[column] = remaining & tests[column]
            remaining &= ~tests[column]
        return domains

    @api.model
    def _unbilled_domain(self, contracts, day, known_at):
        """Sessions of the books of `day` that no document of it bills."""
        # sudo is not needed: `any!` reads of documents no more than their date and whether they are posted,
        # so the figures do not depend on the reader's rights in accounting.
        later = Domain("move_id", "any!", [("state", "!=", "posted")]) | Domain(
            "move_id", "any!", [("invoice_date", ">", day)]
        )
        # A list that sums to zero is settled without a document.
        settled = Domain(
            "settlement_id",
            "any!",
            [("state", "=", "settled"), ("move_ids", "=", False), ("invoice_date", "<=", day)],
        )
        return (
            self._ended_domain(contracts, day)
            & Domain("received_at", "<=", known_at)
            & Domain("state", "!=", "void")
            & ((Domain("move_id", "=", False) & ~settled & ~self._vendor_billed_domain(day)) | later)
        )

    @api.model
    def _vendor_billed_domain(self, day):
        """Sessions at a CPO that a bill of it charges in the books of `day`: all of a settlement's, once one
        is linked to it."""
        bills = [("state", "=", "posted"), ("move_type", "=", "in_invoice"), ("date", "<=", day)]
        return Domain("settlement_id", "any!", Domain("vendor_bill_ids", "any!", bills))

    @api.model
    def _ended_domain(self, contracts, day):
        """Sessions that ended by the end of `day`, which each contract has at its own instant."""
        return Domain.OR(
            Domain("contract_id", "in", own.ids)
            & Domain("session_end_at", "<", own[0]._midnight(day + timedelta(days=1)))
            for own in contracts.grouped("time_zone").values()
        )

    @api.model
    def _late_domain(self, contracts, known_at):
        """CDRs that are billed in a later period than they ended in, as known at `known_at`.

        What is on a list that had closed is marked. What is on none is late when it was visible only after
        the list of its period had closed, or when that list has locked without it.
        """
        closed = Domain("settlement_id", "any!", [("cut_off_at", "<=", known_at)])
        missed = Domain.OR(
            Domain("contract_id", "in", ids)
            & Domain("session_end_at", "<", end)
            & Domain("available_at", ">", cut_off)
            for (end, cut_off), ids in self._last_ends(contracts, "cut_off_at", known_at).items()
        )
        left_out = Domain.OR(
            Domain("contract_id", "in", ids) & Domain("session_end_at", "<", end)
            for (end, __), ids in self._last_ends(contracts, "lock_at", known_at).items()
        )
        return (closed & Domain("is_late", "=", True)) | (~closed & (missed | left_out))

    @api.model
    def _last_ends(self, contracts, step, known_at):
        """:param step: field of the settlement, the instant at which it was due.
        :return: dict (end of the last period past that step, the instant) -> ids of the contracts.
        """
        groups = self.env["emsp.settlement"]._read_group(
            [("contract_id", "in", contracts.ids), (step, "<=", known_at)],
            ["contract_id"],
            ["period_end:max", f"{step}:max"],
        )
        # Contracts with the same periods share a condition.
        ids_by_end = defaultdict(list)
        for contract, period_end, instant in groups:
            ids_by_end[period_end, instant].append(contract.id)
        return ids_by_end

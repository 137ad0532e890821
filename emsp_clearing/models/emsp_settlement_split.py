from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from odoo import api, fields, models

from ..core.chain import LIST_DIGITS
from ..core.money import D, from_float
from .emsp_contract_invoicing import CREDIT_SCOPES, INVOICE_SCOPES

# Invoices of one session each that one transaction makes.
SESSIONS_PER_RUN = 100
# What billing reads of a session; the rest depends on how the lines are grouped.
ROW_FIELDS = ("ocpi_key", "amount_untaxed", "components", "settlement_id", "is_late", "session_end_at")


@dataclass(frozen=True, slots=True)
class Document:
    """Sessions that go onto one invoice or credit note.

    `rows` are dicts of the CDRs' values; `corrected_move_id` is the invoice that their credits correct.
    """

    rows: list[dict[str, Any]]
    corrected_move_id: int | None = None

    @property
    def cdr_ids(self) -> list[int]:
        return [row["id"] for row in self.rows]

    @property
    def settlement_ids(self) -> list[int]:
        return sorted({row["settlement_id"] for row in self.rows})


class EmspSettlementSplit(models.Model):
    """Which sessions stand on which document."""

    _inherit = "emsp.settlement"

    invoice_scope = fields.Selection(INVOICE_SCOPES, readonly=True)
    credit_scope = fields.Selection(CREDIT_SCOPES, readonly=True)

    @api.model
    def _contract_terms(self):
        return [*super()._contract_terms(), "invoice_scope", "credit_scope"]

    def _split_documents(self):
        """:return: list of Document; with an invoice for each session, those of the next few.
        :raise UserError: when the sessions do not sum to the lists.
        """
        leading = self[:1]
        if leading.invoice_scope == "cdr":
            rows = self._billable_rows(limit=SESSIONS_PER_RUN)
            corrected = self._corrected_moves(rows)
            return [Document([row], corrected.get(row["id"])) for row in rows]
        rows = self._billable_rows()
        self._prove_lists(rows)
        if leading.credit_scope == "own":
            return self._split_credits(rows)
        return [Document(rows)] if rows else []

    def _billable_domain(self):
        domain = [("settlement_id", "in", self.ids), ("state", "=", "locked"), ("move_id", "=", False)]
        # A session of zero has no invoice of its own.
        return [*domain, ("amount_untaxed", "!=", 0)] if self[:1].invoice_scope == "cdr" else domain

    def _billable_rows(self, limit=None):
        """:return: list of dicts, by key."""
        names = {*ROW_FIELDS, *self[:1]._group_fields()}
        return self.env["emsp.cdr"].search_read(
            self._billable_domain(), sorted(names), order="ocpi_key", limit=limit, load=None
        )

    def _sessions_left(self):
        """Whether sessions wait for an invoice of their own."""
        if self[:1].invoice_scope != "cdr":
            return False
        return bool(self.env["emsp.cdr"].search_count(self._billable_domain(), limit=1))

    def _prove_lists(self, rows):
        found = sum((from_float(row["amount_untaxed"], LIST_DIGITS) for row in rows), D(0))
        listed = self._group_amount()
        if found != listed:
            raise self[:1]._does_not_add_up(
                self.env._("expected %(expected)s, got %(found)s", expected=listed, found=found)
            )

    def _split_credits(self, rows):
        """The sessions on one document, and the credits of each earlier invoice on one of their own."""
        corrected = self._corrected_moves(rows)
        by_move = defaultdict(list)
        for row in rows:
            by_move[corrected.get(row["id"])].append(row)
        ordered = sorted(by_move.items(), key=lambda item: item[0] or 0)
        return [Document(found, move_id) for move_id, found in ordered]

    def _corrected_moves(self, rows):
        """:return: dict id of a credit CDR -> id of the invoice that billed its original."""
        credits = self.env["emsp.cdr"].search_fetch(
            [("id", "in", [row["id"] for row in rows]), ("credited_cdr_id.move_id", "!=", False)],
            ["credited_cdr_id"],
        )
        return {credit.id: credit.credited_cdr_id.move_id.id for credit in credits}

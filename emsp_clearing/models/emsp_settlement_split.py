from collections import defaultdict
from dataclasses import dataclass

from odoo import api, fields, models
from odoo.fields import Domain

from .emsp_contract_invoicing import CREDIT_SCOPES, INVOICE_SCOPES

# Invoices of one session each that one transaction makes.
SESSIONS_PER_RUN = 100


@dataclass(frozen=True, slots=True)
class Document:
    """Sessions that go onto one invoice or credit note.

    `domain` is of the CDRs; `corrected_move_id` is the invoice that their credits correct.
    """

    domain: Domain
    corrected_move_id: int | None = None


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
        domain, cdrs = self._billable_domain(), self.env["emsp.cdr"]
        if self[:1].invoice_scope == "cdr":
            found = cdrs.search(domain, order="ocpi_key", limit=SESSIONS_PER_RUN)
            corrected = self._corrected_moves(Domain("id", "in", found.ids))
            return [Document(Domain("id", "=", cdr.id), corrected.get(cdr.id)) for cdr in found]
        self._prove_lists(domain)
        if self[:1].credit_scope == "own":
            return self._split_credits(domain)
        return [Document(domain)] if cdrs.search_count(domain, limit=1) else []

    def _billable_domain(self):
        domain = Domain(
            [("settlement_id", "in", self.ids), ("state", "=", "locked"), ("move_id", "=", False)]
        )
        # A session of zero has no invoice of its own.
        return domain & Domain("amount_untaxed", "!=", 0) if self[:1].invoice_scope == "cdr" else domain

    def _sessions_left(self):
        """Whether sessions wait for an invoice of their own."""
        if self[:1].invoice_scope != "cdr":
            return False
        return bool(self.env["emsp.cdr"].search_count(self._billable_domain(), limit=1))

    def _prove_lists(self, domain):
        found, listed = self.env["emsp.cdr"]._sum_of(domain), self._group_amount()
        if found != listed:
            raise self[:1]._does_not_add_up(
                self.env._("expected %(expected)s, got %(found)s", expected=listed, found=found)
            )

    def _split_credits(self, domain):
        """The sessions on one document, and the credits of each earlier invoice on one of their own."""
        by_move = defaultdict(list)
        for cdr_id, move_id in self._corrected_moves(domain).items():
            by_move[move_id].append(cdr_id)
        credits = [Document(Domain("id", "in", ids), move_id) for move_id, ids in sorted(by_move.items())]
        rest = domain & ~Domain.OR(document.domain for document in credits)
        has_rest = self.env["emsp.cdr"].search_count(rest, limit=1)
        return [Document(rest), *credits] if has_rest else credits

    def _corrected_moves(self, domain):
        """:return: dict id of a credit CDR -> id of the invoice that billed its original."""
        credits = self.env["emsp.cdr"].search_fetch(
            domain & Domain("credited_cdr_id.move_id", "!=", False), ["credited_cdr_id"]
        )
        return {credit.id: credit.credited_cdr_id.move_id.id for credit in credits}

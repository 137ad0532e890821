from dataclasses import dataclass
from typing import Any

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

CLEARING_REPORT = "emsp_clearing.action_report_clearing_invoice"


class PreviewDone(Exception):
    """Takes back what a preview has made."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be billed. `problem` is why nothing would; amounts are floats in the document's currency."""

    settlement_ids: list[int]
    vals: dict[str, Any]
    problem: str = ""
    pdf: bytes = b""


class EmspSettlementPreview(models.Model):
    """What settlements would become if they locked now: the same code as that of the run, taken back."""

    _inherit = "emsp.settlement"

    def action_preview(self):
        """Show what would be billed today."""
        wizard = self.env["emsp.settlement.preview"]._create_for(self)
        return wizard._get_action()

    def _preview(self, as_of, with_pdf=False):
        """Bill these settlements as if they locked at `as_of`, and take it all back.

        :return: list of Preview, one for each document, and one for each settlement without any.
        """
        found = []
        try:
            with self.env.cr.savepoint():
                for settlement in self:
                    settlement._lock_for_preview()
                found += self._preview_groups(as_of, with_pdf)
                raise PreviewDone
        except PreviewDone:
            self.env.invalidate_all(flush=False)
        except RetryableJobError as error:
            raise UserError(str(error)) from error
        return found

    def _lock_for_preview(self):
        if self.state == "collecting":
            self._close_list()
        if self.state == "control":
            self._lock_list()

    def _preview_groups(self, as_of, with_pdf):
        found, done = [], self.browse()
        for settlement in self:
            if settlement in done:
                continue
            group = settlement._billing_group() or settlement
            done |= group
            found += group._preview_documents(as_of, with_pdf)
        return found

    def _preview_documents(self, as_of, with_pdf):
        if self._is_below_minimum(as_of):
            return [
                Preview(
                    self.ids, self._preview_vals(), self.env._("Below the minimum: it is carried forward.")
                )
            ]
        try:
            with self.env.cr.savepoint():
                moves = self._draft_documents([self])
        except UserError as error:
            return [Preview(self.ids, self._preview_vals(), str(error))]
        if not moves:
            return [Preview(self.ids, self._preview_vals(), self.env._("Nothing to invoice."))]
        return [
            Preview(
                move.emsp_settlement_ids.ids,
                self._preview_move_vals(move),
                pdf=self._preview_pdf(move) if with_pdf else b"",
            )
            for move in moves
        ]

    def _preview_vals(self):
        return {
            "partner_id": self[:1].partner_id.id,
            "currency_id": self[:1].currency_id.id,
            "session_count": sum(self.mapped("cdr_count")),
            "amount_untaxed": float(self._group_amount()),
        }

    def _preview_move_vals(self, move):
        sign = -1 if move.move_type == "out_refund" else 1
        return {
            "partner_id": move.partner_id.id,
            "currency_id": move.currency_id.id,
            "session_count": self.env["emsp.cdr"].search_count([("move_id", "=", move.id)]),
            "amount_untaxed": move.amount_untaxed * sign,
            "amount_tax": move.amount_tax * sign,
            "amount_total": move.amount_total * sign,
            "move_type": move.move_type,
            "fiscal_position_id": move.fiscal_position_id.id,
            "invoice_date": move.invoice_date,
            "date_due": move.invoice_date_due,
        }

    def _preview_pdf(self, move):
        """The document as it would be sent: a draft, without a number."""
        pdf, __ = self.env["ir.actions.report"]._render_qweb_pdf(CLEARING_REPORT, move.ids)
        return pdf

from odoo import models

from ..core.money import from_float
from ..report.emsp_annex_details import DisputeRow

DIGITS = 4


class EmspDisputeAnnex(models.Model):
    """A dispute as the annex tells it: its opening and its decision, nothing of what is internal."""

    _inherit = "emsp.dispute"

    def _annex_dispute(self):
        self.ensure_one()

        def label(name):
            return dict(self._fields[name]._description_selection(self.env))[self[name]]

        return DisputeRow(
            dispute=self.name,
            cdr=self.ocpi_id,
            ocpi_key=self.cdr_id.ocpi_key,
            raised=label("direction"),
            opened_at=self.opened_at,
            opened_by=self.opened_by_id.name or "",
            reason=label("reason"),
            explanation=self.explanation or "",
            own_amount=from_float(self.own_amount, DIGITS) if self.has_own_amount else None,
            disputed_amount=from_float(self.disputed_amount, DIGITS),
            answered_at=self.answered_at or None,
            state=label("state"),
            answer=self.answer or "",
            agreed_amount=from_float(self.agreed_amount, DIGITS) if self.state == "corrected" else None,
            closed_at=self.closed_at or None,
            by_silence=self.env._("yes") if self.is_by_silence else "",
            credit_cdr=self.credit_cdr_id.ocpi_id or "",
            new_cdr=self.new_cdr_id.ocpi_id or "",
        )

from odoo import api, fields, models


class EmspExceptionMatching(models.Model):
    """What the matching of payments leaves: too much or too little paid, and candidates."""

    _inherit = "emsp.exception"

    direction = fields.Selection(
        [("short", "Too little"), ("over", "Too much")], string="Paid", readonly=True
    )
    match_candidates = fields.Html(related="statement_line_id.emsp_match_candidates")

    @api.depends("statement_line_id.line_ids.reconciled")
    def _compute_state(self):
        """EXTENDS emsp.exception: a credit is gone when it is reconciled, or its payment undone."""
        return super()._compute_state()

    def _is_settled(self):
        if self.kind == "gap" and self.direction == "over":
            # sudo: whoever settles the credit; see _close.
            items = self.statement_line_id.sudo().line_ids
            return not items.filtered(
                lambda item: (
                    item.account_id.account_type in ("asset_receivable", "liability_payable")
                    and not item.reconciled
                )
            )
        return super()._is_settled()

from odoo import api, fields, models


class EmspExceptionMatching(models.Model):
    """What the matching of payments leaves: too much or too little paid, and candidates."""

    _inherit = "emsp.exception"

    direction = fields.Selection(
        [("short", "Too little"), ("over", "Too much")], string="Paid", readonly=True
    )
    match_candidates = fields.Html(related="statement_line_id.emsp_match_candidates")
    name = fields.Char(compute="_compute_name", store=True)
    amount = fields.Monetary(compute="_compute_amount", store=True)

    @api.depends("state", "move_id.amount_residual", "statement_line_id.line_ids.amount_residual_currency")
    def _compute_amount(self):
        """What is paid too little or too much follows the books; other facts say what they were met with."""
        for exception in self:
            amount = exception.amount
            if exception.kind == "gap" and exception.state == "open":
                short = exception.direction == "short"
                amount = exception.move_id.amount_residual if short else exception._open_credit()
            exception.amount = amount

    @api.depends("state", "move_id.amount_residual", "statement_line_id")
    def _compute_name(self):
        """The sentence of a short payment tells what is open now; other facts keep theirs."""
        for exception in self:
            name = exception.name
            is_short = exception.kind == "gap" and exception.direction == "short"
            if is_short and exception.state == "open" and exception.statement_line_id:
                # sudo: whoever pays or credits the document; see _close.
                name = exception.statement_line_id.sudo()._short_sentence(exception.move_id)
            exception.name = name

    def _open_credit(self):
        items = self._open_credit_items()
        return abs(sum(items.mapped("amount_residual_currency")))

    def _open_credit_items(self):
        # sudo: whoever settles the credit; see _close.
        return self.statement_line_id.sudo().line_ids.filtered(
            lambda item: (
                item.account_id.account_type in ("asset_receivable", "liability_payable")
                and not item.reconciled
            )
        )

    @api.depends("statement_line_id.line_ids.reconciled")
    def _compute_state(self):
        """EXTENDS emsp.exception: a credit is gone when it is reconciled, or its payment undone."""
        return super()._compute_state()

    def _is_settled(self):
        if self.kind == "gap" and self.direction == "over":
            return not self._open_credit_items()
        if self.kind == "gap" and self.direction == "short" and self._is_unpaid():
            return True
        return super()._is_settled()

    def _is_unpaid(self):
        """What came has gone back, or was for another document: nothing is paid short."""
        move = self.move_id
        return move.currency_id.compare_amounts(abs(move.amount_residual), abs(move.amount_total)) == 0

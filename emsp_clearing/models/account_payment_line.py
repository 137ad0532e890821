from odoo import models


class AccountPaymentLine(models.Model):
    _inherit = "account.payment.line"

    def _compute_partner_bank_id(self):
        """EXTENDS account_payment_batch_oca, which pays a credit note to the partner's first account.

        The credit note's own account is taken, as for a vendor's bill: the one set on it, else one that
        is marked as trusted.
        """
        result = super()._compute_partner_bank_id()
        for line in self:
            move = line.move_line_id.move_id
            if move.move_type == "out_refund" and line.order_id.payment_type == "outbound":
                line.partner_bank_id = move.partner_bank_id
        return result

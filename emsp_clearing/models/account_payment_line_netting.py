from odoo import models


class AccountPaymentLineNetting(models.Model):
    _inherit = "account.payment.line"

    def _prepare_account_payment_vals(self, payment_lot, pay_sequence):
        # EXTENDS account_payment_batch_oca: the statement's number is written once, not once per document
        vals = super()._prepare_account_payment_vals(payment_lot, pay_sequence)
        texts = set(self.mapped("communication"))
        is_netting = self.env["emsp.netting"].search_count(
            [("payment_order_id", "=", self.order_id.id), ("name", "in", list(texts))], limit=1
        )
        if is_netting and len(texts) == 1:
            vals["payment_reference"] = texts.pop()
        return vals

from odoo import api, fields, models


class EmspExceptionPayment(models.Model):
    """What goes wrong with the payments that we make or collect."""

    _inherit = "emsp.exception"

    kind = fields.Selection(
        selection_add=[("payment_held", "Payment held back"), ("bank_answer", "Bank's answer unclear")],
        ondelete={"payment_held": "cascade", "bank_answer": "cascade"},
    )

    def _is_settled(self):
        # EXTENDS: what came back is settled when its document is, or a person has booked the bank line
        if self.kind not in ("returned", "payment_held"):
            return super()._is_settled()
        if self.move_id:
            return self.move_id.state != "posted" or self.currency_id.is_zero(self.move_id.amount_residual)
        return (
            self.kind == "returned" and bool(self.statement_line_id) and self.statement_line_id.is_reconciled
        )

    @api.model
    def _usual_remedy(self, kind):
        texts = {
            "payment_held": self.env._("Remove the cause. The next proposal takes the item up."),
            "returned": self.env._("Open the bank line and book what came back."),
            "bank_answer": self.env._(
                "Ask the bank which payment it means, and look at it in the payment orders."
            ),
        }
        return texts.get(kind) or super()._usual_remedy(kind)

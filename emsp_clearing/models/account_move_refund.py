from odoo import models
from odoo.exceptions import UserError


class AccountMoveRefund(models.Model):
    """Credit notes paid out by SEPA credit transfer."""

    _inherit = "account.move"

    def action_refund_by_transfer(self):
        """Put posted credit notes into the draft payment order of their company, and open it."""
        orders = self.env["account.payment.order"]
        for move in self:
            if move.move_type != "out_refund":
                raise UserError(
                    self.env._("%(document)s is no credit note; only those are refunded.", document=move.name)
                )
            move.preferred_payment_method_line_id = orders._ensure_credit_transfer(move.company_id)
        return self.create_account_payment_line()

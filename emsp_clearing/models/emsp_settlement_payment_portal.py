from odoo import models
from odoo.tools import format_date, formatLang


class EmspSettlementPaymentPortal(models.Model):
    """What the partner still has to pay of a settlement, and how it can."""

    _inherit = "emsp.settlement"

    def _portal_payments(self):
        """:return: list of dicts of texts, one for each invoice of which something is open.

        A page of its own takes cards and other means that the company has set up; a transfer is made by what
        stands here.
        """
        self.ensure_one()
        # sudo: the partner reads its own invoices, not all that is behind them
        moves_sudo = self.sudo().move_ids.filtered(
            lambda move: (
                move.move_type == "out_invoice" and move.state == "posted" and move.amount_residual > 0
            )
        )
        return [self._portal_payment(move_sudo) for move_sudo in moves_sudo.sorted("invoice_date_due")]

    def _portal_payment(self, move_sudo):
        bank = move_sudo._get_document_bank()
        return {
            "name": move_sudo.name,
            "amount": formatLang(self.env, move_sudo.amount_residual, currency_obj=move_sudo.currency_id),
            "date": format_date(self.env, move_sudo.invoice_date_due),
            "is_partial": move_sudo.amount_residual < move_sudo.amount_total,
            "is_under_way": move_sudo.payment_state == "in_payment",
            "url": f"/my/invoices/{move_sudo.id}?payment=True#portal_pay"
            if move_sudo._has_to_be_paid()
            else "",
            "bank": bank,
            "reference": move_sudo.payment_reference or move_sudo.name,
            "qr": move_sudo._get_payment_qr(),
        }

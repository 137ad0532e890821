from odoo import api, fields, models

from .emsp_contract_einvoice import EINVOICE_FORMATS


class EmspSettlementEinvoice(models.Model):
    """The e-invoice's terms, as they were when the window opened; an invoice whose e-invoice is not
    valid is not made."""

    _inherit = "emsp.settlement"

    einvoice_format = fields.Selection(EINVOICE_FORMATS, string="E-invoice", readonly=True)
    buyer_reference = fields.Char(readonly=True)
    purchase_order = fields.Char(readonly=True)

    @api.model
    def _contract_terms(self):
        # EXTENDS emsp_clearing
        return [*super()._contract_terms(), "einvoice_format", "buyer_reference", "purchase_order"]

    def _prepare_move_vals(self, invoice_plan):
        # EXTENDS emsp_clearing
        return {
            **super()._prepare_move_vals(invoice_plan),
            "buyer_reference": self.buyer_reference,
            "purchase_order_reference": self.purchase_order,
            "contract_reference": self.contract_id.reference,
        }

    @api.model
    def _invoice(self, groups):
        # EXTENDS emsp_clearing
        moves = super()._invoice(groups)
        for move in moves:
            move._check_einvoice()
        return moves

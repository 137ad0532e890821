from odoo import models


class EmspSettlementInvoiceLayout(models.Model):
    """No invoice before its document can be printed."""

    _inherit = "emsp.settlement"

    def _check_invoiceable(self):
        # EXTENDS emsp_settlement_invoice
        checked = super()._check_invoiceable()
        layouts = self.env["emsp.invoice.layout"]
        layout = self.contract_id.invoice_layout_id or layouts._get_default(self.company_id)
        layout._check_printable()
        return checked

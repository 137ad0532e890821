from odoo import api, models


class AccountPaymentOrderNetting(models.Model):
    _inherit = "account.payment.order"

    @api.model
    def _open_items(self, company, account_type, domain):
        # EXTENDS emsp_clearing: what stands in a netting statement waits until that is settled
        items = super()._open_items(company, account_type, domain)
        return items - self.env["emsp.netting.line"]._live_items(items)

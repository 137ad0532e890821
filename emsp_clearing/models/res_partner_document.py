from odoo import models


class ResPartnerDocument(models.Model):
    _inherit = "res.partner"

    def _get_document_address(self):
        """:return: the lines of the address as its country writes it, without the name."""
        self.ensure_one()
        address = self._display_address(without_company=True)
        return [line.strip() for line in address.splitlines() if line.strip()]

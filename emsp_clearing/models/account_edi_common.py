from odoo import models

from odoo.addons.account_edi_ubl_cii.models.account_edi_common import TAX_EXEMPTION_MAPPING

# EN 16931, BR-AE-10 and BR-O-10: these categories need a reason.
REASON_CODES = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}


class AccountEdiCommon(models.AbstractModel):
    """A tax of reverse charge, or outside the scope of VAT, has its reason without anybody choosing it."""

    _inherit = "account.edi.common"

    def _get_tax_exemption_reason(self, customer, supplier, tax):
        # EXTENDS account_edi_ubl_cii
        reason = super()._get_tax_exemption_reason(customer, supplier, tax)
        if reason["tax_exemption_reason_code"] or reason["tax_exemption_reason"]:
            return reason
        code = REASON_CODES.get(self._get_tax_category_code(customer, supplier, tax))
        if code:
            return {
                "tax_exemption_reason_code": code,
                "tax_exemption_reason": TAX_EXEMPTION_MAPPING[code],
            }
        return reason

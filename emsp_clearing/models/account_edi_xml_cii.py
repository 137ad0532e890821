from odoo import models

from ..report.emsp_einvoice import EN16931, complete_cii


class AccountEdiXmlCii(models.AbstractModel):
    """Factur-X of a clearing document, in the profile EN 16931."""

    _inherit = "account.edi.xml.cii"

    def _export_invoice(self, invoice):
        # EXTENDS account_edi_ubl_cii
        xml, errors = super()._export_invoice(invoice)
        if not errors and invoice._is_clearing_document():
            xml = complete_cii(xml, invoice._get_einvoice_facts())
        return xml, errors

    def _export_invoice_constraints(self, invoice, vals):
        # EXTENDS account_edi_ubl_cii, which looks at the seller alone
        constraints = super()._export_invoice_constraints(invoice, vals)
        if not invoice._is_clearing_document():
            return constraints
        buyer = invoice.commercial_partner_id
        constraints["buyer_country"] = self._check_required_fields(buyer, "country_id")  # BR-11
        if any(key["tax_category_code"] == "AE" for key in vals["tax_details"]["tax_details"]):
            constraints["reverse_charge_buyer_vat"] = self._check_required_fields(buyer, "vat")  # BR-AE-02
        return constraints

    def _export_invoice_vals(self, invoice):
        # EXTENDS account_edi_ubl_cii
        vals = super()._export_invoice_vals(invoice)
        if not invoice._is_clearing_document():
            return vals
        first, last = invoice._get_einvoice_period()
        return {
            **vals,
            "document_context_id": EN16931,
            "buyer_reference": invoice._get_einvoice_buyer_reference(),
            "purchase_order_reference": invoice.purchase_order_reference or "",
            "billing_start": first,
            "billing_end": last,
        }

from odoo import models


class AccountEdiXmlUblXrechnung(models.AbstractModel):
    """XRechnung of a clearing document, where it goes further than Peppol."""

    _inherit = "account.edi.xml.ubl_de"

    def _emsp_add_payment(self, node, facts, document_type):
        result = super()._emsp_add_payment(node, facts, document_type)
        discount = facts.payment.discount
        if discount:
            base = f"BASISBETRAG={discount.base:.2f}#" if discount.base is not None else ""
            # BR-DE-18: a line of its own, that ends.
            text = f"#SKONTO#TAGE={discount.days}#PROZENT={discount.percentage:.2f}#{base}\n"
            node["cac:PaymentTerms"] = {"cbc:Note": {"_text": f"{facts.payment.terms}\n{text}"}}
        return result

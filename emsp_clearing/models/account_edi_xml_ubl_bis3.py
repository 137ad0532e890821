import base64

from odoo import models

from ..report.emsp_einvoice import CREDIT_TRANSFER

# Where Odoo follows national rules for the legal registration.
OWN_REGISTRATION = ("BE", "DK", "LU", "NL", "SE")


class AccountEdiXmlUblBis3(models.AbstractModel):
    """Peppol BIS Billing 3 of a clearing document, and XRechnung, which builds on it."""

    _inherit = "account.edi.xml.ubl_bis3"

    def _get_document_template(self, vals):
        # EXTENDS account_edi_ubl_cii, whose order of nodes knows no account name (BT-85)
        template = super()._get_document_template(vals)
        means = template["cac:PaymentMeans"]
        account = {"cbc:ID": {}, "cbc:Name": {}, **means["cac:PayeeFinancialAccount"]}
        return {**template, "cac:PaymentMeans": {**means, "cac:PayeeFinancialAccount": account}}

    def _get_invoice_node(self, vals):
        # EXTENDS account_edi_ubl_cii
        node = super()._get_invoice_node(vals)
        if vals["invoice"]._is_clearing_document():
            facts = vals["invoice"]._get_einvoice_facts()
            self._emsp_add_references(node, facts)
            self._emsp_add_party(node["cac:AccountingSupplierParty"]["cac:Party"], facts.seller)
            self._emsp_add_party(node["cac:AccountingCustomerParty"]["cac:Party"], facts.buyer)
            self._emsp_add_delivery(node, facts)
            self._emsp_add_payment(node, facts, vals["document_type"])
            self._emsp_add_line_attributes(node, facts, self._get_tags_for_document_type(vals))
            if facts.is_outside:
                self._emsp_leave_out_vat(node, self._get_tags_for_document_type(vals))
        return node

    def _emsp_add_references(self, node, facts):
        first, last = facts.period
        # PEPPOL-EN16931-R002: one note.
        node["cbc:Note"] = {"_text": "\n".join(note.coded_text for note in facts.notes) or None}
        node["cbc:BuyerReference"] = {"_text": facts.buyer_reference}
        node["cac:OrderReference"] = {"cbc:ID": {"_text": facts.purchase_order or None}}
        node["cac:ContractDocumentReference"] = {"cbc:ID": {"_text": facts.contract or None}}
        node["cac:InvoicePeriod"] = {"cbc:StartDate": {"_text": first}, "cbc:EndDate": {"_text": last}}
        node["cac:BillingReference"] = [
            {
                "cac:InvoiceDocumentReference": {
                    "cbc:ID": {"_text": invoice.number},
                    "cbc:IssueDate": {"_text": invoice.issued},
                }
            }
            for invoice in facts.preceding
        ]
        node["cac:AdditionalDocumentReference"] = [
            {
                "cbc:ID": {"_text": document.name},
                "cbc:DocumentDescription": {"_text": document.description},
                "cac:Attachment": self._emsp_attachment_node(document),
            }
            for document in facts.documents
        ]

    def _emsp_attachment_node(self, document):
        if document.content is None:
            return None
        return {
            "cbc:EmbeddedDocumentBinaryObject": {
                "_text": base64.b64encode(document.content).decode(),
                "mimeCode": document.mimetype,
                "filename": document.name,
            }
        }

    def _emsp_add_party(self, node, party):
        node["cac:PartyName"] = {"cbc:Name": {"_text": party.name}}
        node["cac:PostalAddress"] = {
            "cbc:StreetName": {"_text": party.address.street or None},
            "cbc:AdditionalStreetName": {"_text": party.address.street2 or None},
            "cbc:CityName": {"_text": party.address.city or None},
            "cbc:PostalZone": {"_text": party.address.zip or None},
            "cac:Country": {"cbc:IdentificationCode": {"_text": party.address.country or None}},
        }
        if party.electronic_address:
            node["cbc:EndpointID"] = {
                "_text": party.electronic_address.value,
                "schemeID": party.electronic_address.scheme,
            }
        if party.registration and party.address.country not in OWN_REGISTRATION:
            node["cac:PartyLegalEntity"]["cbc:CompanyID"] = {
                "_text": party.registration.number,
                "schemeID": party.registration.scheme,
            }

    def _emsp_add_delivery(self, node, facts):
        """Of the recipient only the country counts (BT-80): sessions take place at many chargers."""
        node["cac:Delivery"] = {
            "cbc:ActualDeliveryDate": {"_text": facts.delivered},
            "cac:DeliveryLocation": {
                "cac:Address": {
                    "cac:Country": {"cbc:IdentificationCode": {"_text": facts.buyer.address.country or None}}
                }
            },
        }

    def _emsp_add_payment(self, node, facts, document_type):
        means = node["cac:PaymentMeans"]
        code = means["cbc:PaymentMeansCode"]
        if facts.payment.means and str(code["_text"]) == CREDIT_TRANSFER:
            code["_text"] = facts.payment.means
        if means["cac:PayeeFinancialAccount"] and facts.payment.account_name:
            means["cac:PayeeFinancialAccount"]["cbc:Name"] = {"_text": facts.payment.account_name}
        if document_type == "credit_note":
            # A credit note has no due date in its head (UBL 2.1).
            means["cbc:PaymentDueDate"] = {"_text": facts.payment.due}
        node["cac:PaymentTerms"] = {"cbc:Note": {"_text": facts.payment.terms}}

    def _emsp_add_line_attributes(self, node, facts, tags):
        for line, attributes in zip(node[tags["document_line"]], facts.line_attributes, strict=True):
            line["cac:Item"]["cac:AdditionalItemProperty"] = [
                {"cbc:Name": {"_text": name}, "cbc:Value": {"_text": value}} for name, value in attributes
            ]

    def _emsp_leave_out_vat(self, node, tags):
        """Of what is not subject to VAT (category O) no VAT number and no rate is told (BR-O-02, BR-O-05)."""
        for party in ("cac:AccountingSupplierParty", "cac:AccountingCustomerParty"):
            node[party]["cac:Party"]["cac:PartyTaxScheme"] = None
        subtotals = [subtotal for total in node["cac:TaxTotal"] for subtotal in total["cac:TaxSubtotal"]]
        categories = [subtotal["cac:TaxCategory"] for subtotal in subtotals]
        categories += [line["cac:Item"]["cac:ClassifiedTaxCategory"] for line in node[tags["document_line"]]]
        for found in categories:
            for category in found if isinstance(found, list) else [found]:
                category["cbc:Percent"] = None

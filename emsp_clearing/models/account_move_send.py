from odoo import api, fields, models

from ..report.emsp_pdf import declare_facturx
from .account_move import CLEARING_REPORT


class AccountMoveSend(models.AbstractModel):
    """Settlement invoices leave with their annex and a Factur-X, through the mail queue."""

    _inherit = "account.move.send"

    @api.model
    def _get_default_pdf_report_id(self, move):
        # EXTENDS account: the report chosen on the partner comes first
        if move._is_clearing_document() and not self._partner_of(move).invoice_template_pdf_report_id:
            return self.env.ref(CLEARING_REPORT)
        return super()._get_default_pdf_report_id(move)

    @api.model
    def _get_default_invoice_edi_format(self, move, **kwargs):
        # EXTENDS account
        edi_format = super()._get_default_invoice_edi_format(move, **kwargs)
        return edi_format or ("facturx" if move._is_clearing_document() else edi_format)

    @api.model
    def _partner_of(self, move):
        return move.commercial_partner_id.with_company(move.company_id)

    @api.model
    def _get_invoice_extra_attachments(self, move):
        # EXTENDS account
        return super()._get_invoice_extra_attachments(move) + move._annex_attachments_to_mail()

    def _hook_invoice_document_before_pdf_report_render(self, invoice, invoice_data):
        # EXTENDS account
        result = super()._hook_invoice_document_before_pdf_report_render(invoice, invoice_data)
        invoice._emsp_attach_annex()
        return result

    def _hook_invoice_document_after_pdf_report_render(self, invoice, invoice_data):
        # EXTENDS account_edi_ubl_cii, which embeds the XML but takes a PDF/A as finished
        result = super()._hook_invoice_document_after_pdf_report_render(invoice, invoice_data)
        pdf_values = invoice_data.get("pdf_attachment_values") or {"raw": b""}
        # A report may also come as HTML: Odoo renders no PDF while tests run.
        is_pdf = pdf_values["raw"].startswith(b"%PDF")
        if is_pdf and invoice_data["pdf_report"].pdf_engine == "weasyprint":
            pdf_values["raw"] = self._declare_facturx(invoice, pdf_values["raw"])
        return result

    @api.model
    def _declare_facturx(self, invoice, pdf):
        declaration = self.env["ir.qweb"]._render(
            "account_edi_ubl_cii.account_invoice_pdfa_3_facturx_metadata",
            {"title": invoice.name, "date": fields.Date.to_string(invoice.invoice_date)},
        )
        return declare_facturx(pdf, declaration.encode())

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..report.emsp_pdf import embed_facturx, embedded_facturx, placeholder_pdf
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
        # EXTENDS account: the contract's format comes before the partner's
        edi_format = super()._get_default_invoice_edi_format(move, **kwargs)
        if not move._is_clearing_document():
            return edi_format
        chosen = move._get_einvoice_format() or edi_format or "facturx"
        return False if chosen == "none" else chosen

    @api.model
    def _partner_of(self, move):
        return move.commercial_partner_id.with_company(move.company_id)

    @api.model
    def _get_invoice_extra_attachments(self, move):
        # EXTENDS account
        return super()._get_invoice_extra_attachments(move) + move._annex_attachments_to_mail()

    def _hook_invoice_document_before_pdf_report_render(self, invoice, invoice_data):
        # EXTENDS account: the e-invoice names the annex, and one with errors is no e-invoice
        invoice._emsp_attach_annex()
        result = super()._hook_invoice_document_before_pdf_report_render(invoice, invoice_data)
        # Of documents that were made before, nothing is made now.
        is_made = invoice.invoice_pdf_report_id and not invoice_data.get("ubl_cii_xml_options")
        if invoice._is_clearing_document() and not is_made and not invoice_data.get("error"):
            localized = invoice.with_context(lang=invoice.partner_id.lang)
            errors = localized._get_einvoice_errors(self._get_built_einvoice(invoice_data))
            if errors:
                invoice_data["error"] = {
                    "error_title": self.env._(
                        "The e-invoice of %(invoice)s is not valid:", invoice=invoice.name
                    ),
                    "errors": errors,
                }
        return result

    @api.model
    def _generate_documents(self, move):
        """PDF and e-invoice, without what comes with sending.

        :raise UserError: when they cannot be made.
        """
        by_hand = {"sending_methods": ["manual"]}
        self._check_sending_data(move, **by_hand)
        # sudo: as Odoo's own sending does, which keeps the files whoever sends
        moves_data = {move.sudo(): self._get_default_sending_settings(move, **by_hand)}
        self._generate_invoice_documents(moves_data)
        failed = {each: data for each, data in moves_data.items() if data.get("error")}
        if failed:
            self._hook_if_errors(failed)

    @api.model
    def _get_built_einvoice(self, invoice_data):
        """:return: dict model name of the builder -> XML that Odoo has just made; may be empty."""
        if not invoice_data.get("ubl_cii_xml_options"):
            return {}
        builder = invoice_data["ubl_cii_xml_options"]["builder"]
        return {builder._name: invoice_data["ubl_cii_xml_attachment_values"]["raw"]}

    @api.model
    def _generate_invoice_fallback_documents(self, invoices_data):
        # EXTENDS account, which would send a pro forma PDF where the e-invoice cannot be made
        for invoice, invoice_data in invoices_data.items():
            if invoice._is_clearing_document() and invoice_data.get("error"):
                raise UserError(self._format_error_text(invoice_data["error"]))
        return super()._generate_invoice_fallback_documents(invoices_data)

    def _hook_invoice_document_after_pdf_report_render(self, invoice, invoice_data):
        # EXTENDS account_edi_ubl_cii, which embeds the XML but takes a PDF/A as finished; and rewrites it
        # object by object, for as long as its pages took. So it gets an empty one to embed into.
        pdf_values = invoice_data.get("pdf_attachment_values") or {"raw": b""}
        rendered = pdf_values["raw"]
        # A report may also come as HTML: Odoo renders no PDF while tests run.
        is_ours = invoice_data["pdf_report"].pdf_engine == "weasyprint" and rendered.startswith(b"%PDF")
        if not is_ours:
            return super()._hook_invoice_document_after_pdf_report_render(invoice, invoice_data)
        pdf_values["raw"] = placeholder_pdf()
        rendering = self.with_context(emsp_rendered_pdf=rendered)
        result = super(AccountMoveSend, rendering)._hook_invoice_document_after_pdf_report_render(
            invoice, invoice_data
        )
        xml = embedded_facturx(pdf_values["raw"])
        wanted = not invoice._is_clearing_document() or invoice._get_einvoice_format() != "none"
        pdf_values["raw"] = self._embed_facturx(invoice, rendered, xml) if xml and wanted else rendered
        return result

    @api.model
    def _postprocess_invoice_ubl_xml(self, invoice, invoice_data):
        # EXTENDS account_edi_ubl_cii: what the UBL carries are the pages
        rendered = self.env.context.get("emsp_rendered_pdf")
        if rendered:
            pdf_values = {**invoice_data["pdf_attachment_values"], "raw": rendered}
            invoice_data = {**invoice_data, "pdf_attachment_values": pdf_values}
        return super()._postprocess_invoice_ubl_xml(invoice, invoice_data)

    @api.model
    def _embed_facturx(self, invoice, pdf, xml):
        declaration = self.env["ir.qweb"]._render(
            "account_edi_ubl_cii.account_invoice_pdfa_3_facturx_metadata",
            {"title": invoice.name, "date": fields.Date.to_string(invoice.invoice_date)},
        )
        documents = invoice._get_supporting_documents() if invoice._is_clearing_document() else ()
        return embed_facturx(pdf, xml, declaration.encode(), documents)

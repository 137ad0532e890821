import io
from collections import OrderedDict

from odoo import api, fields, models

from ..report.emsp_pdf import render_pdf
from .account_move import CLEARING_REPORT


class IrActionsReport(models.Model):
    """Reports rendered by WeasyPrint: PDF/A, CSS paged media, no external program, no network."""

    _inherit = "ir.actions.report"

    pdf_engine = fields.Selection(
        [("wkhtmltopdf", "wkhtmltopdf"), ("weasyprint", "WeasyPrint")],
        string="PDF Engine",
        default="wkhtmltopdf",
        required=True,
        help="WeasyPrint needs a template with its own page layout; it is given one record at a time.",
    )

    @api.model
    def get_wkhtmltopdf_state(self):
        """EXTENDS base: the web client asks once, for all reports, and would show HTML instead of
        every PDF. Reports that do need wkhtmltopdf say so when they are rendered."""
        state = super().get_wkhtmltopdf_state()
        needed = self.env.context.get("wkhtmltopdf_needed")
        return "ok" if state == "install" and not needed else state

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """EXTENDS base and account."""
        report = self._get_report(report_ref)
        if report.pdf_engine == "weasyprint" and res_ids:
            return self._prepare_weasyprint_streams(report, data, res_ids)
        needing = self.with_context(wkhtmltopdf_needed=True)
        return super(IrActionsReport, needing)._render_qweb_pdf_prepare_streams(
            report_ref, data, res_ids=res_ids
        )

    def _prepare_weasyprint_streams(self, report, data, res_ids):
        """:return: {id: {"stream", "attachment"}}; a document that was issued is not made again."""
        streams = OrderedDict()
        for record in self.env[report.model].browse(res_ids):
            issued = self._get_issued_document(report, record)
            if issued:
                pdf = issued
            else:
                pdf = self._render_weasyprint(report, data, record)
            streams[record.id] = {"stream": io.BytesIO(pdf), "attachment": None}
        return streams

    def _render_weasyprint(self, report, data, record):
        """:return: PDF bytes of one record."""
        if report == self.env.ref(CLEARING_REPORT):
            layout_sudo = record._get_invoice_layout_sudo()
            if layout_sudo.kind == "docx":
                return layout_sudo._render_docx(
                    record._get_clearing_document(), record._get_payment_qr_values()
                )
        html, __ = self._render_qweb_html(report, record.ids, data=dict(data or {}))
        return render_pdf(html.decode())

    @api.model
    def _get_issued_document(self, report, record):
        """:return: the bytes of the invoice as it was sent, or False."""
        if not report.is_invoice_report or report.model != "account.move":
            return False
        return record.invoice_pdf_report_id.raw

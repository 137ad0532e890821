import base64
import io

import pypdfium2
from markupsafe import Markup

from odoo import api, fields, models

from ..report.emsp_pdf import render_pdf

TEMPLATE = "emsp_clearing.clearing_document_page"
PREVIEW_PAGES = 4
# Pixels per point: an A4 page is about 900 pixels wide.
PREVIEW_SCALE = 1.5
LOOKS = (
    "kind",
    "theme",
    "color_source",
    "primary_color",
    "secondary_color",
    "font",
    "logo_position",
    "show_figures",
    "places",
    "show_payment_qr",
    "footer_text",
    "company_id",
)


class EmspInvoiceLayoutPreview(models.Model):
    """The sample document as it would be printed, drawn anew with each choice."""

    _inherit = "emsp.invoice.layout"

    # The pages are made here from a template of ours; nothing of it is the user's HTML.
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    sample_file = fields.Binary(string="Test Print", compute="_compute_sample_file", attachment=False)

    @api.depends(*LOOKS)
    @api.depends_context("lang")
    def _compute_preview(self):
        for layout in self:
            layout.preview = layout.kind == "theme" and _as_pictures(layout._render_theme_sample())

    def _compute_sample_file(self):
        for layout in self:
            layout.sample_file = base64.b64encode(layout._render_sample())

    def _render_sample(self):
        """:return: the PDF of the sample document."""
        self.ensure_one()
        return self._render_theme_sample()

    def _render_theme_sample(self):
        document = self._get_sample_document()
        html = self.env["ir.qweb"]._render(TEMPLATE, {"documents": [document]}, lang=document["lang"])
        return render_pdf(str(html))

    def action_print_sample(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/sample_file/{self.name}.pdf",
            "target": "new",
        }


def _as_pictures(pdf):
    """The first pages of a PDF as pictures in an HTML page."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [_picture(document[index]) for index in range(min(len(document), PREVIEW_PAGES))]
    style = "width: 100%; margin-bottom: 12px; box-shadow: 0 0 6px rgba(0, 0, 0, .35)"
    body = Markup().join(
        Markup('<img style="{}" alt="{}" src="data:image/png;base64,{}"/>').format(style, number, page)
        for number, page in enumerate(pages, 1)
    )
    return Markup('<html><body style="margin: 8px; background: #e9ecef">{}</body></html>').format(body)


def _picture(page):
    output = io.BytesIO()
    page.render(scale=PREVIEW_SCALE).to_pil().save(output, "PNG", optimize=False)
    return base64.b64encode(output.getvalue()).decode()

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import html2plaintext
from odoo.tools.image import image_data_uri

from ..report.emsp_brand import HEXADECIMAL, brand, heading, text_on

FONTS = "/web/static/fonts"


class EmspInvoiceLayout(models.Model):
    """How a company's clearing invoices look. Whatever is left open is the company's own brand."""

    _name = "emsp.invoice.layout"
    _description = "Invoice Document"
    _inherit = ["mail.thread"]
    _order = "company_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    kind = fields.Selection(
        [("theme", "Theme"), ("docx", "Own Word template")],
        string="Made from",
        required=True,
        default="theme",
        tracking=True,
    )
    theme = fields.Selection(
        [("standard", "Standard"), ("classic", "Classic"), ("modern", "Modern"), ("compact", "Compact")],
        required=True,
        default="standard",
        tracking=True,
        help="Standard: a stripe and table heads in the main colour.\n"
        "Classic: a letter, with thin rules and little colour.\n"
        "Modern: a band in the main colour across the page, and tiles.\n"
        "Compact: small type and narrow margins, for long documents.",
    )
    color_source = fields.Selection(
        [("company", "Of the company"), ("own", "Own")],
        string="Colours",
        required=True,
        default="company",
    )
    primary_color = fields.Char(string="Main Colour")
    secondary_color = fields.Char(string="Accent Colour")
    font = fields.Selection("_selection_font", help="Empty: the font of the company's documents.")
    logo_position = fields.Selection(
        [("left", "Left"), ("center", "Centre"), ("right", "Right"), ("none", "No logo")],
        string="Logo position",
        required=True,
        default="left",
    )
    show_figures = fields.Boolean(
        string="Figures at a glance",
        default=True,
        help="Sessions, energy, net amount and total below the title.",
    )
    places = fields.Selection(
        [("largest", "The largest places"), ("all", "Every place"), ("none", "None")],
        string="Sessions by place",
        required=True,
        default="largest",
        help="Every place may take several pages; each carries its sum to the next.",
    )
    show_payment_qr = fields.Boolean(
        string="Payment code", default=True, help="The EPC QR code, which a banking app reads."
    )
    footer_text = fields.Text(
        string="Footer", help="Beside the company's name. Empty: the footer of the company's documents."
    )

    @api.model
    def _selection_font(self):
        return self.env["res.company"]._fields["font"]._description_selection(self.env)

    @api.constrains("primary_color", "secondary_color")
    def _check_colors(self):
        for layout in self:
            for color in filter(None, (layout.primary_color, layout.secondary_color)):
                if not HEXADECIMAL.fullmatch(color):
                    raise ValidationError(
                        self.env._('"%(color)s" is no colour. Write it as #1F3A4D.', color=color)
                    )

    @api.onchange("color_source")
    def _onchange_color_source(self):
        """Own colours begin as the company's."""
        if self.color_source == "own" and not self.primary_color:
            self.primary_color = brand(self.company_id.primary_color)
            self.secondary_color = brand(self.company_id.secondary_color or self.company_id.primary_color)

    @api.model
    def _get_default(self, company):
        """:return: the company's first layout; one that is not saved where it has none."""
        return self.search([("company_id", "=", company.id)], limit=1) or self.new({"company_id": company.id})

    def _get_style(self):
        """:return: dict of what the themes need besides the document's words."""
        self.ensure_one()
        company = self.company_id
        own = self.color_source == "own"
        primary = brand((own and self.primary_color) or company.primary_color)
        accent = (own and self.secondary_color) or company.secondary_color
        return {
            "theme": self.theme,
            "color": primary,
            "accent": brand(accent or primary),
            "ink": heading(primary),
            "on_color": text_on(primary),
            "fonts": self._get_fonts(),
            "logo": self._get_logo(),
            "logo_position": self.logo_position,
            "show_figures": self.show_figures,
            "show_payment_qr": self.show_payment_qr,
        }

    def _get_fonts(self):
        """:return: [(weight, URL)] of the font, of those that Odoo ships."""
        font = self.font or self.company_id.font or "Lato"
        if font == "Lato":
            folder = f"{FONTS}/lato"
            return [(400, f"{folder}/Lato-Reg-webfont.ttf"), (700, f"{folder}/Lato-Bol-webfont.ttf")]
        folder = f"{FONTS}/google/{font}"
        return [(400, f"{folder}/{font}-Regular.ttf"), (700, f"{folder}/{font}-Bold.ttf")]

    def _get_logo(self):
        """:return: data URI, or False: a placeholder logo is worse than the company's name."""
        company = self.company_id.with_context(bin_size=False)
        wanted = self.logo_position != "none" and company.logo and not company.uses_default_logo
        return bool(wanted) and image_data_uri(company.logo)

    def _get_issuer(self):
        """:return: dict of the company's own details, as texts and lists of texts."""
        company = self.company_id
        website = company.website or ""
        return {
            "name": company.name or "",
            "address": company.partner_id._get_document_address(),
            "phone": company.phone or "",
            "email": company.email or "",
            "website": website.removeprefix("https://").removeprefix("http://"),
            **company.partner_id._get_document_vat(),
            **company.partner_id._get_document_registry(),
            "legal": self._get_legal_lines(),
        }

    def _get_legal_lines(self):
        """The footer of this layout, else of the company's documents, else its details."""
        company = self.company_id
        text = self.footer_text or html2plaintext(company.report_footer or company.company_details or "")
        return [line.strip() for line in text.splitlines() if line.strip()]

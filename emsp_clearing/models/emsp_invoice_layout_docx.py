import base64
import io

import qrcode
from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import html2plaintext

from ..report.emsp_docx import TemplateFault, check_template, fill_template
from ..report.emsp_docx_starter import build_starter
from ..report.emsp_office import OfficeError, convert_to_pdf, find_office


class EmspInvoiceLayoutDocx(models.Model):
    """An own template in Word's format: checked when it comes, filled in and printed by LibreOffice."""

    _inherit = "emsp.invoice.layout"

    docx_file = fields.Binary(
        string="Word Template", attachment=True, copy=False, help="A .docx of at most 5 MB, without macros."
    )
    docx_filename = fields.Char(string="Word Template File", copy=False)
    docx_version = fields.Integer(string="Version", readonly=True, copy=False)
    has_office = fields.Boolean(string="LibreOffice is installed", compute="_compute_has_office")
    placeholders = fields.Html(compute="_compute_placeholders")
    starter_file = fields.Binary(string="Sample Template", compute="_compute_starter_file")

    def _compute_has_office(self):
        self.has_office = bool(find_office())

    @api.depends_context("lang")
    def _compute_placeholders(self):
        for layout in self:
            rows = _placeholder_rows(layout._get_placeholders())
            body = Markup().join(
                Markup("<tr><td><code>{}</code></td><td>{}</td></tr>").format(name, value)
                for name, value in rows
            )
            layout.placeholders = Markup('<table class="table table-sm">{}</table>').format(body)

    @api.depends_context("lang")
    def _compute_starter_file(self):
        for layout in self:
            layout.starter_file = base64.b64encode(build_starter(layout.env))

    @api.constrains("kind", "docx_file")
    def _check_docx(self):
        for layout in self.filtered(lambda layout: layout.kind == "docx"):
            if not find_office():
                raise ValidationError(layout._office_message("absent"))
            if not layout.docx_file:
                raise ValidationError(self.env._("Upload the Word template first, or choose a theme."))

    def write(self, vals):
        """The template before the new one stays in the record's history."""
        if "docx_file" in vals:
            for layout in self:
                layout._keep_replaced_template()
        result = super().write(vals)
        if vals.get("docx_file"):
            self._accept_template()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        layouts = super().create(vals_list)
        layouts.filtered("docx_file")._accept_template()
        return layouts

    def _keep_replaced_template(self):
        content = self._get_template()
        if content:
            self.message_post(
                body=self.env._("Version %(version)s of the template, replaced", version=self.docx_version),
                attachments=[(f"v{self.docx_version}_{self.docx_filename or 'template.docx'}", content)],
            )

    def _accept_template(self):
        for layout in self:
            try:
                check_template(layout._get_template(), layout._get_placeholders())
            except TemplateFault as fault:
                raise ValidationError(layout._fault_message(fault)) from fault
            layout.docx_version += 1

    def _get_template(self):
        return base64.b64decode(self.with_context(bin_size=False).docx_file or b"")

    def _fault_message(self, fault):
        """:return: why a template is not taken, in the user's language."""
        messages = {
            "size": self.env._("The template is larger than 5 MB."),
            "expansion": self.env._("The template holds more than it should when it is unpacked."),
            "not_docx": self.env._("The file is no Word document (.docx)."),
            "foreign": self.env._(
                "The template brings in something from outside or runs something (%(what)s). Remove it: "
                "linked pictures and files, macros, embedded objects.",
                what=fault.detail,
            ),
            "forbidden": self.env._(
                "The template uses %(what)s. It may show placeholders, and use if and for.", what=fault.detail
            ),
            "nested": self.env._("The template has a loop within a loop over the same document."),
            "syntax": self.env._("A placeholder is not written correctly: %(what)s", what=fault.detail),
            "unknown": self.env._("These placeholders do not exist: %(names)s.", names=fault.detail),
        }
        return messages.get(fault.code) or self.env._(
            "The template cannot be filled in: %(what)s", what=fault.detail
        )

    def _office_message(self, reason, detail=""):
        if reason == "absent":
            return self.env._(
                "LibreOffice, which prints own Word templates, is not installed on the server. Install the "
                "package libreoffice-writer-nogui, or choose a theme."
            )
        if reason == "timeout":
            return self.env._("LibreOffice did not finish the document in time (%(what)s).", what=detail)
        return self.env._("LibreOffice could not print the document: %(what)s", what=detail)

    def _check_printable(self):
        """:raise UserError: when no document can be printed this way now."""
        self.ensure_one()
        if self.kind == "docx" and not find_office():
            raise UserError(self._office_message("absent"))

    def action_print_sample(self):
        # EXTENDS emsp_invoice_layout_preview: a message, where there would be an error page
        self._check_printable()
        return super().action_print_sample()

    def _get_placeholders(self):
        """:return: the sample document without what only the themes use, and with one of each list."""
        document = self.with_context(lang=self.env.lang)._get_sample_document()
        for name in ("style", "lang", "payment_qr"):
            del document[name]
        for row in [*document["lines"], *document["places"]]:
            del row["brought"], row["carried"]
        document["mentions"] = [self.env._("Reverse charge")]
        for name in ("lines", "places", "taxes"):
            document[name] = document[name][:1]
        if not document["places"]:
            document["places"] = [dict.fromkeys(("name", "sessions", "energy", "amount"), "")]
        return {**document, "logo": "", "payment_qr": ""}

    def _render_docx(self, document, qr_lines):
        """:param document: see account.move._get_clearing_document.
        :param qr_lines: the lines of the payment code's text, or False.
        :return: PDF/A-3 bytes
        :raise UserError: when LibreOffice is absent or fails.
        """
        self.ensure_one()
        pictures = {"logo": self._get_logo_picture(), "payment_qr": qr_lines and _draw_code(qr_lines)}
        plain = {**document, "notes": html2plaintext(document["notes"]).strip() if document["notes"] else ""}
        filled = fill_template(self._get_template(), plain, pictures, self._get_placeholders())
        try:
            return convert_to_pdf(filled)
        except OfficeError as error:
            raise UserError(self._office_message(error.reason, error.detail)) from error

    def _render_sample(self):
        # EXTENDS emsp_invoice_layout_preview
        if self.kind != "docx":
            return super()._render_sample()
        return self._render_docx(self._get_sample_document(), [self.env._("Sample: no payment")])

    def action_download_starter(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/starter_file/invoice_template.docx?download=true",
            "target": "download",
        }

    def _get_logo_picture(self):
        """The company's logo as a PNG; Word knows fewer formats than browsers."""
        company = self.company_id.with_context(bin_size=False)
        if not company.logo or company.uses_default_logo:
            return None
        output = io.BytesIO()
        try:
            Image.open(io.BytesIO(base64.b64decode(company.logo))).convert("RGBA").save(output, "PNG")
        except UnidentifiedImageError:
            return None
        return output.getvalue()


def _draw_code(lines):
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data("\n".join(lines))
    output = io.BytesIO()
    code.make_image().save(output, "PNG")
    return output.getvalue()


def _placeholder_rows(schema, prefix=""):
    """:return: [("{{ customer.name }}", sample value)], a list's fields below its loop."""
    rows = []
    for name, value in schema.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            rows += _placeholder_rows(value, f"{path}.")
        elif isinstance(value, list):
            item = path.rstrip("s").rpartition(".")[2]
            if value and isinstance(value[0], dict):
                rows.append((f"{{%tr for {item} in {path} %}} … {{%tr endfor %}}", ""))
                rows += _placeholder_rows(value[0], f"{item}.")
            else:
                rows.append(
                    (f"{{%p for {item} in {path} %}} {{{{ {item} }}}} {{%p endfor %}}", "".join(value[:1]))
                )
        else:
            rows.append((f"{{{{ {path} }}}}", value))
    return rows

import base64
import io
import stat
import tempfile
import zipfile
from pathlib import Path
from unittest.mock import patch

from docx import Document
from pypdf import PdfReader

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..report import emsp_docx, emsp_office
from ..report.emsp_docx_starter import build_starter
from .test_documents import REPORT, DocumentCommon

LAYOUT = "odoo.addons.emsp_clearing.models.emsp_invoice_layout_docx"
OFFICE = "odoo.addons.emsp_clearing.report.emsp_office.find_office"
# What stands in for LibreOffice: it keeps its arguments and the document, and "prints" a PDF.
STAND_IN = """#!/bin/sh
{before}
for argument in "$@"; do last="$argument"; done
cp "$last" {kept}/seen.docx
echo "$@" > {kept}/arguments
env > {kept}/environment
printf '%%PDF-1.7 stand-in' > "${{last%.docx}}.pdf"
"""


def _docx(*paragraphs):
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def _with_part(docx, name, content):
    """The package with one part more, or replaced."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as source, zipfile.ZipFile(output, "w") as target:
        for part in source.infolist():
            if part.filename != name:
                target.writestr(part, source.read(part))
        target.writestr(name, content, zipfile.ZIP_DEFLATED)
    return output.getvalue()


class DocxCommon(DocumentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.layouts = cls.env["emsp.invoice.layout"]

    def _stand_in(self, before=""):
        """LibreOffice is there, as a program of our own."""
        program = self.folder / "soffice"
        program.write_text(STAND_IN.format(kept=self.folder, before=before))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        for name in (OFFICE, f"{LAYOUT}.find_office"):
            self.enterContext(patch(name, lambda: str(program)))

    def _no_office(self):
        for name in (OFFICE, f"{LAYOUT}.find_office"):
            self.enterContext(patch(name, lambda: None))

    def _create(self, content):
        return self.layouts.create(
            {
                "name": "Word",
                "company_id": self.company.id,
                "kind": "docx",
                "docx_file": base64.b64encode(content),
                "docx_filename": "ours.docx",
            }
        )


@tagged("post_install", "-at_install")
class TestDocxTemplate(DocxCommon):
    def _check(self, *paragraphs):
        layout = self.layouts.new({"company_id": self.company.id})
        emsp_docx.check_template(_docx(*paragraphs), layout._get_placeholders())

    def _fault(self, *paragraphs):
        with self.assertRaises(emsp_docx.TemplateFault) as caught:
            self._check(*paragraphs)
        return caught.exception.code, caught.exception.detail

    def test_sample_template_is_taken_in_every_language(self):
        layout = self.layouts.new({"company_id": self.company.id})
        emsp_docx.check_template(build_starter(self.env), layout._get_placeholders())

    def test_unknown_placeholders_are_named(self):
        self.assertEqual(
            self._fault("{{ number }} {{ colour }}", "{{ customer.shoe_size }}"),
            ("unknown", "colour, customer.shoe_size"),
        )
        self.assertEqual(
            self._fault("{%p for line in lines %}", "{{ line.text }} {{ line.weight }}", "{%p endfor %}"),
            ("unknown", "line.weight"),
        )

    def test_template_reaches_nothing_but_its_placeholders(self):
        for attack in (
            "{{ ''.__class__.__mro__ }}",
            "{{ number.__class__ }}",
            "{{ customer.items }}",
            "{{ lines.append }}",
            "{{ number.format }}",
            "{{ logo._image.tpl }}",
            "{{ self.__init__ }}",
            "{{ cycler.__init__.__globals__ }}",
            "{{ range(9) }}",
            "{{ number[cycler] }}",
            "{{ 'a' * 1000000000 }}",
            "{{ 2 ** 100000000 }}",
            "{{ '%1000000000d' % 1 }}",
            "{{ number|center(1000000000) }}",
            "{{ number|attr('upper') }}",
            "{{ number|format }}",
            "{% import 'x' as y %}",
            "{% include 'x' %}",
            "{% set x = number %}",
            "{% macro m() %}{% endmacro %}",
            "{% for a in lines recursive %}{% endfor %}",
        ):
            with self.subTest(attack):
                code, __ = self._fault(attack)
                self.assertIn(code, ("forbidden", "unknown", "syntax"))

    def test_attack_in_a_footer_or_in_the_properties_is_found(self):
        for place in ("footer", "title"):
            document = Document()
            if place == "footer":
                document.sections[0].footer.paragraphs[0].text = "{{ ''.__class__ }}"
            else:
                document.core_properties.title = "{{ ''.__class__ }}"
            output = io.BytesIO()
            document.save(output)
            layout = self.layouts.new({"company_id": self.company.id})
            with self.assertRaises(emsp_docx.TemplateFault) as caught:
                emsp_docx.check_template(output.getvalue(), layout._get_placeholders())
            self.assertIn(caught.exception.code, ("forbidden", "unknown"))

    def test_loop_within_a_loop_over_the_lines_is_refused(self):
        loops = "{% for a in lines %}{% for b in lines %}{{ b.text }}{% endfor %}{% endfor %}"
        self.assertEqual(self._fault(loops)[0], "nested")

    def test_template_that_is_not_written_correctly_is_refused(self):
        self.assertEqual(self._fault("{{ number")[0], "syntax")

    def test_values_are_texts_and_never_markup(self):
        schema = {"name": "x"}
        filled = emsp_docx.fill_template(
            _docx("{{ name }}"), {"name": "<w:p>Müller & {{ 7 }}</w:p>"}, {}, schema
        )
        self.assertEqual(Document(io.BytesIO(filled)).paragraphs[0].text, "<w:p>Müller & {{ 7 }}</w:p>")

    def test_what_a_document_lacks_stays_empty(self):
        schema = {"bank": {"iban": "x"}, "lines": [{"text": "x"}]}
        filled = emsp_docx.fill_template(
            _docx("[{{ bank.iban }}]", "{% for line in lines %}{{ line.text }}{% endfor %}!"), {}, {}, schema
        )
        self.assertEqual([p.text for p in Document(io.BytesIO(filled)).paragraphs], ["[]", "!"])

    def test_what_comes_from_outside_is_refused(self):
        relationships = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}"'
            ' Target="{}" {}/></Relationships>'
        )
        for kind, target, mode in (
            ("image", "http://192.0.2.1/pixel.png", 'TargetMode="External"'),
            ("attachedTemplate", "file:///etc/passwd", 'TargetMode="External"'),
            ("oleObject", "embeddings/x.bin", ""),
            ("vbaProject", "vbaProject.bin", ""),
            ("aFChunk", "page.html", ""),
        ):
            content = _with_part(
                _docx("x"), "word/_rels/x.xml.rels", relationships.format(kind, target, mode)
            )
            with self.assertRaises(emsp_docx.TemplateFault) as caught:
                emsp_docx.check_template(content, {})
            self.assertEqual((caught.exception.code, caught.exception.detail), ("foreign", kind))

    def test_field_that_fetches_a_file_is_refused_however_it_is_split(self):
        namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        part = (
            f'<w:ftr xmlns:w="{namespace}"><w:p><w:r><w:instrText>INCLUDE</w:instrText></w:r>'
            '<w:r><w:instrText>PICTURE "http://192.0.2.1/x.png"</w:instrText></w:r></w:p></w:ftr>'
        )
        with self.assertRaises(emsp_docx.TemplateFault) as caught:
            emsp_docx.check_template(_with_part(_docx("x"), "word/footer9.xml", part), {})
        self.assertEqual((caught.exception.code, caught.exception.detail), ("foreign", "INCLUDEPICTURE"))

    def test_files_that_are_none_or_too_large_are_refused(self):
        bomb = _with_part(_docx("x"), "word/media/x.png", bytes(emsp_docx.MAX_UNPACKED + 1))
        self.assertLess(len(bomb), emsp_docx.MAX_FILE)
        entity = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
        for content, code in (
            (b"%PDF-1.7", "not_docx"),
            (bytes(emsp_docx.MAX_FILE + 1), "size"),
            (bomb, "expansion"),
            (_with_part(_docx("x"), "word/settings.xml", entity), "not_docx"),
        ):
            with self.assertRaises(emsp_docx.TemplateFault) as caught:
                emsp_docx.check_template(content, {})
            self.assertEqual(caught.exception.code, code)


@tagged("post_install", "-at_install")
class TestDocxLayout(DocxCommon):
    def _print(self, move):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        return report._render_qweb_pdf(REPORT, move.ids)[0]

    def test_invoice_is_filled_into_the_companys_template(self):
        self._stand_in()
        starter = self.layouts.new({"company_id": self.company.id}).starter_file
        self.contract.invoice_layout_id = self._create(base64.b64decode(starter))
        self.partner.lang = self.invoicing_contact.lang = "en_US"
        move = self._bill()
        self.assertEqual(self._print(move), b"%PDF-1.7 stand-in")
        filled = Document(self.folder / "seen.docx")
        text = "\n".join(paragraph.text for paragraph in filled.paragraphs)
        for expected in (f"Invoice {move.name}", "Warschauer Platz 11", "November 10, 2026", "14.75"):
            self.assertIn(expected, text)
        cells = [[cell.text for cell in row.cells] for row in filled.tables[0].rows]
        self.assertEqual(cells[0][0], "Description")
        self.assertEqual(len(cells), 1 + len(move.invoice_line_ids))
        self.assertNotIn("{{", text + str(cells))
        self.assertEqual(len(filled.inline_shapes), 1)  # the payment code; the company has no logo

    def test_program_runs_alone_in_a_folder_of_its_own_without_our_environment(self):
        self._stand_in()
        with patch.dict("os.environ", {"PGPASSWORD": "secret"}):
            emsp_office.convert_to_pdf(_docx("x"))
        arguments = (self.folder / "arguments").read_text()
        self.assertRegex(arguments, r"-env:UserInstallation=file:///\S*emsp-office-\S+/profile")
        self.assertIn('"SelectPdfVersion": {"type": "long", "value": "3"}', arguments)
        self.assertNotIn("secret", (self.folder / "environment").read_text())
        self.assertFalse(Path(arguments.split()[-1]).exists())

    def test_program_that_hangs_or_fails_is_ended_and_says_so(self):
        self._stand_in(before="sleep 60")
        with self.assertRaises(emsp_office.OfficeError) as caught:
            emsp_office.convert_to_pdf(_docx("x"), timeout=0.3)
        self.assertEqual(caught.exception.reason, "timeout")
        self._stand_in(before="echo no fonts; exit 1")
        with self.assertRaises(emsp_office.OfficeError) as caught:
            emsp_office.convert_to_pdf(_docx("x"))
        self.assertEqual((caught.exception.reason, caught.exception.detail), ("failed", "no fonts"))

    def test_own_template_needs_libreoffice_when_it_is_chosen(self):
        self._no_office()
        with self.assertRaisesRegex(ValidationError, "LibreOffice.*not installed"):
            self._create(_docx("{{ number }}"))

    def test_settlement_waits_with_the_reason_while_libreoffice_is_absent(self):
        self._stand_in()
        self.contract.invoice_layout_id = self._create(_docx("{{ number }}"))
        self._no_office()
        self.assertFalse(self._bill())
        settlement = self.contract.settlement_ids.filtered("cdr_ids")
        self.assertEqual(settlement.state, "locked")
        self.assertIn("LibreOffice", settlement.blocked_reason)
        self.assertEqual(set(settlement.cdr_ids.mapped("state")), {"locked"})

    def test_document_that_cannot_be_converted_is_a_message_and_no_crash(self):
        self._stand_in()
        self.contract.invoice_layout_id = self._create(_docx("{{ number }}"))
        move = self._bill()
        self._stand_in(before="exit 1")
        with self.assertRaisesRegex(UserError, "LibreOffice could not print"):
            self._print(move)

    def test_refused_template_says_why_and_leaves_the_old_one(self):
        self._stand_in()
        layout = self._create(_docx("{{ number }}"))
        with self.assertRaisesRegex(ValidationError, "do not exist: colour"), self.env.cr.savepoint():
            layout.docx_file = base64.b64encode(_docx("{{ colour }}"))
        layout.invalidate_recordset()
        self.assertEqual(layout.docx_version, 1)

    def test_replaced_template_is_kept_with_its_number(self):
        self._stand_in()
        first = _docx("{{ number }}")
        layout = self._create(first)
        layout.docx_file = base64.b64encode(_docx("{{ title }}"))
        self.assertEqual(layout.docx_version, 2)
        kept = layout.message_ids.attachment_ids
        self.assertEqual((kept.name, kept.raw), ("v1_ours.docx", first))

    def test_placeholders_are_listed_for_the_user(self):
        layout = self.layouts.new({"company_id": self.company.id})
        for words in (
            "{{ customer.name }}",
            "{%tr for line in lines %}",
            "{{ line.amount }}",
            "{{ payment_qr }}",
        ):
            self.assertIn(words, layout.placeholders)

    def test_real_libreoffice_prints_an_archive_file_where_it_is_installed(self):
        starter = build_starter(self.env)
        if not emsp_office.find_office():
            with self.assertRaises(emsp_office.OfficeError) as caught:
                emsp_office.convert_to_pdf(starter)
            self.assertEqual(caught.exception.reason, "absent")
            return
        pdf = base64.b64decode(self._create(starter).sample_file)
        self._assert_is_archive(pdf)
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
        self.assertIn("INV/2026/00042", text)
        self.assertIn("11,274.66", text)

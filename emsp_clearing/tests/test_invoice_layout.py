import base64
import io
import re

from PIL import Image
from pypdf import PdfReader

from odoo.exceptions import ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import file_open

from .test_documents import DocumentCommon

PAGE = re.compile(r"data:image/png;base64,([^\"]+)")


@tagged("post_install", "-at_install")
class TestInvoiceLayout(DocumentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.layouts = cls.env["emsp.invoice.layout"].with_company(cls.company)
        cls.company.write({"primary_color": "#0b4f6c", "secondary_color": "#f2a900", "font": "Roboto"})

    def _create(self, **vals):
        return self.layouts.create({"name": "Ours", "company_id": self.company.id, **vals})

    def _pages(self, html):
        return [Image.open(io.BytesIO(base64.b64decode(page))) for page in PAGE.findall(str(html))]

    def test_company_without_a_layout_prints_in_its_own_brand(self):
        style = self._bill()._get_clearing_document()["style"]
        self.assertEqual(
            (style["theme"], style["color"], style["accent"]), ("standard", "#0b4f6c", "#f2a900")
        )
        self.assertEqual(style["fonts"][0], (400, "/web/static/fonts/google/Roboto/Roboto-Regular.ttf"))

    def test_a_change_of_the_companys_brand_reaches_its_layouts(self):
        layout = self._create()
        self.company.primary_color = "#7a1f3d"
        self.assertEqual(layout._get_style()["color"], "#7a1f3d")

    def test_own_colours_begin_as_the_companys_and_then_stay(self):
        form = Form(self.layouts)
        form.name = "Ours"
        form.color_source = "own"
        self.assertEqual((form.primary_color, form.secondary_color), ("#0b4f6c", "#f2a900"))
        form.primary_color = "#225533"
        layout = form.save()
        self.company.primary_color = "#7a1f3d"
        self.assertEqual(layout._get_style()["color"], "#225533")

    def test_what_is_no_colour_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "is no colour"):
            self._create(color_source="own", primary_color="red; background: url(//x)")

    def test_every_font_on_offer_is_there_to_be_embedded(self):
        for font, __ in self.layouts._selection_font():
            for weight, url in self._create(font=font)._get_fonts():
                with self.subTest(font, weight=weight), file_open(url.lstrip("/"), "rb") as file:
                    self.assertEqual(file.read(4), b"\0\1\0\0")  # TrueType

    def test_the_chosen_font_is_embedded_and_no_other_one(self):
        reader = PdfReader(io.BytesIO(self._create(font="Oswald")._render_sample()))
        for page in reader.pages:
            for font in page["/Resources"]["/Font"].values():
                self.assertIn("document", font["/BaseFont"])

    def test_preview_follows_each_choice_before_it_is_saved(self):
        form = Form(self.layouts)
        form.name = "Ours"
        first = self._pages(form.preview)
        self.assertAlmostEqual(first[0].height / first[0].width, 297 / 210, places=2)
        shown = {form.preview}
        for theme in ("classic", "modern", "compact"):
            form.theme = theme
            self.assertNotIn(form.preview, shown)
            shown.add(form.preview)
        form.places = "all"
        self.assertGreater(len(self._pages(form.preview)), 1)

    def test_preview_wears_the_companys_colour(self):
        layout = self._create(theme="modern")
        page = self._pages(layout.preview)[0].convert("RGB")
        self.assertEqual(page.getpixel((page.width // 2, 10)), (0x0B, 0x4F, 0x6C))

    def test_blocks_can_be_left_out(self):
        shown = self._create()._render_sample()
        hidden = self._create(show_figures=False, places="none", show_payment_qr=False)._render_sample()
        texts = [
            " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
            for pdf in (shown, hidden)
        ]
        for words in ("Sessions by place", "SEPA credit transfer"):
            self.assertIn(words, texts[0])
            self.assertNotIn(words, texts[1])
        self.assertLess(texts[1].count("kWh"), texts[0].count("kWh"))

    def test_own_footer_takes_the_place_of_the_companys(self):
        self.company.report_footer = "<p>RCS Lyon 334 175 221</p>"
        self.assertEqual(self._create()._get_issuer()["legal"], ["RCS Lyon 334 175 221"])
        own = self._create(footer_text="SAS au capital de 250 000 €\nRCS Lyon")
        self.assertEqual(own._get_issuer()["legal"], ["SAS au capital de 250 000 €", "RCS Lyon"])

    def test_number_of_the_company_has_the_name_that_the_reader_knows(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        layout = self._create()
        self.company.write({"country_id": self.env.ref("base.de").id, "company_registry": "HRB 4711"})
        self.assertEqual(layout._get_issuer()["registry_text"], "Company ID: HRB 4711")
        in_french = layout.with_context(lang="fr_FR")
        self.assertEqual(in_french._get_issuer()["registry_label"], "ID de la société")
        self.company.country_id = self.env.ref("base.fr")
        for number, name in (
            ("334 175 221", "SIREN"),
            ("334 175 221 00041", "SIRET"),
            ("4711", "Company ID"),
        ):
            self.company.company_registry = number
            self.assertEqual(layout._get_issuer()["registry_label"], name)
        self.company.company_registry = False
        self.assertEqual(layout._get_issuer()["registry_text"], "")

    def test_payment_stands_below_the_total_before_the_legal_mentions(self):
        html = self._html(self._bill())
        total, payment, mentions = (html.index(f'class="{name}"') for name in ("due", "payment", "mentions"))
        self.assertLess(total, payment)
        self.assertLess(payment, mentions)

    def test_a_contract_may_have_a_layout_of_its_own(self):
        first = self._create(name="First", theme="classic", sequence=1)
        move = self._bill()
        self.assertEqual(move._get_invoice_layout_sudo(), first)
        self.contract.invoice_layout_id = self._create(name="Other", theme="compact")
        self.assertEqual(move._get_clearing_document()["style"]["theme"], "compact")

    def test_sample_has_the_shape_of_a_real_document_and_adds_up(self):
        sample = self._create(places="all")._get_sample_document()
        real = self._bill()._get_clearing_document()
        self.assertEqual(sample.keys(), real.keys())
        for part in ("issuer", "customer", "bank", "payment", "sessions", "style"):
            self.assertEqual(sample[part].keys(), real[part].keys(), part)
        for part in ("lines", "places", "taxes"):
            self.assertEqual(sample[part][0].keys(), real[part][0].keys(), part)
        # 642.00 + 7,210.31 + 2,848.05 + 418.30 + 156.00
        self.assertIn("11,274.66", sample["net"])
        self.assertIn("13,529.59", sample["total"])
        last = sample["places"][-1]
        total = sum(float(re.sub(r"[^\d.]", "", text)) for text in (last["brought"], last["amount"]))
        self.assertAlmostEqual(total, 11274.66)

    def test_test_print_is_an_archive_file_in_every_theme(self):
        for theme in ("standard", "classic", "modern", "compact"):
            layout = self._create(theme=theme)
            self.assertIn(f"/{layout.id}/sample_file/", layout.action_print_sample()["url"])
            self._assert_is_archive(base64.b64decode(layout.sample_file))

    def test_accountant_prints_in_a_layout_he_may_not_read(self):
        self.contract.invoice_layout_id = self._create(theme="compact")
        move = self._bill()
        accountant = new_test_user(self.env, "accountant", groups="account.group_account_invoice")
        accountant.write({"company_ids": self.company.ids, "company_id": self.company.id})
        report = self.env["ir.actions.report"].with_user(accountant)
        html = report._render_qweb_html("emsp_clearing.report_clearing_invoice", move.ids)[0].decode()
        self.assertIn("clearing_invoice_compact.css", html)

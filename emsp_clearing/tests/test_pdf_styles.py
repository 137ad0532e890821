import io

from pypdf import PdfReader

from odoo.tests import BaseCase, tagged

from ..report.emsp_pdf import STYLES_KEPT, render_pdf

LATO = "/web/static/fonts/lato/Lato-Reg-webfont.ttf"
ROBOTO = "/web/static/fonts/google/Roboto/Roboto-Regular.ttf"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Layout</title><style>
@font-face {{ font-family: document; src: url({font}) }}
@page {{ size: {width}mm 100mm }}
body {{ font-family: document }}
</style></head><body>Charging</body></html>"""


@tagged("post_install", "-at_install")
class TestPdfStyles(BaseCase):
    """Style sheets are kept for the next document; that one must look as if it were the first."""

    def _look(self, font, width):
        """:return: (width of the page in mm, the widths of its characters, which tell fonts apart)."""
        [page] = PdfReader(io.BytesIO(render_pdf(PAGE.format(font=font, width=width)))).pages
        [font] = page["/Resources"]["/Font"].values()
        widths = str(font.get_object()["/DescendantFonts"][0].get_object()["/W"])
        return round(float(page.mediabox.width) * 25.4 / 72), widths

    def test_two_layouts_in_turn_keep_their_own_fonts_and_pages(self):
        lato, roboto = self._look(LATO, 120), self._look(ROBOTO, 150)
        self.assertEqual((lato[0], roboto[0]), (120, 150))
        self.assertNotEqual(lato[1], roboto[1])
        self.assertEqual((self._look(LATO, 120), self._look(ROBOTO, 150)), (lato, roboto))

    def test_a_changed_style_changes_the_next_document(self):
        first = self._look(LATO, 120)
        self.assertEqual(self._look(LATO, 130), (130, first[1]))
        self.assertNotEqual(self._look(ROBOTO, 130)[1], first[1])

    def test_a_style_is_read_anew_when_too_many_others_came_between(self):
        first = self._look(LATO, 120)
        for number in range(STYLES_KEPT + 1):
            self.assertEqual(self._look(ROBOTO, 130 + number)[0], 130 + number)
        self.assertEqual(self._look(LATO, 120), first)

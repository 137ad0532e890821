import io
import re
from decimal import Decimal

from pypdf import PdfReader

from odoo.tests import tagged

from ..report.emsp_pdf import render_pdf
from .test_documents import DocumentCommon

LINES, PLACES = 90, 70


@tagged("post_install", "-at_install")
class TestLongDocument(DocumentCommon):
    """Ninety lines and seventy places: each page is added up anew from what stands on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id = cls.env.ref("base.EUR")

    def _rows(self, move, mark, count):
        """Row n of 1 is 1.01, of 2 is 2.02, ... and says so."""
        rows = []
        for number in range(1, count + 1):
            net = Decimal(number) * Decimal("1.01")
            rows.append({"name": f"{mark}{number:03}", "net": net, "amount": move._money(net)})
        return rows

    def _render_long(self, theme):
        self.partner.lang = self.invoicing_contact.lang = "en_US"
        move = self._bill()
        document = move._get_clearing_document()
        blank = dict.fromkeys(("detail", "quantity", "unit_price", "tax"), "")
        document["lines"] = move._carry_sums(
            [{**blank, "kind": "product", "text": row["name"], **row} for row in self._rows(move, "L", LINES)]
        )
        document["places"] = move._carry_sums(
            [{"sessions": "1", "energy": "1.000", **row} for row in self._rows(move, "P", PLACES)]
        )
        document["style"]["theme"] = theme
        html = self.env["ir.qweb"]._render(
            "emsp_clearing.clearing_document_page", {"documents": [document]}, lang="en_US"
        )
        return [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(str(html)))).pages]

    def _check_sums(self, pages):
        amount = r"\D*([\d,]+\.\d\d)"
        seen = {"L": [], "P": []}
        for index, page in enumerate(pages):
            rows = {
                mark: [int(number) for number in re.findall(rf"{mark}(\d{{3}})", page)] for mark in ("L", "P")
            }
            brought = re.findall(rf"Brought forward:{amount}", page)
            carried = re.findall(rf"Carried forward:{amount}", page)
            first = "L" if rows["L"] else "P"
            last = "P" if rows["P"] else "L"
            before, total = sum(seen[first]), {"L": LINES, "P": PLACES}
            goes_on = bool(rows[last]) and rows[last][-1] < total[last]
            self.assertEqual(brought, [_money(before)] if before and rows[first] else [], f"page {index + 1}")
            for mark in ("L", "P"):
                seen[mark] += rows[mark]
            self.assertEqual(carried, [_money(sum(seen[last]))] if goes_on else [], f"page {index + 1}")
        self.assertEqual(seen, {"L": list(range(1, LINES + 1)), "P": list(range(1, PLACES + 1))})

    def test_each_page_carries_the_sum_of_its_table_to_the_next(self):
        pages = self._render_long("standard")
        self.assertGreater(len(pages), 5)
        self._check_sums(pages)

    def test_sums_are_carried_in_every_theme(self):
        for theme in ("classic", "modern", "compact"):
            with self.subTest(theme):
                self._check_sums(self._render_long(theme))

    def test_heads_of_tables_are_repeated(self):
        for page in self._render_long("standard"):
            if re.search(r"L\d{3}", page):
                self.assertIn("Description", page)
            if re.search(r"P\d{3}", page):
                self.assertIn("Sessions by place", page)

    def test_no_line_ends_between_a_number_and_its_unit(self):
        self.contract.line_grouping = "cdr"
        move = self._bill()
        texts = [line["text"] for line in move._get_clearing_document()["lines"]]
        self.assertEqual(len(texts), 2)
        for text in texts:
            self.assertRegex(text, "\\d\N{NO-BREAK SPACE}kWh · 30\N{NO-BREAK SPACE}min$")
        # The line of the ledger and of the e-invoice stays as it is searched for.
        self.assertIn("15.000 kWh · 30 min", move.invoice_line_ids[1].name)

    def test_a_document_of_one_page_carries_nothing(self):
        move = self._bill()
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(self._pdf(move))).pages)
        self.assertNotIn("forward", text)


def _money(hundredths):
    """1 is 1.01, see _rows."""
    return f"{hundredths * Decimal('1.01'):,.2f}"

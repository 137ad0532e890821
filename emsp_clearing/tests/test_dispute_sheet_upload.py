import json
from html import unescape
from io import BytesIO

from lxml import html
from openpyxl import load_workbook

from odoo.tests import tagged

from ..core.dispute_sheet import REASONS
from .dispute_common import SECOND
from .portal_dispute_common import PortalDisputeCommon
from .settlement_common import LOCK


@tagged("post_install", "-at_install")
class TestDisputeSheetUpload(PortalDisputeCommon):
    def setUp(self):
        super().setUp()
        self.log_in()
        self.url = f"/my/settlements/{self.settlement.id}/dispute-sheet"

    def upload(self, content, name="list.xlsx"):
        return self.post(self.url, [("file", (name, content, "application/octet-stream"))])

    def csv(self, *rows):
        return self.upload("\n".join(("CDR;Dispute reason;Comment;Own amount", *rows)).encode(), "list.csv")

    def confirm(self, page):
        """Press the button of the preview."""
        [field] = html.fromstring(page.text).xpath("//input[@name='rows']")
        return self.post(f"{self.url}/confirm", rows=field.get("value"))

    def download(self):
        response = self.url_open(f"{self.url}.xlsx")
        self.assertEqual(response.status_code, 200)
        return load_workbook(BytesIO(response.content))

    def test_list_is_downloaded_filled_in_checked_and_confirmed(self):
        book = self.download()
        sheet = book.active
        heads = [cell.value for cell in sheet[1]]
        self.assertEqual(heads[0], "CDR")
        self.assertEqual(heads[-3:], ["Dispute reason", "Comment", "Own amount (EUR)"])
        self.assertEqual(
            [(row[0].value, row[5].value) for row in sheet["A2:F3"]], [("CDR-1", 6.4), ("CDR-2", 10.3)]
        )
        choices = sheet.data_validations.dataValidation[0]
        self.assertEqual((str(choices.sqref), choices.formula1.count(",")), ("H2:H3", len(REASONS) - 1))
        sheet["H2"], sheet["I2"], sheet["J2"] = "Wrong energy", "The display said 8 kWh.", 5.62
        file = BytesIO()
        book.save(file)
        page = self.upload(file.getvalue())
        self.assertEqual(page.status_code, 200, page.text[:1000])
        self.assertIn("will be disputed", page.text)
        self.assertIn("6.40", page.text)
        self.assertEqual(self.first.state, "open")
        self.assertEqual(self.confirm(page).status_code, 303)
        dispute = self.first.dispute_ids
        self.assertEqual(
            (dispute.source, dispute.reason, dispute.explanation, dispute.own_amount, dispute.opened_by_id),
            ("sheet", "energy", "The display said 8 kWh.", 5.62, self.frieda),
        )
        self.assertEqual(self.second.state, "open")

    def test_session_is_found_by_its_ocpi_key_too(self):
        page = self.csv(f"{self.first.ocpi_key};price;;", "cdr-2;Prix erroné;;")
        self.confirm(page)
        self.assertEqual((self.first.state, self.second.state), ("disputed", "disputed"))

    def test_one_bad_row_stops_all_and_each_is_explained(self):
        self._dispute(self.second)
        page = self.csv("CDR-1;price;;", "CDR-2;price;;", "CDR-9;price;;", "CDR-11;price;;", "CDR-1;energy;;")
        text = unescape(page.text)
        for words in (
            "CDR CDR-2 is disputed already.",
            f"There is no session of this name on {self.settlement.name}.",
            "The session is in the file already",
            "Rows that cannot be taken: 4",
        ):
            self.assertIn(words, text)
        self.assertNotIn('name="rows"', text)
        self.assertEqual(self.first.state, "open")

    def test_what_changed_since_the_preview_is_seen_again(self):
        page = self.csv("CDR-1;price;;", "CDR-2;price;;")
        self._dispute(self.second)
        response = self.confirm(page)
        self.assertEqual(response.status_code, 422)
        self.assertIn("CDR-2 is disputed already", response.text)
        self.assertEqual(self.first.state, "open")

    def test_form_that_was_forged_is_checked_like_a_file(self):
        row = {"number": 2, "reason": "price", "comment": "", "own_amount": None, "problem": None}
        for cdr in ("CDR-11", "FR*RVR*CDR-11", ""):
            rows = json.dumps([[2, cdr, "price", "", None, None]])
            self.assertIn(self.post(f"{self.url}/confirm", rows=rows).status_code, (200, 422))
        for rows in ("", "{", json.dumps([row]), '[[2,"CDR-1","price","","-5",null]]', "[]", "\udcff" * 3):
            with self.subTest(rows):
                rows = rows.encode(errors="replace").decode()
                self.assertEqual(self.post(f"{self.url}/confirm", rows=rows).status_code, 422)
        self.assertEqual({cdr.state for cdr in (self.first, *self.cdrs_b)}, {"open"})

    def test_file_that_is_none_says_what_to_do(self):
        for content, text in (
            (b"PK nonsense", "no spreadsheet"),
            (b"a;b\n1;2", "Download the list below"),
            (b"x" * (15 * 2**20 + 1), "too large"),
        ):
            page = self.upload(content)
            self.assertEqual(page.status_code, 422)
            self.assertIn(text, page.text)
        self.assertEqual(self.post(self.url).status_code, 422)

    def test_file_without_a_reason_disputes_nothing(self):
        page = self.csv("CDR-1;;;", "CDR-2;;;")
        self.assertIn("No row has a reason filled in", page.text)
        self.assertNotIn('name="rows"', page.text)

    def test_words_are_text_and_no_formula(self):
        page = self.csv('CDR-1;price;"=1+1<script>alert(1)</script>";')
        self.assertNotIn("<script>alert(1)", page.text)
        self.confirm(page)
        self.assertEqual(self.first.dispute_ids.explanation, "=1+1<script>alert(1)</script>")

    def test_after_the_lock_nothing_is_taken(self):
        page = self.csv("CDR-1;price;;")
        self._set_clock(LOCK)
        response = self.confirm(page)
        self.assertEqual(response.status_code, 422)
        self.assertIn("closed on 2026-11-10 00:00 CET", response.text)
        self.assertNotIn("Check the file", self.url_open(self.url).text)
        self._set_clock(LOCK - SECOND)
        self.assertEqual(self.confirm(page).status_code, 303)

import io
import zipfile
from hashlib import sha256
from unittest.mock import patch

from openpyxl import load_workbook

from odoo import http, sql_db
from odoo.tests import HttpCase, tagged

from ..controllers import verify
from ..models.emsp_settlement_verify import VERIFY_LOCK
from ..report.emsp_annex_guard import PUBLIC
from .common import cdr_payload
from .settlement_common import SettlementCommon

URL = "/emsp/verify"


@tagged("post_install", "-at_install")
class TestVerifyPage(SettlementCommon, HttpCase):
    """A settlement of two sessions, 6.40 and 2.70, and its annex as its reader may have it."""

    def setUp(self):
        super().setUp()
        # The hashed journal of clearing would not let an invoice go back to draft.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        # 1.00 + 4 kWh x 0.39 + 10 min x 0.05 = 1.00 + 1.56 + 0.50 = 3.06
        self.settlement = self._settle(cdr_payload(1), cdr_payload(2, minutes=10, energy=4.0))
        self.annex = self.settlement.move_id.emsp_annex_id.raw
        self.authenticate(None, None)

    def post(self, content, accept="application/json", filename="annex.xlsx", **fields):
        """Send the form. :return: the response."""
        return self.url_open(
            URL,
            data={"csrf_token": http.Request.csrf_token(self), **fields},
            # A form without a file sends an empty one without a name.
            files={"annex": (filename, content) if content is not None else ("", b"")},
            headers={"Accept": accept},
        )

    def verify(self, content, **fields):
        response = self.post(content, **fields)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def changed(self, change):
        """The annex after `change(workbook)`, as a spreadsheet program saves it."""
        workbook = load_workbook(io.BytesIO(self.annex))
        change(workbook)
        file = io.BytesIO()
        workbook.save(file)
        return file.getvalue()

    def set_cell(self, name, value, line=2):
        """A change of one cell in a named column."""

        def change(workbook):
            sheet, cells = next(iter(workbook.defined_names[name].destinations))
            workbook[sheet][cells.replace("$", "").partition(":")[0]].offset(line - 2).value = value

        return change

    def test_page_offers_a_form_to_anybody_and_keeps_no_copy(self):
        response = self.url_open(URL)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        for text in ('enctype="multipart/form-data"', 'name="csrf_token"', 'for="annex"', 'accept=".xlsx"'):
            self.assertIn(text, response.text)

    def test_annex_of_an_invoice_verifies(self):
        answer = self.verify(self.annex)
        self.assertEqual(
            answer,
            {
                "holds": True,
                "issued": True,
                "settlement": self.settlement.name,
                "invoice": self.settlement.move_id.name,
                "list_hash": {"stated": self.settlement.list_hash, "computed": self.settlement.list_hash},
                "problems": [],
                "rows": [
                    {
                        "sheet": 1,
                        "row": 2,
                        "key": "FR*RVR*CDR-1",
                        "amount": "6.4000",
                        "status": "matches",
                        "reasons": [],
                        "held": True,
                    },
                    {
                        "sheet": 1,
                        "row": 3,
                        "key": "FR*RVR*CDR-2",
                        "amount": "3.0600",
                        "status": "matches",
                        "reasons": [],
                        "held": True,
                    },
                ],
                "unlisted_payloads": [],
            },
        )
        page = self.post(self.annex, accept="text/html").text
        self.assertIn("Every session is as we received and billed it.", page)
        self.assertIn("FR*RVR*CDR-2", page)

    def test_annex_saved_by_another_program_verifies(self):
        self.assertTrue(self.verify(self.changed(lambda workbook: None))["holds"])

    def test_changed_amount_is_named_and_the_other_row_matches(self):
        altered = self.changed(self.set_cell("EMSP_AMOUNT", 6.5))
        answer = self.verify(altered)
        self.assertFalse(answer["holds"])
        # The list that the file states is ours; its rows are not.
        self.assertTrue(answer["issued"])
        self.assertEqual(answer["problems"], ["list_hash", "total"])
        self.assertEqual(
            [(row["status"], row["reasons"], row["held"]) for row in answer["rows"]],
            [("changed", ["row_hash"], False), ("matches", [], True)],
        )
        page = self.post(altered, accept="text/html").text
        self.assertIn("This is not what we received and billed.", page)
        self.assertIn("net amount are not those that were listed", page)

    def test_list_that_was_never_invoiced_is_none_of_ours(self):
        self.settlement.move_id.button_draft()
        answer = self.verify(self.annex)
        self.assertEqual((answer["holds"], answer["issued"]), (False, False))
        self.assertEqual([row["held"] for row in answer["rows"]], [False, False])
        self.assertEqual([row["status"] for row in answer["rows"]], ["matches", "matches"])

    def test_list_under_the_number_of_another_invoice_is_told(self):
        for name in ("EMSP_INVOICE", "EMSP_SETTLEMENT"):
            answer = self.verify(self.changed(self.set_cell(name, "INV/2026/99999")))
            self.assertEqual((answer["holds"], answer["issued"]), (False, True))
            self.assertEqual(answer["problems"], ["other_invoice"])

    def test_forged_hash_in_the_head_is_not_ours_although_the_rows_are(self):
        answer = self.verify(self.changed(self.set_cell("EMSP_LIST_HASH", "0" * 64)))
        self.assertEqual((answer["issued"], answer["problems"]), (False, ["list_hash"]))
        # found by the hash of the rows themselves
        self.assertEqual([row["held"] for row in answer["rows"]], [True, True])

    def test_hash_from_the_invoice_decides(self):
        self.assertTrue(self.verify(self.annex, list_hash=f" {self.settlement.list_hash.upper()} ")["holds"])
        answer = self.verify(self.annex, list_hash="0" * 64)
        self.assertEqual((answer["holds"], answer["problems"]), (False, ["printed_hash"]))
        self.assertEqual(self.post(self.annex, list_hash="1234").json()["error"], "list_hash")

    def test_forgery_that_is_consistent_is_named_by_the_hash_from_the_invoice(self):
        payload = self.settlement.cdr_ids.sorted("ocpi_key").mapped("payload_sha256")
        lines = [f"FR*RVR*CDR-1\t{payload[0]}\t9.4000\n", f"FR*RVR*CDR-2\t{payload[1]}\t3.0600\n"]

        def forge(workbook):
            for name, value in (
                ("EMSP_AMOUNT", 9.4),
                ("EMSP_ROW_HASH", sha256(lines[0].encode()).hexdigest()),
                ("EMSP_LIST_HASH", sha256("".join(lines).encode()).hexdigest()),
            ):
                self.set_cell(name, value)(workbook)
            # 9.40 + 3.06 = 12.46
            self.set_cell("EMSP_AMOUNT", 12.46, line=4)(workbook)

        forged = self.changed(forge)
        alone = self.verify(forged)
        self.assertEqual((alone["holds"], alone["issued"], alone["problems"]), (False, False, []))
        self.assertEqual([row["held"] for row in alone["rows"]], [False, False])
        answer = self.verify(forged, list_hash=self.settlement.list_hash)
        self.assertEqual((answer["issued"], answer["problems"]), (False, ["printed_hash"]))
        self.assertEqual([row["held"] for row in answer["rows"]], [False, True])

    def test_unknown_cdr_and_wrong_hash_are_answered_alike(self):
        """Whoever guesses learns neither that a CDR exists nor what it cost."""
        other = self._receive(cdr_payload(3))
        answers = []
        for key in (other.ocpi_key, "FR*RVR*NONE"):
            answer = self.verify(self.changed(self.set_cell("EMSP_KEY", key)))
            answer["rows"][0].pop("key")
            answer["list_hash"].pop("computed")
            answers.append(answer)
        self.assertEqual(answers[0], answers[1])

    def test_nothing_but_yes_and_no_comes_from_the_database(self):
        """A file that holds nothing but a list hash gets nothing else back."""

        def strip(workbook):
            workbook["Summary"]["B6"] = workbook["Summary"]["B10"] = None
            workbook["Sessions"].delete_rows(2, 3)

        response = self.post(self.changed(strip), accept="text/html")
        for text in (self.settlement.name, self.settlement.move_id.name, "CDR-1", self.partner.name, "6.4"):
            self.assertNotIn(text, response.text)

    def test_file_that_is_no_annex_gets_a_sentence_and_a_status(self):
        empty = io.BytesIO()
        zipfile.ZipFile(empty, "w").close()
        for content, status, code in (
            (b"%PDF-1.7", 415, "not_spreadsheet"),
            (empty.getvalue(), 415, "not_spreadsheet"),
            (self.changed(lambda workbook: workbook.defined_names.clear()), 422, "no_annex"),
            (b"0" * (PUBLIC.file_bytes + 1), 413, "too_large"),
            (None, 400, "no_file"),
        ):
            with self.subTest(code=code, size=content and len(content)):
                response = self.post(content)
                self.assertEqual((response.status_code, response.json()["error"]), (status, code))
                page = self.post(content, accept="text/html")
                self.assertEqual(page.status_code, status)
                self.assertIn('role="alert"', page.text)
                self.assertIn('name="annex"', page.text)

    def test_file_name_is_never_shown(self):
        response = self.post(b"x", accept="text/html", filename="<script>x</script>.xlsx")
        self.assertNotIn("<script>x", response.text)

    def test_text_of_the_file_is_escaped(self):
        altered = self.changed(self.set_cell("EMSP_KEY", "<img src=x>"))
        page = self.post(altered, accept="text/html").text
        self.assertIn("&lt;img src=x&gt;", page)
        self.assertNotIn("<img src=x>", page)

    def test_post_without_token_of_the_form_is_refused(self):
        response = self.url_open(URL, data={"csrf_token": "x"}, files={"annex": ("a", self.annex)})
        self.assertEqual(response.status_code, 400)

    def test_one_annex_at_a_time(self):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_try_advisory_xact_lock(%s)", [VERIFY_LOCK])
            response = self.post(self.annex)
        self.assertEqual((response.status_code, response.json()["error"]), (503, "busy"))
        self.assertEqual(response.headers["Retry-After"], "5")

    def test_form_that_was_filled_in_by_a_program_as_it_liked_is_refused(self):
        """A text where the file belongs, a file where the hash belongs."""
        token = {"csrf_token": http.Request.csrf_token(self)}
        accept = {"Accept": "application/json"}
        response = self.url_open(URL, data={**token, "annex": "text"}, headers=accept)
        self.assertEqual((response.status_code, response.json()["error"]), (400, "no_file"))
        files = {"annex": ("a.xlsx", self.annex), "list_hash": ("b", b"x")}
        response = self.url_open(URL, data=token, files=files, headers=accept)
        self.assertEqual((response.status_code, response.json()["error"]), (400, "list_hash"))

    def test_long_list_shows_what_does_not_match_first(self):
        altered = self.changed(self.set_cell("EMSP_AMOUNT", 9, line=3))
        with patch.object(verify, "ROWS_SHOWN", 1):
            page = self.post(altered, accept="text/html").text
        self.assertIn("FR*RVR*CDR-2", page)
        self.assertNotIn("FR*RVR*CDR-1", page)
        self.assertIn("1 more rows are not shown here", page)

    def test_page_speaks_the_language_of_its_address(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        response = self.url_open("/fr/emsp/verify")
        self.assertEqual(response.status_code, 200)
        self.assertIn('lang="fr-FR"', response.text)

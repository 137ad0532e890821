import csv
import hashlib
import io
import json
from datetime import datetime

from openpyxl import load_workbook

from odoo.tests import tagged

from .common import cdr_payload
from .portal_common import PortalCommon
from .settlement_common import credit_of

EVIL = '=HYPERLINK("http://evil.test","x")'


@tagged("post_install", "-at_install")
class TestPortalDownload(PortalCommon):
    def setUp(self):
        super().setUp()
        payload = cdr_payload(1, total_cost={"excl_vat": 7.0})
        payload["cdr_location"].update(name=EVIL, city="+1", address="@home")
        payload["cdr_token"]["uid"] = "-1+1"
        self.cdr = self._receive(payload)
        # Its credit is a line of its own then.
        self.cdr._store({"state": "locked"})
        self.credit = self._receive(credit_of(payload))
        self.second = self._receive(cdr_payload(2, start=datetime(2026, 10, 25, 0, 45), minutes=30))

    def _download(self, file_format, query="?sortby=cdr"):
        answer = self._open(f"/my/cdrs/download/{file_format}{query}")
        self.assertEqual(answer.status_code, 200)
        self.assertIn(f"cdrs.{file_format}", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        return answer.content

    def _csv(self, query="?sortby=cdr"):
        content = self._download("csv", query)
        self.assertTrue(content.startswith(b"\xef\xbb\xbf"))
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))

    def test_csv_has_exact_values(self):
        first, second, credit = self._csv()
        self.assertEqual(
            {
                name: second[name]
                for name in ("cdr", "start_local", "start_offset", "end_local", "end_offset")
            },
            {
                "cdr": "CDR-2",
                "start_local": "2026-10-25T02:45:00",
                "start_offset": "+02:00",
                "end_local": "2026-10-25T02:15:00",
                "end_offset": "+01:00",
            },
        )
        expected = {
            "start_utc": "2026-10-05T08:00:00Z",
            "end_utc": "2026-10-05T08:30:00Z",
            "time_zone": "Europe/Paris",
            "energy_kwh": "10.0000",
            "duration_s": "1800",
            "session_fee": "1.00",
            "energy": "3.90",
            "time": "1.50",
            "parking": "0",
            "other": "0",
            "net": "6.4000",
            "stated": "7.0000",
            "currency": "EUR",
            "state": "locked",
            "is_credit": "0",
            "is_late": "0",
            "evse_id": "FR*RVR*E1001*1",
            "sha256": self.cdr.payload_sha256,
            "findings": "; ".join(self.cdr.finding_ids.sorted("id").mapped("message")),
        }
        self.assertEqual({name: first[name] for name in expected}, expected)
        self.assertEqual((credit["cdr"], credit["net"], credit["is_credit"]), ("CDR-C", "-6.4000", "1"))
        self.assertEqual(credit["credits_cdr"], "CDR-1")

    def test_csv_has_no_formulas(self):
        first = self._csv()[0]
        self.assertEqual(first["place"], f"'{EVIL}")
        self.assertEqual(first["city"], "'+1")
        self.assertEqual(first["address"], "'@home")
        self.assertEqual(first["token_uid"], "'-1+1")

    def test_json_is_exact_and_as_received(self):
        rows = json.loads(self._download("json"))
        self.assertEqual([row["cdr"] for row in rows], ["CDR-1", "CDR-2", "CDR-C"])
        self.assertEqual(rows[0]["place"], EVIL)
        self.assertEqual(rows[0]["net"], "6.4000")
        self.assertEqual(rows[0]["duration_s"], 1800)
        self.assertIs(rows[2]["is_credit"], True)
        self.assertEqual(json.loads(self._download("json", "?search=nothing")), [])

    def test_xlsx_has_figures_and_a_total_and_no_formulas(self):
        sheet = load_workbook(io.BytesIO(self._download("xlsx"))).active
        head, *rows = sheet.iter_rows()
        columns = {cell.value: cell.column - 1 for cell in head}
        first = rows[0]
        self.assertEqual(first[columns["Place"]].value, EVIL)
        self.assertEqual(first[columns["Place"]].data_type, "s")
        self.assertTrue(first[columns["Place"]].quotePrefix)
        self.assertEqual(first[columns["Net"]].value, 6.4)
        self.assertEqual(first[columns["Start (local)"]].value, datetime(2026, 10, 5, 10, 0))
        total = rows[-1]
        self.assertEqual(len(rows), 4)
        # 6.40 + 6.40 - 6.40, and 10 kWh each
        self.assertAlmostEqual(total[columns["Net"]].value, 6.40)
        self.assertEqual(total[columns["kWh"]].value, 10)
        self.assertFalse([cell for row in rows for cell in row if cell.data_type == "f"])
        self.assertEqual(sheet.freeze_panes, "B2")

    def test_amounts_of_several_currencies_have_no_total(self):
        self.second._store({"currency_id": self.env.ref("base.USD").id})
        sheet = load_workbook(io.BytesIO(self._download("xlsx"))).active
        head, *__, total = sheet.iter_rows(values_only=True)
        self.assertIsNone(total[head.index("Net")])
        self.assertEqual(total[head.index("kWh")], 10)

    def test_download_is_what_the_list_shows(self):
        self.assertEqual([row["cdr"] for row in self._csv("?search=CDR-2")], ["CDR-2"])
        self.assertEqual([row["cdr"] for row in self._csv("?credit=1")], ["CDR-C"])
        page = self._page("/my/cdrs?search=CDR-2&state=open")
        self.assertIn("/my/cdrs/download/csv?search=CDR-2&state=open", page.xpath("//a/@href"))
        self.assertEqual(self._open("/my/cdrs/download/pdf").status_code, 404)

    def test_payload_is_what_was_received_byte_for_byte(self):
        answer = self._open(f"/my/cdrs/{self.cdr.id}/payload")
        self.assertEqual(answer.content, self.cdr.payload.encode())
        self.assertEqual(hashlib.sha256(answer.content).hexdigest(), self.cdr.payload_sha256)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertIn("application/json", answer.headers["Content-Type"])

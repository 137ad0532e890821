import io
import subprocess
import sys
from datetime import date
from decimal import Decimal

from drafthorse.models.document import Document as DrafthorseDocument
from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader

from odoo.tests import tagged

from .einvoice_common import find_violations, issue
from .test_einvoice import XLSX, EinvoiceCommon

# In a process of its own: the library cannot be imported beside Odoo, whose import hook hides the data
# files of stdnum.
READ = """
import sys
from facturx import get_facturx_xml_from_pdf
name, xml = get_facturx_xml_from_pdf(sys.stdin.buffer.read(), check_xsd=True)
sys.stdout.buffer.write(name.encode() + b"\\n" + xml)
"""


@tagged("post_install", "-at_install")
class TestEinvoicePdf(EinvoiceCommon):
    """The files as they leave, read back with the libraries of others."""

    def test_other_libraries_read_the_factur_x(self):
        move = self._bill()
        answer = subprocess.run(
            [sys.executable, "-c", READ], input=issue(move), capture_output=True, check=True
        )
        name, __, xml = answer.stdout.partition(b"\n")
        self.assertEqual(name, b"factur-x.xml")
        document = DrafthorseDocument.parse(xml)
        self.assertEqual(str(document.header.id), move.name)
        self.assertEqual(str(document.trade.agreement.buyer.name), "Spree Mobility GmbH")
        total = document.trade.settlement.monetary_summation
        self.assertEqual(total.due_amount._value, Decimal("17.70"))
        self.assertEqual(document.trade.settlement.period.start._value, date(2026, 10, 1))

    def test_annex_is_attached_to_the_pdf_and_named_in_the_xml(self):
        move = self._bill()
        reader = PdfReader(io.BytesIO(issue(move)))
        annex = move.emsp_annex_id
        files = [filespec.get_object() for filespec in reader.trailer["/Root"]["/AF"]]
        self.assertEqual(
            [(file["/F"], file["/AFRelationship"]) for file in files],
            [("factur-x.xml", "/Alternative"), (annex.name, "/Supplement")],
        )
        stream = files[1]["/EF"]["/F"].get_object()
        self.assertEqual((stream["/Subtype"], stream["/Params"]["/Size"]), (f"/{XLSX}", len(annex.raw)))
        # The name tree is sorted: capital letters come first.
        names = reader.trailer["/Root"]["/Names"]["/EmbeddedFiles"]["/Names"]
        self.assertEqual(names[::2], [annex.name, "factur-x.xml"])
        self.assertEqual(reader.attachments[annex.name], [annex.raw])
        self.assertEqual(load_workbook(io.BytesIO(annex.raw))["Summary"]["B10"].value, move.name)
        xmp = reader.trailer["/Root"]["/Metadata"].get_data().decode()
        self.assertIn("<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>", xmp)
        [xml] = reader.attachments["factur-x.xml"]
        self.assertIn(annex.name.encode(), xml)

    def test_peppol_invoice_leaves_with_annex_and_pdf_inside_and_is_valid(self):
        self.contract.einvoice_format = "ubl_bis3"
        move = self._bill()
        pdf = issue(move)
        xml = move.ubl_cii_xml_id.raw
        self.assertEqual(find_violations(xml), [])
        names = etree.fromstring(xml).findall(".//{*}AdditionalDocumentReference/{*}ID")
        self.assertEqual(
            [name.text for name in names], [move.emsp_annex_id.name, move.invoice_pdf_report_id.name]
        )
        self.assertIn("factur-x.xml", PdfReader(io.BytesIO(pdf)).attachments)

    def test_no_e_invoice_means_none_inside_either(self):
        self.contract.einvoice_format = "none"
        move = self._bill()
        self.assertFalse(PdfReader(io.BytesIO(issue(move))).attachments)
        self.assertFalse(move.ubl_cii_xml_id)

    def test_annex_above_the_limit_stays_outside_the_pdf(self):
        self.contract.einvoice_annex_limit_mb = 0
        move = self._bill()
        self.assertEqual(list(PdfReader(io.BytesIO(issue(move))).attachments), ["factur-x.xml"])

import io
from datetime import datetime
from decimal import Decimal
from unittest.mock import patch

from openpyxl import load_workbook
from pikepdf.pdfa import validate_written
from pypdf import PdfReader

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..report import emsp_pdf
from ..report.emsp_brand import heading, text_on
from .common import EmspCommon, cdr_payload

REPORT = "emsp_clearing.report_clearing_invoice"
# What the validator finds and is none: it knows level B, whose rules are all part of level A, and no
# schemas beyond those of the standard, where Factur-X describes its own as the standard asks.
LEVEL = "ISO_19005_3:6.6.4-3"
SCHEMAS = "ISO_19005_3:6.6.2.3.1-1"
CII = (
    b'<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"'
    b' xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100">'
    b"<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>"
    b"urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
    b"</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>"
    b"</rsm:CrossIndustryInvoice>"
)


def _packet(pdf):
    return PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Metadata"].get_data()


@tagged("post_install", "-at_install")
class DocumentCommon(EmspCommon):
    """October of the contract: two sessions of 6.40 and 8.35, billed on 10 November 2026.

    10 kWh, 30 min: 1.00 + 3.90 + 1.50 = 6.40; 15 kWh, 30 min: 1.00 + 5.85 + 1.50 = 8.35; 14.75 in all.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"street": "18 quai Perrache", "zip": "69002", "city": "Lyon"})

    def _bill(self, *payloads):
        """Take the sessions, run the calendar up to the invoice. :return: the posted invoice."""
        self._receive(*(payloads or (cdr_payload(1), cdr_payload(2, energy=15.0))))
        # sudo: the calendar is run by the system's cron.
        calendar = self.env["emsp.settlement"].sudo().with_context(queue_job__no_delay=True)
        with patch.object(type(calendar), "_send", lambda settlement: None):
            for as_of in (datetime(2026, 10, 7), datetime(2026, 11, 4), datetime(2026, 11, 10)):
                calendar._cron_run_due(as_of)
        return self.contract.settlement_ids.move_id

    def _assert_is_archive(self, pdf):
        """PDF/A-3 by an independent validator, and tagged throughout as level A asks."""
        report = validate_written(io.BytesIO(pdf), "3b")
        rules = {LEVEL, SCHEMAS} if b"pdfaExtension" in _packet(pdf) else {LEVEL}
        found = [str(finding) for finding in report.violations if finding.rule not in rules]
        self.assertEqual(found, [])
        root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
        self.assertTrue(root["/MarkInfo"]["/Marked"])
        self.assertEqual(root["/StructTreeRoot"]["/Type"], "/StructTreeRoot")
        self.assertTrue(root["/ViewerPreferences"]["/DisplayDocTitle"])
        self.assertTrue(root["/Lang"])

    def _html(self, move):
        return self.env["ir.actions.report"]._render_qweb_html(REPORT, move.ids)[0].decode()

    def _pdf(self, move):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        return report._render_qweb_pdf(REPORT, move.ids)[0]


@tagged("post_install", "-at_install")
class TestInvoiceProof(DocumentCommon):
    def test_invoice_and_annex_have_the_same_total(self):
        move = self._bill()
        self.assertEqual((move.state, move.amount_untaxed), ("posted", 14.75))
        sheet = load_workbook(io.BytesIO(move.emsp_annex_id.raw))["Sessions"]
        heads = [cell.value for cell in sheet[1]]
        total = dict(zip(heads, (cell.value for cell in sheet[sheet.max_row]), strict=True))
        self.assertEqual(total["Net (EUR)"], 14.75)
        self.assertEqual(total["Gross (EUR)"], move.amount_total)
        self.assertEqual(total["kWh"], 25)

    def test_annex_is_named_after_the_invoice_and_hangs_on_it(self):
        move = self._bill()
        annex = move.emsp_annex_id
        self.assertEqual(annex.name, f"{move.name.replace('/', '_')}_sessions.xlsx")
        self.assertEqual((annex.res_model, annex.res_id), ("account.move", move.id))
        self.assertEqual(load_workbook(io.BytesIO(annex.raw))["Summary"]["B10"].value, move.name)

    def test_invoice_leads_to_its_settlement_and_its_annex(self):
        move = self._bill()
        settlement = move.action_view_emsp_settlement()
        self.assertEqual(
            (settlement["res_model"], settlement["res_id"]), ("emsp.settlement", move.emsp_settlement_id.id)
        )
        self.assertEqual(
            move.action_download_emsp_annex()["url"], f"/web/content/{move.emsp_annex_id.id}?download=true"
        )
        form = move.get_view(view_type="form")["arch"]
        self.assertIn("action_view_emsp_settlement", form)

    def test_annex_is_made_once(self):
        move = self._bill()
        annex = move.emsp_annex_id
        move._emsp_attach_annex()
        self.assertEqual(move.emsp_annex_id, annex)

    def test_invoice_that_differs_from_its_sessions_is_not_posted(self):
        # Its entries are not hashed: they can be reset.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        move.button_draft()
        move.invoice_line_ids[0].price_unit += 0.01
        with self.assertRaisesRegex(UserError, r"sum to \D*14.75"):
            move.action_post()

    def test_invoice_changed_by_a_line_that_is_taken_back_is_posted(self):
        # Its entries are not hashed: they can be reset.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        move.button_draft()
        move.invoice_line_ids[0].price_unit += 0.01
        move.invoice_line_ids[0].price_unit -= 0.01
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertTrue(move.emsp_annex_id)

    def test_accountant_without_rights_on_sessions_posts_and_prints(self):
        # Its entries are not hashed: they can be reset.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        accountant = new_test_user(self.env, "accountant", groups="account.group_account_invoice")
        accountant.write({"company_ids": self.company.ids, "company_id": self.company.id})
        own = move.with_user(accountant)
        with self.assertRaises(AccessError):
            own.emsp_settlement_id.read(["cdr_count"])
        own.button_draft()
        own.action_post()
        self.assertTrue(own.emsp_annex_id)
        report = self.env["ir.actions.report"].with_user(accountant)
        self.assertIn("14.75", report._render_qweb_html(REPORT, own.ids)[0].decode())

    def test_other_invoices_are_posted_as_ever(self):
        move = self.init_invoice("out_invoice", partner=self.partner, amounts=[100.0], post=True)
        self.assertEqual(move.state, "posted")
        self.assertFalse(move.emsp_annex_id)

    def test_credit_note_is_proven_against_sessions_with_the_opposite_sign(self):
        move = self._bill()
        credit = move._reverse_moves([{"invoice_date": move.invoice_date}])
        credit._check_annex_total(Decimal("-14.75"))
        with self.assertRaises(UserError):
            credit._check_annex_total(Decimal("14.75"))

    def test_four_decimals_are_rounded_once_before_they_are_compared(self):
        move = self._bill()
        move._check_annex_total(Decimal("14.7451"))
        with self.assertRaises(UserError):
            move._check_annex_total(Decimal("14.7449"))

    def test_a_settlement_has_one_invoice(self):
        move = self._bill()
        other = move.copy()
        self.assertFalse(other.emsp_settlement_id)


@tagged("post_install", "-at_install")
class TestClearingReport(DocumentCommon):
    def test_pdf_is_an_archive_file_with_title_language_and_embedded_fonts(self):
        self.partner.lang = self.invoicing_contact.lang = "en_US"
        move = self._bill()
        reader = PdfReader(io.BytesIO(self._pdf(move)))
        root = reader.trailer["/Root"]
        self.assertEqual(root["/Lang"], "en-US")
        self.assertEqual(reader.metadata.title, f"{move.name} - {self.company.name}")
        self.assertIn(b'pdfaid:part="3" pdfaid:conformance="A"', root["/Metadata"].get_data())
        self.assertEqual(root["/OutputIntents"][0]["/S"], "/GTS_PDFA1")
        self._assert_is_archive(self._pdf(move))
        for font in reader.pages[0]["/Resources"]["/Font"].values():
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            self.assertTrue({"/FontFile2", "/FontFile3"} & descriptor.keys())

    def test_pages_name_both_sides_the_sums_and_the_way_to_pay(self):
        move = self._bill()
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(self._pdf(move))).pages)
        for expected in (
            move.name,
            "FR23334175221",
            "DE136695976",
            "Warschauer Platz 11",
            "FR76 3000 6000 0112 3456 7890 189",
            "AGRIFRPP",
            move.payment_reference,
            "14.75",
            move.emsp_annex_id.name,
            "Parking Bellecour",
            "Page 1 of",
            self.contract.reference,
        ):
            self.assertIn(expected, text)

    def test_tables_have_heads_and_pictures_have_words_for_those_who_listen(self):
        move = self._bill()
        reader = PdfReader(io.BytesIO(self._pdf(move)))
        kinds, words = set(), []
        todo = [reader.trailer["/Root"]["/StructTreeRoot"]["/K"]]
        while todo:
            element = todo.pop()
            element = element.get_object() if hasattr(element, "get_object") else element
            if isinstance(element, list):
                todo += element
            elif isinstance(element, dict) and "/S" in element:
                kinds.add(element["/S"])
                todo += [element["/K"]] if "/K" in element else []
                if element["/S"] == "/Figure":
                    words.append(element.get("/Alt"))
        self.assertLessEqual({"/H1", "/H2", "/Table", "/TH", "/TD", "/P"}, kinds)
        self.assertEqual(words, ["EPC QR code of this payment"])

    def test_payment_code_follows_the_epc_guideline(self):
        move = self._bill()
        with patch("qrcode.QRCode.add_data") as add_data:
            # Nothing was added, so there is no picture either; what counts is what it would say.
            move._get_payment_qr()
        lines = add_data.call_args.args[0].split("\n")
        self.assertEqual(lines[:4], ["BCD", "002", "1", "SCT"])
        self.assertEqual(lines[4], "AGRIFRPP")
        self.assertEqual(lines[6], "FR7630006000011234567890189")
        self.assertEqual(lines[7], f"EUR{move.amount_residual}")
        self.assertEqual(lines[10], move.payment_reference)

    def test_credit_note_names_the_invoice_it_corrects_and_asks_for_no_payment(self):
        move = self._bill()
        credit = move._reverse_moves([{"invoice_date": move.invoice_date}])
        credit.action_post()
        html = self._html(credit)
        self.assertIn("Credit note", html)
        self.assertIn(f"{move.name}, ", html)
        self.assertNotIn("SEPA credit transfer", html)

    def test_reverse_charge_is_mentioned_in_the_words_of_the_law(self):
        tax = self.env["account.tax"].create(
            {
                "name": "0% reverse charge",
                "amount": 0,
                "type_tax_use": "sale",
                "company_id": self.company.id,
                "ubl_cii_tax_category_code": "AE",
                "ubl_cii_tax_exemption_reason_code": "VATEX-EU-AE",
                "original_tax_ids": [Command.set(self.company_data["default_tax_sale"].ids)],
            }
        )
        self.contract.fiscal_position_id = self.env["account.fiscal.position"].create(
            {"name": "EU dealer", "company_id": self.company.id, "tax_ids": [Command.link(tax.id)]}
        )
        move = self._bill()
        self.assertEqual(move.amount_tax, 0)
        html = self._html(move)
        for words in ("Reverse charge", "Autoliquidation", "Steuerschuldnerschaft des Leistungsempfängers"):
            self.assertIn(words, html)

    def test_domestic_invoice_mentions_no_reverse_charge(self):
        self.assertNotIn("Autoliquidation", self._html(self._bill()))

    def test_document_is_written_in_the_partners_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(["emsp_clearing"], ["fr_FR"])
        self.invoicing_contact.lang = "fr_FR"
        move = self._bill()
        self.assertEqual(
            move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "session").name,
            "Session de recharge : 2 sessions à 1,0000 EUR (2 sessions)",
        )
        html = self._html(move)
        self.assertIn("Total à payer", html)
        self.assertIn('lang="fr-FR"', html)
        self.assertIn("10 novembre 2026", html)
        self.assertIn("1–31 oct. 2026", html.replace("\u2009", ""))

    def test_lines_show_the_quantity_and_price_they_stand_for(self):
        # Its lines are changed for the test, which the hashed journal of clearing refuses.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        line = self._bill().invoice_line_ids[0]
        for unit, quantity, price, texts in (
            ("session", 48, 0.5, ("48 sessions", "0.5000")),
            ("kwh", 1639.996, 0.3912, ("1,639.996 kWh", "0.3912")),
            ("minute", 7545, 1 / 60, ("7,545 min", "0.016667")),
            ("minute", 7545.5, 0.02, ("7,545.50 min", "0.0200")),
        ):
            line.write({"emsp_unit": unit, "emsp_quantity": quantity, "emsp_unit_price": price})
            self.assertEqual((line._get_billed_quantity_text(), line._get_billed_price_text()), texts)
        self.assertIn("7,545.50 min", self._html(line.move_id))

    def test_paid_invoice_asks_for_no_payment(self):
        move = self._bill()
        self.assertIn("SEPA credit transfer", self._html(move))
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        register.create({})._create_payments()
        self.assertFalse(move.amount_residual)
        self.assertNotIn("SEPA credit transfer", self._html(move))

    def test_tax_table_shows_base_and_amount_of_each_tax(self):
        move = self._bill()
        [row] = move._get_document_taxes()
        self.assertEqual((row["base"], row["amount"]), (move.amount_untaxed, move.amount_tax))

    def test_places_sum_to_the_net_amount_and_the_smallest_are_folded(self):
        payloads = []
        for number in range(1, 12):
            payload = cdr_payload(number)
            payload["cdr_location"] = {**payload["cdr_location"], "name": f"Place {number:02}"}
            payloads.append(payload)
        move = self._bill(*payloads)
        rows = move._get_place_rows()
        # 11 sessions of 6.40: seven places and the other four.
        self.assertEqual([row["sessions"] for row in rows], ["1"] * 7 + ["4"])
        self.assertEqual((rows[-1]["name"], rows[-1]["amount"]), ("4 other places", move._money(25.60)))
        self.assertEqual(rows[-1]["brought"], f"Brought forward: {move._money(44.80)}")

    def test_every_place_is_listed_by_name_where_the_layout_asks_for_it(self):
        names = [f"Place {number:02}" for number in range(12, 1, -1)]
        payloads = []
        for number, name in enumerate(names, 1):
            payload = cdr_payload(number)
            payload["cdr_location"] = {**payload["cdr_location"], "name": name}
            payloads.append(payload)
        self.contract.invoice_layout_id = self.env["emsp.invoice.layout"].create(
            {"name": "Long", "company_id": self.company.id, "places": "all"}
        )
        move = self._bill(*payloads)
        places = move._get_clearing_document()["places"]
        self.assertEqual([place["name"].split(",")[0] for place in places], sorted(names))
        self.assertEqual(places[-1]["brought"], f"Brought forward: {move._money(64.00)}")
        self.assertEqual((places[0]["brought"], places[-1]["carried"]), ("", ""))

    def test_numbers_in_the_names_of_places_count_as_numbers(self):
        payloads = []
        for number, name in enumerate(("Gare 10", "gare 2", "Gare 1", "2 Rives", "Aire 7 nord"), 1):
            payload = cdr_payload(number)
            payload["cdr_location"] = {**payload["cdr_location"], "name": name}
            payloads.append(payload)
        move = self._bill(*payloads)
        expected = ["2 Rives", "Aire 7 nord", "Gare 1", "gare 2", "Gare 10"]
        for places in ("all", "largest"):
            rows = move._get_place_rows(places)
            self.assertEqual([row["name"].split(",")[0] for row in rows], expected, places)

    def test_issued_document_is_printed_again_and_not_made_again(self):
        move = self._bill()
        self.env["ir.attachment"].create(
            {
                "name": "issued.pdf",
                "raw": b"%PDF-1.7 as issued",
                "res_model": "account.move",
                "res_id": move.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        move.invalidate_recordset(["invoice_pdf_report_id"])
        self.assertEqual(self._pdf(move), b"%PDF-1.7 as issued")

    def test_document_reaches_no_network_and_no_file_outside_the_add_ons(self):
        fetcher = emsp_pdf.StaticFetcher()
        for url in ("https://example.com/a.css", "file:///etc/passwd", "file:///base/models/ir_rule.py"):
            with self.assertRaises(ValueError):
                fetcher.fetch(url)
        css = fetcher.fetch("file:///emsp_clearing/static/src/css/clearing_invoice.css")
        self.assertEqual(css.content_type, "text/css")

    def test_light_brand_colours_stay_readable(self):
        self.assertEqual(text_on("#ffd500"), "#1d2329")
        self.assertEqual(text_on("#0b4f6c"), "#ffffff")
        self.assertEqual(heading("#ffd500"), "#1d2329")
        self.assertEqual(heading("#0b4f6c"), "#0b4f6c")

    def test_report_that_needs_wkhtmltopdf_says_so_where_it_is_absent(self):
        move = self._bill()
        reports = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        base = "odoo.addons.base.models.ir_actions_report.IrActionsReport.get_wkhtmltopdf_state"
        with patch(base, lambda report: "install"):
            self.assertEqual(reports.get_wkhtmltopdf_state(), "ok")
            self.assertTrue(reports._render_qweb_pdf(REPORT, move.ids)[0].startswith(b"%PDF"))
            with self.assertRaisesRegex(UserError, "Unable to find Wkhtmltopdf"):
                reports._render_qweb_pdf("account.report_invoice", move.ids)


@tagged("post_install", "-at_install")
class TestFacturX(DocumentCommon):
    def test_embedded_xml_is_declared_once_with_its_own_profile(self):
        move = self._bill()
        sending = self.env["account.move.send"]
        pdf = sending._embed_facturx(move, self._pdf(move), CII)
        reader = PdfReader(io.BytesIO(pdf))
        root = reader.trailer["/Root"]
        xmp = root["/Metadata"].get_data().decode()
        self.assertEqual(xmp.count("<rdf:RDF"), 1)
        self.assertIn("<fx:ConformanceLevel>EXTENDED</fx:ConformanceLevel>", xmp)
        self.assertIn("<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>", xmp)
        self.assertIn('pdfaid:part="3"', xmp)
        self.assertEqual(reader.pdf_header, "%PDF-1.7")
        self.assertEqual(reader.metadata.title, f"{move.name} - {self.company.name}")
        self.assertEqual(root["/OutputIntents"][0]["/S"], "/GTS_PDFA1")
        filespec = root["/AF"][0].get_object()
        self.assertEqual(filespec["/AFRelationship"], "/Alternative")
        self.assertEqual(filespec["/EF"]["/F"].get_object()["/Params"]["/Size"], len(CII))
        self.assertEqual(reader.attachments["factur-x.xml"], [CII])
        self._assert_is_archive(pdf)

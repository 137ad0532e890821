import base64
from datetime import date, datetime
from unittest.mock import patch

from lxml import etree

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import cdr_payload
from .settlement_common import credit_of
from .test_documents import DocumentCommon

NS = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
SEPTEMBER = [datetime(2026, 10, 7), datetime(2026, 11, 4), datetime(2026, 11, 10)]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Document:
    """An e-invoice as the values at its paths."""

    def __init__(self, xml):
        self.root = etree.fromstring(xml, etree.XMLParser(huge_tree=True))

    def __call__(self, path):
        """:return: the texts (or attributes) at a path below the root, joined by a blank."""
        found = self.root.xpath(f"//{path}", namespaces=NS)
        return " ".join(node if isinstance(node, str) else node.text for node in found)


@tagged("post_install", "-at_install")
class EinvoiceCommon(DocumentCommon):
    """A French company whose books are in EUR, with 20 % by default."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id = cls.env.ref("base.EUR")
        cls.vat_20 = cls.company_data["default_tax_sale"]
        cls.vat_20.amount = 20
        cls.company.name = "Rivière Recharge SAS"
        cls.contract.write({"buyer_reference": "DEPT-9", "purchase_order": "PO-77"})

    @classmethod
    def _create_tax(cls, name, amount, **vals):
        return cls.vat_20.copy({"name": name, "amount": amount, **vals})

    def _move_to_france(self):
        self.partner.write(
            {
                "country_id": self.env.ref("base.fr").id,
                "street": "1 place Kléber",
                "zip": "67000",
                "city": "Strasbourg",
                "vat": "FR40303265045",
                "company_registry": "30326504500011",
            }
        )

    def _charge_reverse(self):
        tax = self._create_tax(
            "0% reverse charge",
            0,
            ubl_cii_tax_category_code="AE",
            original_tax_ids=[Command.set(self.vat_20.ids)],
        )
        self.contract.fiscal_position_id = self.env["account.fiscal.position"].create(
            {"name": "EU dealer", "company_id": self.company.id, "tax_ids": [Command.link(tax.id)]}
        )

    def _discount_early_payment(self, computation):
        self.contract.payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "30 days, 2% in 10",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": computation,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )

    def _run(self, *instants):
        # sudo: the calendar is run by the system's cron.
        calendar = self.env["emsp.settlement"].sudo().with_context(queue_job__no_delay=True)
        with patch.object(type(calendar), "_send", lambda settlement: None):
            for as_of in instants:
                calendar._cron_run_due(as_of)

    def _correct_in_november(self, *payloads):
        """Bill October's session of 6.40, then what comes in November. :return: both documents."""
        first = self._bill(cdr_payload(1))
        self._receive(*payloads, received_at=datetime(2026, 11, 15))
        self._run(datetime(2026, 12, 4), datetime(2026, 12, 10))
        return first, self.contract.settlement_ids.move_id - first

    def _cii(self, move):
        return Document(self._export(move, "account.edi.xml.cii"))

    def _ubl(self, move, builder="account.edi.xml.ubl_bis3"):
        return Document(self._export(move, builder))

    def _export(self, move, builder):
        xml, errors = self.env[builder]._export_invoice(move)
        self.assertFalse(errors)
        return xml


@tagged("post_install", "-at_install")
class TestEinvoiceContent(EinvoiceCommon):
    def test_french_invoice_in_cii(self):
        self._move_to_france()
        move = self._bill()
        cii = self._cii(move)
        self.assertEqual(
            cii("ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"), "urn:cen.eu:en16931:2017"
        )
        self.assertEqual(cii("rsm:ExchangedDocument/ram:ID"), move.name)
        self.assertEqual(cii("rsm:ExchangedDocument/ram:TypeCode"), "380")
        # 2 sessions of 1.00, 25 kWh of 0.39, 60 minutes of 0.05; 20 % of 14.75.
        self.assertEqual(
            cii("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"), "2.00 9.75 3.00"
        )
        summation = "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
        self.assertEqual(cii(f"{summation}/ram:LineTotalAmount"), "14.75")
        self.assertEqual(cii(f"{summation}/ram:TaxTotalAmount"), "2.95")
        self.assertEqual(cii(f"{summation}/ram:GrandTotalAmount"), "17.70")
        self.assertEqual(cii(f"{summation}/ram:DuePayableAmount"), "17.70")
        self.assertEqual(cii("ram:TaxCurrencyCode"), "")
        period = "ram:ApplicableHeaderTradeSettlement/ram:BillingSpecifiedPeriod"
        self.assertEqual(cii(f"{period}//udt:DateTimeString"), "20261001 20261031")
        self.assertEqual(cii("ram:ActualDeliverySupplyChainEvent//udt:DateTimeString"), "20261031")
        self.assertEqual(cii("ram:DueDateDateTime/udt:DateTimeString"), "20261210")
        self.assertEqual(cii("ram:BuyerReference"), "DEPT-9")
        self.assertEqual(cii("ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"), "PO-77")
        self.assertEqual(cii("ram:ContractReferencedDocument/ram:IssuerAssignedID"), self.contract.reference)
        means = "ram:SpecifiedTradeSettlementPaymentMeans"
        self.assertEqual(cii(f"{means}/ram:TypeCode"), "58")
        self.assertEqual(cii(f"{means}//ram:IBANID"), "FR7630006000011234567890189")
        self.assertEqual(cii(f"{means}//ram:AccountName"), "Rivière Recharge SAS")
        self.assertEqual(cii(f"{means}//ram:BICID"), "AGRIFRPP")
        self.assertEqual(cii("ram:PaymentReference"), move.payment_reference)
        # The first nine digits of the SIRET; the seller's from its VAT number.
        self.assertEqual(cii("ram:BuyerTradeParty/ram:SpecifiedLegalOrganization/ram:ID"), "303265045")
        self.assertEqual(cii("ram:SellerTradeParty/ram:SpecifiedLegalOrganization/ram:ID"), "334175221")
        self.assertEqual(cii("ram:SpecifiedLegalOrganization/ram:ID/@schemeID"), "0002 0002")
        self.assertEqual(cii("ram:AdditionalReferencedDocument/ram:Name"), "DOCUMENT_ANNEXE")

    def test_invoicing_contact_without_address_is_a_contact_of_the_company(self):
        cii = self._cii(self._bill())
        buyer = "ram:BuyerTradeParty"
        self.assertEqual(cii(f"{buyer}/ram:Name"), "Spree Mobility GmbH")
        self.assertEqual(cii(f"{buyer}/ram:DefinedTradeContact/ram:PersonName"), "Accounts Payable")
        self.assertEqual(cii(f"{buyer}/ram:PostalTradeAddress/ram:CountryID"), "DE")
        self.assertEqual(cii(f"{buyer}/ram:PostalTradeAddress/ram:CityName"), "Berlin")

    def test_line_says_what_its_amount_stands_for(self):
        move = self._bill()
        names = "Sessions Billed quantity (kWh) Unit price (EUR)"
        path = "ram:IncludedSupplyChainTradeLineItem[2]//ram:ApplicableProductCharacteristic"
        cii = self._cii(move)
        self.assertEqual((cii(f"{path}/ram:Description"), cii(f"{path}/ram:Value")), (names, "2 25 0.39"))
        path = "cac:InvoiceLine[2]//cac:AdditionalItemProperty"
        ubl = self._ubl(move)
        self.assertEqual((ubl(f"{path}/cbc:Name"), ubl(f"{path}/cbc:Value")), (names, "2 25 0.39"))

    def test_reverse_charge_has_its_category_and_its_reason(self):
        self._charge_reverse()
        move = self._bill()
        cii = self._cii(move)
        tax = "ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"
        self.assertEqual(cii(f"{tax}/ram:CategoryCode"), "AE")
        self.assertEqual(cii(f"{tax}/ram:ExemptionReasonCode"), "VATEX-EU-AE")
        self.assertEqual(cii(f"{tax}/ram:ExemptionReason"), "Reverse charge")
        self.assertEqual(cii(f"{tax}/ram:RateApplicablePercent"), "0.0")
        self.assertEqual(cii(f"{tax}/ram:CalculatedAmount"), "0.00")
        self.assertEqual(cii("ram:GrandTotalAmount"), "14.75")
        self.assertEqual(cii("ram:SpecifiedTaxRegistration/ram:ID"), "FR23334175221 DE136695976")
        self.assertIn("Autoliquidation", cii("ram:IncludedNote/ram:Content"))
        ubl = self._ubl(move)
        category = "cac:TaxSubtotal/cac:TaxCategory"
        self.assertEqual(ubl(f"{category}/cbc:ID"), "AE")
        self.assertEqual(ubl(f"{category}/cbc:TaxExemptionReasonCode"), "VATEX-EU-AE")
        self.assertEqual(ubl("cac:PartyTaxScheme/cbc:CompanyID"), "FR23334175221 DE136695976")

    def test_peppol_invoice(self):
        move = self._bill()
        ubl = self._ubl(move)
        self.assertEqual(ubl("cbc:InvoiceTypeCode"), "380")
        self.assertEqual(ubl("cbc:BuyerReference"), "DEPT-9")
        self.assertEqual(ubl("cac:OrderReference/cbc:ID"), "PO-77")
        self.assertEqual(ubl("cac:ContractDocumentReference/cbc:ID"), self.contract.reference)
        self.assertEqual(ubl("cac:InvoicePeriod/*"), "2026-10-01 2026-10-31")
        self.assertEqual(ubl("cbc:ActualDeliveryDate"), "2026-10-31")
        self.assertEqual(ubl("cbc:DueDate"), "2026-12-10")
        self.assertEqual(ubl("cbc:PaymentMeansCode"), "58")
        self.assertEqual(ubl("cbc:PaymentID"), move.payment_reference)
        self.assertEqual(ubl("cac:PayeeFinancialAccount/cbc:Name"), "Rivière Recharge SAS")
        self.assertEqual(ubl("cac:AccountingCustomerParty//cbc:EndpointID"), "DE136695976")
        self.assertEqual(ubl("cac:AccountingCustomerParty//cbc:EndpointID/@schemeID"), "9930")
        self.assertEqual(ubl("cac:AccountingSupplierParty//cac:PartyLegalEntity/cbc:CompanyID"), "334175221")
        self.assertEqual(ubl("cac:LegalMonetaryTotal/cbc:PayableAmount"), "17.70")

    def test_xrechnung(self):
        ubl = self._ubl(self._bill(), "account.edi.xml.ubl_de")
        self.assertTrue(ubl("cbc:CustomizationID").endswith("xrechnung_3.0"))
        self.assertEqual(ubl("cbc:BuyerReference"), "DEPT-9")
        self.assertEqual(ubl("cac:InvoicePeriod/*"), "2026-10-01 2026-10-31")

    def test_vat_stands_in_the_currency_of_the_books_too(self):
        chf = self.env.ref("base.CHF")
        chf.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": chf.id, "company_id": self.company.id, "name": date(2026, 1, 1), "rate": 0.8}
        )
        grid = self._create_grid("AC-CHF", currency_id=chf.id)
        self.contract.write({"price_grid_ids": [Command.set(grid.ids)], "currency_id": chf.id})
        move = self._bill(cdr_payload(1, currency="CHF"), cdr_payload(2, energy=15.0, currency="CHF"))
        cii = self._cii(move)
        self.assertEqual((cii("ram:InvoiceCurrencyCode"), cii("ram:TaxCurrencyCode")), ("CHF", "EUR"))
        # 20 % of CHF 14.75; at 0.80 francs for a euro that is EUR 3.6875.
        self.assertEqual(cii("ram:TaxTotalAmount[@currencyID='CHF']"), "2.95")
        self.assertEqual(cii("ram:TaxTotalAmount[@currencyID='EUR']"), "3.69")
        # No SEPA for francs.
        self.assertEqual(cii("ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode"), "30")
        ubl = self._ubl(move)
        self.assertEqual(ubl("cbc:TaxCurrencyCode"), "EUR")
        self.assertEqual(ubl("cac:TaxTotal/cbc:TaxAmount[@currencyID='EUR']"), "3.69")

    def test_credit_note_names_the_invoice_it_corrects(self):
        invoice, credit_note = self._correct_in_november(credit_of(cdr_payload(1)))
        cii = self._cii(credit_note)
        self.assertEqual(cii("rsm:ExchangedDocument/ram:TypeCode"), "381")
        self.assertEqual(cii("ram:InvoiceReferencedDocument/ram:IssuerAssignedID"), invoice.name)
        self.assertEqual(cii("ram:InvoiceReferencedDocument//qdt:DateTimeString"), "20261110")
        # 6.40 and 20 % of it, both positive: the type says which way.
        self.assertEqual(cii("ram:TaxBasisTotalAmount"), "6.40")
        self.assertEqual(cii("ram:GrandTotalAmount"), "7.68")
        ubl = self._ubl(credit_note)
        self.assertEqual(ubl("cbc:CreditNoteTypeCode"), "381")
        self.assertEqual(ubl("cac:BillingReference//cbc:ID"), invoice.name)
        self.assertEqual(ubl("cac:BillingReference//cbc:IssueDate"), "2026-11-10")
        self.assertEqual(ubl("cac:PaymentMeans/cbc:PaymentDueDate"), str(credit_note.invoice_date_due))

    def test_reversed_invoice_names_it_too(self):
        move = self._bill()
        credit_note = move._reverse_moves([{"invoice_date": move.invoice_date}])
        credit_note.action_post()
        self.assertEqual(
            self._cii(credit_note)("ram:InvoiceReferencedDocument/ram:IssuerAssignedID"), move.name
        )
        self.assertEqual(self._ubl(credit_note)("cac:BillingReference//cbc:ID"), move.name)

    def test_negative_line_inside_an_invoice(self):
        # New: 1.00 + 5 kWh of 0.39 + 200 min of 0.05 = 12.95. Less 6.40 of October, on lines of their own.
        session = cdr_payload(2, start=datetime(2026, 11, 14, 8), minutes=200, energy=5.0)
        session["charging_periods"][0]["dimensions"][1]["volume"] = 200 / 60
        invoice, second = self._correct_in_november(credit_of(cdr_payload(1)), session)
        cii = self._cii(second)
        self.assertEqual(cii("rsm:ExchangedDocument/ram:TypeCode"), "380")
        lines = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        self.assertEqual(sorted(map(float, cii(lines).split())), [-3.9, -1.5, -1.0, 1.0, 1.95, 10.0])
        self.assertEqual(sorted(map(float, cii("ram:BilledQuantity").split())), [-1, -1, -1, 1, 1, 1])
        # A price is never negative (BR-27).
        prices = cii("ram:NetPriceProductTradePrice/ram:ChargeAmount").split()
        self.assertEqual(sorted(map(float, prices)), [1.0, 1.0, 1.5, 1.95, 3.9, 10.0])
        self.assertEqual(cii("ram:TaxBasisTotalAmount"), "6.55")
        self.assertEqual(cii("ram:InvoiceReferencedDocument/ram:IssuerAssignedID"), invoice.name)
        self.assertEqual(self._ubl(second)("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"), "6.55")

    def test_two_rates_on_one_invoice(self):
        self.env.ref("emsp_clearing.product_session").taxes_id = self._create_tax("VAT 10%", 10)
        move = self._bill()
        cii = self._cii(move)
        tax = "ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"
        rows = zip(
            *(
                map(float, cii(f"{tax}/ram:{name}").split())
                for name in ("RateApplicablePercent", "BasisAmount", "CalculatedAmount")
            ),
            strict=True,
        )
        # 10 % of the fees, 20 % of 9.75 + 3.00.
        self.assertEqual(sorted(rows), [(10, 2.00, 0.20), (20, 12.75, 2.55)])
        self.assertEqual(cii("ram:GrandTotalAmount"), "17.50")
        self.assertEqual(self._ubl(move)("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"), "17.50")

    def test_early_payment_is_part_of_the_terms(self):
        self._discount_early_payment("included")
        move = self._bill()
        text = self._cii(move)("ram:SpecifiedTradePaymentTerms/ram:Description")
        # 98 % of 17.70 is 17.346.
        self.assertRegex(text, r"30 days, 2% in 10\. 2\.00 % discount if paid by 11/20/2026: 17\.35")
        self.assertEqual(self._ubl(move)("cac:PaymentTerms/cbc:Note"), text)

    def test_early_payment_that_leaves_the_vat_alone(self):
        self._discount_early_payment("excluded")
        text = self._cii(self._bill())("ram:SpecifiedTradePaymentTerms/ram:Description")
        # 17.70 less 2 % of 14.75, which is 0.295.
        self.assertRegex(text, r"11/20/2026: 17\.4[01]")

    def test_early_payment_that_lessens_the_vat_at_once_is_refused(self):
        self._discount_early_payment("mixed")
        self.assertFalse(self._bill())
        [settlement] = self.contract.settlement_ids.filtered("blocked_reason")
        self.assertIn("30 days, 2% in 10", settlement.blocked_reason)

    def test_half_a_year(self):
        self.contract.frequency = "half_yearly"
        self._receive(cdr_payload(1))
        self._run(datetime(2026, 10, 7), datetime(2027, 1, 4), datetime(2027, 1, 10))
        cii = self._cii(self.contract.settlement_ids.move_id)
        period = "ram:ApplicableHeaderTradeSettlement/ram:BillingSpecifiedPeriod"
        self.assertEqual(cii(f"{period}//udt:DateTimeString"), "20260701 20261231")

    def test_four_decimals_of_a_session_leave_lines_that_add_up(self):
        self.contract.price_precision = "4"
        # 1.00 + 10.003 * 0.39 + 1.50 = 6.40117, at four decimals 6.4012; three of them 19.2036.
        move = self._bill(*(cdr_payload(number, energy=10.003) for number in (1, 2, 3)))
        cii = self._cii(move)
        lines = cii("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount").split()
        self.assertEqual(cii("ram:NetPriceProductTradePrice/ram:ChargeAmount").split(), lines)
        self.assertEqual(sum(round(float(line) * 100) for line in lines), 1920)
        self.assertEqual(cii("ram:TaxBasisTotalAmount"), "19.20")

    def test_names_with_markup_and_great_length(self):
        name = 'Müller & Söhne <Laden> "Straße" – ' + "Łódź " * 40 + "GmbH"
        self.partner.name = name
        self.contract.purchase_order = "4500 & <1>"
        move = self._bill()
        self.assertEqual(self._cii(move)("ram:BuyerTradeParty/ram:Name"), name)
        ubl = self._ubl(move)
        self.assertEqual(ubl("cac:AccountingCustomerParty//cbc:RegistrationName"), name)
        self.assertEqual(ubl("cac:OrderReference/cbc:ID"), "4500 & <1>")

    def test_invoice_without_references_is_routed_by_the_contract(self):
        self.contract.write({"buyer_reference": False, "purchase_order": False})
        move = self._bill()
        self.assertEqual(self._ubl(move)("cbc:BuyerReference"), self.contract.reference)
        self.assertEqual(self._cii(move)("ram:BuyerOrderReferencedDocument"), "")

    def test_terms_are_those_of_the_day_the_window_opened(self):
        self._receive(cdr_payload(1))
        self._run(*SEPTEMBER[:2])
        self.contract.write({"purchase_order": "PO-78", "einvoice_format": "ubl_bis3"})
        self._run(SEPTEMBER[2])
        move = self.contract.settlement_ids.move_id
        self.assertEqual(move.purchase_order_reference, "PO-77")
        self.assertFalse(move._get_einvoice_format())


@tagged("post_install", "-at_install")
class TestEinvoiceAnnex(EinvoiceCommon):
    def test_annex_is_inside_the_peppol_invoice(self):
        move = self._bill()
        ubl = self._ubl(move)
        path = "cac:AdditionalDocumentReference//cbc:EmbeddedDocumentBinaryObject"
        self.assertEqual(base64.b64decode(ubl(path)), move.emsp_annex_id.raw)
        self.assertEqual(
            (ubl(f"{path}/@mimeCode"), ubl(f"{path}/@filename")), (XLSX, move.emsp_annex_id.name)
        )

    def test_annex_above_the_limit_is_named_and_sent_beside(self):
        self.contract.einvoice_annex_limit_mb = 0
        move = self._bill()
        ubl = self._ubl(move)
        self.assertEqual(ubl("cac:AdditionalDocumentReference/cbc:ID"), move.emsp_annex_id.name)
        self.assertEqual(ubl("cbc:EmbeddedDocumentBinaryObject"), "")
        note = f"The session annex {move.emsp_annex_id.name} is sent beside this e-invoice."
        self.assertIn(note, ubl("cbc:Note"))
        self.assertIn(note, self._cii(move)("ram:IncludedNote/ram:Content"))


@tagged("post_install", "-at_install")
class TestEinvoiceCheck(EinvoiceCommon):
    def test_settlement_whose_e_invoice_is_not_valid_waits_and_says_why(self):
        self.partner.country_id = False
        self.contract.einvoice_format = "ubl_bis3"
        move = self._bill()
        self.assertFalse(move)
        settlement = self.contract.settlement_ids.filtered("blocked_reason")
        self.assertIn("The field 'Country' is required on Spree Mobility GmbH", settlement.blocked_reason)
        self.assertEqual(settlement.state, "locked")
        self.partner.country_id = self.env.ref("base.de")
        self._run(datetime(2026, 11, 11))
        self.assertEqual(settlement.move_id.state, "posted")

    def test_reverse_charge_needs_the_customers_vat_number(self):
        self._charge_reverse()
        self.partner.vat = False
        self.assertFalse(self._bill())
        [settlement] = self.contract.settlement_ids.filtered("blocked_reason")
        self.assertRegex(settlement.blocked_reason, "is required on Spree Mobility GmbH")

    def test_schema_objects_to_what_no_constraint_foresees(self):
        builder = type(self.env["account.edi.xml.cii"])
        export = builder._export_invoice
        xml = b'<rsm:CrossIndustryInvoice xmlns:rsm="%s"/>' % NS["rsm"].encode()
        move = self._bill()
        with patch.object(builder, "_export_invoice", lambda *args: (xml, set())):
            with self.assertRaisesRegex(UserError, "not valid.*Missing child element"):
                move._check_einvoice()
        self.assertEqual(builder._export_invoice, export)

    def test_invoice_is_not_sent_without_its_e_invoice(self):
        move = self._bill()
        self.company.phone = False
        sending = self.env["account.move.send"]
        for fallback in (False, True):
            with self.assertRaisesRegex(UserError, "(?i)phone"):
                sending._generate_and_send_invoices(
                    move, sending_methods=["email"], allow_fallback_pdf=fallback
                )
        self.assertFalse(move.invoice_pdf_report_id)

    def test_contract_decides_what_is_sent(self):
        names = {"facturx": "{0}_factur_x.xml", "ubl_bis3": "{0}_ubl_bis3.xml", "xrechnung": "{0}_ubl_de.xml"}
        for edi_format in ("facturx", "ubl_bis3", "xrechnung", "none"):
            with self.subTest(edi_format=edi_format), self.cr.savepoint() as savepoint:
                self.contract.einvoice_format = edi_format
                move = self._bill()
                self.env["account.move.send"]._generate_and_send_invoices(move, sending_methods=["email"])
                number = move.name.replace("/", "_")
                expected = {f"{number}.pdf", f"{number}_sessions.xlsx"}
                if edi_format in names:
                    expected.add(names[edi_format].format(number))
                mail = self.env["mail.mail"].search([("emsp_delivery_id.move_id", "=", move.id)])
                self.assertEqual(set(mail.attachment_ids.mapped("name")), expected)
                savepoint.rollback()
                self.env.invalidate_all()

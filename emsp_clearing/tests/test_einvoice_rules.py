from odoo.tests import tagged

from .common import cdr_payload
from .einvoice_common import find_french_violations, find_violations
from .golden_common import GoldenCommon
from .settlement_common import credit_of
from .test_einvoice import NS, Document, EinvoiceCommon

CII, UBL = "account.edi.xml.cii", "account.edi.xml.ubl_bis3"
XRECHNUNG = "account.edi.xml.ubl_de"
# Peppol has a process of its own (BT-23), which the French rules do not know.
PEPPOL_PROCESS = "BR-FR-08_BT-23"
INTEREST = (
    "Late payment bears interest at the refinancing rate of the European Central Bank plus 10.00 percentage "
    "points, due without reminder from the day after the due date."
)
INDEMNITY = "A fixed sum of 40 EUR for recovery costs is due for late payment."
NO_DISCOUNT = "No discount for early payment."


class RulesCommon(GoldenCommon):
    def _export(self, move, builder):
        xml, errors = self.env[builder]._export_invoice(move)
        self.assertFalse(errors)
        self.assertEqual(find_violations(xml), [])
        return xml


@tagged("post_install", "-at_install")
class TestEinvoiceNotes(RulesCommon):
    """Between French parties: each note of the law with its subject (BT-21)."""

    def _notes(self, move):
        """:return: {code: text} of the Factur-X."""
        cii = Document(self._export(move, CII))
        nodes = cii.root.findall(".//{*}IncludedNote")
        return {node.findtext("{*}SubjectCode") or "": node.findtext("{*}Content") for node in nodes}

    def test_notes_of_the_law_have_their_subject(self):
        move = self._settle(cdr_payload(1)).move_id
        notes = self._notes(move)
        self.assertEqual(
            (notes["PMD"], notes["PMT"], notes["AAB"], notes["REG"]),
            (INTEREST, INDEMNITY, NO_DISCOUNT, "Nature of the supply: delivery of goods."),
        )
        self.assertEqual(
            Document(self._export(move, UBL))("cbc:Note[not(ancestor::cac:PaymentTerms)]").split("\n")[:4],
            [
                "#REG#Nature of the supply: delivery of goods.",
                f"#PMD#{INTEREST}",
                f"#PMT#{INDEMNITY}",
                f"#AAB#{NO_DISCOUNT}",
            ],
        )

    def test_note_of_a_person_has_no_subject(self):
        move = self._settle(cdr_payload(1)).move_id
        move.narration = "Thank you."
        self.assertEqual(self._notes(move)[""], "Thank you.")
        self.assertIn(
            "\nThank you.", Document(self._export(move, UBL))("cbc:Note[not(ancestor::cac:PaymentTerms)]")
        )

    def test_invoice_passes_the_rules_of_the_french_reform(self):
        move = self._settle(cdr_payload(1)).move_id
        cii, ubl = self._export(move, CII), self._export(move, UBL)
        self.assertEqual(find_french_violations(cii), [])
        self.assertEqual(Document(cii)("ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"), "B1")
        [violation] = find_french_violations(ubl)
        self.assertTrue(violation.startswith(PEPPOL_PROCESS))

    def test_credit_note_passes_them_and_prints_no_words_about_late_payment(self):
        self._settle(cdr_payload(1))
        note = self._november(credit_of(cdr_payload(1))).move_id
        self.assertEqual(note.move_type, "out_refund")
        self.assertEqual(find_french_violations(self._export(note, CII)), [])
        [violation] = find_french_violations(self._export(note, UBL))
        self.assertTrue(violation.startswith(PEPPOL_PROCESS))
        notes = self._notes(note)
        self.assertEqual((notes["PMD"], notes["PMT"], notes["AAB"]), (INTEREST, INDEMNITY, NO_DISCOUNT))
        self.assertFalse({INTEREST, INDEMNITY, NO_DISCOUNT} & set(note._get_legal_mentions()))

    def test_credit_note_abroad_has_no_words_about_late_payment(self):
        self._move_to_germany()
        self._settle(cdr_payload(1))
        note = self._november(credit_of(cdr_payload(1))).move_id
        self.assertFalse({"PMD", "PMT", "AAB"} & self._notes(note).keys())


@tagged("post_install", "-at_install")
class TestEinvoiceOutside(RulesCommon):
    """Buyers outside the European Union: not subject to VAT, category O (BR-O-01 to BR-O-14)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("emsp_clearing.emsp_vat_rule_outside_dealer")
        cls._make_position(cls.rule)
        cls.partner.emsp_dealer = "yes"

    def _move_to(self, country, number):
        self._move_partner_to(country, number)
        self.partner.write({"street": "1 High Street", "zip": "8001", "city": "Town"})

    def test_no_vat_number_and_no_rate_stand_in_it(self):
        for country, number in (("ch", "CHE-123.456.788 TVA"), ("uk", "GB123456782")):
            with self.subTest(country=country), self.cr.savepoint() as savepoint:
                self._move_to(country, number)
                move = self._settle(cdr_payload(1)).move_id
                cii, ubl = Document(self._export(move, CII)), Document(self._export(move, UBL))
                tax = "ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"
                self.assertEqual(cii(f"{tax}/ram:CategoryCode"), "O")
                self.assertEqual(cii(f"{tax}/ram:ExemptionReasonCode"), "VATEX-EU-O")
                self.assertEqual(cii("ram:RateApplicablePercent"), "")
                self.assertEqual(cii("ram:SpecifiedTaxRegistration/ram:ID"), "")
                self.assertEqual(
                    cii("ram:SellerTradeParty/ram:SpecifiedLegalOrganization/ram:ID"), "334175221"
                )
                self.assertEqual(ubl("cac:TaxSubtotal/cac:TaxCategory/cbc:ID"), "O")
                self.assertEqual(ubl("cbc:Percent"), "")
                self.assertEqual(ubl("cac:PartyTaxScheme/cbc:CompanyID"), "")
                # The law wants the seller's, all the same.
                self.assertIn("#REG#VAT number of the seller: FR23334175221", ubl("cbc:Note"))
                self.assertEqual((cii("ram:GrandTotalAmount"), ubl("cbc:PayableAmount")), ("6.40", "6.40"))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_credit_note_outside(self):
        self._move_to("ch", False)
        self._settle(cdr_payload(1))
        note = self._november(credit_of(cdr_payload(1))).move_id
        ubl = Document(self._export(note, UBL))
        self.assertEqual((ubl("cbc:CreditNoteTypeCode"), ubl("cbc:Percent")), ("381", ""))
        self.assertEqual(Document(self._export(note, CII))("ram:RateApplicablePercent"), "")

    def test_rule_with_category_g_keeps_the_vat_numbers(self):
        self._move_to("uk", "GB123456782")
        self.rule.write({"category": "G", "exemption_code": "VATEX-EU-G"})
        self.rule.with_company(self.company).fiscal_position_id = False
        self._make_position(self.rule)
        move = self._settle(cdr_payload(1)).move_id
        paths = {CII: "ram:SpecifiedTaxRegistration/ram:ID", UBL: "cac:PartyTaxScheme/cbc:CompanyID"}
        for builder, path in paths.items():
            self.assertEqual(Document(self._export(move, builder))(path), "FR23334175221 GB123456782")

    def test_seller_that_nothing_else_names_waits(self):
        self._move_to("ch", False)
        self.company.partner_id.write({"vat": False, "company_registry": False})
        move = self._settle(cdr_payload(1)).move_id
        self.assertFalse(move)
        self.assertIn("needs its company registry number", self._settlement().blocked_reason)


@tagged("post_install", "-at_install")
class TestXrechnung(EinvoiceCommon):
    """The rules of XRechnung 3.0 (BR-DE) that apply to us, one by one; no package brings them along."""

    def setUp(self):
        super().setUp()
        self.contract.einvoice_format = "xrechnung"
        self.move = self._bill()
        self.ubl = self._ubl(self.move, XRECHNUNG)

    def _assert_there(self, rule, *paths):
        for path in paths:
            with self.subTest(rule=rule, path=path):
                found = self.ubl.root.xpath(f"//{path}", namespaces=NS)
                self.assertTrue("".join(text for node in found for text in node.itertext()).strip())

    def test_what_must_be_there_is_there(self):
        seller, buyer = "cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"
        address = "cac:PostalAddress"
        self._assert_there("BR-DE-1", "cac:PaymentMeans/cbc:PaymentMeansCode")
        self._assert_there("BR-DE-2", f"{seller}/cac:Contact")
        self._assert_there("BR-DE-3", f"{seller}/{address}/cbc:CityName")
        self._assert_there("BR-DE-4", f"{seller}/{address}/cbc:PostalZone")
        self._assert_there("BR-DE-5", f"{seller}/cac:Contact/cbc:Name")
        self._assert_there("BR-DE-6", f"{seller}/cac:Contact/cbc:Telephone")
        self._assert_there("BR-DE-7", f"{seller}/cac:Contact/cbc:ElectronicMail")
        self._assert_there("BR-DE-8", f"{buyer}/{address}/cbc:CityName")
        self._assert_there("BR-DE-9", f"{buyer}/{address}/cbc:PostalZone")
        self._assert_there("BR-DE-14", "cac:TaxSubtotal/cac:TaxCategory/cbc:Percent")
        self._assert_there("BR-DE-15", "cbc:BuyerReference")
        self._assert_there("BR-DE-16", f"{seller}/cac:PartyTaxScheme/cbc:CompanyID")
        self._assert_there("BR-DE-23-a", "cac:PayeeFinancialAccount/cbc:ID")

    def test_what_must_not_be_there_is_not(self):
        for rule, path in (
            ("BR-DE-23-b", "cac:CardAccount"),
            ("BR-DE-23-b", "cac:PaymentMandate"),
            # A delivery address would need city and post code (BR-DE-10, BR-DE-11); it is a country alone.
            ("BR-DE-10", "cac:Delivery//cbc:StreetName"),
        ):
            with self.subTest(rule=rule):
                self.assertEqual(self.ubl.root.xpath(f"//{path}", namespaces=NS), [])

    def test_values(self):
        ubl = self.ubl
        # BR-DE-17: a type that German law knows
        self.assertIn(ubl("cbc:InvoiceTypeCode"), ("326", "380", "384", "389", "381", "875", "876", "877"))
        # BR-DE-19: an IBAN where it is paid within SEPA
        self.assertEqual(ubl("cbc:PaymentMeansCode"), "58")
        self.assertRegex(ubl("cac:PayeeFinancialAccount/cbc:ID"), r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")
        # BR-DE-21: the specification identifier
        self.assertEqual(
            ubl("cbc:CustomizationID"),
            "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
        )
        # BR-DE-22: no file name twice
        names = ubl.root.xpath("//@filename")
        self.assertEqual(len(names), len(set(names)))
        # BR-DE-27 and BR-DE-28: three digits at least; one @ with something around it and no blank
        self.assertGreaterEqual(sum(map(str.isdigit, ubl("cac:Contact/cbc:Telephone"))), 3)
        seller = "cac:AccountingSupplierParty/cac:Party/cac:Contact"
        self.assertRegex(ubl(f"{seller}/cbc:ElectronicMail"), r"^[^@\s]+@([^@.\s]+\.)+[^@.\s]+$")
        # BR-DE-TMP-32: a date or a period of delivery
        self.assertTrue(ubl("cbc:ActualDeliveryDate") and ubl("cac:InvoicePeriod/cbc:StartDate"))


@tagged("post_install", "-at_install")
class TestXrechnungDiscount(EinvoiceCommon):
    """BR-DE-18: what an early payment saves, on a line that programs read."""

    def _terms(self, computation):
        self._discount_early_payment(computation)
        self.contract.einvoice_format = "xrechnung"
        return self._ubl(self._bill(), XRECHNUNG)("cac:PaymentTerms/cbc:Note")

    def test_discount_of_the_whole_amount(self):
        terms = self._terms("included")
        self.assertTrue(terms.endswith("\n#SKONTO#TAGE=10#PROZENT=2.00#\n"), terms)

    def test_discount_of_the_net_amount(self):
        terms = self._terms("excluded")
        self.assertTrue(terms.endswith("\n#SKONTO#TAGE=10#PROZENT=2.00#BASISBETRAG=14.75#\n"), terms)

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_open

from .bank_common import OWN_IBAN, BankCommon

PARTNER_IBAN = "DE89370400440532013000"
PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
XSD = "account_payment_sepa_credit_transfer/data/pain.001.001.09.xsd"


@tagged("post_install", "-at_install")
class TestRefundTransfer(BankCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The company data of the tests; a person needs these two rights to send money.
        cls.env.user.group_ids += cls.env.ref("account_payment_batch_oca.group_account_payment")
        cls.env.user.group_ids += cls.env.ref("account.group_validate_bank_account")
        cls.account = cls._create_account(PARTNER_IBAN, cls.partner)

    def test_credit_note_is_refunded_by_a_valid_pain_001_with_structured_addresses(self):
        credit_note = self._create_document("RINV/2026/00401", 84.5, move_type="out_refund")
        document = self._send(self._order(credit_note))

        self.assertEqual(self._texts(document, "//p:CdtTrfTxInf/p:Amt/p:InstdAmt"), ["84.50"])
        self.assertEqual(self._texts(document, "//p:GrpHdr/p:CtrlSum"), ["84.50"])
        self.assertEqual(self._texts(document, "//p:GrpHdr/p:NbOfTxs"), ["1"])
        self.assertEqual(self._texts(document, "//p:CdtrAcct/p:Id/p:IBAN"), [PARTNER_IBAN])
        self.assertEqual(self._texts(document, "//p:DbtrAcct/p:Id/p:IBAN"), [OWN_IBAN])
        self.assertEqual(self._texts(document, "//p:PmtId/p:EndToEndId"), ["RINV/2026/00401"])
        self.assertEqual(self._texts(document, "//p:SvcLvl/p:Cd"), ["SEPA"])
        # StrtNm, BldgNb, PstCd, TwnNm, Ctry; transliterated to the SEPA character set.
        self.assertEqual(
            self._texts(document, "//p:Cdtr/p:PstlAdr/*"), ["Hauptstrasse", "40a", "10115", "Berlin", "DE"]
        )
        self.assertEqual(
            self._texts(document, "//p:Dbtr/p:PstlAdr/*"),
            ["rue de la Paix", "12 bis", "75002", "Paris", "FR"],
        )
        self.assertFalse(self._texts(document, "//p:AdrLine"))

    def test_each_credit_note_is_a_transfer_of_its_own(self):
        first = self._create_document("RINV/2026/00402", 10.0, move_type="out_refund")
        second = self._create_document("RINV/2026/00403", 20.0, move_type="out_refund")
        document = self._send(self._order(first | second))
        self.assertEqual(
            self._texts(document, "//p:PmtId/p:EndToEndId"), ["RINV/2026/00402", "RINV/2026/00403"]
        )
        self.assertEqual(self._texts(document, "//p:GrpHdr/p:CtrlSum"), ["30.00"])

    def test_bank_line_of_the_transfer_settles_the_credit_note(self):
        credit_note = self._create_document("RINV/2026/00404", 84.5, move_type="out_refund")
        order = self._order(credit_note)
        document = self._send(order)
        order.generated2uploaded()
        [end_to_end_id] = self._texts(document, "//p:PmtId/p:EndToEndId")
        line = self._create_bank_line("SEPA transfer", -84.5, emsp_end_to_end_id=end_to_end_id)
        self.assertTrue(line.is_reconciled)
        self.assertEqual(credit_note.payment_state, "paid")

    def test_address_without_town_is_left_out_whole(self):
        self.partner.city = False
        credit_note = self._create_document("RINV/2026/00405", 10.0, move_type="out_refund")
        document = self._send(self._order(credit_note))
        self.assertFalse(document.xpath("//p:Cdtr/p:PstlAdr", namespaces=PAIN))

    def test_street_is_split_only_where_the_number_is_plain(self):
        for street, expected in (
            ("12 bis rue de la Paix", ("rue de la Paix", "12 bis")),
            ("12, rue de la Paix", ("rue de la Paix", "12")),
            ("5 B rue Haute", ("rue Haute", "5 B")),
            ("Hauptstraße 40a", ("Hauptstraße", "40a")),
            ("Keizersgracht 12-14", ("Keizersgracht", "12-14")),
            ("Zone industrielle Nord", ("Zone industrielle Nord", "")),
            ("4ème avenue", ("4ème avenue", "")),
            (False, ("", "")),
        ):
            self.partner.street = street
            self.assertEqual(self.partner._split_street(), expected, street)

    def test_untrusted_account_is_not_paid(self):
        self.account.allow_out_payment = False
        credit_note = self._create_document("RINV/2026/00406", 10.0, move_type="out_refund")
        with self.assertRaisesRegex(UserError, "untrusted"):
            self._order(credit_note).draft2open()

    def test_trusted_account_is_taken_before_an_untrusted_one(self):
        older = self._create_account("BE68539007547034", self.partner)
        older.write({"allow_out_payment": False, "sequence": 1})
        credit_note = self._create_document("RINV/2026/00407", 10.0, move_type="out_refund")
        self.assertEqual(self._order(credit_note).payment_line_ids.partner_bank_id, self.account)

    def test_invoice_is_not_refunded(self):
        invoice = self._create_document("INV/2026/00408", 10.0)
        with self.assertRaisesRegex(UserError, "is no credit note"):
            invoice.action_refund_by_transfer()

    def test_company_without_bank_account_is_told_what_to_set(self):
        self.journal.bank_account_id = False
        credit_note = self._create_document("RINV/2026/00409", 10.0, move_type="out_refund")
        with self.assertRaisesRegex(UserError, "Set the IBAN on its bank journal"):
            credit_note.action_refund_by_transfer()

    def test_payment_method_is_made_once(self):
        orders = self.env["account.payment.order"]
        line = orders._ensure_credit_transfer(self.company)
        self.assertEqual(orders._ensure_credit_transfer(self.company), line)

    def _order(self, credit_notes):
        action = credit_notes.action_refund_by_transfer()
        return self.env["account.payment.order"].browse(action["res_id"])

    def _send(self, order):
        """Confirm the order and make its file. :return: the file, valid against the schema."""
        order.draft2open()
        order.open2generated()
        document = etree.fromstring(order.payment_file_id.raw)
        with file_open(XSD, "rb") as file:
            etree.XMLSchema(etree.parse(file)).assertValid(document)
        return document

    def _texts(self, document, xpath):
        return [element.text for element in document.xpath(xpath, namespaces=PAIN)]

import re
from datetime import date

import pypdfium2

from odoo.tests import tagged

from .test_documents import DocumentCommon

# Words of the English document that none of the other languages has.
ENGLISH = (
    "Invoice number|Due date|Payment terms|Settlement|Contract\\b|Charging|Sessions\\b|Energy|Net amount|"
    "Total to pay|Total without tax|Description|Quantity|Unit price|Payment|Amount|Pay by|Pay to|Bank\\b|"
    "Reference|annex|The file|lists each|SHA-256 of|by place|Page|of the|other places|transfer"
)
# Language: words it does have; its long date of 10 November 2026; 1639.996 and 0.3912 as it writes them.
LANGUAGES = {
    "en_US": (("Total to pay", "Session annex"), "November 10, 2026", "1,639.996 kWh", "0.3912"),
    "fr_FR": (("Total à payer", "Annexe des sessions"), "10 novembre 2026", "1 639,996 kWh", "0,3912"),
    "de_DE": (("Zu zahlen", "Ladevorgänge"), "10. November 2026", "1.639,996 kWh", "0,3912"),
    "nl_NL": (("Te betalen", "Sessiebijlage"), "10 november 2026", "1.639,996 kWh", "0,3912"),
    "es_ES": (("Total a pagar", "Anexo de sesiones"), "10 de noviembre de 2026", "1.639,996 kWh", "0,3912"),
    "it_IT": (("Totale da pagare", "Allegato delle sessioni"), "10 novembre 2026", "1.639,996 kWh", "0,3912"),
}
# The same word in both languages.
SAME = {
    "fr_FR": {"Description", "Sessions", "Page"},
    "de_DE": {"Bank"},
    "nl_NL": {"Contract", "Bank"},
}


@tagged("post_install", "-at_install")
class TestDocumentLanguages(DocumentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in LANGUAGES:
            cls.env["res.lang"]._activate_lang(lang)
        # As the wizard does that adds a language to a database in use.
        module = cls.env["ir.module.module"].search([("name", "=", "emsp_clearing")])
        module._update_translations(list(LANGUAGES), overwrite=True)

    def _text(self, move, lang):
        self.invoicing_contact.lang = lang
        # Unlike pypdf it takes no kerning for a space: "Total", not "T otal".
        with pypdfium2.PdfDocument(self._pdf(move)) as document:
            text = " ".join(page.get_textpage().get_text_bounded() for page in document)
        return re.sub(r"[\s\u202f\u00a0]+", " ", text)

    def test_document_is_in_the_partners_language_throughout(self):
        # Its lines are changed for the test, which the hashed journal of clearing refuses.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        line = move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "kwh")[:1]
        line.write({"emsp_quantity": 1639.996, "emsp_unit_price": 0.3912})
        for lang, (words, day, quantity, price) in LANGUAGES.items():
            with self.subTest(lang):
                text = self._text(move, lang)
                for expected in (*words, day, quantity, price):
                    self.assertIn(expected, text)
                if lang != "en_US":
                    self.assertEqual(set(re.findall(ENGLISH, text)) - SAME.get(lang, set()), set())

    def test_french_has_a_space_before_the_colons_of_the_compact_theme(self):
        self.contract.invoice_layout_id = self.env["emsp.invoice.layout"].create(
            {"name": "Compact", "company_id": self.company.id, "theme": "compact"}
        )
        move = self._bill()
        self.assertIn("Sessions : 2 Énergie :", self._text(move, "fr_FR"))
        self.assertIn("Sessions: 2 Energy:", self._text(move, "en_US"))

    def test_lines_of_the_invoice_are_written_in_the_partners_language(self):
        self.invoicing_contact.lang = "nl_NL"
        move = self._bill()
        self.assertIn(
            "Laadsessie: 2 sessies tegen 1,0000 EUR (2 sessies)", move.invoice_line_ids.mapped("name")
        )

    def test_mail_is_written_in_the_partners_language(self):
        move = self._bill()
        template = self.env.ref("emsp_clearing.mail_template_clearing_invoice")
        for lang, subject, body in (
            ("nl_NL", "laadsessies", "Met vriendelijke groet"),
            ("es_ES", "sesiones de recarga", "Atentamente"),
            ("it_IT", "sessioni di ricarica", "Cordiali saluti"),
        ):
            self.invoicing_contact.lang = lang
            mail = template._generate_template(move.ids, ["subject", "body_html"])[move.id]
            self.assertIn(subject, mail["subject"])
            self.assertIn(body, mail["body_html"])

    def test_credit_note_is_in_the_partners_language(self):
        move = self._bill()
        credit = move._reverse_moves([{"invoice_date": date(2026, 11, 12)}])
        credit.action_post()
        text = self._text(credit, "nl_NL")
        self.assertIn("Creditnota", text)
        self.assertIn("Totaal gecrediteerd", text)
        self.assertIn("Corrigeert factuur", text)

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .test_vat import VatCommon

REVERSE = "Reverse charge / Autoliquidation / Steuerschuldnerschaft des Leistungsempfängers"


@tagged("post_install", "-at_install")
class TestLegalMention(VatCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.interest = cls.env.ref("emsp_clearing.emsp_legal_mention_fr_interest")

    def _bill(self):
        return self._settle(cdr_payload()).move_id

    def test_french_invoice_under_reverse_charge_says_what_the_law_wants(self):
        self.assertEqual(
            self._bill()._get_legal_mentions(),
            [
                REVERSE,
                "Articles 38 and 195 of Directive 2006/112/EC",
                "Nature of the supply: delivery of goods.",
                "Late payment bears interest at the refinancing rate of the European Central Bank plus 10.00 "
                "percentage points, due without reminder from the day after the due date.",
                "A fixed sum of 40 EUR for recovery costs is due for late payment.",
                "No discount for early payment.",
            ],
        )

    def test_notes_of_the_e_invoice_have_their_codes(self):
        codes = [(note["kind"], note["code"]) for note in self._bill()._get_legal_notes()]
        for pair in (("late_interest", "PMD"), ("indemnity", "PMT"), ("discount", "AAB")):
            self.assertIn(pair, codes)

    def test_taxed_invoice_says_nothing_of_reverse_charge(self):
        self.partner.emsp_dealer = "no"
        mentions = self._bill()._get_legal_mentions()
        self.assertNotIn(REVERSE, mentions)
        self.assertIn("No discount for early payment.", mentions)

    def test_discount_of_the_payment_term_is_told(self):
        self.contract.payment_term_id = self.env["account.payment.term"].create(
            {"name": "2/10", "early_discount": True, "discount_percentage": 2, "discount_days": 10}
        )
        mentions = self._bill()._get_legal_mentions()
        self.assertIn("Discount of 2.00 % for payment within 10 days.", mentions)
        self.assertNotIn("No discount for early payment.", mentions)

    def test_credit_note_carries_no_words_about_late_payment(self):
        move = self._bill()
        credit = move._reverse_moves()
        kinds = {note["kind"] for note in credit._get_legal_notes()}
        self.assertEqual(kinds, {"reverse_charge", "legal_basis", "nature"})

    def test_german_invoice_states_the_time_of_supply(self):
        move = self._bill()
        self.company.account_fiscal_country_id = self.env.ref("base.de")
        texts = [note["text"] for note in move._prepare_legal_notes()]
        self.assertIn("Time of supply: 10/01/2026 to 10/31/2026.", texts)

    def test_words_are_those_of_the_partners_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.interest.with_context(lang="fr_FR").text = "BCE plus %(interest_rate)s points"
        self.invoicing_contact.lang = "fr_FR"
        self.assertIn("BCE plus 10,00 points", self._bill()._get_legal_mentions())

    def test_list_of_mentions_has_titles_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        title = self.interest.name
        self.interest.with_context(lang="fr_FR").name = "France : pénalités de retard"
        self.assertEqual(self.interest.with_context(lang="en_US").name, title)
        self.assertEqual(self.interest.with_context(lang="fr_FR").name, "France : pénalités de retard")

    def test_issued_document_keeps_its_words(self):
        # The hashed journal of clearing would not let it go back to draft.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        before = move._get_legal_mentions()
        self.interest.text = "Other words"
        self.assertEqual(move._get_legal_mentions(), before)
        move.button_draft()
        self.assertIn("Other words", move._get_legal_mentions())

    def test_invoice_of_others_has_none(self):
        self.assertEqual(self.init_invoice("out_invoice", amounts=[1.0])._get_legal_mentions(), [])

    def test_unknown_placeholder_is_refused(self):
        with self.assertRaisesRegex(ValidationError, r"%\(password\)s"):
            self.interest.text = "%(password)s"
        self.env["res.lang"]._activate_lang("fr_FR")
        with self.assertRaisesRegex(ValidationError, r"%\(mot\)s"):
            self.interest.update_field_translations("text", {"fr_FR": "%(mot)s"})

    def test_archived_mention_of_the_law_is_missed_until_another_takes_its_place(self):
        self.interest.active = False
        settlement = self._settle(cdr_payload())
        self.assertIn("Mention “France: late-payment interest", settlement.vat_warnings)
        self.assertIn("Mention “France: late-payment interest", self.contract.vat_preview)
        self.assertTrue(settlement.move_id)
        self.interest.copy({"active": True, "company_id": self.company.id, "text": "Own words"})
        self.contract.invalidate_recordset(["vat_preview"])
        self.assertNotIn("late-payment interest", self.contract.vat_preview)

    def test_accountant_without_our_rights_prints_the_words(self):
        # The hashed journal of clearing would not let it go back to draft.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        move = self._bill()
        clerk = new_test_user(
            self.env,
            login="mention_clerk",
            groups="account.group_account_invoice",
            company_id=self.company.id,
        )
        move.button_draft()
        self.assertIn(REVERSE, move.with_user(clerk)._get_legal_mentions())
        with self.assertRaises(AccessError):
            self.interest.with_user(clerk).read(["text"])

    def test_mention_of_a_company_is_for_it_alone(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        own = self.interest.copy({"company_id": self.company.id})
        stranger = new_test_user(
            self.env,
            login="mention_stranger",
            groups="emsp_clearing.emsp_clearing_group_manager",
            company_id=other.id,
        )
        mentions = self.env["emsp.legal.mention"].with_user(stranger)
        self.assertFalse(mentions.search([("id", "=", own.id)]))
        self.assertTrue(mentions.search([("id", "=", self.interest.id)]))

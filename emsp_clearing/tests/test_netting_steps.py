from datetime import date
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .netting_common import NettingCommon


@tagged("post_install", "-at_install")
class TestNettingSteps(NettingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._document("out_invoice", "INV/31", 100.0)
        cls._document("in_invoice", "BETA-31", 30.0)
        cls.netting = cls._netting()

    def _user(self, group):
        return new_test_user(
            self.env,
            login=group,
            groups=f"base.group_user,{group}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_statement_is_mailed_with_its_pdf(self):
        self.partner.email = "ap@beta.test"
        self.netting.action_send()
        mail = self.env["mail.mail"].search(
            [("model", "=", "emsp.netting"), ("res_id", "=", self.netting.id)]
        )
        self.assertEqual(mail.recipient_ids, self.partner)
        self.assertIn(self.netting.name, mail.subject)
        self.assertEqual(len(mail.attachment_ids), 1)

    def test_it_is_settled_when_both_sides_have_accepted(self):
        self.netting.action_send()
        with self.assertRaisesRegex(UserError, "when both sides have accepted"):
            self.netting.action_settle()
        self.netting._accept_for_partner(self.partner)
        with self.assertRaisesRegex(UserError, "when both sides have accepted"):
            self.netting.action_settle()
        self.netting.action_accept()
        self.assertEqual(self.netting.state, "accepted")
        self.netting.action_settle()
        self.assertEqual(self.netting.state, "settled")
        with self.assertRaisesRegex(UserError, "when both sides have accepted"):
            self.netting.action_settle()

    def test_acceptance_outside_the_portal_is_recorded_with_its_proof(self):
        self.netting.action_send()
        action = self.netting.action_record_acceptance()
        wizard = self.env["emsp.netting.accept"].with_context(**action["context"])
        wizard.create({"person_id": self.partner.id, "proof": "E-mail of 12 November"}).action_record()
        self.assertEqual(self.netting.their_acceptance_id, self.partner)
        self.assertEqual(self.netting.their_acceptance_proof, "E-mail of 12 November")

    def test_refusal_makes_a_proposal_of_it_again_and_needs_words(self):
        self.netting.action_send()
        self.netting.action_accept()
        with self.assertRaisesRegex(UserError, "Write why"):
            self.netting._refuse_for_partner(self.partner, " ")
        self.netting._refuse_for_partner(self.partner, "BETA-31 is paid")
        self.assertEqual((self.netting.state, self.netting.refusal), ("draft", "BETA-31 is paid"))
        self.assertFalse(self.netting.our_acceptance_id)
        self.assertEqual(self.netting.activity_ids.user_id, self.env.user)
        with self.assertRaisesRegex(UserError, "Cancel it"):
            self.netting.unlink()

    def test_what_was_sent_is_not_changed_by_hand(self):
        self.netting.action_send()
        for vals in ({"date_last": date(2026, 11, 1)}, {"line_ids": [Command.clear()]}):
            with self.assertRaisesRegex(UserError, "changed by its buttons"):
                self.netting.write(vals)
        with self.assertRaisesRegex(UserError, "changed by its buttons"):
            self.netting.write({"state": "settled"})
        with self.assertRaisesRegex(UserError, "proposal only"):
            self.netting.line_ids[:1].unlink()

    def test_statement_of_one_side_is_not_sent(self):
        self.netting.their_line_ids.unlink()
        with self.assertRaisesRegex(UserError, "one side only"):
            self.netting.action_send()

    def test_user_without_the_role_accepts_nothing(self):
        self.netting.action_send()
        user = self._user("emsp_clearing.emsp_clearing_group_operator")
        with self.assertRaises(UserError):
            self.netting.with_user(user).action_accept()
        with self.assertRaises(UserError):
            self.netting.with_user(user).action_settle()

    def test_accountants_without_a_role_in_the_clearing_do_it_all(self):
        for group in ("account.group_account_user", "account.group_account_manager"):
            with self.subTest(group):
                user = self._user(group)
                netting = self.netting.copy().with_user(user)
                self.netting.action_cancel()
                netting.action_propose()
                netting.action_send()
                netting.action_accept()
                wizard = self.env["emsp.netting.accept"].with_user(user)
                vals = {"netting_id": netting.id, "person_id": self.partner.id, "proof": "Call"}
                wizard.create(vals).action_record()
                netting.action_settle()
                self.assertEqual((netting.state, netting.amount_cleared), ("settled", 30.0))
                netting.action_cancel()
                self.assertEqual(netting.state, "cancelled")

    def test_manager_of_the_clearing_accepts(self):
        self.netting.action_send()
        manager = self._user("emsp_clearing.emsp_clearing_group_manager")
        self.netting.with_user(manager).action_accept()
        self.assertEqual(self.netting.our_acceptance_id, manager)

    def test_document_says_who_owes_what_in_the_partners_language(self):
        document = self.netting._get_netting_document()
        self.assertEqual([side["title"] for side in document["sides"]][1], "Documents of Beta Laden GmbH")
        self.assertEqual([row["document"] for row in document["sides"][0]["rows"]], ["INV/31"])
        self.assertIn("70.00", document["balance"][1])
        self.assertTrue(self.netting._render_statement().startswith(b"%PDF"))


@tagged("post_install", "-at_install")
class TestNettingBetweenCompanies(NettingCommon):
    """The partner is a company of the same database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_data = cls.setup_other_company()
        cls.other = cls.other_data["company"]
        cls.other.partner_id.write({"is_company": True})
        cls.partner = cls.other.partner_id
        cls.settlement_sudo = cls._agree_further(partner_id=cls.partner.id)

    def _mirror(self, kind, number, amount):
        with patch.object(type(self), "partner", self.company.partner_id):
            move = self.env["account.move"].with_company(self.other)
            move = move.create(
                {
                    "move_type": kind,
                    "company_id": self.other.id,
                    "partner_id": self.company.partner_id.id,
                    "invoice_date": date(2026, 10, 11),
                    "date": date(2026, 10, 11),
                    "invoice_payment_term_id": False,
                    **({"name": number} if kind.startswith("out") else {"ref": number}),
                    "currency_id": self.env.ref("base.EUR").id,
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Charging", "price_unit": amount, "tax_ids": [Command.clear()]}
                        )
                    ],
                }
            )
            move.action_post()
        return move

    def test_each_ledger_is_cleared_by_its_own_entry(self):
        self._document("out_invoice", "INV/41", 100.0)
        self._document("in_invoice", "OTH/41", 30.0)
        their_bill = self._mirror("in_invoice", "INV/41", 100.0)
        their_invoice = self._mirror("out_invoice", "OTH/41", 30.0)
        netting = self._settled()
        self.assertEqual(netting.mirror_move_id.company_id, self.other)
        self.assertEqual(netting.move_id.company_id, self.company)
        self.assertEqual((their_bill.amount_residual, their_invoice.amount_residual), (70.0, 0.0))
        netting.action_cancel()
        self.assertEqual((their_bill.amount_residual, their_invoice.amount_residual), (100.0, 30.0))

    def test_nothing_is_settled_where_the_other_ledger_says_something_else(self):
        invoice = self._document("out_invoice", "INV/42", 100.0)
        self._document("in_invoice", "OTH/42", 30.0)
        self._mirror("in_invoice", "INV/42", 99.0)
        self._mirror("out_invoice", "OTH/42", 30.0)
        netting = self._accepted()
        with (
            self.assertRaisesRegex(UserError, "INV/42: not open with the same amount"),
            self.env.cr.savepoint(),
        ):
            netting.action_settle()
        self.assertEqual((netting.state, invoice.amount_residual), ("accepted", 100.0))

    def test_nothing_is_settled_while_the_other_side_holds_a_document_back(self):
        self._document("out_invoice", "INV/45", 100.0)
        self._document("in_invoice", "OTH/45", 30.0)
        self._mirror("in_invoice", "INV/45", 100.0).emsp_hold_reason = "The meter is doubted."
        self._mirror("out_invoice", "OTH/45", 30.0)
        netting = self._accepted()
        with self.assertRaisesRegex(UserError, "INV/45: it is disputed or blocked"), self.env.cr.savepoint():
            netting.action_settle()
        self.assertEqual(netting.state, "accepted")

    def test_somebody_who_does_not_work_for_the_other_company_settles_nothing(self):
        self._document("out_invoice", "INV/43", 100.0)
        self._document("in_invoice", "OTH/43", 30.0)
        netting = self._accepted()
        self.env.user.company_ids = self.company
        with self.assertRaisesRegex(UserError, "works for both"), self.env.cr.savepoint():
            netting.action_settle()

    def test_other_company_does_not_propose_the_same_month_again(self):
        self._document("out_invoice", "INV/44", 100.0)
        self._document("in_invoice", "OTH/44", 30.0)
        self._netting()
        nettings = self.env["emsp.netting"]
        own = self.company.partner_id
        self.assertTrue(
            nettings._is_proposed(
                self.other, own, self.env.ref("base.EUR"), fields.Date.to_date("2026-10-31")
            )
        )
        self.assertFalse(
            nettings._is_proposed(
                self.other, own, self.env.ref("base.EUR"), fields.Date.to_date("2026-09-30")
            )
        )

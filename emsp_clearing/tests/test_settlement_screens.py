from odoo.tests import Form, tagged

from .common import cdr_payload
from .settlement_common import SettlementCommon
from .test_access import AccessCommon


@tagged("post_install", "-at_install")
class TestSettlementScreens(AccessCommon):
    """The form of a settlement with an invoice, as each role opens it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # An accountant who works with clearing as well.
        cls.bookkeeper = cls.users["accountant"].copy({"login": "bookkeeper"})
        cls.bookkeeper.group_ids += cls.env.ref("emsp_clearing.emsp_clearing_group_user")

    def test_every_role_opens_an_invoiced_settlement(self):
        settlement = self._settle(cdr_payload(1))
        self.assertTrue(settlement.move_id)
        for role in ("user", "operator", "manager"):
            with self.subTest(role):
                form = Form(settlement.with_user(self.users[role]))
                self.assertEqual(form.amount_untaxed, 6.4)
                self.assertNotIn("move_ids", form._view["fields"])

    def test_accountants_see_the_invoices_on_the_settlement(self):
        form = Form(self._settle(cdr_payload(1)).with_user(self.bookkeeper))
        self.assertIn("move_ids", form._view["fields"])


@tagged("post_install", "-at_install")
class TestPaymentStateWords(SettlementCommon):
    def test_payment_state_is_told_in_the_users_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"].search([("name", "=", "account")])._update_translations(["fr_FR"])
        words = self.env["emsp.settlement"].with_context(lang="fr_FR").fields_get(["payment_state"])
        self.assertEqual(dict(words["payment_state"]["selection"])["not_paid"], "Non payé")

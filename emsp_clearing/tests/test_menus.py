from odoo.tests import new_test_user, tagged

from .test_access import AccessCommon

VAT = {"emsp_vat_rule_menu", "emsp_legal_mention_menu"}
VAT_IN_ACCOUNTING = {"emsp_account_vat_rule_menu", "emsp_account_legal_mention_menu"}
OF_MANAGERS = {"emsp_delivery_target_menu", "emsp_invoice_layout_menu", "emsp_webhook_menu"}
OF_USERS = {"emsp_settlement_menu_all", "emsp_settlement_delivery_menu"}
USER = "emsp_clearing.emsp_clearing_group_user"
CHIEF = "account.group_account_manager"


@tagged("post_install", "-at_install")
class TestMenus(AccessCommon):
    """Whoever may do something finds it, and nobody is led to what is refused."""

    def _shown(self, user):
        """:return: set of names of those of the menus above that the web client shows to the user."""
        menus = self.env["ir.ui.menu"].with_user(user).load_menus(debug=False)
        shown, waiting = set(), list(menus["root"]["children"])
        while waiting:
            menu = menus[waiting.pop()]
            shown.add((menu["xmlid"] or "").removeprefix("emsp_clearing."))
            waiting += menu["children"]
        return shown & (VAT | VAT_IN_ACCOUNTING | OF_MANAGERS | OF_USERS)

    def test_each_role_finds_what_it_may_do(self):
        for role, expected in (
            ("user", OF_USERS),
            ("operator", OF_USERS),
            ("manager", OF_USERS | VAT | OF_MANAGERS),
            ("employee", set()),
            ("accountant", set()),
        ):
            with self.subTest(role):
                self.assertEqual(self._shown(self.users[role]), expected)

    def test_chief_accountants_find_vat_rules_and_legal_mentions(self):
        chief = new_test_user(self.env, login="chief", groups=f"base.group_user,{CHIEF}")
        self.assertEqual(self._shown(chief), VAT_IN_ACCOUNTING)
        both = new_test_user(self.env, login="both", groups=f"base.group_user,{CHIEF},{USER}")
        self.assertEqual(self._shown(both), OF_USERS | VAT | VAT_IN_ACCOUNTING)

    def test_deliveries_stand_below_settlements(self):
        deliveries = self.env.ref("emsp_clearing.emsp_settlement_delivery_menu")
        self.assertEqual(deliveries.parent_id, self.env.ref("emsp_clearing.emsp_settlement_menu"))

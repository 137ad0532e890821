from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of

VIES = "odoo.addons.emsp_clearing.models.res_partner_vat.check_vies"


class VatCommon(SettlementCommon):
    """A French CPO that sells at 20 %, and its partner in Germany, a dealer; the rules decide."""

    @classmethod
    @AccountTestInvoicingCommon.setup_country("fr")
    def setUpClass(cls):
        super().setUpClass()
        cls.contract.write({"vat_decided_by": "rules", "fiscal_position_id": False})
        cls.partner.write({"emsp_dealer": "yes", "emsp_dealer_proof": "contract"})
        cls.rule = cls.env.ref("emsp_clearing.emsp_vat_rule_eu_dealer")
        cls.position = cls._make_position(cls.rule)

    @classmethod
    def _make_position(cls, rule):
        rule.with_company(cls.company).action_make_fiscal_position()
        return rule.with_company(cls.company).fiscal_position_id

    @classmethod
    def _move_partner_to(cls, country, number):
        cls.partner.write({"vat": False})
        cls.partner.write({"country_id": cls.env.ref(f"base.{country}").id, "vat": number})

    def _categories(self, move):
        return move.invoice_line_ids.tax_ids.mapped("ubl_cii_tax_category_code")

    def _exceptions(self, settlement, kind):
        return self.env["emsp.exception"].search([("settlement_id", "=", settlement.id), ("kind", "=", kind)])


@tagged("post_install", "-at_install")
class TestVatDecision(VatCommon):
    def test_dealer_abroad_is_invoiced_under_reverse_charge(self):
        settlement = self._settle(cdr_payload())
        self.assertEqual(settlement.blocked_reason, False)
        self.assertEqual(
            (
                settlement.vat_decided_by,
                settlement.vat_regime,
                settlement.vat_category,
                settlement.vat_exemption_code,
                settlement.vat_place,
                settlement.vat_liable,
            ),
            ("rules", "eu_reverse", "AE", "VATEX-EU-AE", "DE", "buyer"),
        )
        self.assertEqual(settlement.vat_rule_id, self.rule)
        self.assertEqual(settlement.vat_legal_basis, "Articles 38 and 195 of Directive 2006/112/EC")
        self.assertEqual(settlement.vat_decided_at, LOCK)
        move = settlement.move_id
        self.assertEqual(move.fiscal_position_id, self.position)
        self.assertEqual((self._categories(move), move.amount_total), (["AE"], 6.40))

    def test_list_without_sessions_needs_no_decision(self):
        settlement = self._settle()
        self.assertEqual((settlement.state, settlement.blocked_reason), ("settled", False))

    def test_decision_keeps_the_facts_it_was_made_on(self):
        settlement = self._settle(cdr_payload())
        self.assertEqual(
            {
                name: settlement.vat_inputs[name]
                for name in ("seller_vat", "buyer_vat", "dealer_proof", "chargers")
            },
            {
                "seller_vat": "FR23334175221",
                "buyer_vat": "DE136695976",
                "dealer_proof": "contract",
                "chargers": ["FR"],
            },
        )
        # The session ended at 10:30 in Paris on the 5th.
        self.assertEqual(settlement.vat_inputs["supplied_from"], "2026-10-05")
        self.assertIn("Buyer: DE, DE136695976", settlement.vat_inputs_text)
        self.assertIn("VIES says: not asked", settlement.vat_inputs_text)

    def test_unknown_dealer_is_told_at_the_cut_off_and_blocks_at_the_lock(self):
        self.partner.write({"emsp_dealer": False})
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        reason = "Say on the partner whether Spree Mobility GmbH is a taxable dealer in electricity."
        self.assertEqual((settlement.state, settlement.vat_obstacles), ("control", reason))
        early = self._exceptions(settlement, "vat_undecided")
        self.assertEqual((early.state, early.severity), ("open", "warning"))
        self._run_due(LOCK)
        self.assertEqual((settlement.state, settlement.move_id.id), ("locked", False))
        self.assertEqual(settlement.blocked_reason, f"VAT is not decided: {reason}")
        self.assertEqual(settlement.vat_obstacles, reason)
        blocked = self._exceptions(settlement, "blocked")
        self.assertEqual((early.state, blocked.state), ("closed", "open"))
        self.partner.emsp_dealer = "yes"
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual((settlement.vat_regime, settlement.move_id.amount_total), ("eu_reverse", 6.40))
        self.assertEqual((settlement.blocked_reason, blocked.state), (False, "closed"))

    def _assert_blocked(self, words):
        settlement = self._settle(cdr_payload())
        self.assertFalse(settlement.move_id)
        self.assertIn(words, settlement.blocked_reason or "")
        self.assertEqual(self._exceptions(settlement, "blocked").state, "open")

    def test_reverse_charge_without_a_vat_number_waits(self):
        self.partner.vat = False
        self._assert_blocked("needs a valid VAT number of Spree Mobility GmbH")

    def test_expired_proof_waits(self):
        self.partner.emsp_dealer_until = date(2026, 10, 4)
        self._assert_blocked("has expired before")

    def test_dealer_without_a_document_waits(self):
        self.partner.write({"emsp_dealer_proof": "declaration"})
        self._assert_blocked("file the proof on the partner")
        self.partner.emsp_dealer_document = b"JVBERg=="
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual(self._settlement().vat_regime, "eu_reverse")

    def test_number_that_vies_refused_waits(self):
        with patch(VIES, return_value={"valid": False}):
            self.partner.action_emsp_ask_vies()
        self._assert_blocked("VIES says")

    def test_fiscal_position_with_another_category_waits(self):
        self.contract.fiscal_position_id = self.env["account.fiscal.position"].create(
            {"name": "Home", "company_id": self.company.id}
        )
        self._assert_blocked("fiscal position Home gives -")

    def test_without_any_fiscal_position_of_the_category_it_waits(self):
        self.rule.with_company(self.company).fiscal_position_id = False
        self._assert_blocked("Decided is category AE")

    def test_home_buyer_that_is_no_dealer_is_taxed(self):
        self._move_partner_to("fr", "FR83404833048")
        self.partner.emsp_dealer = "no"
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.vat_regime, settlement.vat_place), ("domestic", "FR"))
        # 6.40 + 20 %
        self.assertEqual(settlement.move_id.amount_total, 7.68)

    def test_home_dealer_owes_the_vat_itself(self):
        self._move_partner_to("fr", "FR83404833048")
        self._make_position(self.env.ref("emsp_clearing.emsp_vat_rule_fr_dealer"))
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.vat_regime, settlement.vat_liable), ("domestic_reverse", "buyer"))
        self.assertEqual(settlement.move_id.amount_total, 6.40)

    def test_buyer_abroad_that_is_no_dealer_is_taxed_where_it_charges(self):
        self.partner.emsp_dealer = "no"
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.vat_regime, settlement.vat_place), ("domestic", "FR"))
        self.assertEqual(settlement.move_id.amount_total, 7.68)

    def test_swiss_and_british_dealers_are_outside(self):
        self._make_position(self.env.ref("emsp_clearing.emsp_vat_rule_outside_dealer"))
        for country in ("ch", "uk"):
            self._move_partner_to(country, False)
            verdict = self.contract._vat_verdict(frozenset({"FR"}), date(2026, 10, 1), date(2026, 10, 31))
            with self.subTest(country=country):
                self.assertEqual(verdict.obstacles, [])
                self.assertEqual((verdict.decision.regime, verdict.decision.category), ("outside", "O"))

    def test_german_dealers_both_or_one(self):
        self.company.partner_id.write({"vat": False})
        self.company.partner_id.write({"country_id": self.env.ref("base.de").id, "vat": "DE811569869"})
        self.company.account_fiscal_country_id = self.env.ref("base.de")
        self._make_position(self.env.ref("emsp_clearing.emsp_vat_rule_de_dealers"))
        places, day = frozenset({"DE"}), date(2026, 10, 31)
        regimes = {}
        for status in (False, "no", "yes"):
            self.company.partner_id.write({"emsp_dealer": status, "emsp_dealer_proof": "contract"})
            verdict = self.contract._vat_verdict(places, day, day)
            regimes[status] = (verdict.decision.regime, bool(verdict.obstacles))
        self.assertEqual(
            regimes,
            {False: ("undecided", True), "no": ("domestic", False), "yes": ("domestic_reverse", False)},
        )

    def test_home_reverse_charge_ends_with_2026_unless_prolonged(self):
        self._move_partner_to("fr", "FR83404833048")
        rule = self.env.ref("emsp_clearing.emsp_vat_rule_fr_dealer")
        self._make_position(rule)
        places = frozenset({"FR"})

        def regime(day):
            return self.contract._vat_verdict(places, day, day).decision.regime

        self.assertEqual(regime(date(2026, 12, 31)), "domestic_reverse")
        self.assertEqual(regime(date(2027, 1, 1)), "undecided")
        rule.valid_to = False
        self.assertEqual(regime(date(2027, 1, 1)), "domestic_reverse")

    def test_decision_stays_when_the_rule_changes(self):
        settlement = self._settle(cdr_payload())
        self.rule.write({"name": "Renamed", "legal_basis": "Another"})
        self.assertEqual(settlement.vat_rule_name, "Electricity to a dealer in another EU country")
        self.assertEqual(settlement.vat_legal_basis, "Articles 38 and 195 of Directive 2006/112/EC")
        self.partner.emsp_dealer = "no"
        settlement.action_decide_vat()
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual(settlement.vat_regime, "eu_reverse")
        with self.assertRaises(UserError):
            settlement.write({"vat_regime": "domestic"})

    def test_accountants_decision_is_recorded_and_goes(self):
        self.partner.emsp_dealer = False
        clerk = new_test_user(
            self.env,
            login="clerk",
            name="Clara",
            groups="emsp_clearing.emsp_clearing_group_manager",
            company_id=self.company.id,
        )
        self.contract.fiscal_position_id = self._home_position()
        with self.assertRaisesRegex(ValidationError, "why the accountant decides"):
            self.contract.write({"vat_decided_by": "accountant", "vat_override_reason": " "})
        self.contract.with_user(clerk).write(
            {"vat_decided_by": "accountant", "vat_override_reason": "Ruling of 3 May"}
        )
        self.assertEqual(self.contract.vat_override_by_id, clerk)
        settlement = self._settle(cdr_payload())
        self.assertEqual(settlement.vat_decided_by, "accountant")
        self.assertRegex(settlement.vat_override, "Clara, .*: Ruling of 3 May")
        self.assertEqual(settlement.move_id.amount_total, 7.68)


@tagged("post_install", "-at_install")
class TestVatByOdoo(SettlementCommon):
    def setUp(self):
        super().setUp()
        self.contract.write({"vat_decided_by": "rules", "fiscal_position_id": False})
        # Its invoices go to a contact without a country.
        self.assertFalse(self.invoicing_contact.country_id)

    def test_company_no_rule_speaks_of_goes_odoos_way(self):
        self.assertEqual(self.company.account_fiscal_country_id.code, "US")
        self.partner.country_id = self.env.ref("base.us")
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.vat_decided_by, settlement.vat_regime), ("odoo", False))
        # The test company sells at 15 %.
        self.assertEqual(settlement.move_id.amount_total, 7.36)

    def _german_position(self):
        """Under which nothing is taxed."""
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Germany",
                "sequence": 1,
                "company_id": self.company.id,
                "auto_apply": True,
                "country_id": self.env.ref("base.de").id,
            }
        )
        taxed = self.company_data["default_tax_sale"]
        links = {"original_tax_ids": taxed.ids, "fiscal_position_ids": position.ids}
        taxed.copy({"name": "Export", "amount": 0.0, **{k: [Command.set(v)] for k, v in links.items()}})
        return position

    def test_contact_without_a_country_is_taxed_as_its_company(self):
        position = self._german_position()
        move = self._settle(cdr_payload()).move_id
        self.assertEqual((move.partner_id, move.fiscal_position_id), (self.invoicing_contact, position))
        self.assertEqual((move.amount_untaxed, move.amount_tax), (6.40, 0.0))

    def test_contact_with_a_country_of_its_own_is_taxed_by_that(self):
        self._german_position()
        self.invoicing_contact.country_id = self.env.ref("base.us")
        move = self._settle(cdr_payload()).move_id
        self.assertEqual(move.fiscal_position_id, self._home_position())
        self.assertEqual(move.amount_total, 7.36)

    def test_buyer_without_any_country_waits(self):
        self.partner.country_id = False
        for decided_by in ("rules", "accountant"):
            with self.subTest(decided_by):
                self.contract.vat_decided_by = decided_by
                verdict = self.contract._vat_verdict(frozenset({"FR"}), date(2026, 10, 1), date(2026, 10, 31))
                reason = f"Write the country of {self.partner.name} on its address."
                self.assertEqual(verdict.obstacles, [reason])
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.state, settlement.vat_obstacles), ("locked", reason))
        self.assertIn(reason, settlement.blocked_reason)
        self.assertFalse(settlement.move_ids)


@tagged("post_install", "-at_install")
class TestVat15th(VatCommon):
    def test_session_of_september_invoiced_in_november_is_listed(self):
        late = cdr_payload(2, start=datetime(2026, 9, 20, 8, 0))
        settlement = self._settle(cdr_payload(1), late)
        self.assertEqual(settlement.invoice_date, date(2026, 11, 10))
        # 6.40 of September were due by 15 October.
        self.assertEqual((settlement.vat_late_count, settlement.vat_late_amount), (1, 6.40))
        self.assertIn("after the 15th", settlement.vat_warnings)
        fact = self._exceptions(settlement, "vat_late")
        self.assertEqual((fact.state, fact.amount, fact.severity), ("open", 6.40, "warning"))
        listed = self.env["emsp.cdr"].search(settlement.action_view_vat_late()["domain"])
        self.assertEqual(listed.mapped("ocpi_id"), ["CDR-2"])
        self.assertTrue(settlement.move_id)

    def test_october_invoiced_on_10_november_is_in_time(self):
        settlement = self._settle(cdr_payload(1))
        self.assertEqual(settlement.vat_late_count, 0)
        self.assertFalse(self._exceptions(settlement, "vat_late"))

    def test_late_sessions_of_all_settlements_are_one_list(self):
        # September's session is invoiced on 10 November; October's too, in time; both again a month later.
        september = [cdr_payload(number, start=datetime(2026, 9, 20, 8, 0)) for number in (1, 2)]
        first = self._receive(september[0])
        self._settle(cdr_payload(3))
        second = self._receive(september[1], received_at=LOCK + timedelta(days=1))
        in_time = self._receive(
            cdr_payload(4, start=datetime(2026, 11, 12)), received_at=datetime(2026, 11, 13)
        )
        self._run_due(LOCK + timedelta(days=40))
        cdrs = self.env["emsp.cdr"]
        contract = [("contract_id", "=", self.contract.id)]
        self.assertEqual(cdrs.search([("is_vat_late", "=", True), *contract]), first | second)
        others = cdrs.search([("is_vat_late", "=", False), *contract])
        self.assertEqual(len(others), 2)
        self.assertIn(in_time, others)

    def test_credit_of_an_invoiced_session_is_not_late(self):
        original = cdr_payload(1)
        self._settle(original)
        self._receive(credit_of(original), received_at=LOCK + timedelta(days=1))
        self._run_due(LOCK + timedelta(days=40))
        november = self._settlement(11)
        self.assertEqual((november.cdr_count, november.vat_regime), (1, "eu_reverse"))
        self.assertEqual(november.vat_late_count, 0)

    def test_taxed_supply_has_no_such_limit(self):
        self.partner.emsp_dealer = "no"
        settlement = self._settle(cdr_payload(2, start=datetime(2026, 9, 20, 8, 0)))
        self.assertEqual((settlement.vat_regime, settlement.vat_late_count), ("domestic", 0))

    def test_contract_that_bills_each_quarter_is_warned(self):
        self.assertNotIn("after the 15th", self.contract.vat_preview)
        self.contract.frequency = "quarterly"
        self.contract.invalidate_recordset(["vat_preview"])
        self.assertIn("after the 15th", self.contract.vat_preview)


@tagged("post_install", "-at_install")
class TestVatEvidence(VatCommon):
    def test_contract_shows_what_is_decided_today(self):
        self.assertIn("Electricity to a dealer in another EU country", self.contract.vat_preview)
        self.partner.emsp_dealer = False
        self.contract.invalidate_recordset(["vat_preview"])
        self.assertIn("Say on the partner whether", self.contract.vat_preview)

    def test_new_contract_is_previewed_while_it_is_typed(self):
        with Form(self.env["emsp.contract"].with_company(self.company)) as form:
            form.name = "New"
            form.partner_id = self.partner
            form.currency_id = self.env.ref("base.EUR")
            self.assertIn("Electricity to a dealer", form.vat_preview)

    def test_answer_of_vies_is_kept_for_the_number_asked(self):
        with patch(VIES, return_value={"valid": True, "name": "SPREE"}):
            self.partner.action_emsp_ask_vies()
        self.assertEqual(self.partner._emsp_vies(), "valid")
        self.assertIn("SPREE", self.partner.emsp_vies_text)
        self.partner.vat = "DE811569869"
        self.assertEqual(self.partner._emsp_vies(), "")

    def test_vies_out_of_reach_is_no_answer(self):
        with patch(VIES, side_effect=OSError("no network")):
            self.partner.action_emsp_ask_vies()
        self.assertEqual((self.partner.emsp_vies_answer, self.partner._emsp_vies()), (False, ""))
        self.assertIn("no network", self.partner.emsp_vies_text)

    def test_odoos_own_yes_of_vies_counts(self):
        self.partner.vies_valid = True
        self.assertEqual(self.partner._emsp_vies(), "valid")

    def test_form_ust_1_th_has_an_end(self):
        with self.assertRaisesRegex(ValidationError, "limited time"):
            self.partner.emsp_dealer_proof = "ust1th"

    def test_number_of_no_known_form_is_none(self):
        self.partner.with_context(no_vat_validation=True).vat = "DE123"
        self.assertEqual(self.partner._emsp_vat_number(), "")


@tagged("post_install", "-at_install")
class TestVatRule(VatCommon):
    def _user(self, login, groups, company=None):
        company = company or self.company
        return new_test_user(self.env, login=login, groups=groups, company_id=company.id)

    def test_reverse_charge_has_category_ae(self):
        with self.assertRaisesRegex(ValidationError, "category AE"):
            self.rule.category = "S"
        with self.assertRaisesRegex(ValidationError, "needs the category"):
            self.rule.category = False

    def test_managers_and_chief_accountants_write_rules_and_others_do_not(self):
        manager = self._user("vat_manager", "emsp_clearing.emsp_clearing_group_manager")
        chief = self._user("vat_chief", "account.group_account_manager")
        for user in (manager, chief):
            self.rule.with_user(user).write({"note": user.login})
            self.assertEqual(self.rule.note, user.login)
        operator = self._user("vat_operator", "emsp_clearing.emsp_clearing_group_operator")
        self.assertTrue(self.rule.with_user(operator).name)
        with self.assertRaises(AccessError):
            self.rule.with_user(operator).write({"note": "x"})

    def test_rule_of_a_company_is_for_it_alone(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        own = self.rule.copy({"company_id": self.company.id, "sequence": 1})
        stranger = self._user("vat_stranger", "emsp_clearing.emsp_clearing_group_manager", other)
        rules = self.env["emsp.vat.rule"].with_user(stranger)
        self.assertFalse(rules.search([("id", "=", own.id)]))
        self.assertTrue(rules.search([("id", "=", self.rule.id)]))
        with self.assertRaises(AccessError):
            own.with_user(stranger).read(["name"])
        self.assertNotIn(own, self.env["emsp.vat.rule"]._of(other))
        self.assertEqual(self.env["emsp.vat.rule"]._of(self.company)[0], own)

    def test_user_may_not_decide_and_operator_may(self):
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        self.partner.emsp_dealer = "no"
        reader = self._user("vat_reader", "emsp_clearing.emsp_clearing_group_user")
        with self.assertRaises(AccessError):
            settlement.with_user(reader).sudo(False).action_decide_vat()
        operator = self._user("vat_operator", "emsp_clearing.emsp_clearing_group_operator")
        settlement.with_user(operator).sudo(False).action_decide_vat()
        self.assertEqual(settlement.vat_regime, "domestic")

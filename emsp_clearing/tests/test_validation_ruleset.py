from datetime import datetime

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..core.checks.rules import RULES
from ..core.checks.ruleset import default_settings
from .common import EmspCommon, cdr_payload, raw
from .http_common import EmspHttpCommon
from .test_access import AccessCommon

RECEIVED_AT = datetime(2026, 10, 6, 6, 0)


class RulesetCommon(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rulesets = cls.env["emsp.validation.ruleset"]
        cls.everyone = cls.rulesets._default_of(cls.company)

    @classmethod
    def _own_rules(cls, partner=None, **vals):
        partner = partner or cls.partner
        return cls.rulesets.create(
            {"name": partner.name, "partner_id": partner.id, "company_id": cls.company.id, **vals}
        )

    def _rules_of(self, cdr):
        """:return: dict rule -> severity of its findings."""
        return {finding.rule: finding.severity for finding in cdr.finding_ids if finding.rule}


@tagged("post_install", "-at_install")
class TestRuleset(RulesetCommon):
    def test_new_set_has_the_delivered_values_of_core(self):
        self.assertEqual(self.everyone._settings(), default_settings())
        self.assertEqual(self.everyone.version, 1)

    def test_every_company_has_one_set_for_everyone(self):
        company = self.env["res.company"].create({"name": "Later"})
        for each in (self.company, company):
            found = self.rulesets.search([("company_id", "=", each.id), ("partner_id", "=", False)])
            self.assertEqual(len(found), 1)
            self.assertTrue(found.is_default)
        with self.assertRaisesRegex(UserError, "for everyone"):
            self.everyone.unlink()

    def test_durations_are_in_hours_and_days_and_exact_to_the_second_in_core(self):
        self.everyone.write({"duration_range_min_h": 2 / 60, "received_late_after_d": 30})
        settings = self.everyone._settings()
        self.assertEqual(settings["duration_range"].params.min_s, 120)
        self.assertEqual(settings["duration_range"].params.max_s, 604800)
        self.assertEqual(settings["received_late"].params.after_s, 30 * 86400)

    def test_limits_below_zero_are_refused_by_their_label(self):
        for field, label in (
            ("cost_consistency_tolerance_pct", "Difference tolerated"),
            ("received_late_after_d", "Late after"),
            ("duration_range_min_h", "Duration from"),
            ("missing_cdr_grace_h", "Time for the CDR"),
        ):
            with self.subTest(field=field), self.assertRaisesRegex(ValidationError, f"{label}.*0 or more"):
                self.everyone[field] = -1

    def test_range_that_no_cdr_can_meet_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Energy from .* is above Energy to"):
            self.everyone.write({"energy_range_min_kwh": 20, "energy_range_max_kwh": 10})

    def test_change_of_a_rule_makes_a_version_and_a_message(self):
        self.everyone.write({"vat": "off", "cost_consistency_tolerance_pct": 5.0})
        self.assertEqual(self.everyone.version, 2)
        body = self.everyone.message_ids[0].body
        for text in ("Version 2", "VAT: Note → Off", "Difference tolerated (%): 2 → 5"):
            self.assertIn(text, body)

    def test_same_values_and_other_fields_make_no_version(self):
        messages = len(self.everyone.message_ids)
        self.everyone.write({"vat": "note", "cost_consistency_tolerance_pct": 2})
        self.everyone.name = "All"
        self.assertEqual((self.everyone.version, len(self.everyone.message_ids)), (1, messages))

    def test_findings_name_the_version_that_judged(self):
        self.everyone.energy_range_max_kwh = 9
        cdr = self._receive(cdr_payload())
        self.everyone.energy_range_max_kwh = 8
        finding = cdr.finding_ids.filtered(lambda f: f.rule == "energy_range")
        self.assertEqual((finding.ruleset_id, finding.ruleset_version), (self.everyone, 2))
        self.assertEqual(cdr.ruleset_version, 2)
        self.assertEqual(self.everyone.finding_count, len(cdr.finding_ids.filtered("rule")))
        action = self.everyone.action_view_findings()
        self.assertIn(finding, self.env[action["res_model"]].search(action["domain"]))

    def test_new_set_begins_as_the_one_for_everyone_or_as_another(self):
        self.everyone.energy_range_max_kwh = 400
        form = Form(self.rulesets.with_company(self.company))
        form.name = "Spree"
        form.partner_id = self.partner
        own = form.save()
        self.assertEqual(own.energy_range_max_kwh, 400)
        own.write({"energy_range_max_kwh": 300, "vat": "hold"})
        form = Form(self.rulesets.with_company(self.company))
        form.name = "Havel"
        form.partner_id = self.env["res.partner"].create({"name": "Havel", "is_company": True})
        form.template_id = own
        other = form.save()
        self.assertEqual((other.energy_range_max_kwh, other.vat, other.version), (300, "hold", 1))

    def test_partners_set_shows_its_differences(self):
        own = self._own_rules()
        self.assertFalse(own.difference_html or self.everyone.difference_html)
        own.write({"energy_range": "off", "received_late_after_d": 30})
        self.assertIn("Energy: Hold → Off", own.difference_html)
        self.assertIn("Late after (days): 90 → 30", own.difference_html)
        self.assertEqual(own.difference_html.count("<li>"), 2)

    def test_partners_set_replaces_the_one_for_everyone_as_a_whole(self):
        own = self._own_rules()
        self.everyone.energy_range_max_kwh = 5
        cdr = self._receive(cdr_payload())
        self.assertNotIn("energy_range", self._rules_of(cdr))
        self.assertEqual(cdr.ruleset_id, own)
        own.unlink()
        cdr = self._receive(cdr_payload(2))
        self.assertEqual(self._rules_of(cdr)["energy_range"], "hold")

    def test_set_is_for_the_company_of_a_contact(self):
        contact = self.env["res.partner"].create({"name": "Anna", "parent_id": self.partner.id})
        with self.assertRaisesRegex(ValidationError, "Anna is a contact of Spree"):
            self._own_rules(contact)
        own = self._own_rules()
        self.contract.partner_id = contact
        self.assertEqual(self._receive(cdr_payload()).ruleset_id, own)

    def test_set_of_another_company_is_never_used(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        theirs = self._own_rules(company_id=other.id, energy_range_max_kwh=1)
        self.rulesets._default_of(other).energy_range_max_kwh = 1
        cdr = self._receive(cdr_payload())
        self.assertEqual((cdr.ruleset_id, cdr.state), (self.everyone, "open"))
        self.assertNotEqual(self.contract.ruleset_id, theirs)

    def test_second_set_of_a_partner_is_refused(self):
        self._own_rules()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self._own_rules()

    def test_contract_and_partner_lead_to_the_set_that_judges_them(self):
        self.everyone.energy_range_max_kwh = 400
        partner = self.partner.with_company(self.company)
        self.assertEqual(self.contract.ruleset_id, self.everyone)
        self.assertEqual(partner.emsp_ruleset_id, self.everyone)
        self.assertFalse(self.company.partner_id.with_company(self.company).emsp_ruleset_id)
        action = self.contract.action_own_rules()
        own = self.rulesets.browse(action["res_id"])
        self.assertEqual((own.partner_id, own.energy_range_max_kwh), (self.partner, 400))
        self.env.invalidate_all()
        self.assertEqual((self.contract.ruleset_id, partner.emsp_ruleset_id), (own, own))
        self.assertEqual(self.contract.action_own_rules()["res_id"], own.id)

    def test_form_names_every_rule_and_limit(self):
        arch = self.rulesets.get_view(view_type="form")["arch"]
        for name in (*RULES, *self.everyone._rule_values()):
            self.assertIn(f'name="{name}"', arch)


@tagged("post_install", "-at_install")
class TestEffects(RulesetCommon):
    def test_each_action_has_its_effect(self):
        cases = {
            "energy_range": (cdr_payload, {"energy": 1500.0}),
            "end_before_start": (cdr_payload, {"end_date_time": "2026-10-05T07:00:00Z"}),
            "cost_consistency": (cdr_payload, {"total_cost": {"excl_vat": 7.0}}),
            "placeholder_date": (cdr_payload, {"start_date_time": "1970-01-01T00:00:00Z"}),
        }
        number = 1
        # Others have their say of such CDRs as well: only the rule in question is on.
        self.everyone.write(dict.fromkeys(RULES, "off"))
        for rule, (make, changes) in cases.items():
            for action in ("off", "note", "hold"):
                number += 1
                self.everyone[rule] = action
                cdr = self._receive(make(number, **changes))
                with self.subTest(rule=rule, action=action):
                    self.assertEqual(self._rules_of(cdr).get(rule, "off"), action)
                    if action == "hold":
                        self.assertEqual(cdr.state, "quarantine")
            self.everyone[rule] = "off"

    def test_note_lets_the_cdr_go_to_the_partner(self):
        self.everyone.write({"energy_range": "note", "energy_range_max_kwh": 9})
        self.assertEqual(self._receive(cdr_payload()).state, "open")

    def test_refusal_stores_nothing_and_names_the_field(self):
        self.everyone.write({"energy_range": "refuse", "energy_range_max_kwh": 9})
        endpoint = self.connection._as_endpoint()
        refused, taken = endpoint.env["emsp.cdr"]._receive(
            endpoint, [raw(cdr_payload()), raw(cdr_payload(2, energy=8.0))], RECEIVED_AT
        )
        self.assertEqual((refused.outcome, refused.path), ("refused", "total_energy"))
        self.assertIn("10 kWh", refused.message)
        self.assertFalse(refused.record)
        self.assertEqual(taken.outcome, "created")

    def test_whether_anything_is_refused_follows_each_change(self):
        refuses = self.rulesets._refuses_in
        self.assertFalse(refuses(self.company.id))
        self.everyone.energy_range = "refuse"
        self.assertTrue(refuses(self.company.id))
        self.everyone.energy_range = "hold"
        self.assertFalse(refuses(self.company.id))
        own = self._own_rules(energy_range="refuse")
        self.assertTrue(refuses(self.company.id))
        own.unlink()
        self.assertFalse(refuses(self.company.id))

    def test_rule_that_needs_our_price_holds_where_it_is_to_refuse(self):
        self.everyone.cost_consistency = "refuse"
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        self.assertEqual(self._rules_of(cdr)["cost_consistency"], "refuse")
        self.assertEqual(cdr.state, "quarantine")

    def test_refusal_of_a_partners_set_is_for_its_cdrs_alone(self):
        other = self.env["res.partner"].create({"name": "Havel", "is_company": True})
        self._create_contract(other, "DE", "HAV")
        self._own_rules(other, energy_range="refuse", energy_range_max_kwh=9)
        theirs = {**cdr_payload(2)["cdr_token"], "party_id": "HAV"}
        endpoint = self.connection._as_endpoint()
        receipts = endpoint.env["emsp.cdr"]._receive(
            endpoint, [raw(cdr_payload()), raw(cdr_payload(2, cdr_token=theirs))], RECEIVED_AT
        )
        self.assertEqual([receipt.outcome for receipt in receipts], ["created", "refused"])

    def test_file_keeps_what_a_rule_refused(self):
        self.everyone.write({"energy_range": "refuse", "energy_range_max_kwh": 9})
        report = self.env["emsp.cdr.import"]._import_file(
            self.connection, raw(cdr_payload()), "cdrs.json", RECEIVED_AT
        )
        self.assertEqual((report.created, len(report.rejected)), (0, 1))
        message = self.env["emsp.ocpi.message"].search([("connection_id", "=", self.connection.id)])
        self.assertTrue(message.is_refused)
        self.assertEqual(message.body, raw(cdr_payload()).decode())
        self.assertFalse(self.env["emsp.cdr"].search([("connection_id", "=", self.connection.id)]))


@tagged("post_install", "-at_install")
class TestRefusalOverOcpi(RulesetCommon, EmspHttpCommon):
    def test_refused_cdr_is_answered_with_the_field_and_kept_in_the_log(self):
        self.everyone.write({"energy_range": "refuse", "energy_range_max_kwh": 9})
        response = self.ocpi_post(cdr_payload())
        self.assertAnswer(response, 200, 2000, "total_energy")
        self.assertFalse(self.stored())
        message = self.messages(is_refused=True)
        self.assertEqual((message.ocpi_status, message.body), (2000, raw(cdr_payload()).decode()))
        self.everyone.energy_range_max_kwh = 11
        self.assertAnswer(self.ocpi_post(cdr_payload()), 201, 1000)


@tagged("post_install", "-at_install")
class TestRulesetRights(AccessCommon, RulesetCommon):
    def test_managers_edit_and_others_read(self):
        for role in ("user", "operator"):
            ruleset = self.everyone.with_user(self.users[role]).sudo(False)
            with self.subTest(role=role):
                self.assertTrue(ruleset.read())
                with self.assertRaises(AccessError):
                    ruleset.vat = "off"
        manager = self.users["manager"]
        self.everyone.with_user(manager).sudo(False).vat = "off"
        self.assertEqual(self.everyone.version, 2)
        with self.assertRaises(AccessError):
            self.contract.with_user(self.users["operator"]).sudo(False).action_own_rules()
        self.contract.with_user(manager).sudo(False).action_own_rules()

    def test_sets_of_another_company_are_hidden(self):
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = self._create_user("manager", other)
        theirs = self.rulesets._default_of(other)
        found = self.rulesets.with_user(stranger).sudo(False).search([])
        self.assertEqual(found, theirs)
        with self.assertRaises(AccessError):
            self.everyone.with_user(stranger).sudo(False).read(["name"])
        with self.assertRaisesRegex(UserError, "compan"):
            self.partner.company_id = self.company
            self._own_rules(company_id=other.id)

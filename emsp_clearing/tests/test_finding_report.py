from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import cdr_payload
from .test_access import AccessCommon
from .test_validation_ruleset import RulesetCommon

OCTOBER, NOVEMBER = datetime(2026, 10, 6, 6, 0), datetime(2026, 11, 2, 6, 0)


class ReportCommon(RulesetCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.everyone.write({"energy_range_max_kwh": 20})
        cls.report = cls.env["emsp.finding.report"]

    def _three_in_october(self):
        """10, 25 and 30 kWh: two are held by their energy. 6.40, 12.25 and 14.20 by the contract."""
        return self._receive(
            cdr_payload(1), cdr_payload(2, energy=25.0), cdr_payload(3, energy=30.0), received_at=OCTOBER
        )

    def _row(self, rule="energy_range", day=date(2026, 10, 6), **values):
        self.env.flush_all()
        domain = [("company_id", "=", self.company.id), ("rule", "=", rule), ("day", "=", day)]
        return self.report.search([*domain, *((name, "=", value) for name, value in values.items())])

    def _groups(self, groupby, *measures):
        self.env.flush_all()
        domain = [("company_id", "=", self.company.id), ("rule", "=", "energy_range")]
        return self.report._read_group(domain, groupby, measures)


@tagged("post_install", "-at_install")
class TestFindingReport(ReportCommon):
    def test_day_counts_what_was_judged_flagged_and_held(self):
        self._three_in_october()
        row = self._row()
        self.assertEqual((row.partner_id, row.ruleset_id), (self.partner, self.everyone))
        self.assertEqual((row.judged, row.flagged, row.held), (3, 2, 2))
        self.assertAlmostEqual(row.flagged_pct, 66.67, 2)
        # 1.00 + 0.39 * kWh + 0.05 * 30 min
        self.assertAlmostEqual(row.amount, 12.25 + 14.20, 2)
        self.assertEqual((row.false_alarms, row.released), (0, 0))

    def test_release_is_a_false_alarm_and_void_is_not(self):
        __, released, void = self._three_in_october()
        released._release(OCTOBER + timedelta(hours=36))
        void._void("Test")
        row = self._row()
        self.assertEqual((row.held, row.false_alarms, row.released, row.release_h), (2, 1, 1, 36))

    def test_release_by_facts_that_came_later_is_no_false_alarm(self):
        __, released, __ = self._three_in_october()
        released.finding_ids._supersede(OCTOBER)
        released._release(OCTOBER + timedelta(hours=2))
        row = self._row()
        self.assertEqual((row.flagged, row.held, row.false_alarms, row.released), (2, 2, 0, 1))

    def test_note_is_flagged_and_not_held(self):
        self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        row = self._row("cost_consistency")
        self.assertEqual((row.judged, row.flagged, row.held, row.false_alarms), (1, 1, 0, 0))

    def test_cdr_that_could_not_be_judged_is_none_of_those_judged(self):
        power = {"code": "too_fast", "rule": "charging_speed", "severity": "hold", "found_at": OCTOBER}
        cdrs = self._three_in_october()
        # None of the three has a connector of known power.
        self.env["emsp.cdr.finding"].create({"cdr_id": cdrs[0].id, **power})
        cdrs[0]._store({"not_judged": False})
        row = self._row("charging_speed")
        self.assertEqual((row.judged, row.flagged, row.flagged_pct), (1, 1, 100))

    def test_two_findings_of_a_rule_are_one_cdr(self):
        cdrs = self._three_in_october()
        finding = cdrs[1].finding_ids.filtered(lambda f: f.rule == "energy_range")
        finding.copy({"path": "charging_periods[0]"})
        self.assertEqual(self._row().flagged, 2)

    def test_days_without_a_finding_count(self):
        self._three_in_october()
        self._receive(cdr_payload(4), received_at=NOVEMBER)
        row = self._row(day=date(2026, 11, 2))
        self.assertEqual((row.judged, row.flagged, row.flagged_pct), (1, 0, 0))

    def test_rates_of_groups_are_those_of_their_cdrs(self):
        cdrs = self._three_in_october()
        self._receive(cdr_payload(4), cdr_payload(5, energy=40.0), received_at=NOVEMBER)
        months = self._groups(["day:month"], "judged:sum", "flagged:sum", "flagged_pct:avg")
        self.assertEqual([(judged, flagged) for __, judged, flagged, __ in months], [(3, 2), (2, 1)])
        self.assertAlmostEqual(float(months[0][3]), 66.67, 2)
        [(pct, hours)] = self._groups([], "flagged_pct:avg", "release_h:avg")
        # 3 of 5, and not the mean of 66.67 and 50
        self.assertEqual((float(pct), hours), (60, False))
        cdrs[1]._release(OCTOBER + timedelta(hours=10))
        cdrs[2]._release(OCTOBER + timedelta(hours=20))
        [(hours,)] = self._groups([], "release_h:avg")
        self.assertEqual(float(hours), 15)

    def test_rows_lead_back_to_the_set(self):
        own = self._own_rules(energy_range_max_kwh=1)
        self._receive(cdr_payload())
        self.env.flush_all()
        action = own.action_view_quality()
        rows = self.report.search(action["domain"])
        self.assertEqual(rows.ruleset_id, own)
        self.assertIn("energy_range", rows.mapped("rule"))


@tagged("post_install", "-at_install")
class TestReportRights(AccessCommon, ReportCommon):
    def test_every_role_reads_its_own_company(self):
        self._three_in_october()
        rows = self._row()
        for role in ("user", "operator", "manager"):
            with self.subTest(role=role):
                self.assertEqual(rows.with_user(self.users[role]).sudo(False).flagged, 2)
        for role in ("accountant", "employee"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.report.with_user(self.users[role]).sudo(False).search([])

    def test_rows_of_another_company_are_hidden(self):
        self._three_in_october()
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = self._create_user("manager", other)
        self.env.flush_all()
        self.assertFalse(self.report.with_user(stranger).sudo(False).search([]))
        with self.assertRaises(AccessError):
            self._row().with_user(stranger).sudo(False).read(["flagged"])

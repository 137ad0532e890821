from datetime import date, datetime

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..core.invoicing import Component
from ..core.money import D
from ..models.emsp_price_simulation_tally import Sums, Tally, by_component
from .common import cdr_payload
from .price_simulation_common import SimulationCommon
from .settlement_common import credit_of, priced


@tagged("post_install", "-at_install")
class TestPriceSimulation(SimulationCommon):
    def test_sums_by_period_and_component_are_those_of_a_calculation_by_hand(self):
        # 00:30 of November 1st in Paris.
        november = cdr_payload(3, start=datetime(2026, 10, 31, 23, 0))
        self._two_sessions()
        self._receive(november)
        simulation = self._run()
        self.assertEqual(simulation.state, "done")
        self.assertEqual(
            self._lines(simulation, "2026-10"),
            [
                ("FLAT", 2, 17.777, 2.0, 0.0, -2.0),
                ("ENERGY", 2, 17.777, 6.93, 8.0, 1.07),
                ("TIME", 2, 17.777, 1.8, 1.44, -0.36),
            ],
        )
        self.assertEqual(
            self._lines(simulation, "2026-11"),
            [
                ("FLAT", 1, 10.0, 1.0, 0.0, -1.0),
                ("ENERGY", 1, 10.0, 3.9, 4.5, 0.6),
                ("TIME", 1, 10.0, 1.5, 1.2, -0.3),
            ],
        )
        self.assertEqual(self._totals(simulation), (3, 27.777, 17.13, 15.14, -1.99))
        energy = simulation.line_ids.filtered(lambda line: line.component == "ENERGY")[-1]
        self.assertAlmostEqual(energy.difference_pct, 15.3846, 4)

    def test_totals_are_sums_of_rounded_sessions_and_lines_sum_to_them(self):
        # Each 0.333 kWh at 0.45 is 0.14985, rounded to 0.15 per session: 3 x 0.15, not round(0.44955).
        payloads = [cdr_payload(number, minutes=0, energy=0.333) for number in (1, 2, 3)]
        cdrs = self._receive(*payloads)
        # Today: 1.00 + 0.12987 = 1.13 each.
        simulation = self._run()
        self.assertEqual(self._totals(simulation), (3, 0.999, 3.39, 0.45, -2.94))
        self.assertAlmostEqual(sum(cdrs.mapped("amount_untaxed")), simulation.amount_today, 6)
        self.assertAlmostEqual(sum(simulation.line_ids.mapped("amount_today")), 3.39, 6)
        self.assertAlmostEqual(sum(simulation.line_ids.mapped("amount_other")), 0.45, 6)

    def test_price_limit_of_today_is_an_adjustment(self):
        cdr = self._receive(cdr_payload())
        limit = {"component": "LIMIT", "unit_price": "0", "quantity": "1", "amount": "1.60"}
        cdr._store({"components": [*cdr.components, limit], "amount_untaxed": 8.0})
        simulation = self._run()
        self.assertEqual(self._lines(simulation, "2026-10")[-1], ("ADJUSTMENT", 1, 10.0, 1.6, 0.0, -1.6))
        self.assertEqual(self._totals(simulation), (1, 10.0, 8.0, 5.7, -2.3))

    def test_each_partner_has_its_own_lines_and_its_row_in_the_totals(self):
        other_partner = self.env["res.partner"].create({"name": "Oder Strom <AG>", "is_company": True})
        self._create_contract(other_partner, "DE", "ODR")
        token = {**cdr_payload()["cdr_token"], "party_id": "ODR"}
        self._receive(cdr_payload(1), cdr_payload(2, cdr_token=token), cdr_payload(3, cdr_token=token))
        simulation = self._run()
        amounts = {line.partner_id: 0 for line in simulation.line_ids}
        for line in simulation.line_ids:
            amounts[line.partner_id] += line.difference
        self.assertEqual(
            {partner: round(amount, 4) for partner, amount in amounts.items()},
            {self.partner: -0.7, other_partner: -1.4},
        )
        html = str(simulation.summary_html)
        self.assertIn("Oder Strom &lt;AG&gt;", html)
        self.assertLess(html.index("Oder Strom"), html.index("Spree Mobility"))

    def test_session_on_a_settlement_counts_in_the_settlements_period(self):
        late = cdr_payload(1, start=datetime(2026, 9, 20, 8, 0))
        self._settle(late)
        simulation = self._run(date_from=date(2026, 9, 1))
        self.assertEqual(set(simulation.line_ids.mapped("period")), {"2026-10"})
        self.assertEqual(simulation.line_ids.mapped("date_last"), [date(2026, 10, 31)] * 3)

    def test_credit_mirrors_its_original(self):
        payload = priced(1, 6.4)
        self._settle(payload)
        credit = self._receive(credit_of(payload), received_at=datetime(2026, 11, 12))
        self.assertEqual(credit.state, "open")
        alone = self._run(cdr_ids=[Command.set(credit.ids)])
        self.assertEqual(self._totals(alone), (-1, -10.0, -6.4, -5.7, 0.7))
        both = self._run()
        self.assertEqual(self._totals(both), (0, 0.0, 0.0, 0.0, 0.0))

    def test_void_cdr_is_left_out(self):
        cdrs = self._two_sessions()
        cdrs[1]._void("Test")
        simulation = self._run(cdr_ids=[Command.set(cdrs.ids)])
        self.assertEqual((simulation.cdr_count, simulation.amount_today), (1, 6.4))

    def test_cdr_that_became_void_during_the_run_is_left_out(self):
        cdrs = self._two_sessions()
        simulation = self._simulation()
        with trap_jobs():
            simulation.action_run()
            cdrs[1]._void("Test")
            simulation.batch_ids._job_price()
            simulation._job_finish()
        self.assertEqual(self._totals(simulation), (1, 10.0, 6.4, 5.7, -0.7))

    def test_nothing_of_the_cdrs_changes(self):
        cdrs = self._two_sessions()
        self.env.flush_all()

        def stored():
            # A row that is written moves, whatever is written.
            self.env.cr.execute("SELECT ctid, * FROM emsp_cdr WHERE id IN %s ORDER BY id", [tuple(cdrs.ids)])
            return self.env.cr.fetchall()

        before = stored()
        simulation = self._run()
        self._run(simulation)
        simulation.action_reset()
        simulation.unlink()
        self.env.flush_all()
        self.assertEqual(stored(), before)

    def test_draft_grid_that_changes_during_the_run_fails_it(self):
        self._two_sessions()
        simulation = self._simulation()
        with trap_jobs():
            simulation.action_run()
            self.other_grid.line_ids[0].price = 9
            simulation.batch_ids._job_price()
            simulation._job_finish()
        self.assertEqual(simulation.state, "failed")
        self.assertIn("AC-2027 was changed", simulation.failure_reason)
        self._run(simulation)
        # 90.00 + 1.20 and 69.993 + 0.24
        self.assertEqual(simulation.amount_other, 161.43)

    def test_grid_without_prices_is_refused(self):
        self._two_sessions()
        with self.assertRaisesRegex(UserError, "no price yet"):
            self._run(price_grid_id=self._draft_grid("EMPTY").id)


@tagged("post_install", "-at_install")
class TestNotCompared(SimulationCommon):
    def test_cdrs_in_another_currency_are_listed_with_the_reason(self):
        cdrs = self._two_sessions()
        dollars = self._draft_grid("USD", currency="base.USD", ENERGY=0.5)
        simulation = self._run(price_grid_id=dollars.id)
        self.assertEqual((simulation.state, simulation.problem_count), ("done", 2))
        self.assertFalse(simulation.line_ids)
        self.assertEqual(simulation.problem_ids.cdr_id, cdrs)
        self.assertEqual(set(simulation.problem_ids.mapped("code")), {"currency_mismatch"})
        self.assertIn("EUR", simulation.problem_ids[0].message)
        self.assertEqual(simulation.amount_today, 0)

    def test_session_of_unknown_local_time_is_listed_and_the_others_are_compared(self):
        self._receive(cdr_payload(1))
        self.connection.time_zone = False
        unknown = self._receive(cdr_payload(2))
        self.other_grid.line_ids[0].hour_from = "06:00"
        self.other_grid.line_ids[0].hour_to = "22:00"
        simulation = self._run()
        self.assertEqual(simulation.problem_ids.cdr_id, unknown)
        self.assertEqual(simulation.problem_ids.code, "time_zone_unknown")
        self.assertEqual(self._totals(simulation), (1, 10.0, 6.4, 5.7, -0.7))

    def test_cdr_without_a_price_today_is_listed(self):
        stranger = {**cdr_payload()["cdr_token"], "party_id": "XXX"}
        cdrs = self._receive(cdr_payload(1), cdr_payload(2, cdr_token=stranger))
        simulation = self._run()
        self.assertEqual(simulation.problem_ids.cdr_id, cdrs[1])
        self.assertEqual(simulation.problem_ids.code, "not_priced_today")
        self.assertEqual(simulation.cdr_count, simulation.session_count + simulation.problem_count)


@tagged("post_install", "-at_install")
class TestSelection(SimulationCommon):
    def _selected(self, **vals):
        return self.env["emsp.cdr"].search(self._simulation(**vals)._selection_domain())

    def test_range_is_local_to_the_contract(self):
        cdrs = self._receive(
            cdr_payload(1, start=datetime(2026, 9, 30, 21, 29)),  # ends 23:59 in Paris
            cdr_payload(2, start=datetime(2026, 9, 30, 21, 30)),  # ends 00:00
            cdr_payload(3, start=datetime(2026, 10, 31, 22, 29)),  # ends 23:59, after the clocks changed
            cdr_payload(4, start=datetime(2026, 10, 31, 22, 30)),
        )
        october = self._selected(date_from=date(2026, 10, 1), date_to=date(2026, 10, 31))
        self.assertEqual(october, cdrs[1] | cdrs[2])

    def test_filters_narrow_the_selection(self):
        other = {**cdr_payload()["cdr_location"], "name": "Gare", "evse_id": "FR*RVR*E2*1"}
        cdrs = self._receive(cdr_payload(1), cdr_payload(2, cdr_location=other))
        self.assertEqual(self._selected(location="E2"), cdrs[1])
        self.assertEqual(self._selected(partner_ids=[Command.set(self.partner.ids)]), cdrs)
        self.assertFalse(self._selected(partner_ids=[Command.set(self.company.partner_id.ids)]))
        self.assertEqual(self._selected(contract_ids=[Command.set(self.contract.ids)]), cdrs)
        self.assertEqual(self._selected(cdr_ids=[Command.set(cdrs[0].ids)]), cdrs[0])

    def test_range_is_needed_unless_cdrs_are_selected(self):
        with self.assertRaisesRegex(ValidationError, "first and a last day"):
            self._simulation(date_to=False)
        cdr = self._receive(cdr_payload())
        self._simulation(date_from=False, date_to=False, cdr_ids=[Command.set(cdr.ids)])

    def test_empty_selection_is_refused(self):
        simulation = self._simulation()
        with self.assertRaisesRegex(UserError, "selects no CDR"):
            simulation.action_run()
        self.assertEqual(simulation.state, "draft")

    def test_list_of_cdrs_opens_a_what_if_with_what_is_ticked(self):
        cdrs = self._two_sessions()
        action = self.env.ref("emsp_clearing.emsp_price_simulation_action_cdrs")
        self.assertEqual(action.binding_model_id.model, "emsp.cdr")
        model = self.env[action.res_model].with_context(active_model="emsp.cdr", active_ids=cdrs.ids)
        form = Form(model, view="emsp_clearing.emsp_price_simulation_view_form")
        form.price_grid_id = self.other_grid
        simulation = form.save()
        self.assertEqual((simulation.cdr_ids, simulation.name), (cdrs, "AC-2027 on 2 CDRs"))
        self._run(simulation)
        self.assertEqual(simulation.amount_today, 10.73)

    def test_selection_and_results_do_not_change_after_the_run(self):
        self._two_sessions()
        with self.assertRaisesRegex(UserError, "computed"):
            self._simulation(state="done", amount_other=1.0)
        simulation = self._run()
        with self.assertRaisesRegex(UserError, "has run"):
            simulation.date_to = date(2026, 10, 2)
        with self.assertRaisesRegex(UserError, "has run"):
            simulation.amount_other = 1
        simulation.name = "For the talks with Spree"
        simulation.action_reset()
        self.assertFalse(simulation.line_ids or simulation.summary or simulation.amount_today)
        simulation.date_to = date(2026, 10, 20)
        with self.assertRaisesRegex(UserError, "computed"):
            simulation.amount_other = 1


@tagged("post_install", "-at_install")
class TestTally(SimulationCommon):
    def test_limits_and_rests_come_under_adjustment(self):
        parts = [
            Component("ENERGY", D("0.39"), D(1), D("0.39")),
            Component("LIMIT", D(0), D(1), D("0.61")),
        ]
        self.assertEqual(by_component(parts, D("1.00")), {"ENERGY": D("0.39"), "ADJUSTMENT": D("0.61")})
        self.assertEqual(by_component(parts, D("1.01")), {"ENERGY": D("0.39"), "ADJUSTMENT": D("0.62")})

    def test_tally_is_the_same_after_json(self):
        tally = Tally()
        group = (7, "2026-10-01", "2026-10-31")
        tally.add_session(group, 1, D("10.5"), {"FLAT": D("1.00")}, {"ENERGY": D("0.4205")})
        tally.add_session(group, -1, D("-10.5"), {"FLAT": D("-1.00")}, {})
        again = Tally()
        again.merge(tally.to_json())
        again.merge(tally.to_json())
        self.assertEqual(again.by_partner(), {7: Sums(0, D(0), D(0), D("0.8410"))})
        self.assertEqual(
            dict(again.components()),
            {
                (*group, "FLAT"): Sums(0, D(0), D(0), D(0)),
                (*group, "ENERGY"): Sums(2, D("21.0"), D(0), D("0.8410")),
            },
        )

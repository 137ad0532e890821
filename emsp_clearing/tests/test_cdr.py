from datetime import datetime, timedelta
from hashlib import sha256

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import EmspCommon, cdr_payload, raw

RECEIVED = datetime(2026, 10, 6, 6, 0)


@tagged("post_install", "-at_install")
class TestCdrFacts(EmspCommon):
    def test_payload_is_kept_byte_for_byte_with_its_hash(self):
        text = raw(cdr_payload(remark="Borne très occupée €")).replace(b", ", b" ,\n")
        endpoint = self.connection._as_endpoint()
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [text], RECEIVED)
        cdr = receipt.record
        self.assertEqual(cdr.payload.encode(), text)
        self.assertEqual(cdr.payload_sha256, sha256(text).hexdigest())

    def test_cdr_that_comes_again_with_other_content_is_an_exception_once(self):
        cdr = self._receive(cdr_payload())
        for energy in (11.0, 12.0):
            self.assertFalse(self._receive(cdr_payload(energy=energy)))
        exception = self.env["emsp.exception"].search([("kind", "=", "cdr_conflict")])
        self.assertEqual(
            exception.name,
            "CDR CDR-1 came again from Own chargers with other content; the first one stays.",
        )
        self.assertEqual((exception.contract_id, exception.state), (self.contract, "open"))
        self.assertEqual((cdr.energy_kwh, cdr.amount_untaxed), (10.0, 6.40))

    def test_facts_are_read_from_the_payload(self):
        cdr = self._receive(cdr_payload(start=datetime(2026, 10, 5, 8, 0), minutes=95, energy=22.5))
        self.assertEqual(cdr.session_start_at, datetime(2026, 10, 5, 8, 0))
        self.assertEqual(cdr.session_end_at, datetime(2026, 10, 5, 9, 35))
        self.assertEqual((cdr.energy_kwh, cdr.duration_s, cdr.duration), (22.5, 5700, 95 / 60))
        self.assertEqual((cdr.location_city, cdr.evse_id), ("Lyon", "FR*RVR*E1001*1"))
        self.assertEqual((cdr.time_zone, cdr.emaid), ("Europe/Paris", "DE-SMO-C00012345-6"))

    def test_rated_cdr_is_open_with_price_and_explanation(self):
        cdr = self._receive(cdr_payload())
        self.assertEqual((cdr.state, cdr.contract_id, cdr.price_grid_id), ("open", self.contract, self.grid))
        # 1.00 + 10 x 0.39 + 30 x 0.05
        self.assertEqual(cdr.amount_untaxed, 6.40)
        self.assertEqual(
            {part["component"]: part["amount"] for part in cdr.components},
            {"FLAT": "1.00", "ENERGY": "3.90", "TIME": "1.50"},
        )
        self.assertEqual(cdr.explanation["totals"]["excl"], "6.40")
        self.assertIn("30.00 min", cdr.explanation_html)
        self.assertIn("2026-10-05 10:00:00", cdr.explanation_html)

    def test_grid_of_the_sessions_local_day_prices_it(self):
        self.grid.valid_to = datetime(2026, 10, 4).date()
        dearer = self._create_grid("AC-2027", energy=0.49, valid_from=datetime(2026, 10, 5).date())
        self.contract.price_grid_ids = [Command.link(dearer.id)]
        # 00:30 in Paris on 5 October is still 4 October in UTC.
        before, after = self._receive(
            cdr_payload(1, start=datetime(2026, 10, 4, 21, 30)),
            cdr_payload(2, start=datetime(2026, 10, 4, 22, 30)),
        )
        self.assertEqual((before.price_grid_id, before.amount_untaxed), (self.grid, 6.40))
        self.assertEqual((after.price_grid_id, after.amount_untaxed), (dearer, 7.40))


@tagged("post_install", "-at_install")
class TestCdrFindings(EmspCommon):
    def _codes(self, cdr):
        return {finding.code: finding.severity for finding in cdr.finding_ids}

    def test_clean_cdr_has_no_finding(self):
        self.assertFalse(self._receive(cdr_payload()).finding_ids)

    def test_other_stated_cost_is_a_note_and_ours_is_billed(self):
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.00}))
        self.assertEqual((cdr.state, cdr.amount_untaxed), ("open", 6.40))
        self.assertEqual(self._codes(cdr), {"cost_mismatch": "note"})
        self.assertEqual(
            cdr.finding_ids.message,
            "The CDR states 7.00 EUR without tax, the contract gives 6.40 EUR (tolerance 2 %).",
        )

    def test_session_older_than_90_days_is_held(self):
        cdr = self._receive(cdr_payload(), received_at=datetime(2027, 1, 4, 8, 0))
        self.assertEqual(cdr.state, "quarantine")
        self.assertEqual(self._codes(cdr), {"received_late": "hold"})

    def test_session_that_ends_before_it_starts_is_held(self):
        cdr = self._receive(cdr_payload(end_date_time="2026-10-05T07:00:00Z"))
        self.assertEqual(cdr.state, "quarantine")
        self.assertEqual(self._codes(cdr).get("end_before_start"), "hold")

    def test_other_currency_is_held_unpriced_and_cannot_be_released(self):
        cdr = self._receive(cdr_payload(currency="CHF"))
        self.assertEqual((cdr.state, cdr.explanation), ("quarantine", False))
        self.assertEqual(self._codes(cdr), {"currency_mismatch": "hold"})
        with self.assertRaisesRegex(UserError, "CHF"):
            cdr._release(RECEIVED)

    def test_session_outside_every_grid_is_held(self):
        self.grid.valid_to = datetime(2026, 9, 30).date()
        cdr = self._receive(cdr_payload())
        self.assertEqual(self._codes(cdr), {"no_tariff": "hold"})

    def test_sum_that_differs_from_its_periods_is_a_note(self):
        cdr = self._receive(cdr_payload(total_energy=11.0))
        self.assertEqual((cdr.state, cdr.amount_untaxed), ("open", 6.40))
        self.assertEqual(self._codes(cdr), {"energy_sum_differs": "note"})

    def test_deviation_from_ocpi_is_a_note_with_its_path(self):
        location = {**cdr_payload()["cdr_location"], "floor": "-2"}
        cdr = self._receive(cdr_payload(cdr_location=location))
        self.assertEqual(cdr.state, "open")
        self.assertEqual(
            (cdr.finding_ids.code, cdr.finding_ids.path), ("unknown_field", "cdr_location.floor")
        )

    def test_component_that_the_grid_prices_nowhere_is_no_finding(self):
        self.contract.price_grid_ids = self._create_energy_grid()
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 3.9}))
        self.assertEqual(cdr.amount_untaxed, 3.90)
        self.assertFalse(cdr.finding_ids)

    def test_release_opens_the_window_now(self):
        cdr = self._receive(cdr_payload(), received_at=datetime(2027, 1, 4, 8, 0))
        self.assertFalse(cdr.available_at)
        released_at = datetime(2027, 1, 6, 8, 0)
        cdr._release(released_at)
        self.assertEqual((cdr.state, cdr.available_at), ("open", released_at))

    def _create_energy_grid(self):
        grid = self.env["emsp.price.grid"].create(
            {
                "name": "Energy only",
                "code": "KWH",
                "company_id": self.company.id,
                "currency_id": self.env.ref("base.EUR").id,
                "valid_from": datetime(2026, 1, 1).date(),
                "line_ids": [Command.create({"component": "ENERGY", "price": 0.39})],
            }
        )
        grid.action_publish()
        return grid


@tagged("post_install", "-at_install")
class TestCdrAttach(EmspCommon):
    def _foreign(self, party="XYZ", **changes):
        token = {**cdr_payload()["cdr_token"], "party_id": party}
        return cdr_payload(cdr_token=token, **changes)

    def test_party_without_contract_waits_with_the_reason(self):
        cdr = self._receive(self._foreign())
        self.assertEqual((cdr.state, cdr.attach_reason), ("received", "no_contract"))
        self.assertIn("No contract names the party DE*XYZ", cdr.attach_message)

    def test_party_is_found_without_regard_to_case(self):
        self.assertEqual(self._receive(self._foreign("smo")).contract_id, self.contract)

    def test_session_after_the_contracts_end_waits(self):
        self.contract.date_end = datetime(2026, 10, 4).date()
        self.assertEqual(self._receive(cdr_payload()).attach_reason, "contract_dates")

    def test_default_contract_of_the_connection_takes_the_others(self):
        self.connection.default_contract_id = self.contract
        self.assertEqual(self._receive(self._foreign()).contract_id, self.contract)

    def test_cdr_that_waited_is_priced_when_its_contract_is_activated(self):
        cdr = self._receive(self._foreign())
        partner = self.partner.copy({"name": "Xylo Mobility", "vat": False})
        contract = self._create_contract(partner, "DE", "XYZ", activate=False)
        contract.with_context(queue_job__no_delay=True).action_activate()
        self.assertEqual((cdr.contract_id, cdr.state, cdr.amount_untaxed), (contract, "open", 6.40))

    def test_draft_contract_takes_nothing(self):
        partner = self.partner.copy({"name": "Xylo Mobility", "vat": False})
        self._create_contract(partner, "DE", "XYZ", activate=False)
        self.assertEqual(self._receive(self._foreign()).attach_reason, "no_contract")

    def test_cdr_whose_job_has_died_is_priced_by_the_next_run(self):
        cdr = self._receive(cdr_payload(1), rate=False)
        young = self._receive(cdr_payload(2), rate=False)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE emsp_cdr SET create_date = create_date - interval '61 minutes' WHERE id = %s", [cdr.id]
        )
        self.env.invalidate_all()
        self._run_due(RECEIVED)
        self.assertEqual((cdr.state, cdr.amount_untaxed), ("open", 6.40))
        self.assertEqual(young.state, "received")

    def test_where_we_are_the_emsp_the_owner_is_paid(self):
        connection = self.connection.copy(
            {"name": "Their CDRs", "our_role": "EMSP", "country_code": "NL", "ocpi_party_id": "TNM"}
        )
        partner = self.partner.copy({"name": "TNM", "vat": False})
        contract = self._create_contract(partner, "NL", "TNM", partner_role="cpo")
        endpoint = connection._as_endpoint()
        [receipt] = endpoint.env["emsp.cdr"]._receive(
            endpoint, [raw(cdr_payload(country_code="NL", party_id="TNM"))], RECEIVED
        )
        self.assertEqual(receipt.record.contract_id, contract)


@tagged("post_install", "-at_install")
class TestCdrImmutability(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: new_test_user(
                cls.env,
                login=f"emsp_{role}",
                groups=f"base.group_user,emsp_clearing.emsp_clearing_group_{role}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for role in ("user", "operator", "manager")
        }

    def test_nobody_writes_a_fact(self):
        cdr = self._receive(cdr_payload())
        for role, user in self.users.items():
            for vals in ({"amount_untaxed": 0.0}, {"state": "void"}, {"payload": "{}"}, {"settlement_id": 1}):
                with self.subTest(role=role, vals=vals), self.assertRaises(UserError):
                    cdr.with_user(user).write(vals)
        self.assertEqual((cdr.amount_untaxed, cdr.state), (6.40, "open"))

    def test_nobody_creates_copies_or_deletes_one(self):
        cdr = self._receive(cdr_payload())
        for role, user in self.users.items():
            own = cdr.with_user(user)
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    own.create(cdr.copy_data()[0])
                with self.assertRaises(UserError):
                    own.unlink()
        with self.assertRaises(UserError):
            cdr.sudo().unlink()

    def test_operator_writes_notes_and_voids(self):
        cdr = self._receive(cdr_payload()).with_user(self.users["operator"])
        cdr.internal_note = "Driver called"
        cdr._decide("void", "Test session")
        self.assertEqual((cdr.state, cdr.void_reason), ("void", "Test session"))

    def test_user_reads_and_does_nothing_else(self):
        cdr = self._receive(cdr_payload(), received_at=datetime(2027, 1, 4)).with_user(self.users["user"])
        self.assertEqual(cdr.ocpi_id, "CDR-1")
        with self.assertRaises(AccessError):
            cdr.action_release()
        with self.assertRaises(AccessError):
            cdr.internal_note = "x"

    def test_steps_that_the_life_cycle_does_not_know_are_refused(self):
        cdr = self._receive(cdr_payload())
        with self.assertRaisesRegex(UserError, "cannot go from Open to Invoiced"):
            cdr._update_state("invoiced")
        cdr._void("Double")
        with self.assertRaisesRegex(UserError, "cannot go from Void to Open"):
            cdr._release(RECEIVED + timedelta(days=1))

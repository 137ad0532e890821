from datetime import datetime

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import EmspCommon, cdr_payload
from .ocpi_objects_common import CONNECTOR, EVSE, LOCATION, TOKEN, raw

LATER = datetime(2026, 10, 7, 9, 0)


@tagged("post_install", "-at_install")
class TestCdrRecheck(EmspCommon):
    """Facts that come after the CDR change its findings, and lose none."""

    def _push(self, model, payload, **address):
        """Take an object of our own chargers, and do what follows from it. :return: the record."""
        endpoint = self.connection._as_endpoint()
        with trap_jobs() as trap:
            record, __ = endpoint.env[model]._put(endpoint, "2.2.1", address, raw(payload), LATER)
            trap.perform_enqueued_jobs()
        return record

    def _location(self, power_w=22000, uid="EVSE-1", evse_id="FR*RVR*E1001*1", **changes):
        connector = {**CONNECTOR, "max_electric_power": power_w}
        evse = {**EVSE, "uid": uid, "evse_id": evse_id, "connectors": [connector]}
        owner = {"country_code": "FR", "party_id": "RVR", "id": "LOC-1"}
        return self._push("emsp.location", {**LOCATION, **owner, "evses": [evse], **changes}, **owner)

    def _current(self, cdr):
        return set(cdr.finding_ids.filtered(lambda finding: not finding.superseded_at).mapped("code"))

    def test_location_that_comes_later_shows_that_the_charger_cannot_do_it(self):
        # 10 kWh in half an hour is 20 kW; the connector turns out to have 11 kW.
        cdr = self._receive(cdr_payload())
        self.assertEqual((cdr.state, cdr.not_judged["charging_speed"]), ("open", "power_unknown"))
        location = self._location(power_w=11000)
        self.assertEqual(self._current(cdr), {"too_fast"})
        self.assertEqual(cdr.state, "quarantine")
        self.assertEqual(cdr.location_connector_id, location.connector_ids)
        self.assertNotIn("charging_speed", cdr.not_judged)

    def test_finding_that_does_not_hold_any_more_stays_as_a_trace(self):
        self._location(uid="EVSE-9", evse_id="FR*RVR*E9999*1")
        cdr = self._receive(cdr_payload())
        self.assertEqual(self._current(cdr), {"evse_unknown"})
        self._location(last_updated="2026-10-06T10:00:00Z")
        self.assertEqual(self._current(cdr), set())
        self.assertEqual(cdr.finding_ids.mapped("code"), ["evse_unknown"])
        self.assertTrue(cdr.finding_ids.superseded_at)

    def test_cdr_that_nothing_holds_any_more_is_released(self):
        self._location(power_w=11000)
        cdr = self._receive(cdr_payload())
        self.assertEqual(cdr.state, "quarantine")
        self._location(power_w=22000, last_updated="2026-10-06T10:00:00Z")
        self.assertEqual((cdr.state, self._current(cdr)), ("open", set()))
        self.assertGreater(cdr.available_at, cdr.received_at)

    def test_released_cdr_is_not_caught_again_for_the_same_finding(self):
        self._location(power_w=11000)
        cdr = self._receive(cdr_payload())
        cdr._release(LATER)
        cdr._recheck(LATER)
        self.assertEqual((cdr.state, self._current(cdr)), ("open", {"too_fast"}))
        self.assertEqual(len(cdr.finding_ids), 1)

    def test_of_two_that_are_the_same_session_the_later_one_is_held(self):
        first, second = self._receive(cdr_payload(), cdr_payload(id="CDR-1-AGAIN"))
        self.assertEqual((first.state, second.state), ("open", "quarantine"))
        self.assertEqual(self._current(second), {"session_twice"})
        first._recheck(LATER)
        self.assertEqual((first.state, self._current(first)), ("open", set()))

    def test_token_that_is_known_later_takes_the_note_away(self):
        other = {**TOKEN, "uid": "FFFFFFFFFFFFFF"}
        emsp = self._emsp_connection()
        self._push_token(emsp, other)
        cdr = self._receive(cdr_payload())
        self.assertEqual(self._current(cdr), {"token_unknown"})
        self._push_token(emsp, TOKEN)
        self.assertEqual((self._current(cdr), cdr.token_id.ocpi_id), (set(), TOKEN["uid"]))

    def test_token_that_was_blocked_before_the_session_holds_the_cdr(self):
        emsp = self._emsp_connection()
        self._push_token(emsp, TOKEN)
        cdr = self._receive(cdr_payload())
        self.assertEqual(cdr.state, "open")
        blocked = {**TOKEN, "valid": False, "last_updated": "2026-10-04T12:00:00Z"}
        self._push_token(emsp, blocked)
        self.assertEqual((cdr.state, self._current(cdr)), ("quarantine", {"token_blocked"}))

    def test_price_that_was_missing_is_found_when_the_contract_gets_its_grid(self):
        grid = self.contract.price_grid_ids
        self.contract.price_grid_ids = False
        cdr = self._receive(cdr_payload())
        self.assertEqual((cdr.state, self._current(cdr)), ("quarantine", {"no_tariff"}))
        with trap_jobs() as trap:
            self.contract.price_grid_ids = grid
            trap.perform_enqueued_jobs()
        self.assertEqual((cdr.state, cdr.amount_untaxed, self._current(cdr)), ("open", 6.4, set()))

    def test_credit_that_came_before_its_original_waits_for_it(self):
        credit = self._receive(
            cdr_payload(
                2, id="CDR-1-C", credit=True, credit_reference_id="CDR-1", total_cost={"excl_vat": -6.4}
            )
        )
        self.assertEqual((credit.state, self._current(credit)), ("quarantine", {"credit_orphan"}))
        original = self._receive(cdr_payload())
        self.assertEqual((original.state, credit.state), ("void", "void"))
        self.assertEqual(credit.credited_cdr_id, original)

    def _emsp_connection(self):
        return self.env["emsp.ocpi.connection"].create(
            {
                "name": "Spree Mobility",
                "our_role": "CPO",
                "peer_role": "EMSP",
                "country_code": "DE",
                "ocpi_party_id": "SMO",
                "company_id": self.company.id,
            }
        )

    def _push_token(self, connection, payload):
        endpoint = connection._as_endpoint()
        address = {"country_code": "DE", "party_id": "SMO", "uid": payload["uid"], "type": "RFID"}
        with trap_jobs() as trap:
            endpoint.env["emsp.token"]._put(endpoint, "2.2.1", address, raw(payload), LATER)
            trap.perform_enqueued_jobs()

from datetime import date, timedelta

from odoo.tests import tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of, priced


@tagged("post_install", "-at_install")
class TestSettlementInvoice(SettlementCommon):
    def test_lines_are_grouped_by_component_and_price(self):
        # 10, 15 and 7.5 kWh of 30 min each: 3 x 1.00 + 32.5 x 0.39 + 90 x 0.05 = 3.00 + 12.675 + 4.50
        settlement = self._settle(
            cdr_payload(1), cdr_payload(2, energy=15.0), cdr_payload(3, energy=7.5, minutes=30)
        )
        # Sessions are rounded one by one: 6.40 + 8.35 + (1.00 + 2.925 + 1.50 = 5.425 -> 5.43) = 20.18
        self.assertEqual(settlement.move_id.amount_untaxed, 20.18)
        lines = {
            line.emsp_unit: (
                line.emsp_quantity,
                line.emsp_unit_price,
                line.emsp_session_count,
                line.price_subtotal,
            )
            for line in settlement.move_id.invoice_line_ids
        }
        self.assertEqual(
            lines,
            {
                "session": (3.0, 1.0, 3, 3.00),
                "kwh": (32.5, 0.39, 3, 12.68),
                "minute": (90.0, 0.05, 3, 4.50),
            },
        )

    def test_invoice_is_dated_due_and_delivered_by_the_calendar(self):
        move = self._settle(cdr_payload()).move_id
        self.assertEqual((move.state, move.move_type), ("posted", "out_invoice"))
        self.assertEqual(move.invoice_date, date(2026, 11, 10))
        self.assertEqual(move.invoice_date_due, date(2026, 12, 10))
        self.assertEqual(move.delivery_date, date(2026, 10, 31))
        self.assertEqual(move.partner_id, self.invoicing_contact)
        self.assertEqual(move.invoice_origin, self._settlement().name)

    def test_tax_is_the_companys_on_the_net_amount(self):
        move = self._settle(cdr_payload()).move_id
        # The test company sells at 15 %: 0.15 x 6.40 = 0.96
        self.assertEqual((move.amount_untaxed, move.amount_tax, move.amount_total), (6.40, 0.96, 7.36))

    def test_fiscal_position_of_the_contract_decides_on_the_tax(self):
        free = self.env["account.tax"].create(
            {"name": "Reverse charge", "amount": 0.0, "type_tax_use": "sale", "company_id": self.company.id}
        )
        position = self.env["account.fiscal.position"].create(
            {"name": "Abroad", "company_id": self.company.id}
        )
        free.write(
            {"fiscal_position_ids": position.ids, "original_tax_ids": self.company.account_sale_tax_id.ids}
        )
        self.contract.fiscal_position_id = position
        move = self._settle(cdr_payload()).move_id
        self.assertEqual(move.invoice_line_ids.tax_ids, free)
        self.assertEqual(move.amount_total, 6.40)

    def test_four_decimals_are_summed_before_they_are_rounded(self):
        self.contract.price_precision = "4"
        # 1.00 + 0.004 kWh x 0.39 + 1.50 = 2.50156 -> 2.5016; rounded to cents it would be 2.50
        settlement = self._settle(*(cdr_payload(number, energy=0.004) for number in range(10)))
        self.assertEqual(round(settlement.amount_untaxed, 4), 25.016)
        self.assertEqual(settlement.move_id.amount_untaxed, 25.02)

    def test_run_again_bills_nothing_twice(self):
        move = self._settle(cdr_payload()).move_id
        self._run_due(LOCK)
        self._run_due(LOCK + timedelta(days=1))
        self._settlement()._job_invoice(LOCK)
        self._settlement()._job_lock(LOCK)
        self._settlement()._job_open_window(CUT_OFF)
        self.assertEqual(self._settlement().move_id, move)
        self.assertEqual(self.env["account.move"].search_count([("emsp_settlement_id", "!=", False)]), 1)

    def test_empty_list_is_settled_without_an_invoice(self):
        settlement = self._settle()
        self.assertEqual((settlement.state, settlement.move_id.id), ("settled", False))

    def test_list_that_sums_to_zero_is_settled_without_an_invoice(self):
        original = priced(1, 6.40)
        self._settle(original)
        self._receive(credit_of(original), priced(2, 6.40), received_at=LOCK + timedelta(days=1))
        self._run_due(LOCK + timedelta(days=40))
        settlement = self._settlement(11)
        self.assertEqual((settlement.state, settlement.cdr_count), ("settled", 2))
        self.assertFalse(settlement.move_id)
        self.assertEqual(set(settlement.cdr_ids.mapped("state")), {"locked"})

    def test_settlement_without_a_journal_waits_and_says_why(self):
        journals = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        journals.active = False
        settlement = self._settle(cdr_payload())
        self.assertEqual((settlement.state, settlement.move_id.id), ("locked", False))
        self.assertIn("no sales journal", settlement.blocked_reason)
        exception = self.env["emsp.exception"].search([("settlement_id", "=", settlement.id)])
        self.assertEqual((exception.kind, exception.state), ("blocked", "open"))
        journals.active = True
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual(settlement.move_id.amount_untaxed, 6.40)
        self.assertFalse(settlement.blocked_reason)
        self.assertEqual(exception.state, "closed")

    def test_blocked_settlement_stops_no_other(self):
        other_partner = self.partner.copy({"name": "Oder Mobility GmbH"})
        other = self._create_contract(other_partner, "DE", "ODM")
        self._run_due(LOCK - timedelta(days=20))
        token = {**cdr_payload()["cdr_token"], "party_id": "ODM"}
        self._receive(cdr_payload(1), cdr_payload(2, cdr_token=token))
        self.contract.journal_id = self.company_data["default_journal_purchase"]
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        self.assertTrue(self._settlement().blocked_reason)
        self.assertFalse(self._settlement().move_id)
        self.assertEqual(other.settlement_ids.move_id.amount_untaxed, 6.40)

    def test_payment_settles_nothing_before_it_is_on_the_statement(self):
        settlement = self._settle(cdr_payload())
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=settlement.move_id.ids
        ).create({})._create_payments()
        self._run_due(LOCK + timedelta(days=2))
        self.assertEqual((settlement.move_id.payment_state, settlement.state), ("in_payment", "invoiced"))

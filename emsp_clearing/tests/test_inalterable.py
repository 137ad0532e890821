from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .settlement_common import LOCK, PERIOD_END, SettlementCommon


@tagged("post_install", "-at_install")
class TestInalterable(SettlementCommon):
    def test_company_with_a_chart_has_a_hashed_clearing_journal_that_is_no_default(self):
        journal = self.company.emsp_journal_id
        self.assertEqual((journal.name, journal.type, journal.code), ("Roaming clearing", "sale", "CLR"))
        self.assertTrue(journal.restrict_mode_hash_table)
        ordinary = self.env["account.move"].with_company(self.company).create({"move_type": "out_invoice"})
        self.assertEqual(ordinary.journal_id, self.company_data["default_journal_sale"])

    def test_settlement_is_invoiced_and_hashed_in_the_clearing_journal(self):
        move = self._settle(cdr_payload()).move_id
        self.assertEqual(move.journal_id, self.company.emsp_journal_id)
        self.assertTrue(move.inalterable_hash.startswith("$4$"))
        self.assertEqual(move.name, "CLR/2026/00001")

    def test_posted_invoice_is_not_reset_cancelled_or_deleted(self):
        move = self._settle(cdr_payload()).move_id
        for attempt in (move.button_draft, move.button_cancel, move.unlink):
            with self.subTest(attempt=attempt.__name__), self.assertRaises(UserError):
                attempt()
        self.assertEqual(move.state, "posted")

    def test_posted_invoice_keeps_its_amounts_dates_number_and_lines(self):
        move = self._settle(cdr_payload()).move_id
        line = move.invoice_line_ids[0]
        attempts = {
            "name": lambda: move.write({"name": "CLR/2026/09999"}),
            "date": lambda: move.write({"date": date(2026, 12, 1)}),
            "invoice date": lambda: move.write({"invoice_date": date(2026, 12, 1)}),
            "partner": lambda: move.write({"partner_id": self.env.user.partner_id.id}),
            "journal": lambda: move.write({"journal_id": self.company_data["default_journal_sale"].id}),
            "hash": lambda: move.write({"inalterable_hash": False}),
            "price": lambda: line.write({"price_unit": 999.0}),
            "quantity": lambda: line.write({"quantity": 2.0}),
            "tax": lambda: line.write({"tax_ids": [Command.clear()]}),
            "billed quantity": lambda: line.write({"emsp_quantity": 2.0}),
            "label": lambda: line.write({"name": "Something else"}),
            "balance": lambda: line.write({"balance": -999.0}),
            "account": lambda: line.write({"account_id": self.company_data["default_account_expense"].id}),
            "new line": lambda: move.write({"invoice_line_ids": [Command.create({"name": "One more"})]}),
            "line away": line.unlink,
        }
        for what, attempt in attempts.items():
            with self.subTest(what=what), self.assertRaises(UserError), self.env.cr.savepoint():
                attempt()
        self.assertEqual((move.amount_untaxed, move.name), (6.4, "CLR/2026/00001"))

    def test_credit_note_corrects_it_and_is_hashed_too(self):
        move = self._settle(cdr_payload()).move_id
        note = move._reverse_moves([{"invoice_date": date(2026, 11, 20)}])
        note.action_post()
        self.assertEqual((note.move_type, note.amount_untaxed), ("out_refund", 6.4))
        self.assertTrue(note.inalterable_hash)

    def test_journal_is_not_opened_again(self):
        self._settle(cdr_payload())
        with self.assertRaisesRegex(UserError, "already has accounting entries"):
            self.company.emsp_journal_id.restrict_mode_hash_table = False

    def test_integrity_of_our_invoices_is_verified_and_a_tampered_one_found(self):
        first = self._settle(cdr_payload()).move_id
        first._reverse_moves([{"invoice_date": date(2026, 11, 20)}]).action_post()
        self._run_due(PERIOD_END)
        start = first.invoice_date.replace(day=12)
        self._receive(
            cdr_payload(2, start=LOCK.replace(day=start.day)), received_at=LOCK.replace(day=start.day + 1)
        )
        for day in (2, 9):
            self._run_due(LOCK.replace(month=12, day=day))
        second = self._settlement(11).move_id
        self.assertEqual(second.name, "CLR/2026/00002")
        self.assertEqual(
            self._integrity(),
            [("CLR/2026/", "verified", "CLR/2026/00002"), ("RCLR/2026/", "verified", "RCLR/2026/00001")],
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET debit = debit + 1 WHERE move_id = %s AND debit > 0", [first.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self._integrity()[0][1], "corrupted")

    def test_what_we_write_later_is_still_written(self):
        settlement = self._settle(cdr_payload())
        move = settlement.move_id
        # Annex: made when it was posted, and made again where it was lost.
        self.assertTrue(move.emsp_annex_id)
        move.emsp_annex_id.sudo().unlink()
        move._emsp_attach_annex()
        self.assertTrue(move.emsp_annex_id)
        # The marks of sending and of the payment.
        move.write({"is_move_sent": True, "payment_reference": "RF18 5390 0754 7034", "ref": "Order 7"})
        settlement._set_sent(LOCK, "ap@spree.test")
        self.assertEqual((settlement.state, move.is_move_sent), ("sent", True))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({}).action_create_payments()
        self.assertIn(move.payment_state, ("paid", "in_payment"))
        self.assertEqual(self._integrity()[0][1], "verified")

    def test_contract_warns_of_a_journal_that_is_not_secured(self):
        self.assertTrue(self.contract.is_journal_secured)
        self.contract.journal_id = self.company_data["default_journal_sale"]
        self.assertFalse(self.contract.is_journal_secured)
        self.assertIn("INV", self.contract.clearing_journal_id.code)
        self.contract.action_use_clearing_journal()
        self.assertEqual(self.contract.journal_id, self.company.emsp_journal_id)
        self.assertTrue(self.contract.is_journal_secured)

    def test_company_without_a_clearing_journal_gets_one_at_the_button(self):
        old = self.company.emsp_journal_id
        self.company.emsp_journal_id = False
        self.assertFalse(self.contract.is_journal_secured)
        # With contracts, nothing changes by itself.
        self.assertFalse(self.company._needs_clearing_journal())
        self.contract.action_use_clearing_journal()
        journal = self.company.emsp_journal_id
        self.assertNotEqual(journal, old)
        self.assertEqual((journal.restrict_mode_hash_table, self.contract.journal_id), (True, journal))
        self.assertNotEqual(journal.code, old.code)

    def test_accounting_managers_secure_the_journal_and_clearing_managers_do_not(self):
        self.company.emsp_journal_id = False
        contract = self.contract
        with self.assertRaises(AccessError):
            self._as("emsp_clearing.emsp_clearing_group_manager", contract).action_use_clearing_journal()
        groups = "emsp_clearing.emsp_clearing_group_manager,account.group_account_manager"
        self._as(groups, contract).action_use_clearing_journal()
        self.assertTrue(contract.is_journal_secured)

    def test_clearing_user_sees_where_the_invoices_go(self):
        own = self._as("emsp_clearing.emsp_clearing_group_user", self.contract)
        self.assertEqual(own.clearing_journal_name, self.company.emsp_journal_id.display_name)

    def _as(self, groups, records):
        user = new_test_user(
            self.env,
            login=f"inalterable_{groups}",
            groups=f"base.group_user,{groups}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        return records.with_user(user).sudo(False)

    def _integrity(self):
        """:return: [(prefix, status, last number)] of the clearing journal's chains."""
        name = self.company.emsp_journal_id.name
        results = self.company._check_hash_integrity()["results"]
        return [
            (
                result["journal_name"].split("(")[1].rstrip(".)"),
                result["status"],
                result.get("last_move_name"),
            )
            for result in results
            if result["journal_name"].startswith(f"{name} (")
        ]

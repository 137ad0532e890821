from datetime import date, datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .reminder_common import DUE, ReminderCommon
from .settlement_common import credit_of


@tagged("post_install", "-at_install")
class TestReminder(ReminderCommon):
    def test_levels_come_3_days_before_and_1_8_and_15_days_after_the_due_date(self):
        self._bill()
        self.assertFalse(self._remind(date(2025, 6, 16)))
        self.assertEqual(self._level_after(date(2025, 6, 17)), "Payment notice")
        self.assertFalse(self._remind(DUE))
        self.assertEqual(self._level_after(date(2025, 6, 21)), "First reminder")
        self.assertFalse(self._remind(date(2025, 6, 27)))
        self.assertEqual(self._level_after(date(2025, 6, 28)), "Second reminder")
        self.assertFalse(self._remind(date(2025, 7, 4)))
        self.assertEqual(self._level_after(date(2025, 7, 5)), "Final reminder")
        self.assertFalse(self._remind(date(2025, 7, 30)))

    def test_who_had_no_notice_begins_with_the_first_reminder_and_gets_one_a_week(self):
        self._bill()
        self.assertEqual(self._level_after(date(2025, 7, 20)), "First reminder")
        self.assertFalse(self._remind(date(2025, 7, 21)))
        self.assertEqual(self._level_after(date(2025, 7, 27)), "Second reminder")

    def test_a_reminder_that_waits_is_not_made_again_the_next_day(self):
        self._bill()
        first = self._remind(date(2025, 7, 1))
        self.assertEqual(self._remind(date(2025, 7, 2)), first)
        self.assertEqual(first.date, date(2025, 7, 2))

    def test_a_notice_that_was_not_sent_gives_way_to_the_first_reminder(self):
        self._bill()
        notice = self._remind(date(2025, 6, 18))
        reminder = self._remind(date(2025, 6, 21))
        self.assertEqual((notice.state, reminder.policy_level_id.name), ("ignored", "First reminder"))

    def test_a_paid_invoice_is_reminded_of_no_more(self):
        move = self._bill()
        reminder = self._remind(date(2025, 7, 1))
        self._pay(move, 1000.0, date(2025, 7, 1))
        self.assertFalse(self._remind(date(2025, 7, 2)))
        self.assertEqual(reminder.state, "ignored")

    def test_policy_is_that_of_the_contract_else_of_the_country(self):
        prefix = "emsp_clearing.credit_control_policy_"
        policy = {key: self.env.ref(prefix + key) for key in ("fr", "de", "eu")}
        move = self._bill()

        def chosen():
            return move._get_reminder_policies(self.company)[move]

        self.assertEqual(chosen(), policy["de"])
        self.partner.country_id = self.env.ref("base.it")
        self.assertEqual(chosen(), policy["eu"])
        self.partner.country_id = self.env.ref("base.fr")
        self.assertEqual(chosen(), policy["fr"])
        self.contract.reminder_policy_id = policy["de"]
        self.assertEqual(chosen(), policy["de"])
        self.assertEqual(self._remind(date(2025, 7, 1)).policy_id, policy["de"])

    def test_disputed_part_is_not_claimed_and_nothing_where_all_of_it_is(self):
        move = self._bill()
        move.write({"emsp_contested_amount": 300.0, "emsp_contested_reason": "Wrong station"})
        line = self._second_reminder()
        self.assertEqual((line.balance_due, line.emsp_disputed), (700.0, 300.0))
        # 10 days at 11.27 %, 20 days at 10.27 % on 700: 2.16137 + 3.93918 = 6.10055
        self.assertEqual(line.emsp_interest, 6.1)
        move.emsp_contested_amount = 1000.0
        self.assertFalse(self._remind(date(2025, 7, 21)))
        with self.assertRaises(ValidationError):
            move.emsp_contested_amount = 1000.01

    def test_dispute_of_a_billed_session_is_not_claimed_with_its_tax(self):
        settlement = self._settle(cdr_payload(1), cdr_payload(2))
        move = settlement.move_ids
        share = move.amount_total / 2
        cdr = self._cdrs()[:1]
        dispute = self.env["emsp.dispute"]
        # sudo: the product opens none after the lock; the contract may
        dispute.sudo().create(
            {
                "name": "DSP-L",
                "cdr_id": cdr.id,
                "company_id": self.company.id,
                "contract_id": self.contract.id,
                "partner_id": self.partner.id,
                "direction": "received",
                "reason": "price",
                "disputed_amount": cdr.amount_untaxed,
                "currency_id": move.currency_id.id,
                "opened_at": datetime(2026, 11, 12),
                "since": datetime(2026, 11, 12),
                "end_at": datetime(2027, 1, 12),
            }
        )
        [claim] = self._item(move)._get_claims().values()
        self.assertEqual(float(claim.disputed), move.currency_id.round(share))
        self.assertEqual(float(claim.due), move.currency_id.round(move.amount_total - share))

    def test_credit_of_a_billed_session_counts_before_it_is_on_a_document(self):
        settlement = self._settle(cdr_payload(1), cdr_payload(2))
        move = settlement.move_ids
        self._receive(credit_of(cdr_payload(1)), received_at=datetime(2026, 11, 12))
        [claim] = self._item(move)._get_claims().values()
        self.assertEqual(float(claim.due), move.currency_id.round(move.amount_total / 2))

    def test_credits_of_the_partner_cover_its_oldest_invoice_first(self):
        old, new = self._bill(500.0), self._bill(500.0, due=date(2025, 6, 25))
        self._bill(600.0, move_type="out_refund")
        line = self._remind(date(2025, 7, 1))
        self.assertEqual((line.invoice_id, line.balance_due, line.emsp_credited), (new, 400.0, 100.0))
        self.assertNotIn(old, line.invoice_id)
        self._bill(400.0, move_type="out_refund")
        self.assertFalse(self._remind(date(2025, 7, 2)))

    def test_nothing_is_claimed_that_is_in_a_payment_order(self):
        journal = self.company_data["default_journal_bank"]
        journal.bank_account_id = self.company.partner_id.bank_ids[:1]
        method = self.env["account.payment.method.line"].create(
            {
                "name": "Collected",
                "payment_method_id": self.env.ref("account.account_payment_method_manual_in").id,
                "bank_account_link": "fixed",
                "journal_id": journal.id,
                "company_id": self.company.id,
                "selectable": True,
                "payment_order_ok": True,
            }
        )
        move = self._bill()
        move.preferred_payment_method_line_id = method
        # sudo: the rights on orders are not what is tested
        move.sudo().create_account_payment_line()
        self.assertFalse(self._remind(date(2025, 7, 1)))
        lines = self.env["account.payment.line"].sudo()
        order = lines.search([("move_line_id", "=", self._item(move).id)]).order_id
        order.action_cancel()
        self.assertEqual(self._remind(date(2025, 7, 2)).invoice_id, move)

    def test_nothing_is_claimed_that_is_collected_by_direct_debit_and_was_not_tried(self):
        self._bill()
        self.contract.payment_way = "debit"
        self.assertFalse(self._remind(date(2025, 7, 1)))
        self.contract.payment_way = "transfer"
        self.assertTrue(self._remind(date(2025, 7, 2)))

    def test_item_of_an_entry_without_due_date_takes_credits_by_its_date(self):
        account = self._item(self._bill(500.0)).account_id
        sides = ((account, 100.0), (self.company_data["default_account_revenue"], -100.0))
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": date(2025, 1, 31),
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": side.id,
                            "partner_id": self.partner.id,
                            "currency_id": self.contract.currency_id.id,
                            "amount_currency": amount,
                        }
                    )
                    for side, amount in sides
                ],
            }
        )
        entry.action_post()
        entry.line_ids.date_maturity = False
        self._bill(150.0, move_type="out_refund")
        self.assertEqual(self._remind(date(2025, 7, 1)).balance_due, 450.0)

    def test_what_keeps_a_company_from_its_reminders_is_told_and_closes_with_the_next_run(self):
        self._bill()
        self.company.emsp_reminders = "auto"
        run, journal = self.env["credit.control.run"], self.env["emsp.exception"]
        cron = self.env.registry["ir.cron"]
        self.patch(cron, "_commit_progress", lambda *args, **kwargs: 0)
        with patch.object(type(run), "generate_credit_lines", side_effect=UserError("A run is going on.")):
            run._cron_remind(datetime(2025, 7, 1, 5, 0))
        [found] = journal.search([("company_id", "=", self.company.id), ("kind", "=", "reminder_failed")])
        self.assertEqual((found.name, found.state), ("Reminders were not made: A run is going on.", "open"))
        run._cron_remind(datetime(2025, 7, 1, 6, 0))
        self.assertEqual(found.state, "closed")
        reminded = self.env["credit.control.line"].search([("company_id", "=", self.company.id)])
        self.assertEqual(reminded.state, "queued")

    def test_a_hold_of_partner_or_contract_keeps_it_from_being_sent(self):
        self._bill()
        for holder in (self.partner, self.contract):
            holder.write(
                {
                    "emsp_reminder_hold": True,
                    "emsp_reminder_hold_until": date(2025, 7, 10),
                    "emsp_reminder_hold_reason": "Payment plan",
                }
            )
            line = self._remind(date(2025, 7, 1))
            self.assertTrue(line)
            with freeze_time("2025-07-10 08:00:00"), self.assertRaisesRegex(UserError, "on hold"):
                line.action_send_reminders()
            self.assertEqual(line.state, "draft")
            self.assertIn("Payment plan", line._get_hold(date(2025, 7, 10)))
            self.assertFalse(line._get_hold(date(2025, 7, 11)))
            holder.emsp_reminder_hold = False

    def test_company_that_wants_it_sends_without_a_person(self):
        self.company.emsp_reminders = "auto"
        self._bill()
        self.assertFalse(self._remind(date(2025, 7, 1)))
        with freeze_time("2025-07-01 06:00:00"):
            self._deliver()
        line = self.env["credit.control.line"].search([("company_id", "=", self.company.id)])
        self.assertEqual((line.state, line.date_sent), ("sent", date(2025, 7, 1)))
        self.assertIn(self.invoicing_contact, line.communication_id.message_ids.notified_partner_ids)

    def test_accountant_sends_and_operator_reads(self):
        def user(login, group):
            return new_test_user(
                self.env,
                login=login,
                groups=group,
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )

        self._bill()
        line = self._remind(date(2025, 7, 1))
        operator = user("rem_operator", "emsp_clearing.emsp_clearing_group_operator")
        line.with_user(operator).read(["emsp_disputed", "emsp_held", "balance_due"])
        self.assertFalse(line.with_user(operator).has_access("write"))
        portal = user("rem_portal", "base.group_portal")
        self.assertFalse(line.with_user(portal).has_access("read"))
        accountant = user("rem_accountant", "account.group_account_invoice")
        with freeze_time("2025-07-01 08:00:00"):
            line.with_user(accountant).action_send_reminders()
            self._deliver()
        self.assertEqual(line.state, "sent")

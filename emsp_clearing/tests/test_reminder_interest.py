from datetime import date, datetime

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import cdr_payload
from .reminder_common import ReminderCommon
from .test_vat import VatCommon


@tagged("post_install", "-at_install")
class TestReminderInterest(ReminderCommon):
    def test_second_reminder_asks_for_interest_over_the_change_of_half_year_and_40_eur(self):
        self._bill()
        # due 20 June 2025: 10 days at 11.27 %, 20 days at 10.27 % on 1000: 3.08767 + 5.62740 = 8.71507
        line = self._second_reminder()
        self.assertEqual((line.emsp_interest, line.emsp_indemnity), (8.72, 40.0))
        self.assertEqual([float(row["percent"]) for row in line.emsp_interest_rows], [11.27, 10.27])

    def test_first_reminder_asks_for_none(self):
        self._bill()
        line = self._remind(date(2025, 7, 20))
        self.assertEqual((line.emsp_interest, line.emsp_indemnity), (0.0, 0.0))

    def test_a_payment_in_between_ends_the_interest_on_it(self):
        move = self._bill()
        self._pay(move, 600.0, date(2025, 6, 30))
        # 10 days at 11.27 % on 1000, 20 days at 10.27 % on 400: 3.08767 + 2.25096 = 5.33863
        self.assertEqual(self._second_reminder().emsp_interest, 5.34)

    def test_a_credit_note_takes_back_the_interest_from_the_beginning(self):
        move = self._bill()
        refund = self._bill(600.0, move_type="out_refund")
        (self._item(move) | self._item(refund)).reconcile()
        # 400 all the time: 1.23507 + 2.25096 = 3.48603
        self.assertEqual(self._second_reminder().emsp_interest, 3.49)

    def test_interest_is_booked_once_and_outside_vat(self):
        move = self._bill()
        line = self._second_reminder()
        with freeze_time("2025-07-20 08:00:00"):
            communication = line._send_by_mail(date(2025, 7, 20))
            self._deliver()
            with self.assertRaisesRegex(UserError, "account of late interest"):
                communication.action_book_claim()
            self.company.emsp_late_interest_account_id = self.company_data["default_account_revenue"]
            communication.action_book_claim()
        entry = line.emsp_claim_move_id
        self.assertEqual((entry.state, entry.move_type, entry.amount_total), ("posted", "entry", 48.72))
        self.assertFalse(entry.line_ids.tax_ids)
        self.assertIn(move.name, entry.ref)
        self.assertEqual(sum(self._item(entry).mapped("amount_residual")), 48.72)
        with self.assertRaisesRegex(UserError, "booked already"):
            communication.action_book_claim()
        # The final reminder, 7 days later, asks for what came since: 7 days x 1000 x 10.27 % / 365 = 1.96959;
        # 8.71507 + 1.96959 = 10.68466, less 8.72
        later = self._remind(date(2025, 7, 27))
        self.assertEqual((later.emsp_interest, later.emsp_indemnity), (1.96, 0.0))

    def test_an_entry_that_is_taken_back_is_asked_for_again(self):
        self._bill()
        line = self._second_reminder()
        self.company.emsp_late_interest_account_id = self.company_data["default_account_revenue"]
        with freeze_time("2025-07-20 08:00:00"):
            communication = line._send_by_mail(date(2025, 7, 20))
            self._deliver()
            communication.action_book_claim()
            line.emsp_claim_move_id._reverse_moves(cancel=True)
        later = self._remind(date(2025, 7, 27))
        self.assertEqual((later.emsp_interest, later.emsp_indemnity), (10.68, 40.0))

    def test_mail_and_paper_say_how_it_was_computed(self):
        self._bill()
        line = self._second_reminder()
        with freeze_time("2025-07-20 08:00:00"):
            communication = line._send_by_mail(date(2025, 7, 20))
        doc = communication._get_reminder_document()
        amounts = [row["amount"].replace("\xa0", " ") for row in doc["interest"]]
        self.assertEqual(amounts, ["3.09 €", "5.63 €", "40.00 €"])
        self.assertIn("10 days at 11.27 % on", doc["interest"][0]["text"])
        self.assertEqual(doc["legal_basis"], "§§ 286 and 288 BGB")
        self.assertEqual(doc["total"].replace("\xa0", " "), "1,048.72 €")
        [message] = communication.message_ids.filtered(lambda message: message.attachment_ids)
        self.assertIn("Second reminder", message.subject)
        self.assertIn("1,048.72", message.body)
        self.assertEqual(message.notified_partner_ids, self.invoicing_contact)

    def test_a_half_year_without_a_rate_takes_the_last_one_and_says_so(self):
        self._bill(due=date(2027, 3, 1))
        line = self._second_reminder(date(2027, 3, 20))
        with freeze_time("2027-03-20 08:00:00"):
            communication = line._send_by_mail(date(2027, 3, 20))
        self.assertIn("reference rate of", communication._get_reminder_document()["interest"][0]["text"])

    def test_missing_rate_is_told_once_and_closes_when_it_comes(self):
        rates, at = self.env["emsp.interest.rate"], datetime(2031, 2, 1, 6, 0)
        journal = self.env["emsp.exception"]

        def told():
            return journal.search(
                [("company_id", "=", self.company.id), ("kind", "=", "rate_missing"), ("state", "=", "open")]
            )

        rates._watch(self.company, at)
        rates._watch(self.company, at)
        self.assertEqual(len(told()), 3)
        rates.create(
            {"reference": "ecb", "date_from": date(2031, 1, 1), "percent": 2.0, "source": "Test of a rate"}
        )
        rates._watch(self.company, at)
        self.assertEqual(len(told()), 2)

    def test_a_rate_begins_with_a_half_year(self):
        with self.assertRaises(ValidationError):
            self.env["emsp.interest.rate"].create(
                {"reference": "ecb", "date_from": date(2031, 2, 1), "percent": 2.0, "source": "Test"}
            )

    def test_mail_that_the_server_refused_waits_in_the_exception_journal(self):
        self._bill()
        line = self._remind(date(2025, 7, 1))
        with freeze_time("2025-07-01 08:00:00"):
            line._send_by_mail(date(2025, 7, 1))
        line.write({"state": "email_error"})
        found = self.env["emsp.exception"].search(
            [("kind", "=", "sending_failed"), ("partner_id", "=", self.partner.id), ("state", "=", "open")]
        )
        self.assertEqual(found.amount, 1000.0)
        line.write({"state": "sent"})
        self.assertEqual(found.state, "closed")


@tagged("post_install", "-at_install")
class TestPrintedInterest(VatCommon):
    def test_rate_that_is_printed_on_the_invoice_is_the_one_that_is_claimed(self):
        move = self._settle(cdr_payload(1)).move_id
        # A French seller prints 10 points above the European Central Bank's rate; the policy is German.
        self.assertEqual(move.emsp_interest_terms, {"reference": "ecb", "points": 10.0, "floor": 3.0})
        self.assertIn("plus 10.00 percentage points", " ".join(move._get_legal_mentions()))
        rates = self.env["emsp.interest.rate"]._get_rates()
        policy = move._get_reminder_policies(self.company)[move]
        terms = policy._get_interest_terms(move.emsp_interest_terms, rates)
        self.assertEqual((terms.reference, float(terms.points)), (rates["ecb"], 10.0))

    def test_law_of_the_policy_is_not_named_beside_the_rate_that_the_invoice_prints(self):
        move = self._settle(cdr_payload(1)).move_id
        communication = self.env["credit.control.communication"].new(
            {
                "policy_level_id": self.env.ref("emsp_clearing.credit_control_policy_de_second").id,
                "credit_control_line_ids": [Command.create({"invoice_id": move.id})],
            }
        )
        self.assertEqual(communication._get_legal_basis(), "At the rate that is stated on the invoices.")

import base64
from datetime import date

from freezegun import freeze_time

from odoo import Command

from odoo.addons.mail.tests.common import MockEmail

from .settlement_common import SettlementCommon

DUE = date(2025, 6, 20)


class ReminderCommon(SettlementCommon, MockEmail):
    """Invoices of a contract with a German partner, and the daily run on days of one's choice.

    Germany: 9 points above the base rate, 2.27 % until June 2025 and 1.27 % from July on.
    """

    def setUp(self):
        super().setUp()
        self.contract.journal_id = self.company_data["default_journal_sale"]

    def _bill(self, amount=1000.0, due=DUE, move_type="out_invoice"):
        """A posted document of the contract, without tax; as one that prints no rate of interest."""
        move = self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.partner.id,
                "invoice_date": date(2025, 5, 20),
                "invoice_date_due": due,
                "invoice_payment_term_id": False,
                "journal_id": self.contract.journal_id.id,
                "currency_id": self.contract.currency_id.id,
                "invoice_line_ids": [
                    Command.create({"name": "Charging", "price_unit": amount, "tax_ids": [Command.clear()]})
                ],
            }
        )
        move.action_post()
        if move_type == "out_invoice":
            move.sudo().emsp_settlement_ids = self._settlement()
            # There are no sessions to make documents of.
            move.invoice_pdf_report_file = base64.b64encode(b"%PDF-1.7")
        return move

    def _item(self, move):
        return move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")

    def _pay(self, move, amount, day):
        item = self._item(move)
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": day,
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": self.partner.id,
                            "currency_id": move.currency_id.id,
                            "amount_currency": sign * amount,
                        }
                    )
                    for account, sign in (
                        (self.company_data["default_account_assets"], 1),
                        (item.account_id, -1),
                    )
                ],
            }
        )
        entry.action_post()
        (item | entry.line_ids.filtered(lambda line: line.account_id == item.account_id)).reconcile()

    def _remind(self, day):
        """:return: the reminders that wait after the run of a day."""
        with freeze_time(f"{day} 05:00:00"):
            self.env["credit.control.run"].with_company(self.company)._remind(self.company, day)
        return self._waiting()

    def _deliver(self):
        """The mail server takes what waits for it."""
        with self.mock_mail_gateway():
            self.env["mail.mail"].process_email_queue()

    def _waiting(self):
        return self.env["credit.control.line"].search(
            [("company_id", "=", self.company.id), ("state", "in", ("draft", "to_be_sent"))]
        )

    def _level_after(self, day):
        """The level of the one reminder that a day brings; it counts as sent from then on."""
        line = self._remind(day)
        line.write({"state": "sent"})
        return line.policy_level_id.name

    def _second_reminder(self, day=date(2025, 7, 20)):
        """The first one a week before; the second one of a day, which asks for interest."""
        self._remind(day.fromordinal(day.toordinal() - 7)).write({"state": "sent"})
        return self._remind(day)

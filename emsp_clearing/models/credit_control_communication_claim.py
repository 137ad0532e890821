from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..core.money import ZERO, D, to_float


class CreditControlCommunicationClaim(models.Model):
    """Interest and recovery costs as an entry of their own, outside VAT, when a person wants it."""

    _inherit = "credit.control.communication"

    def action_book_claim(self):
        """Book what the reminder asks for beyond the invoices, and open the entry."""
        self.ensure_one()
        lines = self.credit_control_line_ids.filtered(
            lambda line: line.state == "sent" and not line.emsp_claim_move_id
        )
        amounts = {line: line._get_amounts_to_book() for line in lines}
        amounts = {line: pair for line, pair in amounts.items() if any(pair)}
        if not amounts:
            raise UserError(
                self.env._("There is no interest and no recovery cost here that is not booked already.")
            )
        move = self.env["account.move"].create(self._prepare_claim(amounts))
        move.action_post()
        for line, (interest, indemnity) in amounts.items():
            # sudo: who may book, may note on the reminder by what it was booked
            line.sudo().write(
                {
                    "emsp_claim_move_id": move.id,
                    "emsp_booked_interest": interest,
                    "emsp_booked_indemnity": indemnity,
                }
            )
        self.message_post(
            body=self.env._("Interest and recovery costs were booked by %(entry)s.", entry=move.name)
        )
        return move.get_formview_action()

    def _prepare_claim(self, amounts):
        """:param dict amounts: credit.control.line -> (interest, recovery costs)."""
        company = self.company_id
        interest_account = company.emsp_late_interest_account_id
        costs_account = company.emsp_late_indemnity_account_id or interest_account
        if not interest_account:
            raise UserError(
                self.env._(
                    "Choose the account of late interest of %(company)s first: Accounting, Configuration, "
                    "Settings, Roaming clearing.",
                    company=company.name,
                )
            )
        today = fields.Date.context_today(self)
        commands, numbers = [], {line.invoice_id.name or line.move_line_id.name for line in amounts}
        for line, (interest_amount, costs_amount) in amounts.items():
            number = line.invoice_id.name or line.move_line_id.name
            interest = self.env._(
                "Late interest on %(invoice)s to %(date)s",
                invoice=number,
                date=format_date(self.env, line.date),
            )
            costs = self.env._("Recovery costs for %(invoice)s", invoice=number)
            commands += self._prepare_claim_pair(line, interest_account, interest_amount, interest)
            commands += self._prepare_claim_pair(line, costs_account, costs_amount, costs)
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": self._get_claim_journal().id,
            "date": today,
            "partner_id": self.partner_id.commercial_partner_id.id,
            "ref": self.env._("Late payment: %(invoices)s", invoices=", ".join(sorted(numbers))),
            "line_ids": commands,
        }

    def _prepare_claim_pair(self, line, account, amount, name):
        """:return: commands of the two lines of the entry; none for nothing."""
        currency, company = line.currency_id, line.company_id
        if currency.is_zero(amount):
            return []
        balance = currency._convert(amount, company.currency_id, company, fields.Date.context_today(self))
        partner = line.partner_id.commercial_partner_id
        return [
            Command.create(
                {
                    "account_id": side.id,
                    "partner_id": partner.id,
                    "name": name,
                    "currency_id": currency.id,
                    "amount_currency": sign * amount,
                    "balance": sign * balance,
                    "tax_ids": [Command.clear()],
                }
            )
            for side, sign in ((line.account_id, 1), (account, -1))
        ]

    def _get_claim_journal(self):
        company = self.company_id
        journals = self.env["account.journal"]
        return company.emsp_late_journal_id or journals.search(
            [*journals._check_company_domain(company), ("type", "=", "general")], limit=1
        )


class CreditControlLineClaim(models.Model):
    _inherit = "credit.control.line"

    def _get_amounts_to_book(self):
        """:return: (interest, recovery costs) that are asked for and that no entry has yet."""
        asked = sum((D(row["amount"]) for row in self.emsp_interest_rows or []), ZERO)
        indemnity = 0.0 if self._is_indemnity_booked() else self.emsp_indemnity
        return (to_float(self._without_booked(asked)), indemnity)

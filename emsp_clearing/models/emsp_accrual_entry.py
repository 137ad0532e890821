from datetime import timedelta

from odoo import Command, models
from odoo.exceptions import UserError


class EmspAccrualEntry(models.Model):
    """The proposed entry of an accrual, and its reversal of the next day. Both are drafts."""

    _inherit = "emsp.accrual"

    def action_propose(self):
        """Propose the entry and its reversal, in place of those proposed before, and open them."""
        for accrual in self:
            accrual._propose()
        return self[:1].action_view_moves()

    def _propose(self):
        """:return: the entry and its reversal.
        :raise UserError: when they are posted already, an account is missing, or there is nothing to book.
        """
        self.ensure_one()
        self._check_not_posted()
        lines = self.line_ids.filtered(
            lambda line: line.is_booked and not line.company_currency_id.is_zero(line.balance)
        )
        if not lines:
            raise UserError(self.env._("%(accrual)s: there is nothing to book.", accrual=self.name))
        commands = [Command.create(vals) for line in lines for vals in self._prepare_entry_lines(line)]
        self.move_ids.unlink()
        move = self.env["account.move"].create({**self._prepare_entry(), "line_ids": commands})
        next_day = self.date + timedelta(days=1)
        reversal = move._reverse_moves(
            [
                {
                    "date": next_day,
                    "ref": self.env._("Reversal: %(accrual)s", accrual=self.name),
                    "emsp_accrual_id": self.id,
                }
            ]
        )
        return move + reversal

    def _prepare_entry(self):
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "journal_id": self._entry_journal().id,
            "date": self.date,
            "ref": self.name,
            "emsp_accrual_id": self.id,
        }

    def _prepare_entry_lines(self, line):
        """:return: vals of the two lines of a contract: what is accrued, and what it is for."""
        sign = 1 if line.partner_role == "emsp" else -1
        pair = (
            (self._accrued_account(line.partner_role), sign),
            (self._result_account(line), -sign),
        )
        return [
            {
                "account_id": account.id,
                "partner_id": line.partner_id.commercial_partner_id.id,
                "name": self.env._(
                    "%(contract)s: %(count)s sessions until %(date)s, not invoiced",
                    contract=line.contract_id.display_name,
                    count=line.cdr_count,
                    date=self.date,
                ),
                "currency_id": line.currency_id.id,
                "amount_currency": side * line.amount_accrued,
                "balance": side * line.balance,
            }
            for account, side in pair
        ]

    def _accrued_account(self, role):
        """Where the claim on an eMSP, or the debt to a CPO, stands until the invoice comes."""
        company = self.company_id
        account = company.emsp_accrued_income_account_id
        if role == "cpo":
            account = company.emsp_accrued_expense_account_id
        if not account:
            raise UserError(
                self.env._(
                    "Choose the accounts of accrued income and accrued expense of %(company)s first: "
                    "Accounting, Configuration, Settings, Roaming clearing.",
                    company=company.name,
                )
            )
        return account

    def _result_account(self, line):
        """Revenue or expense: the company's choice, else the product's, as on the invoice."""
        company = self.company_id
        chosen = company.emsp_accrual_revenue_account_id
        kind = "income"
        if line.partner_role == "cpo":
            chosen, kind = company.emsp_accrual_expense_account_id, "expense"
        if chosen:
            return chosen
        product = self.env.ref("emsp_clearing.product_energy").with_company(company)
        account = product.product_tmpl_id.get_product_accounts(line.contract_id.fiscal_position_id)[kind]
        if not account:
            raise UserError(
                self.env._(
                    "Product %(product)s has no account of that kind in %(company)s. Choose the accounts of "
                    "the accruals: Accounting, Configuration, Settings, Roaming clearing.",
                    product=product.display_name,
                    company=company.name,
                )
            )
        return account

    def _entry_journal(self):
        company = self.company_id
        journals = self.env["account.journal"]
        journal = company.emsp_accrual_journal_id or journals.search(
            [*journals._check_company_domain(company), ("type", "=", "general")], limit=1
        )
        if not journal:
            raise UserError(
                self.env._("Company %(company)s has no journal for entries.", company=company.name)
            )
        return journal

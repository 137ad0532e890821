from odoo import models
from odoo.tools import format_amount, format_date


class AccountBankStatement(models.Model):
    """Report statements that do not begin where the one before ended: one is missing between them."""

    _inherit = "account.bank.statement"

    def _update_gap_exceptions(self, as_of):
        """Open an exception for each gap that these statements show, close those that they fill.

        :param as_of: naive UTC.
        """
        exceptions = self.env["emsp.exception"]
        for company, statements in self.grouped("company_id").items():
            if not self.env["account.bank.statement.line"]._has_contracts(company):
                continue
            invalid = self.search([("journal_id", "in", statements.journal_id.ids), ("is_valid", "=", False)])
            # sudo: as in emsp.exception, a fact ends whoever ends it.
            known = exceptions.sudo().search(
                [
                    ("kind", "=", "statement_gap"),
                    ("state", "=", "open"),
                    ("statement_line_id.journal_id", "in", statements.journal_id.ids),
                ]
            )
            filled = known.filtered(lambda gap, bad=invalid: gap.statement_line_id.statement_id not in bad)
            filled._set_closed(as_of)
            first_day = min(statements.mapped("date"))
            facts = [gap._prepare_gap_fact() for gap in invalid if gap.date and gap.date >= first_day]
            exceptions._open_all(facts)

    def _prepare_gap_fact(self):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        before = self._previous_statement()
        return {
            "kind": "statement_gap",
            "fact_key": f"account.bank.statement:{self.id}",
            "name": env._(
                "%(journal)s: statement %(statement)s begins with %(start)s, but the one before "
                "(%(before)s of %(date)s) ended with %(end)s.",
                journal=self.journal_id.name,
                statement=self.name,
                start=format_amount(env, self.balance_start, self.currency_id),
                before=before.name,
                date=format_date(env, before.date),
                end=format_amount(env, before.balance_end_real, before.currency_id),
            ),
            "statement_line_id": self.line_ids[:1].id,
            "amount": abs(self.balance_start - before.balance_end_real),
            "date": self.date,
        }

    def _previous_statement(self):
        return self.search(
            [("journal_id", "=", self.journal_id.id), ("first_line_index", "<", self.first_line_index)],
            order="first_line_index desc",
            limit=1,
        )

from odoo import models


class AccountBankStatementLineAdvice(models.Model):
    """Payments that their payer has explained in a remittance advice."""

    _inherit = "account.bank.statement.line"

    def _advised_amounts(self):
        """EXTENDS the matching: what waiting advices say, where advice and payment fit each other alone.

        An advice that has found its payment keeps it, so that it is used once.
        """
        advised = super()._advised_amounts()
        # sudo: an accountant imports bank files without rights on remittance advices.
        waiting = (
            self.env["emsp.remittance.advice"]
            .sudo()
            .search([("company_id", "in", self.company_id.ids), ("state", "=", "waiting")])
        )
        advices_by_line = {}
        for advice in waiting:
            lines = self.filtered(advice._fits)
            if len(lines) == 1:
                advices_by_line.setdefault(lines, []).append(advice)
        for line, advices in advices_by_line.items():
            # The advice that a person has put to the payment goes before others that fit as well.
            chosen = [advice for advice in advices if advice.statement_line_id] or advices
            if len(chosen) == 1:
                chosen[0].statement_line_id = line
                advised[line.id] = chosen[0]._rows()
        return advised

from odoo import models


class AccountBankStatementLineNetting(models.Model):
    """The balance of a netting statement is known by the statement's number or its creditor reference."""

    _inherit = "account.bank.statement.line"

    def _open_rows(self, company):
        # EXTENDS emsp_clearing
        rows = super()._open_rows(company)
        # sudo: bank statements are imported without rights on netting statements
        lines_sudo = self.env["emsp.netting.line"].sudo()
        for move_id, references in lines_sudo._balance_references(company).items():
            if move_id in rows:
                first = rows[move_id][0]
                first["texts"] = [*first["texts"], *sorted(references)]
        return rows

from odoo import fields, models


class AccountBankStatementLineFollowers(models.Model):
    """What follows the state of a bank line, as the line knows it: see the same of account.move."""

    _inherit = "account.bank.statement.line"

    # Not called as those of the move, which a bank line inherits.
    emsp_line_exception_ids = fields.One2many(
        "emsp.exception",
        "statement_line_id",
        string="Entries of the exception journal on the bank line",
        groups=fields.NO_ACCESS,
    )
    emsp_advice_ids = fields.One2many(
        "emsp.remittance.advice",
        "statement_line_id",
        string="Remittance advices",
        groups=fields.NO_ACCESS,
    )

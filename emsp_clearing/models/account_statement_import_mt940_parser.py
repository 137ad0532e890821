from odoo import models
from odoo.exceptions import UserError

from ..core.errors import StatementError
from ..core.money import to_float
from ..core.mt940_statements import read_mt940
from .statement_messages import statement_problem


class AccountStatementImportMt940Parser(models.AbstractModel):
    """MT940 statements as `account.statement.import` wants them."""

    _name = "account.statement.import.mt940.parser"
    _description = "MT940 statement parser"

    def parse(self, content):
        """:return: list of (currency, account number, [statement]), one for each statement of the file.

        :raise UserError: with the line and the reason, when any part of the file cannot be read.
        """
        try:
            statements = read_mt940(content)
        except StatementError as error:
            problem = statement_problem(self.env, error)
            raise UserError(self.env._("%s Nothing was imported.", problem)) from error
        return [
            (statement.currency, statement.account, [self._prepare_statement(statement)])
            for statement in statements
        ]

    def _prepare_statement(self, statement):
        return {
            "name": statement.number,
            "date": statement.day,
            "balance_start": to_float(statement.opening),
            "balance_end_real": to_float(statement.closing),
            "transactions": [self._prepare_transaction(entry) for entry in statement.entries],
        }

    def _prepare_transaction(self, entry):
        text = entry.text
        vals = {
            "date": entry.day,
            "amount": to_float(entry.amount),
            "payment_ref": text.label or entry.reference or "/",
            "ref": entry.reference or text.end_to_end_id,
            "partner_name": text.payer,
            "account_number": text.account,
            "narration": entry.note,
            "emsp_end_to_end_id": text.end_to_end_id,
            "emsp_creditor_reference": text.creditor_reference,
            "emsp_bank_code": entry.bank_code.strip(),
            "emsp_return_reason": text.return_reason,
            "unique_import_id": entry.key,
        }
        return {name: value for name, value in vals.items() if value or name == "amount"}

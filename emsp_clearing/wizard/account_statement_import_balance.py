from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare


class AccountStatementImportBalance(models.TransientModel):
    """A statement must add up, and begin where the one before ended."""

    _inherit = "account.statement.import"

    accept_balance_gap = fields.Boolean(
        string="Import although the balances do not add up",
        help="Without this mark a statement is refused when its opening balance plus its entries is not its "
        "closing balance: entries may be missing. Some banks deliver such files.",
    )

    def _import_file(self):
        result = super()._import_file()
        statements = self.env["account.bank.statement"].browse(result["statement_ids"])
        statements._update_gap_exceptions(fields.Datetime.now())
        result["notifications"] += [
            self.env._("Statement %(statement)s: %(problem)s", statement=statement.name, problem=problem)
            for statement in statements.filtered(lambda statement: not statement.is_valid)
            if (problem := statement.problem_description)
        ]
        return result

    def import_single_statement(self, single_statement_data, result):
        """EXTENDS account_statement_import_file.

        :raise UserError: when a statement does not add up, unless the user accepts that.
        """
        for vals in single_statement_data[2]:
            problem = self._balance_problem(single_statement_data[1], vals)
            if problem and not self.accept_balance_gap:
                raise UserError(
                    self.env._(
                        "%s Nothing was imported: entries may be missing. Download the file again; if "
                        "the bank delivers it so, mark that you accept it.",
                        problem,
                    )
                )
            if problem:
                result["notifications"].append(problem)
            # The importer numbers the lines of each statement afresh, and Odoo sorts those of a day by their
            # numbers: of two statements of one day the shorter one would always be the later one.
            for transaction in vals["transactions"]:
                transaction["sequence"] = 1
        return super().import_single_statement(single_statement_data, result)

    def _balance_problem(self, account_number, vals):
        """:return: sentence, or None where the statement adds up or does not tell its balances."""
        if "balance_start" not in vals or "balance_end_real" not in vals:
            return None
        # float() and str: the importer of sheets gives amounts as text.
        entries = sum(float(transaction["amount"]) for transaction in vals["transactions"])
        counted = vals["balance_start"] + entries
        if float_compare(counted, vals["balance_end_real"], precision_digits=3) == 0:
            return None
        return self.env._(
            "Statement %(statement)s of account %(account)s does not add up: opening balance %(opening).2f "
            "and entries %(entries).2f are %(counted).2f, but the bank gives %(closing).2f.",
            statement=vals.get("name") or "",
            account=account_number or "",
            opening=vals["balance_start"],
            entries=entries,
            counted=counted,
            closing=vals["balance_end_real"],
        )

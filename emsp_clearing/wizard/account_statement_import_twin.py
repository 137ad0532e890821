from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError

from ..models.account_statement_import_camt_parser import BY_REFERENCE


class AccountStatementImportTwin(models.TransientModel):
    """A month's statement after those of its days, without references of the bank: booked once."""

    _inherit = "account.statement.import"

    def import_single_file(self, file_data, result):
        """EXTENDS account_statement_import_file.

        :raise UserError: when other statements have brought every entry of the file.
        """
        returned = super().import_single_file(file_data, result)
        if result.get("emsp_twins") and not result["statement_ids"]:
            raise UserError("\n\n".join(result["notifications"]))
        return returned

    def _create_bank_statements(self, stmts_vals, result):
        """EXTENDS account_statement_import_file: leave out what another statement has brought."""
        count = self._drop_twins(stmts_vals)
        if count:
            result["emsp_twins"] = result.get("emsp_twins", 0) + count
            result["notifications"].append(self._twins_sentence(count))
        return super()._create_bank_statements(stmts_vals, result)

    def _twins_sentence(self, count):
        if count == 1:
            return self.env._(
                "1 entry was not booked: another statement of the same days has brought it already."
            )
        return self.env._(
            "%s entries were not booked: other statements of the same days have brought them already.", count
        )

    def _drop_twins(self, stmts_vals):
        """Each line that is booked covers one entry of the file: the second of two equal ones is new, if only
        one is booked. Entries of one file never cover each other.

        :return: how many entries were taken out of their statements.
        """
        covering = self._lines_by_booking_key(stmts_vals)
        known = self._known_import_ids(stmts_vals)
        count = 0
        for vals in stmts_vals:
            neighbours = self._neighbours(vals)
            for transaction in list(vals["transactions"]):
                twin = transaction.get("unique_import_id") not in known and self._find_twin(
                    covering, transaction, neighbours
                )
                if twin:
                    covering[self._bare_key(transaction)].remove(twin)
                    vals["transactions"].remove(transaction)
                    count += 1
                    if "balance_start" in vals:
                        # As the importer does for entries that it knows by their ids.
                        vals["balance_start"] += float(transaction["amount"])
        return count

    def _bare_key(self, transaction):
        return (transaction.get("emsp_booking_key") or "").removesuffix(BY_REFERENCE)

    def _lines_by_booking_key(self, stmts_vals):
        """:return: dict key -> list of the lines in the books that may cover an entry of the file."""
        transactions = [each for vals in stmts_vals for each in vals["transactions"]]
        keys = {self._bare_key(each) for each in transactions} - {""}
        if not keys:
            return {}
        lines = self.env["account.bank.statement.line"].search(
            [
                ("journal_id", "in", [vals["journal_id"] for vals in stmts_vals]),
                ("emsp_booking_key", "in", [*keys, *(key + BY_REFERENCE for key in keys)]),
                # These are entries of this file by their ids.
                ("unique_import_id", "not in", [each.get("unique_import_id") for each in transactions]),
            ],
            order="id",
        )
        found = defaultdict(list)
        for line in lines:
            found[line.emsp_booking_key.removesuffix(BY_REFERENCE)].append(line)
        return found

    def _known_import_ids(self, stmts_vals):
        ids = [
            transaction.get("unique_import_id")
            for vals in stmts_vals
            for transaction in vals["transactions"]
            if self._bare_key(transaction)
        ]
        lines = self.env["account.bank.statement.line"].search([("unique_import_id", "in", ids)])
        return set(lines.mapped("unique_import_id"))

    def _find_twin(self, covering, transaction, neighbours):
        """:return: bank line, or None."""
        has_reference = (transaction.get("emsp_booking_key") or "").endswith(BY_REFERENCE)
        for line in covering.get(self._bare_key(transaction), ()):
            # Two references of the bank that differ are two bookings.
            is_other = has_reference and line.emsp_booking_key.endswith(BY_REFERENCE)
            if not is_other and line.statement_id not in neighbours:
                return line
        return None

    def _neighbours(self, vals):
        """Statements of the first and last day that this one does not overlap: it begins where one of them
        ended, or ends where one begins. Their entries are others, however equal they are.

        :return: statements.
        """
        statements = self.env["account.bank.statement"]
        days = sorted(fields.Date.to_date(transaction["date"]) for transaction in vals["transactions"])
        if not days:
            return statements
        booked = statements.search(
            [("journal_id", "=", vals["journal_id"]), ("date", "in", (days[0], days[-1]))]
        )
        found = statements
        for statement in booked.filtered(lambda one: one.balance_start != one.balance_end_real):
            index = statement.first_line_index
            day = fields.Date.to_date(f"{index[:4]}-{index[4:6]}-{index[6:8]}")
            if statement.date == days[0] and statement.balance_end_real == vals.get("balance_start"):
                found += booked.filtered(lambda one, last=index: one.first_line_index <= last)
            if day == days[-1] and statement.balance_start == vals.get("balance_end_real"):
                found += booked.filtered(lambda one, first=index: one.first_line_index >= first)
        return found

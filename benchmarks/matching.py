"""Bank lines imported and matched, all of them, against account_reconcile_oca alone; then many more lines
against as many open invoices, per line.

The baseline is the module's own code on the same database: the same labels, each the number of one invoice,
which it matches as well. What it needs for a line grows with their number, so it runs once. An import is a
transaction of its own.
"""

import sys
from datetime import date
from itertools import count
from unittest.mock import patch

from _bench import environment, figure, make_network, seconds

BASE, MANY, MOST = 300, 3_000, 10_000
ROUNDS = 3
PARTNERS = 50
DAY = date(2026, 11, 16)
# What this product replaces in the module.
REPLACED = ("_auto_reconcile", "_do_auto_reconcile_invoices", "_retrieve_partner")
numbers = count(1)


def main():
    with environment() as env:
        bank = Bank(env)
        bank.run(BASE)
        # Before and after the long baseline: the machine may have been busy at one of the times.
        times = [bank.run(BASE) for __ in range(ROUNDS)]
        theirs = bank.run(BASE, by_itself)
        times += [bank.run(BASE) for __ in range(ROUNDS - 1)]
        ours = sorted(times)[len(times) // 2]
        figure("match_300_lines_by_reconcile_oca", ours, "s", theirs, bar=1 / 6)
        few = bank.queries
        for number in (MANY, MOST):
            each = bank.run(number)
            figure(f"match_line_of_{number}_by_line_of_{BASE}", each / number, "s", ours / BASE, bar=1.5)
        figure(f"queries_for_candidates_of_{MOST}", bank.queries, "queries", few, bar=1)


class Bank:
    """A company with a bank account, and open invoices as many as are wanted."""

    queries = 0

    def __init__(self, env):
        self.env = env
        make_network(env)
        self.journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        self.partners = env["res.partner"].create([{"name": f"Payer {place}"} for place in range(PARTNERS)])
        self.template = self._invoice()
        env.flush_all()

    def _invoice(self):
        from odoo import Command

        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partners[0].id,
                "invoice_date": DAY,
                "invoice_line_ids": [Command.create({"name": "Energy", "price_unit": 10.0, "tax_ids": []})],
            }
        )
        move.action_post()
        return move

    def run(self, number, create=None):
        """:return: seconds that it takes to import and match so many lines."""
        names = self._open_invoices(number)
        vals_list = [
            {"journal_id": self.journal.id, "date": DAY, "payment_ref": name, "amount": 10.0}
            for name in names
        ]
        self.env.invalidate_all()
        made = []

        def work():
            lines = self.env["account.bank.statement.line"]
            made.append((create or type(lines).create)(lines, vals_list))
            self.env.flush_all()
            self.env.cr.commit()

        duration = seconds(work)
        [lines] = made
        if not all(lines.mapped("is_reconciled")):
            raise RuntimeError(f"expected {number} matched lines")
        print(f"{number} lines: {duration / number * 1000:.1f} ms/line", file=sys.stderr)
        self._count_queries(lines)
        return duration

    def _count_queries(self, lines):
        """For what the lines may be payments of, and who pays."""
        names = self._open_invoices(len(lines))
        before = self.env.cr.sql_log_count
        found = lines._open_documents()
        lines._payments()
        self.queries = self.env.cr.sql_log_count - before
        if len(found) < len(names):
            raise RuntimeError(f"expected {len(names)} candidates, got {len(found)}")
        self._take_out(names)

    def _open_invoices(self, number):
        """Copies of the invoice, by the database itself. :return: their numbers."""
        from odoo.tools import SQL

        places = [next(numbers) for __ in range(number)]
        own = {
            "name": SQL("'CLR/2026/' || lpad(number::text, 6, '0')"),
            "payment_reference": SQL("'CLR/2026/' || lpad(number::text, 6, '0')"),
            "sequence_prefix": SQL("'CLR/2026/'"),
            "sequence_number": SQL("number"),
            "partner_id": SQL("%s + mod(number, %s)", self.partners[0].id, PARTNERS),
            "commercial_partner_id": SQL("%s + mod(number, %s)", self.partners[0].id, PARTNERS),
            "access_token": SQL("NULL"),
        }
        rows = self._copy(
            self.template,
            own,
            SQL("generate_series(%s, %s) number", places[0], places[-1]),
            SQL("id, sequence_number"),
        )
        values = SQL(", ").join(SQL("(%s, %s)", *row) for row in rows)
        for item in self.template.line_ids:
            own = {
                "move_id": SQL("document.id"),
                "move_name": SQL("'CLR/2026/' || lpad(document.number::text, 6, '0')"),
                "partner_id": SQL("%s + mod(document.number, %s)", self.partners[0].id, PARTNERS),
            }
            self._copy(item, own, SQL("(VALUES %s) document(id, number)", values), SQL("id"))
        self.env.cr.execute("ANALYZE account_move, account_move_line")
        self.env.cr.commit()
        self.env.invalidate_all()
        return [f"CLR/2026/{place:06}" for place in places]

    def _copy(self, record, own, source, returned):
        from odoo.tools import SQL

        names = [
            name
            for name, field in record._fields.items()
            if field.store and field.column_type and name != "id"
        ]
        columns = [SQL.identifier(name) for name in names]
        values = [
            own.get(name, SQL("original.%s", column)) for name, column in zip(names, columns, strict=True)
        ]
        return self.env.execute_query(
            SQL(
                "INSERT INTO %s (%s) SELECT %s FROM %s original, %s WHERE original.id = %s RETURNING %s",
                SQL.identifier(record._table),
                SQL(", ").join(columns),
                SQL(", ").join(values),
                SQL.identifier(record._table),
                source,
                record.id,
                returned,
            )
        )

    def _take_out(self, names):
        from odoo.tools import SQL

        moves = SQL("SELECT id FROM account_move WHERE name IN %s", tuple(names))
        self.env.cr.execute(SQL("DELETE FROM account_move_line WHERE move_id IN (%s)", moves))
        self.env.cr.execute(SQL("DELETE FROM account_move WHERE name IN %s", tuple(names)))
        self.env.cr.commit()
        self.env.invalidate_all()


def by_itself(lines, vals_list):
    """Create the lines as account_reconcile_oca does where this product is not installed."""
    [module] = [
        each
        for each in type(lines).__mro__
        if "addons.account_reconcile_oca.models.account_bank_statement_line" in each.__module__
    ]
    registry_class = type(lines)
    stack = [patch.object(registry_class, name, getattr(module, name)) for name in REPLACED]
    for each in stack:
        each.start()
    try:
        return module.create(lines, vals_list)
    finally:
        for each in stack:
            each.stop()


if __name__ == "__main__":
    main()

from datetime import date

from psycopg2.errors import UniqueViolation

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .concurrency_common import ConcurrencyCommon

DAY = date(2026, 11, 10)


@tagged("post_install", "-at_install")
class TestTwoExportsAtOnce(ConcurrencyCommon):
    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            expense = env["account.account"].search([("account_type", "=", "expense")], limit=1)
            self.company_id = expense.company_ids[:1].id
            env = env["res.company"].with_company(self.company_id).env
            layout = env["emsp.ledger.layout"].create(
                {"name": "Two at once", "column_ids": [Command.create({"source": "entry"})]}
            )
            journal = env["account.journal"].create(
                {"name": "Two at once", "code": "TWO9", "type": "general", "company_id": self.company_id}
            )
            lines = [
                Command.create({"name": "x", "account_id": expense.id, side: 7.0})
                for side in ("debit", "credit")
            ]
            move = env["account.move"].create({"journal_id": journal.id, "date": DAY, "line_ids": lines})
            move.action_post()
            self.layout_id, self.journal_id, self.move_id = layout.id, journal.id, move.id
            self.export_ids = [self._create_run(env).id for __ in range(2)]
            self.addCleanup(self._take_out)
            self._commit(cr)

    def _create_run(self, env, **vals):
        return env["emsp.ledger.export"].create(
            {
                "company_id": self.company_id,
                "layout_id": self.layout_id,
                "date_first": DAY,
                "date_last": DAY,
                "journal_ids": [Command.set([self.journal_id])],
                **vals,
            }
        )

    def _take_out(self):
        with self._connect() as cr:
            cr.execute(SQL("DELETE FROM emsp_ledger_export WHERE layout_id = %s", self.layout_id))
            cr.execute(SQL("DELETE FROM emsp_ledger_layout WHERE id = %s", self.layout_id))
            for model, record_id in (
                *(("emsp.ledger.export", run) for run in self.export_ids),
                ("account.move", self.move_id),
                ("account.journal", self.journal_id),
            ):
                for table, column in (
                    ("mail_message", "model"),
                    ("mail_followers", "res_model"),
                    ("ir_attachment", "res_model"),
                ):
                    query = SQL(
                        "DELETE FROM %s WHERE %s = %s AND res_id = %s",
                        SQL.identifier(table),
                        SQL.identifier(column),
                        model,
                        record_id,
                    )
                    cr.execute(query)
            cr.execute(SQL("DELETE FROM account_move WHERE id = %s", self.move_id))
            cr.execute(SQL("DELETE FROM account_journal WHERE id = %s", self.journal_id))
            self._commit(cr)

    def _run(self, cr, place, **vals):
        env = api.Environment(cr, SUPERUSER_ID, {})["res.company"].with_company(self.company_id).env
        export = env["emsp.ledger.export"].browse(self.export_ids[place])
        if vals:
            export.write(vals)
        export.action_export()
        env.flush_all()
        return export

    def _entries(self):
        with self._connect() as cr:
            cr.execute(
                SQL(
                    "SELECT export_id, is_again FROM emsp_ledger_export_entry WHERE layout_id = %s",
                    self.layout_id,
                )
            )
            return cr.fetchall()

    def test_second_of_two_waits_for_nobody_and_takes_nothing(self):
        with self._connect() as first, self._connect() as second:
            self._run(first, 0)
            with self.assertRaisesRegex(UserError, "Another export to Two at once is running"):
                self._run(second, 1)
            second.rollback()
            self._commit(first)
            with self.assertRaisesRegex(UserError, "all went to Two at once before"):
                self._run(second, 1)
            second.rollback()
        self.assertEqual(self._entries(), [(self.export_ids[0], False)])

    def _check_late_run(self, **vals):
        with self._connect() as late, self._connect() as first:
            # Its view of the database is from now on.
            late.execute("SELECT 1")
            self._run(first, 0)
            self._commit(first)
            with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
                self._run(late, 1, **vals)
            late.rollback()
        self.assertEqual(self._entries(), [(self.export_ids[0], False)])

    def test_run_that_does_not_see_the_one_just_committed_takes_nothing(self):
        self._check_late_run()

    def test_run_with_again_that_does_not_see_the_one_just_committed_takes_nothing(self):
        self._check_late_run(is_again=True)

from contextlib import closing
from datetime import date
from threading import Thread

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, Command, api
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

DAY = date(2026, 11, 10)


@tagged("post_install", "-at_install")
class TestNumbersOfTwoTransactions(TransactionCase):
    """On connections of their own: what is committed here is taken out of the database again."""

    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            ordinary = env["account.journal"].search(
                [("type", "=", "sale"), ("default_account_id", "!=", False)], limit=1
            )
            company = ordinary.company_id
            self.company_id = company.id
            self.journal_id = (
                env["account.journal"]
                .create(
                    {
                        "name": "Two at once",
                        "code": "TWO1",
                        "type": "sale",
                        "company_id": company.id,
                        "default_account_id": ordinary.default_account_id.id,
                        "restrict_mode_hash_table": True,
                    }
                )
                .id
            )
            # One each: invoices of the same partner already conflict in its rank as a customer.
            self.partner_ids = env["res.partner"].create([{"name": "Two at once"}] * 3).ids
            self.addCleanup(self._take_out)
            self.move_ids = [self._draft(env, partner).id for partner in self.partner_ids]
            # Here and below: other connections see what is committed alone; _take_out takes it back.
            cr.commit()  # pylint: disable=invalid-commit

    def _connect(self):
        return closing(db_connect(self.env.cr.dbname).cursor())

    def _draft(self, env, partner_id):
        return (
            env["account.move"]
            .with_company(self.company_id)
            .create(
                {
                    "move_type": "out_invoice",
                    "journal_id": self.journal_id,
                    "partner_id": partner_id,
                    "invoice_date": DAY,
                    "invoice_line_ids": [
                        Command.create({"name": "Charging", "price_unit": 10.0, "tax_ids": []})
                    ],
                }
            )
        )

    def _take_out(self):
        with self._connect() as cr:
            moves = SQL("SELECT id FROM account_move WHERE journal_id = %s", self.journal_id)
            cr.execute(SQL("DELETE FROM mail_message WHERE model = 'account.move' AND res_id IN (%s)", moves))
            cr.execute(SQL("DELETE FROM account_move_line WHERE journal_id = %s", self.journal_id))
            cr.execute(SQL("DELETE FROM account_move WHERE journal_id = %s", self.journal_id))
            cr.execute(SQL("DELETE FROM account_journal WHERE id = %s", self.journal_id))
            cr.execute("DELETE FROM mail_alias WHERE alias_name LIKE 'two-at-once%'")
            cr.execute(SQL("DELETE FROM res_partner WHERE id IN %s", tuple(self.partner_ids)))
            cr.commit()  # pylint: disable=invalid-commit

    def _post(self, cr, move_id):
        move = api.Environment(cr, SUPERUSER_ID, {})["account.move"].browse(move_id)
        move._post(soft=False)
        return move.name

    def _post_replayed(self, move_id, names, conflicts):
        """Post and commit, replayed on a conflict as Odoo and the job queue do it."""
        for __ in range(3):
            with self._connect() as cr:
                # Its view of the database is from now on.
                cr.execute("SELECT 1")
                try:
                    names.append(self._post(cr, move_id))
                    cr.commit()  # pylint: disable=invalid-commit
                    return
                except SerializationFailure as conflict:
                    conflicts.append(conflict)
                    cr.rollback()

    def _wait_until_blocked(self):
        with self._connect() as cr:
            for __ in range(200):
                cr.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock' AND pg_sleep(0.05) IS NOT NULL"
                )
                if cr.rowcount:
                    return
                cr.execute("SELECT pg_sleep(0.05)")
                cr.rollback()
        self.fail("The second transaction does not wait for the first.")

    def _integrity(self):
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # Not committed.
            env.user.group_ids += env.ref("account.group_account_user")
            company = env["res.company"].browse(self.company_id)
            results = company._check_hash_integrity()["results"]
            return [result for result in results if "Two at once" in result["journal_name"]]

    @mute_logger("odoo.sql_db")
    def test_two_invoices_posted_at_once_follow_each_other_without_a_gap(self):
        first, second, third = self.move_ids
        names, conflicts = [], []
        with self._connect() as cr:
            names.append(self._post(cr, first))
            other = Thread(target=self._post_replayed, args=(second, names, conflicts))
            other.start()
            self._wait_until_blocked()
            cr.commit()  # pylint: disable=invalid-commit
            other.join(timeout=60)
        self._post_replayed(third, names, conflicts)
        self.assertEqual(names, ["TWO1/2026/00001", "TWO1/2026/00002", "TWO1/2026/00003"])
        [result] = self._integrity()
        self.assertEqual(result["status"], "verified")
        self.assertEqual(len(conflicts), 1)
        self.assertEqual((result["first_move_name"], result["last_move_name"]), (names[0], names[2]))

    @mute_logger("odoo.sql_db")
    def test_number_of_a_transaction_that_was_rolled_back_is_given_again(self):
        first, second, __ = self.move_ids
        with self._connect() as cr:
            self.assertEqual(self._post(cr, first), "TWO1/2026/00001")
            cr.rollback()
        names = []
        self._post_replayed(second, names, [])
        self.assertEqual(names, ["TWO1/2026/00001"])

from contextlib import closing

from psycopg2.errors import SerializationFailure

from odoo.sql_db import db_connect
from odoo.tests import TransactionCase


class ConcurrencyCommon(TransactionCase):
    """On connections of their own: what is committed here is taken out of the database again."""

    def _connect(self):
        return closing(db_connect(self.env.cr.dbname).cursor())

    def _commit(self, cr):
        # Other connections see what is committed alone; each test takes it back.
        cr.commit()  # pylint: disable=invalid-commit

    def _replayed(self, act, results, conflicts):
        """Act and commit, replayed on a conflict as Odoo and the job queue do it.

        :param act: takes the cursor; what it returns goes into `results`.
        """
        for __ in range(3):
            with self._connect() as cr:
                # Its view of the database is from now on.
                cr.execute("SELECT 1")
                try:
                    results.append(act(cr))
                    self._commit(cr)
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

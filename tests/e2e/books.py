"""The database as an auditor sees it, and commands that work on it, to be stopped half-way."""

import subprocess
from contextlib import contextmanager

import psycopg2
from psycopg2 import sql
from support.server import ODOO_BIN, PYTHON, finish_command, start_command
from support.waiting import wait_until


class Books:
    def __init__(self, database: str):
        self.database = database

    def run(self, *arguments):
        return finish_command(self.start(*arguments))

    def start(self, *arguments):
        return start_command(self.database, "emsp", *arguments)

    def query(self, statement, params=()):
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall()

    @contextmanager
    def connection(self):
        connection = psycopg2.connect(dbname=self.database, user="odoo")
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def held(self, table):
        """Nobody can write to `table` within the block."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(table)))
            yield

    def wait_until_blocked(self, table, processes=1):
        """Until that many transactions wait for `table`."""
        waiting = (
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE NOT granted AND relname = %s"
        )
        wait_until(
            lambda: self.query(waiting, [table])[0][0] >= processes, f"a transaction that waits for {table}"
        )


def start_shell(database, code, **options):
    """Odoo's shell with `code`; what it prints can be read. `options` are those of Popen."""
    process = subprocess.Popen(
        [PYTHON, ODOO_BIN, "shell", "-d", database, "--no-http"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **{"stderr": subprocess.STDOUT, **options},
    )
    process.stdin.write(code)
    process.stdin.close()
    process.stdin = None
    return process

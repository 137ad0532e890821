"""Rows of a query that are too many for the memory."""

from itertools import count

from odoo.tools import SQL

BATCH = 2000
_numbers = count()


def stream(env, query, batch=BATCH):
    """Run a query and read its rows batch by batch; what the ORM has not written yet is for the caller.

    A generator that is not read to its end leaves a cursor behind, which ends with the transaction or
    its savepoint.

    :param SQL query: a SELECT. :return: iterator of tuples.
    """
    name = SQL.identifier(f"emsp_stream_{next(_numbers)}")
    # All rows will be read; by default the planner reckons with the first tenth of them.
    env.cr.execute("SET LOCAL cursor_tuple_fraction = 1")
    env.cr.execute(SQL("DECLARE %s NO SCROLL CURSOR FOR %s", name, query))
    rows = True
    while rows:
        rows = env.execute_query(SQL("FETCH %s FROM %s", batch, name))
        yield from rows
    env.cr.execute(SQL("CLOSE %s", name))

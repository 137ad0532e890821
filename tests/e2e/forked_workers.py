"""Runs within Odoo's shell: workers as children of one process that has loaded Odoo, as its server forks
them.

So a worker that was killed is replaced at once; loading Odoo again for each takes seconds.
"""

import json
import os
import resource
import signal
import sys
import traceback
from argparse import Namespace
from datetime import datetime, timedelta
from threading import Event

import psycopg2

from odoo import SUPERUSER_ID, fields, sql_db
from odoo.api import Environment
from odoo.modules.registry import Registry

from odoo.addons.emsp_clearing.cli.emsp import Emsp


def serve(database, orders):
    """Start a worker for each line of the named pipe `orders` and print its process id.

    A line is JSON: [name of a worker below, its arguments].
    """
    # Nobody waits for the children: the system clears up.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with open(orders, encoding="utf-8") as lines:
        for line in lines:
            name, arguments = json.loads(line)
            # A connection has one owner.
            sql_db.close_all()
            pid = os.fork() or become(WORKERS[name], database, arguments)
            print(pid, flush=True)


def become(worker, database, arguments):
    """Be the worker, and nothing else."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # The standard output is for process ids.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    status = 1
    try:
        status = worker(database, **arguments) or 0
    except BaseException:  # noqa: BLE001  the log of the shell has it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def run_steps(database, as_of, file_bytes=None):
    """`emsp run`. `file_bytes`: no file can become larger, as on a disk without space."""
    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    return Emsp()._run_due(Namespace(database=database, as_of=datetime.fromisoformat(as_of)))


def send_mails(database):
    """The mail queue, again and again; asked to end, it first ends its round."""
    asked = Event()
    signal.signal(signal.SIGTERM, lambda *__: asked.set())
    while not asked.wait(0.1):
        try:
            with Registry(database).cursor() as cr:
                Environment(cr, SUPERUSER_ID, {})["mail.mail"].process_email_queue()
        except psycopg2.Error:
            # As after any other action that meets another transaction: it is run again.
            traceback.print_exc()


def follow_mails(database, hours):
    """What the action for failed deliveries does so many hours from now."""
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        env["emsp.settlement.delivery"]._cron_send(fields.Datetime.now() + timedelta(hours=hours))


def press(database, login, button, invoices):
    """The user of that login presses a button on the deliveries of these invoices."""
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        user = env["res.users"].search([("login", "=", login)])
        deliveries = env["emsp.settlement.delivery"].search([("move_id.name", "in", invoices)])
        getattr(deliveries.with_user(user), button)()


WORKERS = {worker.__name__: worker for worker in (run_steps, send_mails, follow_mails, press)}

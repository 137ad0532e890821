import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from odoo import SUPERUSER_ID
from odoo.api import Environment
from odoo.cli.command import Command
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config

CLEARING_JOBS = [("channel", "=like", "root.emsp%")]
UNFINISHED = [("state", "not in", ["done", "failed", "cancelled"])]
POLL_S = 0.3


class Emsp(Command):
    """Roaming clearing: import CDRs, run the steps that are due"""

    name = "emsp"
    epilog = """
        The exit code of import is 1 when a record was refused, of run when a job failed; 2 when the
        command could not start; else 0.
    """

    def run(self, cmdargs):
        args = self._parse(cmdargs)
        options = ["--no-http", "-d", args.database, *(["-c", args.config] if args.config else [])]
        config.parse_config(options, setup_logging=True)
        sys.exit(args.action(args))

    def _parse(self, cmdargs):
        actions = self.parser.add_subparsers(required=True, metavar="import|run")
        take = actions.add_parser("import", help="take CDRs from files: JSON array, JSON lines, gzip")
        take.set_defaults(action=self._import)
        take.add_argument("files", nargs="+", metavar="FILE", help="- reads the standard input")
        take.add_argument(
            "--connection", required=True, help="whose CDRs they are: its party, as FR*ABC, or its name"
        )
        take.add_argument(
            "--received-at",
            type=instant,
            default=None,
            help="as 2026-12-10T00:00:00Z: when a former system had taken them and shown them to the "
            "partner; by default they are new",
        )
        due = actions.add_parser("run", help="run the settlement steps that are due, and wait for them")
        due.set_defaults(action=self._run_due)
        due.add_argument(
            "--as-of", type=instant, default=None, help="as 2026-12-10T00:00:00Z; now by default"
        )
        for parser in (take, due):
            parser.add_argument("-c", "--config", help="Odoo's configuration file")
            parser.add_argument("-d", "--database", required=True)
        return self.parser.parse_args(cmdargs)

    def _import(self, args):
        refused = 0
        for name in args.files:
            content = sys.stdin.buffer.read() if name == "-" else read_file(name)
            with Registry(args.database).cursor() as cr:
                env = Environment(cr, SUPERUSER_ID, {})
                connection = find_connection(env, args.connection)._as_endpoint()
                importer = connection.env["emsp.cdr.import"]
                take = partial(
                    importer._import_file,
                    connection,
                    content,
                    Path(name).name,
                    args.received_at or now(),
                    available_at=args.received_at,
                )
                refused += say_report(name, self._perform(take, env))
        return 1 if refused else 0

    def _perform(self, take, env):
        try:
            # A CDR that is pushed at the same moment makes the import start anew.
            return retrying(take, env)
        except UserError as error:
            fail(str(error))

    def _run_due(self, args):
        registry = Registry(args.database)
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            before = env["queue.job"].search([], order="id desc", limit=1).id
            unfinished = env["queue.job"].search([*CLEARING_JOBS, *UNFINISHED]).ids
            retrying(partial(env["emsp.settlement"]._cron_run_due, args.as_of or now()), env)
        finish_jobs(registry)
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            ours = [*CLEARING_JOBS, "|", ("id", ">", before), ("id", "in", unfinished)]
            groups = env["queue.job"]._read_group(ours, ["state"], ["__count"])
        counts = dict(groups)
        done, failed = counts.pop("done", 0), counts.pop("failed", 0)
        say(f"{done} jobs done, {failed} failed, {sum(counts.values())} put off")
        return 1 if failed else 0


def finish_jobs(registry):
    """Until no job of the clearing is left to do: by the job runner where one works on this database,
    else in this process."""
    # Odoo's add-ons can be imported once the registry is loaded.
    from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

    with registry.cursor() as cr:
        while True:
            # Whoever holds this lock is the one runner; it is ours until the transaction ends.
            cr.execute("SELECT pg_try_advisory_xact_lock(%s)", [PG_ADVISORY_LOCK_ID])
            if cr.fetchone()[0]:
                perform_jobs(registry)
                return
            env = Environment(cr, SUPERUSER_ID, {})
            if not env["queue.job"].search_count([*CLEARING_JOBS, *UNFINISHED, *due_now()], limit=1):
                return
            cr.rollback()
            time.sleep(POLL_S)


def perform_jobs(registry):
    """Perform the waiting jobs one after the other, each in a transaction of its own, until none is left."""
    from odoo.addons.queue_job.controllers.main import RunJobController
    from odoo.addons.queue_job.job import Job

    tried = []
    while True:
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            # Enqueued and no runner at work: the one that took it has died.
            waiting = [("state", "in", ["pending", "enqueued"]), ("id", "not in", tried), *due_now()]
            record = env["queue.job"].search([*CLEARING_JOBS, *waiting], order="priority, id", limit=1)
            if not record:
                return
            tried.append(record.id)
            uuid = record.uuid
            job = Job.load(env, uuid)
            job.set_enqueued()
            job.store()
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            job = RunJobController._acquire_job(env, uuid)
            if not job:
                continue
            # The failure is stored with its traceback; it is raised again for a server that is not here.
            with suppress(Exception):
                RunJobController._runjob(env, job)


def due_now():
    return ["|", ("eta", "=", False), ("eta", "<=", now())]


def find_connection(env, reference):
    """:param str reference: party as FR*ABC, or name; without case.
    :return: the one emsp.ocpi.connection it names; the command ends when there is none, or more."""
    country_code, __, party_id = reference.upper().partition("*")
    connections = env["emsp.ocpi.connection"].search(
        [
            "|",
            ("name", "=ilike", reference),
            "&",
            ("country_code", "=", country_code),
            ("ocpi_party_id", "=", party_id),
        ]
    )
    if len(connections) != 1:
        names = ", ".join(f"{c.name} ({c._party()})" for c in connections) or "none"
        fail(f"--connection {reference}: expected one connection, found {names}.")
    return connections


def read_file(name):
    try:
        return Path(name).read_bytes()
    except OSError as error:
        fail(f"{name}: {error.strerror}.")


def say_report(name, report):
    """:return: how many records were refused."""
    say(f"{name}: {report.created} new, {report.existing} already known, {len(report.rejected)} refused")
    for message in report.rejected:
        cdr = f" ({message.object_ocpi_id})" if message.object_ocpi_id else ""
        say(f"  {message.place}{cdr}: {message.message}")
    return len(report.rejected)


def instant(text):
    """An ISO 8601 instant with its zone, as Odoo stores it: naive UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def now():
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def fail(text):
    sys.stderr.write(f"{text}\n")
    sys.exit(2)


def say(text):
    sys.stdout.write(f"{text}\n")

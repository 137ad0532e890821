"""Paired timing: what is measured and its baseline take turns, so that a noisy machine meets both."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "script"))

DATABASE = os.environ.get("BENCH_DATABASE", "")


def figure(name: str, value: float, unit: str, baseline: float, bar: float) -> None:
    """Print one figure. Its ratio to the baseline must not be above the bar."""
    ratio = value / baseline
    line = {
        "name": name,
        "value": round(value, 6),
        "unit": unit,
        "baseline": round(baseline, 6),
        "ratio": round(ratio, 3),
        "bar": bar,
        "ok": ratio <= bar,
    }
    print(json.dumps(line), flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def paired(work: Callable[[], object], baseline: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds of both in the round with the median ratio; a first round warms up.

    What slows a whole round down, as a neighbour on the machine does, then does not count.
    """
    work(), baseline()
    times = [(seconds(work), seconds(baseline)) for __ in range(rounds)]
    return sorted(times, key=lambda pair: pair[0] / pair[1])[rounds // 2]


@contextmanager
def environment(*options):
    """Odoo's environment on the benchmark's database, as the system; what is not committed is undone.

    :param options: of Odoo's command line.
    """
    # Before all else of Odoo: it makes the package whole.
    import odoo.init
    from odoo.api import Environment
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(
        ["-c", os.environ["ODOO_RC"], "-d", DATABASE, "--no-http", "--log-level=error", *options]
    )
    with Registry(DATABASE).cursor() as cr:
        yield Environment(cr, odoo.SUPERUSER_ID, {"tracking_disable": True, "queue_job__no_delay": True})
        cr.rollback()


def vacuum() -> None:
    """Clear the whole database of dead rows and count the others, outside of any transaction."""
    import psycopg2

    with closing(psycopg2.connect(dbname=DATABASE)) as connection:
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE")


def make_network(env):
    """A French CPO with one German partner. :return: (contract, connection)."""
    from odoo import Command

    company = env.company
    company.country_id = env.ref("base.fr")
    env["account.chart.template"].try_loading("fr", company, install_demo=False)
    partner = env["res.partner"].create(
        {"name": "Spree Mobility", "is_company": True, "country_id": env.ref("base.de").id}
    )
    grid = env["emsp.price.grid"].create(
        {
            "name": "Bench",
            "code": "BENCH",
            "valid_from": date(2026, 1, 1),
            "currency_id": env.ref("base.EUR").id,
            "line_ids": [
                Command.create({"component": component, "price": price})
                for component, price in (("FLAT", 1.0), ("ENERGY", 0.39), ("TIME", 0.05))
            ],
        }
    )
    grid.action_publish()
    contract = env["emsp.contract"].create(
        {
            "name": "Bench",
            "partner_id": partner.id,
            "currency_id": env.ref("base.EUR").id,
            "date_start": date(2026, 1, 1),
            "time_zone": "Europe/Paris",
            "price_grid_ids": [Command.set(grid.ids)],
            "party_ids": [Command.create({"country_code": "DE", "ocpi_party_id": "SMO"})],
            "vat_decided_by": "accountant",
            "vat_override_reason": "Benchmark",
        }
    )
    contract.action_activate()
    connection = env["emsp.ocpi.connection"].create(
        {
            "name": "Bench",
            "our_role": "CPO",
            "country_code": "FR",
            "ocpi_party_id": "RVR",
            "time_zone": "Europe/Paris",
        }
    )
    return contract, connection


def copy_cdr(env, cdr, own, first: int, last: int) -> None:
    """One stored CDR again and again, by the database itself.

    :param own: dict of SQL by field: what each copy has of its own, `number` being that of the copy.
    """
    from odoo.tools import SQL

    names = [
        name for name, field in cdr._fields.items() if field.store and field.column_type and name != "id"
    ]
    columns = [SQL.identifier(name) for name in names]
    values = [own.get(name, column) for name, column in zip(names, columns, strict=True)]
    env.cr.execute(
        SQL(
            "INSERT INTO emsp_cdr (%s) SELECT %s FROM emsp_cdr, generate_series(%s, %s) number WHERE id = %s",
            SQL(", ").join(columns),
            SQL(", ").join(values),
            first,
            last,
            cdr.id,
        )
    )
    env.invalidate_all()


def payloads(count: int, run: str) -> list[bytes]:
    """Sessions of the German partner in October 2026, as JSON."""
    from datetime import UTC

    from support import story

    first = datetime(2026, 10, 1, tzinfo=UTC)
    made = []
    for number in range(count):
        session = story.Session(f"{number}", "DE*SMO", f"{5 + number % 40}.25", 30 + number % 60, 0, "9.99")
        start = first + timedelta(minutes=number % 40_000)
        cdr = story.cdr(session, start, run, number)
        # A card and a charger for each: no session is another one's double.
        cdr["cdr_token"]["uid"] = f"{run}-{number}"
        cdr["cdr_location"].update(evse_uid=f"{run}-{number}", evse_id=f"FR*RVR*E{run}{number}")
        made.append(json.dumps(cdr).encode())
    return made

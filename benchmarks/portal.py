"""The partner's list of CDRs with 100,000 of them, against Odoo's own list of invoices with 100 of those."""

import sys
from datetime import date, datetime
from time import perf_counter

import psycopg2
import requests
from _bench import DATABASE, copy_cdr, environment, figure, make_network, paired, payloads
from support.mailbox import Mailbox
from support.server import OdooServer

CDRS, INVOICES, ROUNDS = 100_000, 100, 9
RECEIVED = datetime(2026, 11, 1)
LOGIN = "portal-bench"


def main():
    with environment() as env:
        prepare(env)
        env.cr.commit()
    with Mailbox() as mailbox, OdooServer(DATABASE, mailbox.port) as server:
        session = log_in(server.url)
        vacuum()

        def cdrs():
            return load(session, f"{server.url}/my/cdrs")

        def invoices():
            return load(session, f"{server.url}/my/invoices")

        check(cdrs(), f"{CDRS:,}")
        check(invoices(), "INV/2026/")
        value, baseline = paired(cdrs, invoices, ROUNDS)
        figure("portal_first_page_of_100000_cdrs", value * 1e3, "ms", baseline * 1e3, bar=1.5)
        start = perf_counter()
        load(session, f"{server.url}/my/cdrs/download/csv")
        print(f"download of all as .csv: {perf_counter() - start:.1f} s", file=sys.stderr)


def prepare(env):
    """A partner with a login, its CDRs and its invoices."""
    from odoo import Command

    contract, connection = make_network(env)
    partner = contract.partner_id
    user = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": "Clerk",
                "login": LOGIN,
                "password": LOGIN,
                "group_ids": [Command.set(env.ref("base.group_portal").ids)],
            }
        )
    )
    user.partner_id.parent_id = partner
    endpoint = connection._as_endpoint()
    env["emsp.settlement"]._open_calendar(datetime(2026, 10, 15))
    [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, payloads(1, "P"), RECEIVED, RECEIVED)
    multiply(env, receipt.record.sudo())
    make_invoices(env, partner)


def multiply(env, cdr):
    """The same CDR again and again, a minute apart, with ids, chargers and cards of their own."""
    from odoo.tools import SQL

    env.flush_all()
    if cdr.state != "open":
        raise RuntimeError(f"expected an open CDR, got {cdr.state}: {cdr.finding_ids.mapped('message')}")
    own = {
        "ocpi_id": SQL("'CDR-' || number"),
        "ocpi_key": SQL("'BENCH*' || number"),
        "ocpi_session_id": SQL("'S-' || number"),
        "evse_id": SQL("'FR*RVR*E' || mod(number, 500)"),
        "token_uid": SQL("'CARD-' || mod(number, 5000)"),
        "session_start_at": SQL("session_start_at + number * interval '20 seconds'"),
        "session_end_at": SQL("session_end_at + number * interval '20 seconds'"),
        # Sealed already: nothing rewrites them while the pages are measured.
        "chain_index": SQL("0"),
        "chain_hash": SQL("'1$' || number"),
    }
    copy_cdr(env, cdr, own, 2, CDRS)


def vacuum():
    """As the database does by itself, within minutes after so many rows have come.

    Not at once: until the commit is on the disk, it does not take the rows for visible.
    """
    connection = psycopg2.connect(dbname=DATABASE)
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE emsp_cdr")
    connection.close()


def make_invoices(env, partner):
    from odoo import Command

    product = env.ref("emsp_clearing.product_energy")
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": date(2026, 11, 10),
                "invoice_line_ids": [
                    Command.create({"product_id": product.id, "quantity": 1, "price_unit": 10.0})
                ],
            }
        ]
        * INVOICES
    )
    moves.action_post()


def log_in(url):
    """:return: requests session of the partner."""
    session = requests.Session()
    page = session.get(f"{url}/web/login", timeout=120).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"login": LOGIN, "password": LOGIN, "csrf_token": token}
    check(session.post(f"{url}/web/login", data=form, timeout=120), "Clerk")
    return session


def load(session, url):
    response = session.get(url, timeout=300)
    response.raise_for_status()
    return response


def check(response, expected):
    if expected not in response.text:
        raise RuntimeError(f"expected {expected!r} on {response.url}, got {response.text[:2000]}")


main()

"""A settlement from its lock to the posted invoice with PDF, annex and e-invoice, against writing the bare
cells of its annex; and against one with a tenth of the CDRs. Then many small settlements from their lock to
the mail queue, against invoices with the same lines that Odoo makes, posts and sends as one batch.

Each side of the many runs as it does in production. A step of ours is a job: a server with worker processes
takes them, with the limits of the channels that docker/odoo.conf has, so invoices are posted one after the
other while others are printed. What is measured runs from enqueueing the first steps until the last mail is
queued, all that jobs cost included. Odoo sends its batch by a scheduled action, which is one process.

The baseline is openpyxl in its write-only mode, the way most annexes are made: the same values in the same
columns, without format, names or totals. Memory is that of the process (resident set), and what it has grown
by at the highest since the settlement was ready to be locked.

The bar of the many is what Odoo does by itself: its own report, printed by wkhtmltopdf, all invoices of a
batch at once, with the server at hand for its style sheets, without its usual wait of a second for scripts.
It has no annex, no PDF/A and no e-invoice beside the XML that Odoo always embeds. The same batch printed by
our report tells how much of the difference is printing. It goes to stderr, and is the bar only where there is
no wkhtmltopdf with patched Qt (see _wkhtmltopdf.py).
"""

import gc
import os
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from _bench import DATABASE, copy_cdr, environment, figure, make_network, payloads, seconds, vacuum
from _wkhtmltopdf import provide_wkhtmltopdf
from openpyxl import Workbook, load_workbook
from support.server import OdooServer, free_port

RECEIVED = datetime(2026, 10, 20)
CUT_OFF = datetime(2026, 11, 2, 23, 0)
LOCK = datetime(2026, 11, 9, 23, 0)
FEW, MANY = 10_000, 100_000
# Between two CDRs: a hundred thousand of them fit into a month.
STEP = "20 seconds"
MEGABYTE = 1e6
# Settlements of a round, and CDRs of each; a first round warms up.
SETTLEMENTS, CDRS, ROUNDS = 100, 100, 3
ODOO_REPORT = "account.account_invoices"
# Least of what Odoo waits for scripts on its pages, which have none.
PRINT_DELAY_MS = 10
CLEARING_REPORT = "emsp_clearing.action_report_clearing_invoice"


# Of docker/odoo.conf, on so many cores.
CHANNELS = "root:2,root.emsp_settlement:1,root.emsp_dispatch:2"
WORKERS = 3
JOBS_LIMIT_S = 600


class JobServer(OdooServer):
    """Takes jobs, serves the style sheets of reports, and starts nothing by itself: mails stay queued."""

    def start(self):
        os.environ["ODOO_QUEUE_JOB_CHANNELS"] = CHANNELS
        super().start()

    def _options(self):
        return [*super()._options(), f"--workers={WORKERS}", "--max-cron-threads=0"]


def main():
    provide_wkhtmltopdf()
    os.environ["ODOO_QUEUE_JOB_CHANNELS"] = "root:0"
    with environment() as env:
        settlements = prepare(env, [FEW, MANY] + [CDRS] * SETTLEMENTS * (ROUNDS + 1))
        env.cr.execute("ANALYZE emsp_cdr")
        # Steps are jobs, and a job is a transaction: in one and the same, PostgreSQL checks all references
        # of a row anew that it has updated before.
        env.cr.commit()
        bench_large(settlements[0], settlements[1])
        env.cr.commit()
        # As autovacuum does in the time between: all CDRs of the large ones were written several times.
        vacuum()
        with JobServer(DATABASE, smtp_port=free_port()) as server:
            # What the large ones have left to do.
            finish_jobs(env)
            bench_many(env, settlements[2:], server.url)


def bench_large(few, many):
    times = {}
    for number, settlement in ((FEW, few), (MANY, many)):
        with Memory() as memory:
            times[number] = seconds(lambda s=settlement: settle(s))
        check(settlement, number)
        print(f"{number} CDRs: {times[number]:.1f} s, {memory.grown:.0f} MB", file=sys.stderr)
    cells = annex_cells(many.move_id)
    bare = seconds(lambda: write_bare(cells, MANY))
    figure("settle_100000_cdrs_by_bare_annex", times[MANY], "s", bare, bar=2)
    # Linear would be 10.
    figure("settle_ten_times_the_cdrs", times[MANY], "s", times[FEW], bar=12)
    figure("memory_to_settle_100000_cdrs", memory.grown, "MB", 600, bar=1)


def bench_many(env, settlements, url):
    """Rounds of all in turn, as `paired` takes them."""
    native = env["ir.actions.report"].with_context(wkhtmltopdf_needed=True).get_wkhtmltopdf_state() == "ok"
    settings = env["ir.config_parameter"]
    settings.set_param("report.url", url)
    settings.set_param("report.print_delay", PRINT_DELAY_MS)
    env.cr.commit()
    # As the scheduled action has it: the mail queue sends.
    sender = env(context={"mail_notify_force_send": False})
    reports = [env.ref(CLEARING_REPORT)]
    if native:
        reports.insert(0, env.ref(ODOO_REPORT))
    times = []
    for first in range(0, len(settlements), SETTLEMENTS):
        batch = settlements[first : first + SETTLEMENTS]
        ours = seconds(lambda b=batch: settle_and_send(b))
        check_sent(batch)
        vals_list = [equal_invoice(move) for move in batch.move_ids]
        theirs = [seconds(lambda v=vals_list, r=report: invoice_and_send(sender, v, r)) for report in reports]
        times.append((ours, *theirs))
    rounds = sorted(times[1:], key=lambda each: each[0] / each[1])
    ours, *theirs = (time / SETTLEMENTS for time in rounds[ROUNDS // 2])
    print(f"{1 / ours:.2f} settlements/s", file=sys.stderr)
    for report, time in zip(reports, theirs, strict=True):
        print(f"{1 / time:.2f} invoices/s of Odoo's batch with {report.report_name}", file=sys.stderr)
    figure("settlement_of_100_cdrs_by_odoo_invoice", ours, "s", theirs[0], bar=1)


def prepare(env, numbers):
    """:return: settlements of October in their window, of a partner each, with so many priced CDRs."""
    contract, connection = make_network(env)
    complete(env, contract.partner_id)
    endpoint = connection._as_endpoint()
    [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, payloads(1, "S"), RECEIVED, RECEIVED)
    cdr = receipt.record.sudo()
    if cdr.state != "open":
        raise RuntimeError(f"expected an open CDR, got {cdr.state}: {cdr.finding_ids.mapped('message')}")
    env.flush_all()
    contracts = make_contracts(env, contract, len(numbers))
    for own, number in zip(contracts, numbers, strict=True):
        multiply(env, cdr, own, number)
    env["emsp.settlement"]._open_calendar(datetime(2026, 10, 15))
    settlements = contracts.settlement_ids.filtered(lambda settlement: settlement.date_first.month == 10)
    for settlement in settlements.with_context(queue_job__no_delay=False):
        settlement._job_open_window(CUT_OFF)
    # As the hourly run does.
    print(f"sealing {sum(numbers)} CDRs: {seconds(connection._seal_chain):.1f} s", file=sys.stderr)
    return settlements.sorted(lambda settlement: settlement.contract_id.id)


def complete(env, partner):
    """What an e-invoice demands of both sides."""
    company = env.company
    address = {"street": "1 rue de la Paix", "zip": "69002", "city": "Lyon", "email": "billing@rvr.test"}
    company.write({**address, "phone": "+33 4 78 00 12 34", "vat": "FR23334175221"})
    partner.write({**address, "zip": "10245", "city": "Berlin", "vat": "DE136695976"})
    env["res.partner.bank"].create(
        {
            "acc_number": "FR76 3000 6000 0112 3456 7890 189",
            "partner_id": company.partner_id.id,
            "allow_out_payment": True,
        }
    )


def make_contracts(env, contract, number):
    """Contracts as that one, each with a partner of its own."""
    from odoo import Command

    address = contract.partner_id.copy_data()[0]
    partners = env["res.partner"].create(
        [
            {**address, "name": f"Partner {place}", "email": f"ap{place}@partner.test"}
            for place in range(number)
        ]
    )
    contracts = env["emsp.contract"].create(
        [
            {
                "name": partner.name,
                "partner_id": partner.id,
                "currency_id": contract.currency_id.id,
                "date_start": date(2026, 1, 1),
                "time_zone": contract.time_zone,
                "price_grid_ids": [Command.set(contract.price_grid_ids.ids)],
                "party_ids": [Command.create({"country_code": "DE", "ocpi_party_id": f"{partner.id:03d}"})],
                "vat_decided_by": "accountant",
                "vat_override_reason": "Benchmark",
            }
            for partner in partners
        ]
    )
    contracts.action_activate()
    return contracts


def multiply(env, cdr, contract, number):
    """The same CDR again and again under a contract, with ids, times, chargers and cards of their own."""
    from odoo.tools import SQL

    key = SQL("%s || '-' || number", contract.reference)
    own = {
        "contract_id": SQL("%s", contract.id),
        "partner_id": SQL("%s", contract.partner_id.id),
        "ocpi_id": key,
        "ocpi_key": SQL("'FR*RVR*' || %s", key),
        "ocpi_session_id": SQL("'S-' || %s", key),
        "payload_sha256": SQL("encode(sha256((%s)::bytea), 'hex')", key),
        "evse_id": SQL("'FR*RVR*E' || mod(number, 500)"),
        "location_name": SQL("'Place ' || mod(number, 120)"),
        "token_uid": SQL("'CARD-' || mod(number, 5000)"),
        "session_start_at": SQL("session_start_at + number * interval %s", STEP),
        "session_end_at": SQL("session_end_at + number * interval %s", STEP),
    }
    copy_cdr(env, cdr, own, 1, number)


def settle(settlement):
    """Lock, invoice, annex; then PDF and e-invoice, as sending makes them."""
    step = settlement.with_context(queue_job__no_delay=False)
    step._job_lock(LOCK)
    step.env.cr.commit()
    step._job_invoice(LOCK)
    step.env.cr.commit()
    # Handing them to the mail queue is another step; what it costs is the mail's.
    settlement.env["account.move.send"].with_context(force_report_rendering=True)._generate_and_send_invoices(
        settlement.move_id, sending_methods=[]
    )
    settlement.env.flush_all()


def settle_and_send(settlements):
    """As the hourly run begins it: each step enqueues the next one."""
    settlements.with_context(queue_job__no_delay=False)._enqueue_due_steps(LOCK)
    finish_jobs(settlements.env)


def finish_jobs(env):
    """Commit, and wait until the server has done all jobs."""
    deadline = monotonic() + JOBS_LIMIT_S
    states = {"pending"}
    while states & {"pending", "enqueued", "started"}:
        # What is committed meanwhile is seen by the next transaction.
        env.cr.commit()
        sleep(0.02)
        env.cr.execute("SELECT DISTINCT state FROM queue_job")
        states = {state for (state,) in env.cr.fetchall()}
        if "failed" in states or monotonic() > deadline:
            raise RuntimeError(f"expected that all jobs are done, got {states}")
    env.invalidate_all()


def equal_invoice(move):
    """:return: values of an invoice with the same lines that bills no sessions."""
    from odoo import Command

    names = ("move_type", "invoice_date", "delivery_date")
    links = ("partner_id", "journal_id", "fiscal_position_id", "invoice_payment_term_id")
    lines = [
        {
            "product_id": line.product_id.id,
            "name": line.name,
            "quantity": line.quantity,
            "price_unit": line.price_unit,
            "tax_ids": [Command.set(line.tax_ids.ids)],
        }
        for line in move.invoice_line_ids
    ]
    return {
        **{name: move[name] for name in names},
        **{name: move[name].id for name in links},
        "invoice_line_ids": [Command.create(line) for line in lines],
    }


def invoice_and_send(env, vals_list, report):
    moves = env["account.move"].create(vals_list)
    moves._post()
    sending = env["account.move.send"]
    sending._generate_and_send_invoices(moves, sending_methods=["email"], pdf_report=report)
    env.cr.commit()
    if not all(move.invoice_pdf_report_id for move in moves):
        raise RuntimeError("expected a PDF of each invoice")


def check_sent(settlements):
    for settlement in settlements:
        check(settlement, CDRS)
        if settlement.sending_state != "queued":
            raise RuntimeError(f"expected a queued mail, got {settlement.read()}")


def check(settlement, number):
    move = settlement.move_id
    if move.state != "posted" or settlement.cdr_count != number:
        raise RuntimeError(f"expected an invoice of {number} CDRs, got {settlement.read()}")
    for document in (move.emsp_annex_id, move.invoice_pdf_report_id, move.ubl_cii_xml_id):
        if not document.file_size:
            raise RuntimeError(f"expected annex, PDF and XML, got {move.attachment_ids.mapped('name')}")


def annex_cells(move):
    """:return: the values of a session in the annex, as they are read back."""
    attachment = move.emsp_annex_id
    with Path(attachment._full_path(attachment.store_fname)).open("rb") as file:
        sheet = load_workbook(file, read_only=True)["Sessions"]
        return next(sheet.iter_rows(min_row=2, max_row=2, values_only=True))


def write_bare(cells, number):
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for __ in range(number):
        sheet.append(cells)
    with TemporaryDirectory() as folder:
        workbook.save(Path(folder) / "bare.xlsx")


class Memory:
    """Megabytes by which the process has grown at the highest while it is entered."""

    grown = 0.0

    def __enter__(self):
        gc.collect()
        self.first = resident()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.stopped.set()
        self.thread.join()

    def _watch(self):
        while not self.stopped.is_set():
            self.grown = max(self.grown, (resident() - self.first) / MEGABYTE)
            sleep(0.02)


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()

"""A settlement from its lock to the posted invoice with PDF, annex and e-invoice, against writing the bare
cells of its annex; and against one with a tenth of the CDRs.

The baseline is openpyxl in its write-only mode, the way most annexes are made: the same values in the same
columns, without format, names or totals. Memory is that of the process (resident set), and what it has grown
by at the highest since the settlement was ready to be locked.
"""

import gc
import sys
import threading
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from _bench import environment, figure, make_network, payloads, seconds
from openpyxl import Workbook, load_workbook

RECEIVED = datetime(2026, 10, 20)
CUT_OFF = datetime(2026, 11, 2, 23, 0)
LOCK = datetime(2026, 11, 9, 23, 0)
FEW, MANY = 10_000, 100_000
# Between two CDRs: a hundred thousand of them fit into a month.
STEP = "20 seconds"
MEGABYTE = 1e6


def main():
    times = {}
    for number in (FEW, MANY):
        with environment() as env:
            settlement = prepare(env, number)
            with Memory() as memory:
                times[number] = seconds(lambda s=settlement: settle(s))
            check(settlement, number)
            cells = annex_cells(settlement.move_id)
        print(f"{number} CDRs: {times[number]:.1f} s, {memory.grown:.0f} MB", file=sys.stderr)
    bare = seconds(lambda: write_bare(cells, MANY))
    figure("settle_100000_cdrs_by_bare_annex", times[MANY], "s", bare, bar=2)
    # Linear would be 10.
    figure("settle_ten_times_the_cdrs", times[MANY], "s", times[FEW], bar=12)
    figure("memory_to_settle_100000_cdrs", memory.grown, "MB", 600, bar=1)


def prepare(env, number):
    """:return: the settlement of October in its window, with that many priced and sealed CDRs."""
    contract, connection = make_network(env)
    complete(env, contract.partner_id)
    endpoint = connection._as_endpoint()
    env["emsp.settlement"]._open_calendar(datetime(2026, 10, 15))
    [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, payloads(1, f"S{number}"), RECEIVED, RECEIVED)
    multiply(env, receipt.record.sudo(), number)
    settlement = contract.settlement_ids.filtered(lambda settlement: settlement.date_first.month == 10)
    settlement.with_context(queue_job__no_delay=False)._job_open_window(CUT_OFF)
    # As the hourly run does.
    print(f"sealing {number} CDRs: {seconds(connection._seal_chain):.1f} s", file=sys.stderr)
    env.cr.execute("ANALYZE emsp_cdr")
    return settlement


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


def multiply(env, cdr, number):
    """The same CDR again and again, with ids, times, chargers and cards of their own."""
    from odoo.tools import SQL

    env.flush_all()
    if cdr.state != "open":
        raise RuntimeError(f"expected an open CDR, got {cdr.state}: {cdr.finding_ids.mapped('message')}")
    own = {
        "ocpi_id": SQL("'CDR-' || number"),
        "ocpi_key": SQL("'FR*RVR*BENCH-' || number"),
        "ocpi_session_id": SQL("'S-' || number"),
        "payload_sha256": SQL("encode(sha256(number::text::bytea), 'hex')"),
        "evse_id": SQL("'FR*RVR*E' || mod(number, 500)"),
        "location_name": SQL("'Place ' || mod(number, 120)"),
        "token_uid": SQL("'CARD-' || mod(number, 5000)"),
        "session_start_at": SQL("session_start_at + number * interval %s", STEP),
        "session_end_at": SQL("session_end_at + number * interval %s", STEP),
    }
    names = [
        name for name, field in cdr._fields.items() if field.store and field.column_type and name != "id"
    ]
    columns = [SQL.identifier(name) for name in names]
    values = [own.get(name, column) for name, column in zip(names, columns, strict=True)]
    env.cr.execute(
        SQL(
            "INSERT INTO emsp_cdr (%s) SELECT %s FROM emsp_cdr, generate_series(2, %s) number WHERE id = %s",
            SQL(", ").join(columns),
            SQL(", ").join(values),
            number,
            cdr.id,
        )
    )
    env.invalidate_all()


def settle(settlement):
    """Lock, invoice, annex; then PDF and e-invoice, as sending makes them."""
    step = settlement.with_context(queue_job__no_delay=False)
    step._job_lock(LOCK)
    step._job_invoice(LOCK)
    # Handing them to the mail queue is another step; what it costs is the mail's.
    settlement.env["account.move.send"].with_context(force_report_rendering=True)._generate_and_send_invoices(
        settlement.move_id, sending_methods=[]
    )
    settlement.env.flush_all()


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

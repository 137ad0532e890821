"""Play the story and leave its documents in .odoo/demo; printed figures are read back from Odoo."""

import argparse
import base64
import gzip
import json
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from . import story
from .bank import Credit, camt053
from .mailbox import Mailbox, save_attachments
from .ocpi_client import OcpiClient
from .odoo_client import OdooClient, OdooError
from .server import STATE, OdooServer

DATABASE = "emsp_demo"
RESULTS = STATE / "demo"
IBAN = "FR7630006000011234567890189"
SMO_MAIL, HXM_MAIL = "ap@spree-mobility.example", "compta@hexagone-mobilite.example"
SHORT_BY = Decimal("5.00")
LOGINS = ("manager", "accountant", "operator")


class Demo:
    """The stations of the chain, in order; each is used by the black-box test as well."""

    def __init__(self, server: OdooServer, mailbox: Mailbox, now: datetime, results: Path):
        self.server = server
        self.mailbox = mailbox
        self.manager = OdooClient(server.url, server.database, "manager", "manager")
        self.accountant = OdooClient(server.url, server.database, "accountant", "accountant")
        self.admin = OdooClient(server.url, server.database, "admin", "admin")
        self.now = now
        self.results = results
        self.month = story.open_month(now)
        self.run = f"{now:%y%m%d%H%M%S}"
        self.payloads: dict[str, dict] = {}
        self.token = ""
        self.ocpi: OcpiClient | None = None

    # -- CDRs in ---------------------------------------------------------------

    def connect(self):
        """The manager makes a token on the connection's screen; it is shown once."""
        connection = self.admin.ref("emsp_clearing.emsp_ocpi_connection_cpms_demo")
        action = self.manager.call("emsp.ocpi.connection", "action_new_token", [connection])
        self.token = action["context"]["default_token"]
        self.ocpi = OcpiClient(self.server.url, self.token)

    def import_first_month(self):
        """The month before comes as a gzipped file of the former system, with one broken record."""
        month = self.month.previous
        self.run_due(month.start + timedelta(days=14))
        last = month.next.start - timedelta(hours=8)
        payloads = [
            story.cdr(session, start, self.run, place)
            for place, (session, start) in enumerate(story.spread(story.FIRST_MONTH, month.start, last))
        ]
        broken = {**payloads[0], "id": f"{self.run}-BROKEN", "total_energy": "a lot"}
        path = self.results / "former-system.jsonl.gz"
        path.write_bytes(gzip.compress(story.json_lines([*payloads, broken])))
        return self.server.command(
            "emsp", "import", "--connection", "FR*RVR", "--received-at", iso(last), str(path), accept=(0, 1)
        )

    def post_second_month(self):
        """The open month comes over OCPI, live. :return: list of (what, OcpiResponse)."""
        first, last = self.month.start, min(self.now, self.month.next.start) - timedelta(minutes=1)
        answers = []
        for place, (session, start) in enumerate(story.spread(story.SECOND_MONTH, first, last)):
            payload = story.cdr(session, start, self.run, place)
            self.payloads[session.name] = payload
            answers.append((session.name, self.ocpi.post_cdr(payload)))
        first_payload = self.payloads["M2-SMO-1"]
        stranger = story.Session("M2-XYZ-1", "NL*XYZ", "10.0", 30, 0, "5.00")
        unknown = story.cdr(stranger, last - timedelta(hours=5), self.run)
        nameless = {key: value for key, value in first_payload.items() if key != "total_cost"}
        answers += [
            ("the same CDR again", self.ocpi.post_cdr(first_payload)),
            ("the same id, other content", self.ocpi.post_cdr({**first_payload, "total_energy": 99.0})),
            ("no total_cost", self.ocpi.post_cdr({**nameless, "id": f"{self.run}-NOCOST"})),
            ("a party without contract", self.ocpi.post_cdr(unknown)),
        ]
        self.admin.wait_for_jobs()
        return answers

    def post_credit(self):
        """One session turns out wrong after its invoice: the CPO's system sends a credit CDR."""
        answer = self.ocpi.post_cdr(story.credit_of(self.payloads[story.CREDITED], self.run))
        self.admin.wait_for_jobs()
        return answer

    # -- control window, lock, invoice, sending -----------------------------------

    def run_due(self, as_of: datetime):
        """What the hourly cron does, for the moment `as_of`."""
        self.server.command("emsp", "run", "--as-of", iso(as_of))
        self.admin.wait_for_jobs()

    def settle(self, month: story.Month):
        self.run_due(month.cut_off)
        self.run_due(month.lock)

    def settlement(self, month: story.Month, partner: str):
        """The settlement of a month's sessions with the partner of demo id `partner`."""
        [row] = self.accountant.search_read(
            "emsp.settlement",
            [
                ["contract_id", "=", self.admin.ref(f"emsp_clearing.emsp_contract_{partner}_demo")],
                ["date_first", "=", str(month.first)],
            ],
            ["name", "state", "cdr_count", "energy_kwh", "amount_untaxed", "move_id", "sent_to", "list_hash"],
        )
        return row

    def invoice(self, settlement: dict):
        [row] = self.accountant.call(
            "account.move",
            "read",
            settlement["move_id"][:1],
            ["name", "move_type", "amount_untaxed", "amount_tax", "amount_total", "amount_residual"]
            + ["payment_state", "payment_reference", "invoice_date", "invoice_date_due", "state"],
        )
        return row

    def receive_mail(self, recipient: str, count: int = 1):
        """:return: paths of the attachments of the newest mail to `recipient`."""
        message = self.mailbox.wait_for(recipient, count)[-1]
        return save_attachments(message, self.results / "mail" / f"{recipient.partition('@')[0]}-{count}")

    # -- bank ------------------------------------------------------------------------

    def bank_statement(self, smo_invoice: dict, hxm_invoice: dict) -> Path:
        """Spree pays in full, with words around the number; Hexagone pays short."""
        day = self.month.lock.date() + timedelta(days=12)
        short = Decimal(str(hxm_invoice["amount_total"])) - SHORT_BY
        credits = [
            Credit(
                Decimal(str(smo_invoice["amount_total"])).quantize(Decimal("0.01")),
                "SPREE MOBILITY GMBH",
                "DE89370400440532013000",
                f"Zahlung {smo_invoice['name'].lower()} vielen Dank",
                f"{self.run}-1",
            ),
            Credit(
                short.quantize(Decimal("0.01")),
                "HEXAGONE MOBILITE",
                "FR1420041010050500013M02606",
                f"VIR SEPA {hxm_invoice['name']} MOINS FRAIS",
                f"{self.run}-2",
            ),
        ]
        path = self.results / "statement.camt053.xml"
        path.write_bytes(camt053(IBAN, "EUR", day, Decimal("1000.00"), credits))
        return path

    def import_statement(self, path: Path):
        """As the accountant does on the screen: upload the file in the import wizard."""
        wizard = self.accountant.call(
            "account.statement.import",
            "create",
            {"statement_file": base64.b64encode(path.read_bytes()).decode(), "statement_filename": path.name},
        )
        return self.accountant.call("account.statement.import", "import_file_button", [wizard])

    def import_again(self, path: Path) -> str:
        """The same file a second time. :return: what the screen says; nothing is booked twice."""
        try:
            self.import_statement(path)
        except OdooError as error:
            return str(error)
        raise RuntimeError(f"{path.name} was booked twice.")

    def refund(self, credit_note: dict) -> Path:
        """Put the credit note into a payment order and write its pain.001 file."""
        move_id = self.accountant.search_read("account.move", [["name", "=", credit_note["name"]]], ["id"])[
            0
        ]["id"]
        action = self.accountant.call("account.move", "action_refund_by_transfer", [move_id])
        order = [action["res_id"]]
        self.accountant.call("account.payment.order", "draft2open", order)
        self.accountant.call("account.payment.order", "open2generated", order)
        [row] = self.accountant.call("account.payment.order", "read", order, ["payment_file_id"])
        [attachment] = self.accountant.call(
            "ir.attachment", "read", row["payment_file_id"][:1], ["name", "datas"]
        )
        path = self.results / attachment["name"]
        path.write_bytes(base64.b64decode(attachment["datas"]))
        return path

    def count_cdrs(self, *domain: list) -> int:
        return self.manager.call("emsp.cdr", "search_count", list(domain))

    def exceptions(self):
        return self.accountant.search_read(
            "emsp.exception", [["state", "=", "open"]], ["kind", "name", "amount", "move_id"], order="id"
        )


def iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def play(demo: Demo) -> dict:
    """All stations. :return: what the summary prints."""
    month = demo.month
    step("Import of the month before, from a file")
    demo.connect()
    print(indent(demo.import_first_month()))
    demo.settle(month.previous)
    step("CDRs over OCPI")
    for what, answer in demo.post_second_month():
        print(f"    {what:28} HTTP {answer.http_status}, OCPI {answer.status_code}")
    step("Control window, lock, invoices, mail")
    demo.settle(month)
    smo, hxm = (demo.invoice(demo.settlement(month, partner)) for partner in ("smo", "hxm"))
    mails = [*demo.receive_mail(SMO_MAIL), *demo.receive_mail(HXM_MAIL, count=2)]
    step("Bank statement")
    statement = demo.bank_statement(smo, hxm)
    demo.import_statement(statement)
    print(f"    the same file again: {demo.import_again(statement)}")
    step("Credit CDR, credit note, refund")
    demo.post_credit()
    demo.settle(month.next)
    credit_note = demo.invoice(demo.settlement(month.next, "smo"))
    transfer = demo.refund(credit_note)
    return {
        "invoices": [smo, hxm],
        "credit_note": credit_note,
        "files": [*mails, statement, transfer],
        "exceptions": demo.exceptions(),
    }


def summary(demo: Demo, results: dict) -> str:
    """The figures, read back from Odoo."""
    matched = demo.accountant.call(
        "account.bank.statement.line", "search_count", [["is_reconciled", "=", True]]
    )
    lines = [
        f"CDRs received      {demo.count_cdrs()}",
        f"  attached         {demo.count_cdrs(['contract_id', '!=', False])}",
        f"  priced           {demo.count_cdrs(['price_grid_id', '!=', False])}",
        f"  locked, invoiced {demo.count_cdrs(['state', 'in', ['locked', 'invoiced']])}",
    ]
    for move in (*results["invoices"], results["credit_note"]):
        kind = "Credit note" if move["move_type"] == "out_refund" else "Invoice"
        net, total = move["amount_untaxed"], move["amount_total"]
        lines.append(f"{kind:18} {move['name']}: {net:.2f} EUR net, {total:.2f} EUR in all")
    lines.append(f"Matched payments   {matched}")
    lines += [f"Exception          {row['kind']}: {row['name']}" for row in results["exceptions"]]
    lines += [f"File               {path.relative_to(STATE.parent)}" for path in results["files"]]
    return "\n".join(lines)


def step(title: str) -> None:
    print(f"==> {title}", flush=True)


def indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--no-server", action="store_true", help="stop after the results")
    parser.add_argument("--port", type=int, help="of the back office; free one by default")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    with Mailbox() as mailbox, OdooServer(DATABASE, mailbox.port, options.port) as server:
        demo = Demo(server, mailbox, datetime.now(UTC), RESULTS)
        results = play(demo)
        text = summary(demo, results)
        (RESULTS / "summary.txt").write_text(text + "\n", encoding="utf-8")
        (RESULTS / "summary.json").write_text(json.dumps(results, default=str, indent=2), encoding="utf-8")
        print(f"\n{text}\n")
        if not options.no_server:
            serve(server)
    return 0


def end(*__) -> None:
    """As Ctrl-C, which does not reach a program in the background."""
    raise KeyboardInterrupt


def serve(server: OdooServer) -> None:
    """Until Ctrl-C."""
    print(
        f"Back office: {server.url}  (logins: {', '.join(f'{name}/{name}' for name in LOGINS)}, admin/admin)"
    )
    print(f"Partner portal: {server.url}/my  (login: partner/partner)")
    print("Stop with Ctrl-C.", flush=True)
    try:
        while server.process.poll() is None:
            time.sleep(1)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())

"""Settlements under power cuts, on a full disk and with a failing mail server: each billed and sent once.

The workers are killed and begin again as after a restart of the machine.
"""

import asyncio
import hashlib
import os
import random
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import pytest
from books import Books, start_shell
from support import story
from support.demo import iso
from support.mailbox import Mailbox
from support.server import STATE
from support.waiting import wait_until
from workers import Workers, is_alive

PARTNERS = 50
LATER_PARTNERS = 6
CUTS = 10
# Larger than an annex of one session, smaller than a PDF; and smaller than both.
BETWEEN, SMALL = 24_000, 2_000

# Partners as those of the demo, each with an invoicing contact and a contract of its own.
PREPARATION = """
contract = env.ref("emsp_clearing.emsp_contract_smo_demo")
partner = env.ref("emsp_clearing.res_partner_smo_demo")
contact = env.ref("emsp_clearing.res_partner_smo_invoice_demo")
for number in range({partners}):
    own = partner.copy({{"name": f"Partner {{number:02}}"}})
    contact.copy({{"parent_id": own.id, "email": f"ap{{number:02}}@partner.example"}})
    party = {{"country_code": "DE", "ocpi_party_id": f"K{{number:02}}"}}
    vals = {{"name": own.name, "partner_id": own.id, "party_ids": [(0, 0, party)]}}
    contract.copy(vals).action_activate()
(contract | env.ref("emsp_clearing.emsp_contract_hxm_demo")).action_suspend()
env["ir.mail_server"].create(
    {{"name": "Catcher", "smtp_host": "127.0.0.1", "smtp_port": {port}, "smtp_encryption": "none"}}
)
env.cr.commit()
"""


class FaultyMailbox(Mailbox):
    """`is_holding`: it has the message and does not say so; `is_dropping`: it hangs up within the message."""

    def __init__(self):
        super().__init__()
        self.is_holding = self.is_dropping = False

    async def handle_DATA(self, server, session, envelope):
        if self.is_dropping:
            server.transport.abort()
            return "421 going down"
        answer = await super().handle_DATA(server, session, envelope)
        # Long enough for a cut to hit it now and then.
        await asyncio.sleep(0.02)
        while self.is_holding:
            await asyncio.sleep(0.02)
        return answer

    def received(self):
        """:return: list of (address, number of the invoice), sorted; notices of closed lists name none."""
        found = [(message, re.search(r"\S+/\d{5}", message["Subject"])) for message in self.invoices()]
        return sorted((message["X-Envelope-To"], number.group()) for message, number in found)

    def invoices(self):
        return [message for message in self.messages if any(message.iter_attachments())]


class Clearing(Books):
    """Fifty partners with two sessions each in one month, six of them with one more in the next."""

    def __init__(self, database, mailbox, workers, folder):
        super().__init__(database)
        self.mailbox, self.workers, self.folder = mailbox, workers, folder
        self.later = story.open_month(datetime.now(UTC))
        self.month = self.later.previous

    def take_in(self):
        # 0.50 + 0.42 * (10 + n) = 4.70 + 0.42 n, and 0.50 + 0.42 = 0.92
        sessions = [
            story.Session(f"A{n:02}-{kwh}", f"DE*K{n:02}", kwh, 120, 0, net)
            for n in range(PARTNERS)
            for kwh, net in ((f"{10 + n}.0", str(first_net(n))), ("1.0", "0.92"))
        ]
        self.run_steps(self.month.start + timedelta(days=14))
        last = self.month.next.start - timedelta(hours=8)
        self.import_sessions(sessions, self.month.start, last, last)
        self.run_steps(self.month.cut_off)

    def take_in_later(self):
        """0.50 + 0.42 * (20 + n) = 8.90 + 0.42 n"""
        sessions = [
            story.Session(f"B{n:02}", f"DE*K{n:02}", f"{20 + n}.0", 120, 0, str(later_net(n)))
            for n in range(LATER_PARTNERS)
        ]
        now = datetime.now(UTC)
        last = min(now, self.later.next.start) - timedelta(minutes=1)
        self.import_sessions(sessions, self.later.start, last, last)
        self.run_steps(self.later.cut_off)

    def import_sessions(self, sessions, first, last, received_at):
        payloads = [
            story.cdr(session, start, "F", place)
            for place, (session, start) in enumerate(story.spread(sessions, first, last))
        ]
        path = self.folder / "cdrs.jsonl"
        path.write_bytes(story.json_lines(payloads))
        self.run("import", "--connection", "FR*RVR", "--received-at", iso(received_at), str(path))

    def run_steps(self, as_of, **options):
        self.workers.run("run_steps", **steps(as_of), **options)

    # -- what an auditor sees

    def progress(self):
        """Steps done of the first month: 4 for each settlement, its mail included."""
        return self.query(
            "SELECT (SELECT count(*) FROM emsp_settlement"
            "   WHERE cdr_count > 0 AND state NOT IN ('collecting', 'control'))"
            " + (SELECT count(*) FROM account_move WHERE emsp_settlement_id IS NOT NULL AND state = 'posted')"
            " + (SELECT count(*) FROM emsp_settlement_delivery)"
            " + (SELECT count(*) FROM emsp_settlement_delivery WHERE state = 'handed_over')"
        )[0][0]

    def invoices(self):
        """(partner, number, net amount) of each."""
        return self.query(
            "SELECT partner.commercial_company_name, move.name, amount_untaxed::numeric(12, 2)"
            " FROM account_move move JOIN res_partner partner ON partner.id = move.partner_id"
            " WHERE emsp_settlement_id IS NOT NULL AND move.state = 'posted' ORDER BY move.id"
        )

    def blocked(self):
        """Reason of each settlement that waits, as it stands in the journal of exceptions too."""
        return self.query(
            "SELECT settlement.state, blocked_reason FROM emsp_settlement settlement"
            " JOIN emsp_exception entry ON entry.settlement_id = settlement.id"
            " WHERE entry.kind = 'blocked' AND entry.state = 'open'"
            " AND position(blocked_reason IN entry.name) > 0"
        )

    def exceptions(self, state):
        return self.query("SELECT kind, severity FROM emsp_exception WHERE state = %s", [state])

    def unclear(self):
        """Numbers of the invoices of which nobody knows whether they have arrived."""
        rows = self.query(
            "SELECT move.name FROM emsp_settlement_delivery delivery"
            " JOIN account_move move ON move.id = move_id WHERE is_unclear ORDER BY move.name"
        )
        return [number for (number,) in rows]

    def deliveries(self):
        return dict(self.query("SELECT state, count(*) FROM emsp_settlement_delivery GROUP BY state"))

    def mails(self):
        return dict(
            self.query(
                "SELECT state, count(*) FROM mail_mail WHERE emsp_delivery_id IS NOT NULL GROUP BY state"
            )
        )

    def damaged_files(self):
        """Names of the attachments whose file is not there, or is not what was stored."""
        store = STATE / "data/filestore" / self.database
        rows = self.query(
            "SELECT name, store_fname, checksum FROM ir_attachment WHERE store_fname IS NOT NULL"
        )
        return [name for name, path, checksum in rows if sha1(store / path) != checksum]

    def annexes(self):
        """Number of annexes of each invoice."""
        return self.query(
            "SELECT res_id, count(*) FROM ir_attachment WHERE res_model = 'account.move'"
            " AND res_field = 'emsp_annex_file' GROUP BY res_id"
        )


def first_net(number):
    return Decimal("4.70") + Decimal("0.42") * number


def later_net(number):
    return Decimal("8.90") + Decimal("0.42") * number


def steps(as_of):
    return {"as_of": as_of.replace(tzinfo=None).isoformat()}


def sha1(path):
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else ""


def numbers_by_series(invoices):
    """{prefix of the number: [numbers]}"""
    parted = sorted(number.rpartition("/")[::2] for __, number, ___ in invoices)
    return {
        prefix: [int(number) for __, number in group]
        for prefix, group in groupby(parted, key=lambda part: part[0])
    }


@pytest.fixture(scope="module")
def clearing(make_database, tmp_path_factory):
    database, folder = make_database("faults"), tmp_path_factory.mktemp("faults")
    with FaultyMailbox() as mailbox:
        shell = start_shell(database, PREPARATION.format(partners=PARTNERS, port=mailbox.port))
        output, __ = shell.communicate(timeout=300)
        assert shell.returncode == 0, output[-4000:]
        with Workers(database, folder) as workers:
            made = Clearing(database, mailbox, workers, folder)
            made.take_in()
            yield made


def test_fifty_lists_wait_in_their_windows(clearing):
    states = "SELECT state, count(*), sum(cdr_count) FROM emsp_settlement WHERE cdr_count > 0 GROUP BY state"
    assert clearing.query(states) == [("control", PARTNERS, 2 * PARTNERS)]


def test_run_that_is_killed_ten_times_bills_and_sends_each_once(clearing):
    seed = int(os.environ.get("EMSP_FAULT_SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    told = f"seed {seed} (EMSP_FAULT_SEED repeats it)"
    lock = steps(clearing.month.lock)
    # One in each tenth of the way.
    share = 4 * PARTNERS // CUTS
    for tenth in range(CUTS):
        point = max(1, tenth * share + chance.randrange(share))
        run, __ = clearing.workers.start("run_steps", **lock), clearing.workers.start("send_mails")
        wait_until(
            lambda run=run, point=point: clearing.progress() >= point or not is_alive(run),
            f"step {point}, {told}",
            seconds=180,
        )
        time.sleep(chance.uniform(0, 0.3))
        clearing.workers.kill()
        assert not clearing.damaged_files(), told
    run_to_the_end(clearing)
    check_bills(clearing, told)
    check_mails(clearing, told)


def run_to_the_end(clearing):
    clearing.workers.start("send_mails")
    clearing.run_steps(clearing.month.lock)
    wait_until(lambda: "outgoing" not in clearing.mails(), "a mail queue that is empty")
    # Not killed: what the server said to the last mail may not be noted yet.
    clearing.workers.stop()


def check_bills(clearing, told):
    invoices = clearing.invoices()
    # 5.62 + 0.42 n; all of them: 50 * 5.62 + 0.42 * 1225 = 281.00 + 514.50
    expected = {f"Partner {n:02}": first_net(n) + Decimal("0.92") for n in range(PARTNERS)}
    assert len(invoices) == PARTNERS, told
    assert {partner: net for partner, __, net in invoices} == expected, told
    assert sum(expected.values()) == Decimal("795.50")
    [(prefix, numbers)] = numbers_by_series(invoices).items()
    assert numbers == list(range(1, PARTNERS + 1)), f"{prefix}, {told}"
    cdrs = (
        "SELECT state, count(*), count(move_id), sum(amount_untaxed)::numeric(12, 2) FROM emsp_cdr GROUP BY 1"
    )
    assert clearing.query(cdrs) == [("invoiced", 100, 100, Decimal("795.50"))], told
    assert [count for __, count in clearing.annexes()] == [1] * PARTNERS, told
    assert clearing.blocked() == [], told
    assert clearing.damaged_files() == [], told


def check_mails(clearing, told):
    """Each once; of those that a cut has hit while the server took them, a person has said what they are."""
    clearing.workers.run("follow_mails", hours=1)
    arrived = [number for __, number in clearing.mailbox.received()]
    lost = [number for number in clearing.unclear() if number not in arrived]
    known = [number for number in clearing.unclear() if number in arrived]
    assert len(lost + known) <= CUTS, told
    clearing.workers.run("press", login="operator", button="action_confirm", invoices=known)
    clearing.workers.run("press", login="operator", button="action_repeat", invoices=lost)
    run_to_the_end(clearing)
    assert clearing.deliveries() == {"handed_over": PARTNERS}, told
    numbers = {partner[-2:]: number for partner, number, __ in clearing.invoices()}
    expected = [(f"ap{n:02}@partner.example", numbers[f"{n:02}"]) for n in range(PARTNERS)]
    assert clearing.mailbox.received() == expected, told
    assert len({message["Message-Id"] for message in clearing.mailbox.invoices()}) == PARTNERS, told
    states = "SELECT DISTINCT state FROM emsp_settlement WHERE cdr_count > 0"
    assert clearing.query(states) == [("sent",)], told
    assert clearing.exceptions("open") == [], told


# -- six settlements of the next month, in order ----------------------------------


@pytest.fixture(scope="module")
def later(clearing):
    """The mailbox is empty, and six lists are closed."""
    clearing.take_in_later()
    clearing.mailbox.messages.clear()
    return clearing


def test_settlements_wait_while_no_annex_can_be_written(later):
    before = later.invoices()
    later.run_steps(later.later.lock, file_bytes=SMALL)
    waiting = later.blocked()
    assert [state for state, __ in waiting] == ["locked"] * LATER_PARTNERS
    assert all("annex" in reason and "File too large" in reason for __, reason in waiting), waiting
    assert later.invoices() == before
    assert later.damaged_files() == []


def test_invoices_wait_for_their_sending_while_no_pdf_can_be_written(later):
    later.run_steps(later.later.lock, file_bytes=BETWEEN)
    waiting = later.blocked()
    assert waiting == [("invoiced", "A file cannot be written: File too large")] * LATER_PARTNERS
    assert later.mails().get("outgoing") is None
    assert later.damaged_files() == []


def test_settlements_go_on_once_there_is_space(later):
    later.run_steps(later.later.lock)
    assert later.blocked() == []
    assert later.exceptions("open") == []
    assert later.mails()["outgoing"] == LATER_PARTNERS
    invoices = later.invoices()[PARTNERS:]
    assert {partner: net for partner, __, net in invoices} == {
        f"Partner {n:02}": later_net(n) for n in range(LATER_PARTNERS)
    }
    for prefix, numbers in numbers_by_series(later.invoices()).items():
        assert numbers == list(range(1, len(numbers) + 1)), prefix
    assert [count for __, count in later.annexes()] == [1] * (PARTNERS + LATER_PARTNERS)
    assert later.damaged_files() == []


def test_mails_that_the_server_drops_half_way_are_exceptions(later):
    later.mailbox.is_dropping = True
    later.workers.start("send_mails")
    wait_until(lambda: later.deliveries().get("failed") == LATER_PARTNERS, "deliveries that have failed")
    later.workers.kill()
    later.mailbox.is_dropping = False
    assert later.exceptions("open") == [("sending_failed", "warning")] * LATER_PARTNERS
    assert later.mailbox.received() == []


def test_mail_that_a_power_cut_hits_at_the_server_is_not_sent_again_by_itself(later):
    later.workers.run("follow_mails", hours=1)
    later.mailbox.is_holding = True
    later.workers.start("send_mails")
    wait_until(later.mailbox.received, "a mail that the server has")
    later.workers.kill()
    later.mailbox.is_holding = False
    [(__, number)] = later.mailbox.received()
    # As after the restart: the steps that are due, the queue, and the actions of the next hours.
    later.workers.start("send_mails")
    later.run_steps(later.later.lock)
    # Not only until the queue is empty: the last mail may still be on its way then, which the action of an
    # hour later would rightly call unclear. Only the one that was cut off is left without an answer.
    wait_until(lambda: later.mails().get("outgoing", 0) == 0, "a mail queue that is empty")
    wait_until(lambda: later.mails().get("exception") == 1, "the server's answers")
    others = PARTNERS + LATER_PARTNERS - 1
    later.workers.run("follow_mails", hours=1)
    later.workers.run("follow_mails", hours=8)
    later.run_steps(later.later.lock)
    later.workers.kill()
    assert later.unclear() == [number]
    assert later.exceptions("open") == [("sending_failed", "error")]
    assert later.deliveries() == {"handed_over": others, "failed": 1}
    assert [to for to, __ in later.mailbox.received()] == addresses(LATER_PARTNERS)


def test_person_says_that_it_has_arrived(later):
    later.workers.run("press", login="operator", button="action_confirm", invoices=later.unclear())
    assert later.deliveries() == {"handed_over": PARTNERS + LATER_PARTNERS}
    assert later.exceptions("open") == []
    assert later.unclear() == []
    states = "SELECT DISTINCT state FROM emsp_settlement WHERE cdr_count > 0"
    assert later.query(states) == [("sent",)]
    assert len(later.mailbox.received()) == LATER_PARTNERS


def addresses(count):
    return [f"ap{number:02}@partner.example" for number in range(count)]

"""What a power cut, two runs at once and a mail server that is down do to the money: nothing."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from books import Books, start_shell
from support import story
from support.demo import iso
from support.server import finish_command

LIMIT_S = 90
# Where the run is stopped: the statement that has to wait for a lock of this table.
HALF_WAY = ("emsp_cdr", "account_move_line", "ir_attachment")


class Ledger(Books):
    """A month with four sessions of one partner, and a view of the database as an auditor has it."""

    def __init__(self, database: str, folder):
        super().__init__(database)
        self.month = story.open_month(datetime.now(UTC)).previous
        self.path = folder / "cdrs.jsonl"

    def take_in(self):
        """File of the former system: 9.95 + 6.45 + 20.74 + 17.86 = 55.00."""
        opening = ("run", "--as-of", iso(self.month.start + timedelta(days=14)))
        for process in [self.start(*opening), self.start(*opening)]:
            finish_command(process)
        sessions = [session for session in story.SECOND_MONTH if session.party == "DE*SMO"]
        last = self.month.next.start - timedelta(hours=8)
        payloads = [
            story.cdr(session, start, "INT", place)
            for place, (session, start) in enumerate(story.spread(sessions, self.month.start, last))
        ]
        self.path.write_bytes(story.json_lines(payloads))
        self.run("import", "--connection", "FR*RVR", "--received-at", iso(last), str(self.path))
        self.run("run", "--as-of", iso(self.month.cut_off))

    def start_lock_run(self):
        return self.start("run", "--as-of", iso(self.month.lock))

    def invoices(self):
        """(state, number, net amount) of each invoice of a settlement."""
        return self.query(
            "SELECT state, name, amount_untaxed::float FROM account_move"
            " WHERE emsp_settlement_id IS NOT NULL ORDER BY id"
        )

    def cdr_states(self):
        return self.query("SELECT state, count(*), count(move_id) FROM emsp_cdr GROUP BY state")

    def settlement(self):
        """(state, has an invoice) of the settlement that has the sessions."""
        return self.query("SELECT state, move_id IS NOT NULL FROM emsp_settlement WHERE cdr_count > 0")


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def ledger(database, tmp_path_factory):
    made = Ledger(database, tmp_path_factory.mktemp("ledger"))
    made.take_in()
    return made


def test_two_first_runs_at_the_same_time_open_each_period_once(ledger):
    periods = ledger.query(
        "SELECT contract_id, period_start, count(*) FROM emsp_settlement GROUP BY contract_id, period_start"
    )
    assert len(periods) >= 2
    assert {count for *__, count in periods} == {1}


def test_list_waits_in_its_window(ledger):
    assert ledger.settlement() == [("control", False)]
    assert ledger.cdr_states() == [("open", 4, 0)]


@pytest.mark.parametrize("table", HALF_WAY)
def test_run_killed_half_way_leaves_nothing_half_made(ledger, table):
    with ledger.held(table):
        process = ledger.start_lock_run()
        ledger.wait_until_blocked(table)
        kill(process)
    assert ledger.invoices() == []
    [(state, has_invoice)] = ledger.settlement()
    # Each step is a transaction: the lock of the list may be done, the invoice is not.
    assert state == ("control" if table == "emsp_cdr" else "locked") and not has_invoice
    assert ledger.cdr_states() == [("open" if table == "emsp_cdr" else "locked", 4, 0)]


# The same step by two processes that know nothing of each other, as a job that was started twice.
INVOICE_STEP = """
settlement = env["emsp.settlement"].search([("cdr_count", ">", 0)])
settlement._job_invoice(settlement.lock_at)
env.cr.commit()
"""


def test_two_runs_at_the_same_time_bill_once(ledger):
    with ledger.held("account_move_line"):
        shells = [start_shell(ledger.database, INVOICE_STEP) for __ in range(2)]
        ledger.wait_until_blocked("account_move_line")
        # The second one is put off, or still on its way; it must not get past the first.
        runs = [ledger.start_lock_run() for __ in range(2)]
    for process in shells:
        process.communicate(timeout=LIMIT_S)
    for process in runs:
        finish_command(process)
    [(state, number, amount)] = ledger.invoices()
    assert (state, amount) == ("posted", 55.00)
    assert ledger.cdr_states() == [("invoiced", 4, 4)]
    # No number was lost to those that died or came second.
    assert number.endswith("/00001")


def test_runs_after_that_bill_nothing_more(ledger):
    before = ledger.invoices()
    ledger.run("run", "--as-of", iso(ledger.month.lock))
    ledger.run("run", "--as-of", iso(ledger.month.lock + timedelta(days=1)))
    assert ledger.invoices() == before

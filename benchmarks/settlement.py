"""Window, lock and invoice of a settlement; and of one with ten times the CDRs."""

from datetime import datetime

from _bench import environment, figure, make_network, payloads, seconds

AVAILABLE = datetime(2026, 11, 1)
CUT_OFF = datetime(2026, 11, 2, 23, 0)
LOCK = datetime(2026, 11, 9, 23, 0)
FEW, MANY = 300, 3000


def main():
    times, queries = {}, {}
    for number in (FEW, MANY):
        with environment() as env:
            settlement = prepare(env, number)
            before = env.cr.sql_log_count
            times[number] = seconds(lambda s=settlement: settle(s))
            queries[number] = env.cr.sql_log_count - before
            if settlement.move_id.state != "posted" or settlement.cdr_count != number:
                raise RuntimeError(f"expected an invoice of {number} CDRs, got {settlement.read()}")
    # Linear would be 10; what an invoice costs at any size makes it less.
    figure("settle_ten_times_the_cdrs", times[MANY], "s", times[FEW], bar=8)
    figure("queries_to_settle_ten_times_the_cdrs", queries[MANY], "queries", queries[FEW], bar=3)


def prepare(env, number):
    """:return: the collecting settlement of October with that many priced CDRs."""
    contract, connection = make_network(env)
    endpoint = connection._as_endpoint()
    env["emsp.settlement"]._open_calendar(datetime(2026, 10, 15))
    endpoint.env["emsp.cdr"]._receive(endpoint, payloads(number, f"S{number}"), AVAILABLE, AVAILABLE)
    env.flush_all()
    env.invalidate_all()
    return contract.settlement_ids.filtered(lambda settlement: settlement.date_first.month == 10)


def settle(settlement):
    # Sending is another step; what it costs is the mail's.
    step = settlement.with_context(queue_job__no_delay=False)
    step._job_open_window(CUT_OFF)
    step._job_lock(LOCK)
    step._job_invoice(LOCK)
    settlement.env.flush_all()


main()

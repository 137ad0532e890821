"""Pricing stored CDRs with their findings, as the job does; and ten times as many."""

from datetime import datetime

from _bench import environment, figure, make_network, payloads, seconds

AVAILABLE = datetime(2026, 11, 1)
FEW, MANY = 200, 2000


def main():
    times, queries = {}, {}
    with environment() as env:
        __, connection = make_network(env)
        endpoint = connection._as_endpoint().with_context(queue_job__no_delay=False)
        cdrs = endpoint.env["emsp.cdr"]
        for number in (FEW, MANY):
            receipts = cdrs._receive(endpoint, payloads(number, f"P{number}"), AVAILABLE)
            received = cdrs.browse([receipt.record.id for receipt in receipts])
            env.flush_all()
            env.invalidate_all()
            before = env.cr.sql_log_count
            times[number] = seconds(lambda records=received: rate(records))
            queries[number] = env.cr.sql_log_count - before
            if set(received.mapped("state")) != {"open"}:
                raise RuntimeError(f"expected open CDRs, got {set(received.mapped('state'))}")
    # Linear would be 10.
    figure("rate_ten_times_the_cdrs", times[MANY], "s", times[FEW], bar=13)
    figure("queries_to_rate_a_cdr", queries[MANY] / MANY, "queries", 1, bar=0.1)


def rate(cdrs):
    cdrs._rate(AVAILABLE)
    cdrs.env.flush_all()


main()

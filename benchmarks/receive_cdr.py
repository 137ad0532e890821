"""Taking CDRs into the database, one and many at a time, against creating as many partners."""

from datetime import datetime
from itertools import count

from _bench import environment, figure, make_network, paired, payloads

RECEIVED = datetime(2026, 11, 1)
BATCH = 200


def main():
    runs = count()
    with environment() as env:
        __, connection = make_network(env)
        endpoint = connection._as_endpoint()
        # Rating is a job of its own; here only the intake counts.
        cdrs = endpoint.env["emsp.cdr"].with_context(queue_job__no_delay=False)

        def receive(number):
            receipts = cdrs._receive(endpoint, payloads(number, f"R{next(runs)}"), RECEIVED)
            if {receipt.outcome for receipt in receipts} != {"created"}:
                raise RuntimeError(f"expected {number} new CDRs, got {receipts[:3]}")
            env.flush_all()

        def create(number):
            env["res.partner"].create([{"name": f"Partner {n}"} for n in range(number)])
            env.flush_all()

        value, baseline = paired(lambda: receive(1), lambda: create(1), 51)
        # As each POST does it. A CDR is parsed, compared with what is stored, hashed, written with
        # 40 fields, attached and queued for rating; a partner is only written.
        figure("receive_one_cdr", value * 1e3, "ms", baseline * 1e3, bar=8)

        value, baseline = paired(lambda: receive(BATCH), lambda: create(BATCH), 7)
        figure("receive_cdr_in_a_batch", value / BATCH * 1e3, "ms", baseline / BATCH * 1e3, bar=2)

        value, baseline = paired(lambda: receive(10 * BATCH), lambda: receive(BATCH), 3)
        # Linear would be 10.
        figure("receive_ten_times_the_cdrs", value, "s", baseline, bar=12)

        queries = []
        for number in (BATCH, 10 * BATCH):
            before = env.cr.sql_log_count
            receive(number)
            queries.append(env.cr.sql_log_count - before)
        # Records are written by the hundred; no query comes with each.
        figure("queries_to_receive_ten_times_the_cdrs", queries[1], "queries", queries[0], bar=7)
        figure("queries_to_receive_a_cdr_in_a_batch", queries[1] / (10 * BATCH), "queries", 1, bar=0.1)


main()

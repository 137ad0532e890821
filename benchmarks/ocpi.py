"""CDRs over OCPI with eight clients, and in bulk; against Odoo storing records as wide and nothing else."""

import gc
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path
from time import perf_counter, sleep

import requests
from _bench import DATABASE, environment, figure, make_network, paired, payloads
from support.mailbox import Mailbox
from support.ocpi_client import OcpiClient
from support.server import ODOO_BIN, PYTHON, ROOT, OdooServer

ADDONS = f"{ROOT},{ROOT}/benchmarks/addons"
CLIENTS, REQUESTS, ROUNDS, DRAIN_S = 8, 480, 5, 5
RECEIVED = datetime(2026, 11, 1)
PAGE, BULK_ROUNDS = 1000, 5
A_FEW, MANY = 5_000, 1_000_000
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class BenchServer(OdooServer):
    """The server with the add-on that the baseline needs."""

    def _options(self):
        return [f"--addons-path={ADDONS}", *super()._options()]


def main():
    install = [f"--addons-path={ADDONS}", f"--database={DATABASE}", "--init=emsp_bench"]
    quiet = ["--stop-after-init", "--no-http", "--log-level=error"]
    subprocess.run([PYTHON, ODOO_BIN, *install, *quiet], check=True)
    with environment(f"--addons-path={ADDONS}") as env:
        __, connection = make_network(env)
        token = connection._generate_token()
        env.cr.commit()
    post(token)
    bulk()


def post(token):
    """Both take their turn on one server, while its job runner prices what came."""
    rates, slowest = [], []
    with Mailbox() as mailbox, BenchServer(DATABASE, mailbox.port) as server:
        runs = count()
        for __ in range(ROUNDS + 1):
            ours = load(
                lambda: OcpiClient(server.url, token).post_cdr, payloads(REQUESTS, f"O{next(runs)}"), 201
            )
            # What is still to be priced must not slow the baseline down.
            sleep(DRAIN_S)
            plain = load(
                lambda: poster(f"{server.url}/emsp_bench"), payloads(REQUESTS, f"B{next(runs)}"), 201
            )
            rates.append((ours[0], plain[0]))
            slowest.append((ours[1], plain[1]))
    rate = middle(rates[1:])
    # Of ten requests that Odoo could store, six are worth being understood, attached and priced.
    figure("post_cdr_with_8_clients", 1 / rate[0] * 1e3, "ms", 1 / rate[1] * 1e3, bar=1 / 0.6)
    p99 = middle(slowest[1:])
    figure("post_cdr_with_8_clients_p99", p99[0] * 1e3, "ms", p99[1] * 1e3, bar=5)


def load(make_client, bodies, expected):
    """:return: (requests per second, 99th percentile in seconds) with all clients at once."""

    def work(chunk):
        send, times = make_client(), []
        for body in chunk:
            start = perf_counter()
            answer = send(body)
            times.append(perf_counter() - start)
            if getattr(answer, "http_status", None) != expected:
                raise RuntimeError(f"expected HTTP {expected}, got {answer}")
        return times

    chunks = [bodies[client::CLIENTS] for client in range(CLIENTS)]
    start = perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        times = sorted(time for done in pool.map(work, chunks) for time in done)
    return len(bodies) / (perf_counter() - start), times[int(len(times) * 0.99)]


def poster(url):
    session = requests.Session()

    class Answer:
        def __init__(self, response):
            self.http_status = response.status_code

    return lambda body: Answer(session.post(url, data=body, timeout=30))


def middle(pairs):
    """The pair with the median ratio."""
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def bulk():
    """Pages of a thousand, as a pull or a file brings them; each page is a transaction."""
    runs = count()
    with environment(f"--addons-path={ADDONS}") as env:
        from odoo.addons.emsp_bench.controllers import vals_of

        connection = env["emsp.ocpi.connection"].search([("name", "=", "Bench")])._as_endpoint()
        connection = connection.with_context(queue_job__no_delay=False, tracking_disable=True)
        cdrs = connection.env["emsp.cdr"]

        def receive():
            receipts = cdrs._receive(connection, payloads(PAGE, f"P{next(runs)}"), RECEIVED)
            if {receipt.outcome for receipt in receipts} != {"created"}:
                raise RuntimeError(f"expected {PAGE} new CDRs, got {receipts[:3]}")
            env.cr.commit()
            env.invalidate_all()

        def create():
            texts = [payload.decode() for payload in payloads(PAGE, f"P{next(runs)}")]
            env["emsp.bench.record"].create([vals_of(text, RECEIVED) for text in texts])
            env.cr.commit()
            env.invalidate_all()

        value, baseline = paired(receive, create, BULK_ROUNDS)
        figure("receive_a_page", value / PAGE * 1e3, "ms", baseline / PAGE * 1e3, bar=1 / 0.6)

        def receive_many(number):
            for __ in range(number // PAGE):
                receive()

        receive_many(A_FEW)
        before = memory()
        receive_many(MANY)
        figure("memory_of_many_cdrs", memory(), "MB", before, bar=1.1)


def memory():
    """Megabytes that the process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB


main()

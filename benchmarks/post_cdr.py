"""A POSTed CDR, against the same server's answer to a GET that does nothing."""

from itertools import cycle

from _bench import DATABASE, environment, figure, make_network, paired, payloads
from support.mailbox import Mailbox
from support.ocpi_client import OcpiClient
from support.server import OdooServer

ROUNDS = 150


def main():
    with environment() as env:
        __, connection = make_network(env)
        token = connection._generate_token()
        env.cr.commit()
    with Mailbox() as mailbox, OdooServer(DATABASE, mailbox.port) as server:
        client = OcpiClient(server.url, token)
        fresh = iter(payloads(ROUNDS + 1, "POST"))
        value, baseline = paired(
            lambda: post(client, next(fresh), 201),
            lambda: client.session.get(f"{server.url}/web/health"),
            ROUNDS,
        )
        # Authenticated, checked, stored with its message, committed to disk; the GET touches no table.
        figure("post_cdr", value * 1e3, "ms", baseline * 1e3, bar=6)

        repeated = cycle(payloads(1, "POST"))
        value, baseline = paired(
            lambda: post(client, next(repeated), 200),
            lambda: client.session.get(f"{server.url}/web/health"),
            ROUNDS,
        )
        figure("post_cdr_again", value * 1e3, "ms", baseline * 1e3, bar=6)


def post(client, payload, expected):
    answer = client.post_cdr(payload)
    if answer.http_status != expected:
        raise RuntimeError(f"expected HTTP {expected}, got {answer}")


main()

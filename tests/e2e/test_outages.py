"""Simultaneous and interrupted messages, in and out, on a running server."""

import json
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from support import story
from support.demo import SMO_MAIL
from support.ocpi_client import CDRS_PATH
from support.waiting import wait_until

SESSIONS = {session.name: session for session in story.SECOND_MONTH}


@pytest.fixture(scope="module")
def connected(demo):
    demo.connect()
    demo.run_due(demo.month.start)
    return demo


def payload(demo, name):
    """Each session has hours of its own: on one charger, two at once would be held."""
    start = demo.month.start + timedelta(hours=6 * list(SESSIONS).index(name))
    return story.cdr(SESSIONS[name], start, demo.run)


def found(demo, name):
    return demo.manager.search_read(
        "emsp.cdr", [["ocpi_id", "=", f"{demo.run}-{name}"]], ["state", "amount_untaxed"]
    )


def test_sixteen_identical_cdrs_at_once_are_stored_once(connected):
    cdr = payload(connected, "M2-SMO-1")
    start = Barrier(16)

    def post(__):
        start.wait(timeout=30)
        return connected.ocpi.post_cdr(cdr)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(post, range(16)))
    assert sorted(answer.http_status for answer in answers) == [200] * 15 + [201]
    assert {answer.status_code for answer in answers} == {1000}
    [location] = {answer.location for answer in answers}
    assert connected.ocpi.get(location).envelope["data"] == cdr
    assert len(found(connected, "M2-SMO-1")) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
def test_cdr_whose_sender_hung_up_before_the_answer_is_stored_once(connected, how):
    cdr = payload(connected, "M2-HXM-2")
    cdr["id"] += f"-{how}"
    before = len(kept(connected))
    with open_post(connected, json.dumps(cdr).encode()) as client:
        if how == "reset":
            hang_up(client)
    again = connected.ocpi.post_cdr(cdr)
    assert again.is_taken and again.http_status in (200, 201)
    # Both were worked off, whichever came first: the one that nobody waited for as well.
    wait_until(lambda: len(kept(connected)) == before + 2, "both messages")
    assert sorted(kept(connected)[before:]) == [(200, 1000), (201, 1000)]
    assert len(found(connected, f"M2-HXM-2-{how}")) == 1
    third = connected.ocpi.post_cdr(cdr)
    assert (third.http_status, third.location) == (200, again.location)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_cdr_that_breaks_off_half_way_is_not_stored_until_it_comes_whole(connected, how):
    cdr = payload(connected, "M2-HXM-3")
    cdr["id"] += f"-{how}"
    body = json.dumps(cdr).encode()
    before = len(kept(connected))
    with open_post(connected, body[: len(body) // 2], len(body)) as client:
        if how == "reset":
            hang_up(client)
    wait_until(lambda: len(kept(connected)) == before + 1, "the message that broke off")
    assert kept(connected)[-1] == (400, 2001)
    assert found(connected, f"M2-HXM-3-{how}") == []
    whole = [connected.ocpi.post_cdr(cdr) for __ in range(2)]
    assert [(answer.http_status, answer.status_code) for answer in whole] == [(201, 1000), (200, 1000)]
    assert connected.ocpi.get(whole[0].location).envelope["data"] == cdr
    assert len(found(connected, f"M2-HXM-3-{how}")) == 1


def kept(demo):
    """Both statuses of each CDR message that came in, in order."""
    rows = demo.admin.search_read(
        "emsp.ocpi.message",
        [["module", "=", "cdrs"], ["method", "=", "POST"], ["direction", "=", "in"]],
        ["http_status", "ocpi_status"],
        order="id",
    )
    return [(row["http_status"], row["ocpi_status"]) for row in rows]


def open_post(demo, sent, length=None):
    """A connection on which a CDR is posted; `length` is what its head promises."""
    client = socket.create_connection(("127.0.0.1", demo.server.port), timeout=30)
    head = (
        f"POST {CDRS_PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{demo.server.port}",
        f"Authorization: {demo.ocpi.session.headers['Authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {length or len(sent)}",
    )
    client.sendall("\r\n".join((*head, "", "")).encode() + sent)
    return client


def hang_up(client):
    """Close with a reset, as a process that dies with its connection does."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_eight_different_cdrs_at_once_are_all_stored(connected):
    cdr = payload(connected, "M2-SMO-2")
    several = [{**cdr, "id": f"{cdr['id']}-{number}"} for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(connected.ocpi.post_cdr, several))
    assert [answer.http_status for answer in answers] == [201] * 8
    assert len({answer.location for answer in answers}) == 8


def test_answered_cdr_survives_a_power_cut_and_is_priced_afterwards(connected):
    answer = connected.ocpi.post_cdr(payload(connected, "M2-HXM-1"))
    connected.server.kill()
    assert answer.http_status == 201
    connected.server.start()
    connected.admin.wait_for_jobs(seconds=180)
    [cdr] = found(connected, "M2-HXM-1")
    assert (cdr["state"], cdr["amount_untaxed"]) == ("open", 8.73)
    again = connected.ocpi.post_cdr(payload(connected, "M2-HXM-1"))
    assert (again.http_status, again.location) == (200, answer.location)


def test_refused_mail_is_an_exception_until_it_is_sent_once(connected):
    demo = connected
    demo.mailbox.refuse = "550 mailbox is full"
    demo.settle(demo.month)
    wait_until(lambda: "sending_failed" in kinds(demo), "an exception for the refused mail")
    settlement = demo.settlement(demo.month, "smo")
    assert settlement["state"] == "invoiced"
    demo.mailbox.refuse = None
    demo.accountant.call("emsp.settlement", "action_send", [settlement["id"]])
    [message] = demo.mailbox.wait_for(SMO_MAIL)
    wait_until(lambda: demo.settlement(demo.month, "smo")["state"] == "sent", "a settlement that is sent")
    assert demo.invoice(settlement)["name"] in message["Subject"]
    assert demo.settlement(demo.month, "smo")["sent_to"] == SMO_MAIL


def kinds(demo):
    return [row["kind"] for row in demo.exceptions() if "Spree" in row["name"]]

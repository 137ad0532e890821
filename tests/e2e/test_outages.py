"""Simultaneous and interrupted messages, in and out, on a running server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support import story
from support.demo import SMO_MAIL
from support.waiting import wait_until

SESSIONS = {session.name: session for session in story.SECOND_MONTH}


@pytest.fixture(scope="module")
def connected(demo):
    demo.connect()
    demo.run_due(demo.month.start)
    return demo


def payload(demo, name):
    return story.cdr(SESSIONS[name], demo.month.start, demo.run)


def found(demo, name):
    return demo.manager.search_read(
        "emsp.cdr", [["ocpi_id", "=", f"{demo.run}-{name}"]], ["state", "amount_untaxed"]
    )


def test_eight_identical_cdrs_at_once_are_stored_once(connected):
    cdr = payload(connected, "M2-SMO-1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(connected.ocpi.post_cdr, [cdr] * 8))
    assert sorted(answer.http_status for answer in answers) == [200] * 7 + [201]
    assert {answer.status_code for answer in answers} == {1000}
    assert len({answer.location for answer in answers}) == 1
    assert len(found(connected, "M2-SMO-1")) == 1


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

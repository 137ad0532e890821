import asyncio
import socket
from contextlib import contextmanager
from threading import Thread
from unittest.mock import patch

from aiosmtpd.controller import Controller

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .test_documents import DocumentCommon


class SendingCommon(DocumentCommon):
    """A posted invoice of a settlement, and what became of its sending."""

    def setUp(self):
        super().setUp()
        self.move = self._bill()
        # sudo: settlements move by the calendar and the queue alone.
        self.settlement = self.move.emsp_settlement_id.sudo()

    def deliveries(self):
        # sudo: deliveries are the system's.
        deliveries = self.env["emsp.settlement.delivery"].sudo()
        return deliveries.search([("move_id", "=", self.move.id)], order="id")

    def failures(self, state="open"):
        return self.env["emsp.exception"].search(
            [("kind", "=", "sending_failed"), ("move_id", "=", self.move.id), ("state", "=", state)]
        )

    def send(self):
        """The step of the settlement, with its jobs."""
        self.settlement.with_context(queue_job__no_delay=True)._job_send(None)

    def send_again(self):
        self.settlement.with_context(queue_job__no_delay=True).action_send()

    def run_cron(self, as_of):
        self.deliveries().browse().with_context(queue_job__no_delay=True)._cron_send(as_of)

    def run_queue(self):
        self.env["mail.mail"].process_email_queue()


class Catcher:
    """A real SMTP server. `say` is what it answers to a message; `is_dropping`: it hangs up instead."""

    def __init__(self):
        self.messages, self.say, self.is_dropping, self.refused = [], "250 2.0.0 queued as 4F1A", False, set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.is_dropping:
            server.transport.abort()
            await asyncio.sleep(0)
        elif self.say.startswith("250"):
            self.messages.append((envelope.rcpt_tos, envelope.content))
        return self.say

    @contextmanager
    def running(self, env):
        """Serve, as the only mail server of the database."""
        controller = Controller(self, hostname="127.0.0.1", port=free_port())
        controller.start()
        # sudo: mail servers are the administrator's
        env["ir.mail_server"].sudo().search([]).active = False
        own = {"name": "Catcher", "smtp_host": "127.0.0.1", "smtp_port": controller.port}
        self.server = env["ir.mail_server"].sudo().create({**own, "smtp_encryption": "none"})
        try:
            with patch.object(IrMail_Server, "_disable_send", lambda servers: False):
                yield self
        finally:
            controller.stop()


@contextmanager
def silent_server():
    """Takes connections and says nothing. :return: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running_loop():
    """An event loop in a thread of its own. :return: it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

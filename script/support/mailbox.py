"""A real SMTP server that keeps what it receives."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller

from .server import free_port
from .waiting import wait_until


class Mailbox:
    """`with Mailbox() as box:`; `box.refuse = "550 ..."` makes it refuse what comes next."""

    def __init__(self):
        self.messages: list[EmailMessage] = []
        self.refuse: str | None = None
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *__):
        self._controller.stop()

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    def wait_for(self, recipient: str, count: int = 1, seconds: float = 60) -> list[EmailMessage]:
        """The messages to `recipient`, once there are `count` of them.

        :raise TimeoutError: when they do not come in time.
        """

        def found():
            return [message for message in self.messages if recipient in message["X-Envelope-To"]]

        wait_until(lambda: len(found()) >= count, f"{count} mails to {recipient}", seconds)
        return found()


def save_attachments(message: EmailMessage, folder: Path) -> list[Path]:
    """Write the attachments of a mail into `folder`. :return: their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part in message.iter_attachments():
        path = folder / Path(part.get_filename()).name
        path.write_bytes(
            part.get_content() if part.get_content_maintype() != "text" else part.get_payload(decode=True)
        )
        paths.append(path)
    return paths

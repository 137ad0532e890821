"""An Odoo server in a process of its own, as an operator would start it."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".odoo"
PYTHON = STATE / "venv/bin/python"
ODOO_BIN = STATE / "bin/odoo-bin"
START_LIMIT_S = 180
COMMAND_LIMIT_S = 600
# A server that has closed all and said so may still hang while its interpreter ends.
STOP_LIMIT_S = 8


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_command(database: str, name: str, action: str, *arguments: str) -> subprocess.Popen:
    """Start one of the add-on's commands, such as `emsp run`, in a process group of its own."""
    return subprocess.Popen(
        [PYTHON, ODOO_BIN, name, action, "-d", database, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def finish_command(process: subprocess.Popen, accept: tuple[int, ...] = (0,)) -> str:
    """Wait for a command. :return: what it printed.

    :raise RuntimeError: when its exit code is not in `accept`.
    """
    output, errors = process.communicate(timeout=COMMAND_LIMIT_S)
    if process.returncode not in accept:
        raise RuntimeError(f"{process.args[2:4]} ended with {process.returncode}:\n{errors[-4000:]}")
    return output


class OdooServer:
    """`with OdooServer("emsp_demo", smtp_port=1025) as server:` until the block ends.

    Needs the project's database cluster (PGHOST) and ODOO_RC in the environment, as script/lib.sh
    sets them. The queue_job runner works in the same process.
    """

    def __init__(self, database: str, smtp_port: int, port: int | None = None):
        self.database = database
        self.smtp_port = smtp_port
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = STATE / "log" / f"server-{database}.log"
        self.process: subprocess.Popen | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *__):
        self.stop()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PYTHON, ODOO_BIN, *self._options()],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait_until_healthy()

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            try:
                self.process.wait(timeout=STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def command(self, name: str, action: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run one of the add-on's commands on the same database, such as `emsp run`.

        :param accept: exit codes that are no failure. :return: what it printed.
        """
        return finish_command(start_command(self.database, name, action, *arguments), accept)

    def _options(self):
        return [
            f"--database={self.database}",
            f"--db-filter=^{self.database}$",
            f"--http-port={self.port}",
            f"--gevent-port={free_port()}",
            "--smtp=127.0.0.1",
            f"--smtp-port={self.smtp_port}",
            "--email-from=clearing@rhone-volt.example",
        ]

    def _wait_until_healthy(self):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended with {self.process.returncode}; its log is {self.log}.")
            try:
                if requests.get(f"{self.url}/web/health", timeout=5).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.3)
        self.kill()
        raise RuntimeError(f"The server did not answer within {START_LIMIT_S} s; its log is {self.log}.")

"""Workers that can be killed at any moment, from the outside; what they do is in forked_workers.py."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from books import start_shell
from support.waiting import wait_until

LOAD_LIMIT_S = 180
WORK_LIMIT_S = 300
FOLDER = Path(__file__).parent
START = """
import sys
sys.path.insert(0, {folder!r})
from forked_workers import serve
serve(env.cr.dbname, {orders!r})
"""


class Workers:
    """`with Workers(database, folder) as workers:`; `folder` gets their log."""

    def __init__(self, database: str, folder: Path):
        self.database = database
        self.orders = folder / "orders"
        self.log = folder / "workers.log"
        self.pids: list[int] = []

    def __enter__(self):
        os.mkfifo(self.orders)
        code = START.format(folder=str(FOLDER), orders=str(self.orders))
        with self.log.open("ab") as log:
            self._parent = start_shell(self.database, code, stderr=log)
        try:
            self._pipe = os.fdopen(wait_until(self._open, "workers", LOAD_LIMIT_S), "w")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *__):
        self.kill()
        self._pipe.close()
        self._end()

    def _open(self):
        if self._parent.poll() is not None:
            raise RuntimeError(f"The shell ended:\n{self.log.read_text()[-4000:]}")
        with suppress(OSError):  # while nobody reads
            return os.open(self.orders, os.O_WRONLY | os.O_NONBLOCK)
        return None

    def _end(self):
        with suppress(ProcessLookupError):
            os.killpg(self._parent.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._parent.communicate(timeout=30)

    def start(self, name: str, **arguments) -> int:
        """:param name: of a function in forked_workers. :return: process id."""
        self._pipe.write(json.dumps([name, arguments]) + "\n")
        self._pipe.flush()
        pid = int(self._parent.stdout.readline())
        self.pids.append(pid)
        return pid

    def run(self, name: str, **arguments) -> None:
        """Start a worker and wait until it has ended."""
        pid = self.start(name, **arguments)
        wait_until(lambda: not is_alive(pid), f"the end of {name}; its log is {self.log}", WORK_LIMIT_S)

    def kill(self) -> None:
        """All of them, as a power cut would."""
        self._end_all(signal.SIGKILL)

    def stop(self) -> None:
        """All of them, as a server that is shut down would: what they are at is ended first."""
        self._end_all(signal.SIGTERM)

    def _end_all(self, signum: signal.Signals) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)
        for pid in self.pids:
            wait_until(lambda pid=pid: not is_alive(pid), "a death")
        self.pids = []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

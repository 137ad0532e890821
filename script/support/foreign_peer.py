"""An OCPI platform by others, started as a process; tests/e2e/foreign_peer is its program."""

import base64
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

import requests

from .server import ROOT, STATE, free_port
from .waiting import wait_until

PYTHON = STATE / "peer/bin/python"
PROGRAM = ROOT / "tests/e2e/foreign_peer"
TIMEOUT_S = 90


@dataclass(frozen=True)
class Judged:
    """An answer of ours, and what the foreign schemas have against it.

    `data`: list of the objects as the schema reads them, whether the answer held one or many.
    """

    http_status: int
    headers: dict[str, str]
    envelope: dict[str, Any]
    problems: list[str]
    data: list[Any]

    @property
    def outcome(self) -> tuple[int, int]:
        return self.http_status, self.envelope["status_code"]


class ForeignPeer:
    """`with ForeignPeer("CPO", "NL*FCP", "2.2.1") as peer:` until the block ends.

    :param version: in which it talks; it offers 2.1.1 and 2.2.1. `token` is that of its requests.
    """

    def __init__(self, role: str, party: str, version: str):
        self.role, self.party, self.version = role, party, version
        self.country_code, __, self.party_id = party.partition("*")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.log = STATE / "log" / f"foreign-{role}-{version}.log"
        self.token = ""

    def __enter__(self):
        command = [PYTHON, PROGRAM, "--role", self.role, "--port", str(self.port)]
        command += ["--party", self.party]
        # In an empty folder: the package reads an .env file where there is one.
        self.folder = tempfile.TemporaryDirectory()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder.name
            )
        wait_until(self._is_up, f"the foreign platform, log {self.log}", 30)
        return self

    def __exit__(self, *__):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    def _is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"The foreign platform ended; its log is {self.log}.")
        try:
            return requests.get(f"{self.url}/control/partner", timeout=5).ok
        except requests.ConnectionError:
            return False

    # -- told by the test

    def invite(self) -> str:
        """:return: token A."""
        return self._control("POST", "invite")["token"]

    def introduce(self) -> dict:
        """:return: its credentials, with a token that it takes from now on."""
        return self._control("POST", "introduce", {"version": self.version})["credentials"]

    def partner(self) -> dict | None:
        """:return: the credentials by which the other side has registered."""
        return self._control("GET", "partner")["partner"]

    def offer(self, module: str, *objects: dict) -> None:
        self._control("POST", "offer", {"version": self.version, "module": module, "objects": objects})

    def held(self, module: str) -> list[dict]:
        return self._control("GET", f"held?version={self.version}&module={module}")["objects"]

    def read(self, schema: str, content: dict) -> Any:
        """An object as the schema reads it. :raise ValueError: the schema has something against it."""
        body = {"version": self.version, "schema": schema, "object": content}
        found = self._control("POST", "read", body)
        if found["data"] is None:
            raise ValueError(found["problems"])
        return found["data"]

    # -- as a client

    def call(self, method: str, url: str, schema: str | None = None, body: Any = None) -> Judged:
        """:param schema: of what `data` is to hold: "cdrs.Cdr"; None where there is to be none."""
        asked = {"method": method, "url": url, "schema": schema, "body": body}
        return Judged(
            **self._control("POST", "call", {**asked, "version": self.version, "token": self.token})
        )

    def push(self, module: str, name: str, details_url: str) -> dict:
        """Send one object by the package's own client.

        :return: the answer's `status_code` (of HTTP) and `response`: its body, of CDRs its headers.
        """
        token = self._control("GET", "partner")["valid_tokens"][0]
        encoded = token if self.version == "2.1.1" else base64.b64encode(token.encode()).decode()
        receiver = {"endpoints_url": details_url, "auth_token": self.token}
        answer = requests.post(
            f"{self.url}/push/{self.version}",
            headers={"Authorization": f"Token {encoded}"},
            json={"module_id": module, "object_id": name, "receivers": [receiver]},
            timeout=TIMEOUT_S,
        )
        try:
            [response] = answer.json()["receiver_responses"]
        except KeyError:
            raise RuntimeError(f"The push failed: {answer.text}; log {self.log}.") from None
        return response

    def _control(self, method, name, body=None):
        answer = requests.request(method, f"{self.url}/control/{name}", json=body, timeout=TIMEOUT_S).json()
        if answer.get("status_code", 0) >= 3000:
            raise RuntimeError(f"The foreign platform failed; its log is {self.log}.")
        return answer

import base64
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import Request, urlopen

ALL_VERSIONS = ("2.1.1", "2.2.1", "2.3.0")


class OcpiPeer:
    """A partner's platform: versions, details and credentials of each version over real HTTP.

    It keeps what it is sent in `requests` as (method, path, headers, body). `answers` replaces what it
    says: path to (HTTP status, body, headers), or a function without arguments that returns it. While it
    is asked for credentials it calls the asker back, if `calls_back`.
    """

    def __init__(self, versions=ALL_VERSIONS, party=("NL", "TNM"), role="CPO", calls_back=True):
        self.versions, self.party, self.role, self.calls_back = versions, party, role, calls_back
        self.requests, self.answers, self.called_back = [], {}, []
        self.tokens = {"peer-token-a"}
        self.is_encoded = None
        self.stranger_status = 401
        self.received = None
        self.modules = ("credentials", "cdrs", "locations")
        self.interface = "SENDER"
        self.issued = 0
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    return super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True
                    return None

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                peer.requests.append((self.command, self.path, dict(self.headers), body))
                status, content, headers = peer.respond(self.command, self.path, self.headers, body)
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *args):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @contextmanager
    def running(self):
        thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def versions_url(self):
        return f"{self.base}/versions"

    def respond(self, method, path, headers, body):
        path = path.partition("?")[0]
        if path in self.answers:
            answer = self.answers[path]
            return answer() if callable(answer) else answer
        if not self.knows(headers.get("Authorization", "")):
            return self.stranger_status, {"status_code": 2000}, {}
        if path == "/versions":
            data = [{"version": version, "url": f"{self.base}/{version}"} for version in self.versions]
            return self.ok(data)
        parts = path.strip("/").split("/")
        if parts[0] in self.versions and len(parts) == 1:
            return self.ok({"version": parts[0], "endpoints": self.endpoints(parts[0])})
        if parts[0] in self.versions and parts[1] == "credentials":
            return self.agree(method, parts[0], body)
        return self.ok([] if method == "GET" else None)

    def knows(self, authorization):
        """Whether the token fits, in the one spelling that this peer understands, or in any."""
        credential = authorization.removeprefix("Token ")
        for token in self.tokens:
            encoded = base64.b64encode(token.encode()).decode()
            if (credential == encoded and self.is_encoded is not False) or (
                credential == token and not self.is_encoded
            ):
                return True
        return False

    def endpoints(self, version):
        role = {} if version == "2.1.1" else {"role": self.interface}
        return [
            {"identifier": module, "url": f"{self.base}/{version}/{module}", **role}
            for module in self.modules
        ]

    def agree(self, method, version, body):
        if method == "DELETE":
            self.tokens.clear()
            return self.ok(None)
        self.received = json.loads(body)
        if self.calls_back:
            token = self.received["token"]
            for __ in range(2):
                self.called_back.append(call(self.received["url"], token))
        self.issued += 1
        token = f"peer-token-c{self.issued}"
        self.tokens = {token}
        return self.ok(self.credentials(version, token))

    def credentials(self, version, token):
        country_code, party_id = self.party
        party = {"country_code": country_code, "party_id": party_id, "business_details": {"name": "Peer"}}
        credentials = {"token": token, "url": self.versions_url}
        if version == "2.1.1":
            return {**credentials, **party}
        return {**credentials, "roles": [{"role": self.role, **party}]}

    @staticmethod
    def ok(data, **headers):
        body = {"status_code": 1000, "timestamp": "2026-11-21T10:00:00Z"}
        return 200, body if data is None else {**body, "data": data}, headers

    def paths(self, method=None):
        return [path for verb, path, *__ in self.requests if method in (None, verb)]


def call(url, token):
    """:return: HTTP status and body of a GET with a token in Base64."""
    authorization = "Token " + base64.b64encode(token.encode()).decode()
    # The test's own server.
    with urlopen(Request(url, headers={"Authorization": authorization}), timeout=10) as response:  # noqa: S310
        return response.status, json.load(response)

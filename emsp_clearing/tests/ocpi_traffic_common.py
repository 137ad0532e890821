import json
from urllib.parse import parse_qs, unquote, urlencode

from odoo import Command

from .ocpi_objects_common import OcpiObjectsCommon
from .ocpi_peer import OcpiPeer

TOKEN = "peer-token-a"
TOTAL = "X-Total-Count"


class TrafficPeer(OcpiPeer):
    """A partner with lists to read and a place for what it is sent.

    `lists`: module to the objects of its list, in pages of `page_size`. `told`: what it took, as (method,
    module, rest of the path, body). `script`: answers for the next requests, before its own: a triple, a
    function (method, module, query) that returns one, or None for its own. What comes twice it knows.
    """

    page_size = 2

    def __init__(self, **options):
        super().__init__(**options)
        self.lists, self.told, self.script = {}, [], []

    def respond(self, method, path, headers, body):
        path, __, query = path.partition("?")
        module, __, rest = path.strip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(query).items()}
        scripted = self.script.pop(0) if self.script else None
        answer = scripted(method, module, query) if callable(scripted) else scripted
        if answer is not None:
            return answer
        return self.page(module, query) if method == "GET" else self.take(method, module, rest, body)

    def page(self, module, query):
        """Linked with a relative address, as some do."""
        objects, offset = self.lists.get(module, []), int(query.get("offset", 0))
        headers = {TOTAL: str(len(objects))}
        following = offset + self.page_size
        if following < len(objects):
            link = f"/{module}?{urlencode({**query, 'offset': following})}"
            headers["Link"] = f'<{link}>; rel="next"'
        return self.ok(objects[offset:following], **headers)

    def take(self, method, module, rest, body):
        told = (method, module, unquote(rest), json.loads(body) if body else None)
        is_known = told in self.told
        self.told.append(told)
        location = f"{self.base}/{module}/{len(self.told)}"
        status, content, headers = self.ok(None, Location=location)
        return (200 if is_known else 201), content, headers

    def told_of(self, module):
        return [told for told in self.told if told[1] == module]


class OcpiTrafficCommon(OcpiObjectsCommon):
    """Partners that run for the time of a test: the CPO NL*TNM, the eMSP DE*SMO and our own chargers."""

    def setUp(self):
        super().setUp()
        self.cpo_system = self.run_peer(self.cpo, "SENDER", "cdrs", "sessions", "tariffs", "locations")
        self.emsp_system = self.run_peer(
            self.emsp, "RECEIVER", "cdrs", "sessions", "tariffs", "locations", party=("DE", "SMO")
        )

    def run_peer(self, connection, role, *modules, party=("NL", "TNM")):
        """:return: TrafficPeer, where the connection's endpoints lead."""
        running = TrafficPeer(party=party).running()
        peer = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.add_endpoints(connection, peer, role, *modules)
        return peer

    def add_endpoints(self, connection, peer, role, *modules):
        connection_sudo = connection.sudo()
        connection_sudo.write(
            {
                "allow_private_network": True,
                "peer_token": connection_sudo._encrypt(TOKEN),
                "endpoint_ids": [
                    Command.create({"identifier": module, "role": role, "url": f"{peer.base}/{module}"})
                    for module in modules
                ],
            }
        )
        # What goes out is kept as a message by a cursor of its own.
        self.env.flush_all()

    def failures(self, connection):
        """The open exceptions about what a partner was not told."""
        domain = [("kind", "=", "push_failed"), ("fact_key", "like", f"emsp.ocpi.push:{connection.id}:")]
        return self.env["emsp.exception"].search([*domain, ("state", "=", "open")])

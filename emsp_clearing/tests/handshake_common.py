import json
import socket
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import Mock, patch

from odoo.exceptions import UserError

from ..models import emsp_ocpi_network
from .http_common import EmspHttpCommon
from .ocpi_peer import OcpiPeer

TOKEN_B = "peer-token-b"


class HandshakeCommon(EmspHttpCommon):
    _is_acting = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.website = "https://rvr.test"
        cls.cpo = cls.env["emsp.ocpi.connection"].create(
            {
                "name": "The New Motion",
                "company_id": cls.company.id,
                "our_role": "EMSP",
                "country_code": "NL",
                "ocpi_party_id": "TNM",
                "own_country_code": "fr",
                "own_party_id": "rvr",
                "allow_private_network": True,
            }
        )

    @contextmanager
    def peer(self, **options):
        with OcpiPeer(**options).running() as peer:
            yield peer

    def token_a(self, connection=None):
        """Hand out a registration token. :return: it, in clear."""
        return (connection or self.cpo).action_give_token()["context"]["default_token"]

    def theirs(self, peer, version="2.2.1", token=TOKEN_B, **changes):
        """The peer's credentials, which open its door."""
        peer.tokens.add(token)
        return json.dumps({**peer.credentials(version, token), **changes}).encode()

    def credentials(self, method, version="2.2.1", token=None, **options):
        return self.ocpi(method, f"/ocpi/{version}/credentials", token=token, **options)

    def register_peer(self, peer, version="2.2.1"):
        """:return: token C, that the peer uses from now on."""
        response = self.credentials("POST", version, self.token_a(), data=self.theirs(peer, version))
        self.assertAnswer(response, 200, 1000)
        return response.json()["data"]["token"]

    def register_with(self, peer, url=None):
        """We register with the peer, as a manager does by the dialog."""
        wizard = self.env["emsp.ocpi.connection.register"].create(
            {
                "connection_id": self.cpo.id,
                "versions_url": url or peer.versions_url,
                "token": " peer-token-a ",
            }
        )
        self.act(wizard.action_register)

    def act(self, action):
        """An action that is called back while it runs."""
        self.env.flush_all()
        if self._is_acting:
            return action()
        with patch.object(self, "_is_acting", True), self.allow_requests(all_requests=True):
            return action()

    def resolving(self, *addresses):
        """Every name leads to these addresses; without any, to none. For the client's check alone."""
        found = [(0, 0, 0, "", (address, 443)) for address in addresses]
        lookup = Mock(return_value=found, side_effect=None if found else socket.gaierror)
        module = SimpleNamespace(getaddrinfo=lookup, SOCK_STREAM=socket.SOCK_STREAM)
        return patch.object(emsp_ocpi_network, "socket", module)

    def failure_of(self, action):
        """The text of a UserError, without the rollback that assertRaises does in tests."""
        try:
            self.act(action)
        except UserError as error:
            return str(error)
        self.fail("UserError expected")

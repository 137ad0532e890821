from werkzeug.exceptions import MethodNotAllowed

from odoo import http
from odoo.http import request

from ...core.ocpi.modules import credentials_payload
from ...core.ocpi.normalise import VERSIONS
from ...models.emsp_ocpi_connection_server import HandshakeError
from .dispatcher import Answer
from .endpoints import VERSIONS_URL, credentials_url
from .routes import ocpi_urls

MAX_CREDENTIALS_BYTES = 256 * 1024
URLS = [credentials_url(version) for version in VERSIONS]


class OcpiCredentials(http.Controller):
    """Credentials module (OCPI 2.2.1, 7): the partner registers, renews the tokens, takes its leave."""

    @ocpi_urls(URLS, "credentials", ["GET"], MAX_CREDENTIALS_BYTES)
    def get_credentials(self):
        request.dispatcher.connection._check_ready()
        return self._credentials(request.dispatcher.token)

    @ocpi_urls(URLS, "credentials", ["POST"], MAX_CREDENTIALS_BYTES)
    def post_credentials(self):
        if request.dispatcher.connection.state == "registered":
            raise MethodNotAllowed(valid_methods=["GET", "PUT", "DELETE"])
        return self._agree()

    @ocpi_urls(URLS, "credentials", ["PUT"], MAX_CREDENTIALS_BYTES)
    def put_credentials(self):
        self._check_registered()
        return self._agree()

    @ocpi_urls(URLS, "credentials", ["DELETE"], MAX_CREDENTIALS_BYTES)
    def delete_credentials(self):
        self._check_registered()
        request.dispatcher.connection._unregister_by_peer()
        return Answer()

    def _check_registered(self):
        ocpi = request.dispatcher
        if ocpi.connection.state != "registered" or ocpi.admission == "pending":
            raise MethodNotAllowed(valid_methods=["GET", "POST"])

    def _agree(self):
        ocpi = request.dispatcher
        try:
            token = ocpi.connection._agree_with_peer(
                ocpi.read_body(), ocpi.version, ocpi.token, ocpi.is_token_encoded, ocpi.correlation_uid
            )
        except HandshakeError as error:
            return Answer(200, error.status, str(error))
        return self._credentials(token)

    def _credentials(self, token):
        """Ours, with the token that the partner is to use."""
        ocpi = request.dispatcher
        credentials = ocpi.connection._our_credentials(token, ocpi.absolute_url(VERSIONS_URL))
        return Answer(data=credentials_payload(credentials, ocpi.version))

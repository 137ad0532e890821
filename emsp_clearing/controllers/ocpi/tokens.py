from odoo import http
from odoo.http import request

from ...core.ocpi.envelope import StatusCode
from ...core.ocpi.json_text import write_json
from ...core.ocpi.modules import authorization_payload, parse_location_references
from .dispatcher import Answer
from .objects import answer_put
from .paging import answer_page
from .routes import ocpi_route

OBJECT = "/<country_code>/<party_id>/<path:uid>"


class OcpiTokens(http.Controller):
    """Tokens module (OCPI 2.2.1, 12.2): eMSPs tell of theirs, CPOs read ours and ask for authorization."""

    @ocpi_route("cpo", "tokens", OBJECT, methods=["GET"])
    def get_token(self, version, **address):
        tokens = request.env["emsp.token"]
        token = tokens._find(request.dispatcher.connection, tokens._address(address, self._type()))
        return Answer(data_text=token._payload_in(version))

    @ocpi_route("cpo", "tokens", OBJECT, methods=["PUT"])
    def put_token(self, version, **address):
        ocpi = request.dispatcher
        tokens = request.env["emsp.token"]
        body = ocpi.read_body()
        address = tokens._address(address, self._type(), body)
        __, is_new = tokens._put(ocpi.connection, version, address, body, ocpi.received_at)
        return answer_put(is_new)

    @ocpi_route("cpo", "tokens", OBJECT, methods=["PATCH"])
    def patch_token(self, version, **address):
        ocpi = request.dispatcher
        tokens = request.env["emsp.token"]
        body = ocpi.read_body()
        address = tokens._address(address, self._type(), body)
        tokens._patch(ocpi.connection, version, address, body, ocpi.received_at)
        return Answer()

    @ocpi_route("emsp", "tokens", methods=["GET"])
    def get_tokens(self, version):
        company = request.dispatcher.connection.company_id
        tokens = request.env["emsp.token"]
        domain = [("company_id", "=", company.id), ("connection_id", "=", False)]
        return answer_page("emsp", "tokens", version, tokens, domain, tokens._told_fields())

    @ocpi_route("emsp", "tokens", "/<path:uid>/authorize", methods=["POST"])
    def authorize(self, version, uid):
        connection = request.dispatcher.connection
        body = request.dispatcher.read_body()
        references = None
        if body.strip():
            references = parse_location_references(body, version, tolerances=connection._tolerances())
        token = request.env["emsp.token"]._find_own(connection.company_id, uid, self._type())
        if not token:
            return Answer(404, StatusCode.UNKNOWN_TOKEN)
        info = token._authorize(connection, references)
        return Answer(data_text=write_json(authorization_payload(info, version)).decode())

    def _type(self):
        return request.httprequest.args.get("type")

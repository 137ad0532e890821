from odoo import http
from odoo.http import request

from .cdrs import own_charging_of
from .dispatcher import Answer
from .objects import patch_object, put_object
from .paging import answer_page
from .routes import ocpi_route

OBJECT = "/<country_code>/<party_id>/<path:id>"
PAYLOAD_FIELDS = ("payload", "ocpi_version", "ocpi_country_code", "ocpi_party_id", "location_connector_id")


class OcpiSessions(http.Controller):
    """Sessions module (OCPI 2.2.1, 9.2): CPOs tell of theirs, eMSPs read ours."""

    @ocpi_route("emsp", "sessions", OBJECT, methods=["GET"])
    def get_session(self, version, **address):
        session = request.env["emsp.session"]._find(request.dispatcher.connection, address)
        return Answer(data_text=session._payload_in(version))

    @ocpi_route("emsp", "sessions", OBJECT, methods=["PUT"])
    def put_session(self, version, **address):
        return put_object(request.env["emsp.session"], version, address)

    @ocpi_route("emsp", "sessions", OBJECT, methods=["PATCH"])
    def patch_session(self, version, **address):
        return patch_object(request.env["emsp.session"], version, address)

    @ocpi_route("cpo", "sessions", methods=["GET"])
    def get_sessions(self, version):
        domain = own_charging_of(request.dispatcher.connection)
        return answer_page("cpo", "sessions", version, request.env["emsp.session"], domain, PAYLOAD_FIELDS)

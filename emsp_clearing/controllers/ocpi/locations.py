from odoo import http
from odoo.http import request

from .dispatcher import Answer
from .objects import answer_put, patch_object, put_object
from .paging import answer_page
from .routes import ocpi_route

OBJECT = "/<country_code>/<party_id>/<id>"
PARTS = (f"{OBJECT}/<evse_uid>", f"{OBJECT}/<evse_uid>/<connector_id>")
# The sender's URLs name no owner (OCPI 2.2.1, 8.2.1.2).
OWN_PARTS = ("/<id>", "/<id>/<evse_uid>", "/<id>/<evse_uid>/<connector_id>")
PAYLOAD_FIELDS = ("payload", "ocpi_version", "ocpi_country_code", "ocpi_party_id")


class OcpiLocations(http.Controller):
    """Locations module (OCPI 2.2.1, 8.2): CPOs tell of theirs, eMSPs read ours.

    A location is reached as a whole, or one of its EVSEs, or one of their connectors.
    """

    @ocpi_route("emsp", "locations", OBJECT, *PARTS, methods=["GET"])
    def get_location(self, version, **address):
        ids = self._part_ids(address)
        location = request.env["emsp.location"]._find(request.dispatcher.connection, address)
        return Answer(data_text=location._text_in(version, ids))

    @ocpi_route("emsp", "locations", OBJECT, methods=["PUT"])
    def put_location(self, version, **address):
        return put_object(request.env["emsp.location"], version, address)

    @ocpi_route("emsp", "locations", OBJECT, methods=["PATCH"])
    def patch_location(self, version, **address):
        return patch_object(request.env["emsp.location"], version, address)

    @ocpi_route("emsp", "locations", *PARTS, methods=["PUT"])
    def put_part(self, version, **address):
        ocpi = request.dispatcher
        locations, ids = request.env["emsp.location"], self._part_ids(address)
        body = ocpi.read_body()
        __, is_new = locations._put_part(ocpi.connection, version, address, ids, body, ocpi.received_at)
        return answer_put(is_new)

    @ocpi_route("emsp", "locations", *PARTS, methods=["PATCH"])
    def patch_part(self, version, **address):
        ocpi = request.dispatcher
        locations, ids = request.env["emsp.location"], self._part_ids(address)
        locations._patch_part(ocpi.connection, version, address, ids, ocpi.read_body(), ocpi.received_at)
        return Answer()

    @ocpi_route("cpo", "locations", methods=["GET"])
    def get_locations(self, version):
        connection = request.dispatcher.connection
        domain = [
            ("company_id", "=", connection.company_id.id),
            ("connection_id.peer_role", "=", "OWN"),
        ]
        return answer_page("cpo", "locations", version, request.env["emsp.location"], domain, PAYLOAD_FIELDS)

    @ocpi_route("cpo", "locations", *OWN_PARTS, methods=["GET"])
    def get_own(self, version, id, **address):
        location = request.env["emsp.location"]._find_own(request.dispatcher.connection.company_id, id)
        return Answer(data_text=location._text_in(version, self._part_ids(address)))

    def _part_ids(self, address):
        """Takes the ids below the location out of the address."""
        names = [name for name in ("evse_uid", "connector_id") if name in address]
        return [address.pop(name) for name in names]

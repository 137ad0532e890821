from urllib.parse import quote

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.fields import Domain
from odoo.http import request

from ...core.ocpi.envelope import Problem
from .dispatcher import Answer
from .endpoints import module_url
from .paging import answer_page
from .routes import ocpi_route

PAYLOAD_FIELDS = (
    "payload",
    "ocpi_version",
    "ocpi_country_code",
    "ocpi_party_id",
    "token_country_code",
    "token_party_id",
    "connection_id",
    "location_connector_id",
)
# What the partner is shown: neither held, nor given up, nor still to be judged.
SHOWN_STATES = ("open", "disputed", "locked", "invoiced")
# A CDR that was held is shown long after its sender made it: who reads what is new must meet it then.
INSTANTS = ("last_updated", "available_at")


class OcpiCdrs(http.Controller):
    """CDRs module (OCPI 2.2.1, 10.2): CPOs post theirs, eMSPs read ours."""

    @ocpi_route("emsp", "cdrs", methods=["POST"])
    def post_cdr(self, version):
        ocpi = request.dispatcher
        (receipt,) = request.env["emsp.cdr"]._receive(
            ocpi.connection, [ocpi.read_body()], ocpi.received_at, None, version
        )
        if receipt.outcome == "invalid":
            return Answer.refusal(Problem.INVALID_PAYLOAD, receipt.message)
        if receipt.outcome == "refused":
            return Answer.refusal(Problem.REFUSED, receipt.message)
        headers = (("Location", self._location(receipt.record, version)),)
        if receipt.outcome == "conflict":
            return Answer.refusal(Problem.CONFLICT, receipt.message, headers=headers)
        return Answer(201 if receipt.outcome == "created" else 200, headers=headers)

    @ocpi_route("emsp", "cdrs", "/<path:key>", methods=["GET"])
    def get_cdr(self, version, key):
        # The id comes last because it may contain slashes.
        parts = key.split("/", 2)
        if len(parts) < 3:
            raise NotFound
        connection = request.dispatcher.connection
        cdr = request.env["emsp.cdr"].search_fetch(
            [
                ("company_id", "=", connection.company_id.id),
                ("ocpi_key", "=", "*".join(parts).upper()),
                ("connection_id", "=", connection.id),
            ],
            PAYLOAD_FIELDS,
            limit=1,
        )
        if not cdr:
            raise NotFound
        return Answer(data_text=cdr._payload_in(version))

    @ocpi_route("cpo", "cdrs", methods=["GET"])
    def get_cdrs(self, version):
        connection = request.dispatcher.connection
        domain = own_charging_of(connection) & Domain("state", "in", SHOWN_STATES)
        if version == "2.1.1":
            # It has no word for them: they would be read as charges.
            domain &= Domain([("is_credit", "=", False), ("is_home_compensation", "=", False)])
        cdrs = request.env["emsp.cdr"]
        return answer_page("cpo", "cdrs", version, cdrs, domain, PAYLOAD_FIELDS, INSTANTS)

    def _location(self, cdr, version):
        parts = (cdr.ocpi_country_code, cdr.ocpi_party_id, cdr.ocpi_id)
        path = "/".join(quote(part, safe="") for part in parts)
        return request.dispatcher.absolute_url(f"{module_url('emsp', version, 'cdrs')}/{path}")


def own_charging_of(connection):
    """Domain of the CDRs or sessions of our own chargers whose token is the partner's."""
    mine = [("company_id", "=", connection.company_id.id), ("connection_id.peer_role", "=", "OWN")]
    return Domain(mine) & connection._token_domain()

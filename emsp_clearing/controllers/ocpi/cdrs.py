from urllib.parse import quote

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from ...core.ocpi.envelope import Problem
from .dispatcher import MAX_BODY_BYTES, Answer


class OcpiCdrs(http.Controller):
    """CDRs module, receiver interface (OCPI 2.2.1, 10.2.2): POST one CDR, GET it back."""

    _cdrs_url = "/ocpi/emsp/2.2.1/cdrs"

    @http.route(
        _cdrs_url,
        type="ocpi",
        auth="ocpi",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_BODY_BYTES,
        ocpi_module="cdrs",
    )
    def post_cdr(self):
        ocpi = request.dispatcher
        (receipt,) = request.env["emsp.cdr"]._receive(ocpi.connection, [ocpi.read_body()], ocpi.received_at)
        if receipt.outcome == "invalid":
            return Answer.refusal(Problem.INVALID_PAYLOAD, receipt.message)
        headers = (("Location", self._location(receipt.record)),)
        if receipt.outcome == "conflict":
            return Answer.refusal(Problem.CONFLICT, receipt.message, headers=headers)
        return Answer(201 if receipt.outcome == "created" else 200, headers=headers)

    @http.route(
        f"{_cdrs_url}/<path:key>",
        type="ocpi",
        auth="ocpi",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
        ocpi_module="cdrs",
    )
    def get_cdr(self, key):
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
            ["payload"],
            limit=1,
        )
        if not cdr:
            raise NotFound
        # A byte order mark is no part of the JSON it stands before (RFC 8259, 8.1).
        return Answer(data_text=cdr.payload.removeprefix("\ufeff"))

    def _location(self, cdr):
        parts = (cdr.ocpi_country_code, cdr.ocpi_party_id, cdr.ocpi_id)
        path = "/".join(quote(part, safe="") for part in parts)
        return request.dispatcher.absolute_url(f"{self._cdrs_url}/{path}")

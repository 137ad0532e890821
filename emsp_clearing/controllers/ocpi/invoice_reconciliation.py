from odoo import http
from odoo.http import request

from ...core.ocpi.envelope import Problem
from .dispatcher import Answer
from .endpoints import ONLY_IN
from .objects import answer_put, put_object
from .paging import answer_page
from .routes import ocpi_route

MODULE = "invoicereconciliation"
VERSIONS = "<any({}):version>".format(",".join(f"'{version}'" for version in ONLY_IN[MODULE]))
# CPOs send us their records, and eMSPs where they bill for us; both in the same way.
BOTH_SIDES = "<any('cpo','emsp'):side>"
OBJECT = "/<country_code>/<party_id>/<path:id>"
PAYLOAD_FIELDS = ("payload", "ocpi_version", "ocpi_country_code", "ocpi_party_id")


class OcpiInvoiceReconciliation(http.Controller):
    """Invoice reconciliation module (OCPI 2.3.0 edition 2): who sends an invoice tells of its CDRs."""

    @ocpi_route("cpo", MODULE, methods=["GET"], versions=VERSIONS)
    def get_records(self, version):
        records = request.env["emsp.invoice.reconciliation"]
        domain = records._told_domain(request.dispatcher.connection)
        return answer_page("cpo", MODULE, version, records, domain, PAYLOAD_FIELDS)

    @ocpi_route(BOTH_SIDES, MODULE, methods=["POST"], versions=VERSIONS)
    def post_record(self, side, version):
        ocpi = request.dispatcher
        records = request.env["emsp.invoice.reconciliation"]
        __, outcome = records._post(ocpi.connection, version, ocpi.read_body(), ocpi.received_at)
        if outcome == "conflict":
            message = "A record with this id and other content is there; change it with PUT"
            return Answer.refusal(Problem.CONFLICT, message)
        return answer_put(outcome == "created")

    @ocpi_route(BOTH_SIDES, MODULE, OBJECT, methods=["GET"], versions=VERSIONS)
    def get_record(self, side, version, **address):
        records = request.env["emsp.invoice.reconciliation"]
        record = records._find(request.dispatcher.connection, address)
        return Answer(data_text=record._payload_in(version))

    @ocpi_route(BOTH_SIDES, MODULE, OBJECT, methods=["PUT"], versions=VERSIONS)
    def put_record(self, side, version, **address):
        return put_object(request.env["emsp.invoice.reconciliation"], version, address)

    @ocpi_route(BOTH_SIDES, MODULE, OBJECT, methods=["DELETE"], versions=VERSIONS)
    def delete_record(self, side, version, **address):
        ocpi = request.dispatcher
        records = request.env["emsp.invoice.reconciliation"]
        records._find(ocpi.connection, address)._withdraw(ocpi.received_at)
        return Answer()

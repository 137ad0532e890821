from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from ...models.emsp_cdr_finding_told import INSTANTS
from .endpoints import FINDINGS
from .paging import answer_page
from .routes import ocpi_route

BOTH_SIDES = "<any('cpo','emsp'):side>"
FIELDS = ("rule", "code", "severity", "path", "expected", "found", "tolerance", "found_at", "superseded_at")


class OcpiFindings(http.Controller):
    """A custom module (OCPI 2.2.1, 6.2.5): what quality control found about the caller's CDRs."""

    @ocpi_route(BOTH_SIDES, FINDINGS, methods=["GET"])
    def get_findings(self, side, version):
        connection = request.dispatcher.connection
        if not connection.offer_findings:
            raise NotFound
        findings = request.env["emsp.cdr.finding"]
        domain = findings._told_domain(connection)
        return answer_page(side, FINDINGS, version, findings, domain, FIELDS, INSTANTS)

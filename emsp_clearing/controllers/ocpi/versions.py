from odoo import http
from odoo.http import request

from .cdrs import OcpiCdrs
from .dispatcher import Answer


class OcpiVersions(http.Controller):
    """Versions module (OCPI 2.2.1, 6): the endpoints that exist here, and no others."""

    _versions_url = "/ocpi/versions"
    _details_url = "/ocpi/2.2.1"

    @http.route(
        _versions_url,
        type="ocpi",
        auth="ocpi",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
        ocpi_module="versions",
    )
    def get_versions(self):
        url = request.dispatcher.absolute_url(self._details_url)
        return Answer(data=[{"version": "2.2.1", "url": url}])

    @http.route(
        _details_url,
        type="ocpi",
        auth="ocpi",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
        ocpi_module="versions",
    )
    def get_details(self):
        url = request.dispatcher.absolute_url(OcpiCdrs._cdrs_url)
        endpoint = {"identifier": "cdrs", "role": "RECEIVER", "url": url}
        return Answer(data={"version": "2.2.1", "endpoints": [endpoint]})

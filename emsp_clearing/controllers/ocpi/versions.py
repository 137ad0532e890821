from odoo import http
from odoo.http import request

from ...core.ocpi.modules import version_details_payload, versions_payload
from ...core.ocpi.normalise import VERSIONS
from ...core.ocpi.peer_objects import Version
from .dispatcher import Answer
from .endpoints import VERSIONS_URL, details_url, version_details


class OcpiVersions(http.Controller):
    """Versions module (OCPI 2.2.1, 6): the endpoints that exist for the caller, and no others."""

    @http.route(
        VERSIONS_URL,
        type="ocpi",
        auth="ocpi",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
        ocpi_module="versions",
    )
    def get_versions(self):
        absolute_url = request.dispatcher.absolute_url
        versions = (Version(version, absolute_url(details_url(version))) for version in VERSIONS)
        return Answer(data=versions_payload(tuple(versions)))

    @http.route(
        [f"{details_url(version)}" for version in VERSIONS],
        type="ocpi",
        auth="ocpi",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
        ocpi_module="versions",
    )
    def get_details(self):
        ocpi = request.dispatcher
        version = ocpi.version
        details = version_details(ocpi.connection._side(), version, ocpi.absolute_url)
        return Answer(data=version_details_payload(details, version))

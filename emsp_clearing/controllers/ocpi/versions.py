from odoo import http
from odoo.http import request

from ...core.ocpi.modules import version_details_payload, versions_payload
from ...core.ocpi.normalise import VERSIONS
from ...core.ocpi.peer_objects import Version
from .dispatcher import Answer
from .endpoints import VERSIONS_URL, details_url, version_details
from .routes import ocpi_urls


class OcpiVersions(http.Controller):
    """Versions module (OCPI 2.2.1, 6): the endpoints that exist for the caller, and no others."""

    @ocpi_urls([VERSIONS_URL], "versions", ["GET"])
    def get_versions(self):
        absolute_url = request.dispatcher.absolute_url
        versions = (Version(version, absolute_url(details_url(version))) for version in VERSIONS)
        return Answer(data=versions_payload(tuple(versions)))

    @ocpi_urls([details_url(version) for version in VERSIONS], "versions", ["GET"])
    def get_details(self):
        ocpi = request.dispatcher
        version = ocpi.version
        connection = ocpi.connection
        details = version_details(
            connection._side(), version, ocpi.absolute_url, connection._findings_module()
        )
        return Answer(data=version_details_payload(details, version))

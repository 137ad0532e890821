"""Which requests a method of a controller answers."""

from odoo import http

from ...core.ocpi.normalise import VERSIONS
from .dispatcher import MAX_BODY_BYTES
from .endpoints import module_url

ANY_VERSION = "<any({}):version>".format(",".join(f"'{version}'" for version in VERSIONS))


def ocpi_urls(urls, module, methods=None, max_bytes=MAX_BODY_BYTES):
    """A route of the OCPI endpoint, whatever the module.

    :param module: its identifier; None for what belongs to no module.
    :param methods: every one by default. A route of GET alone, or of every method, only reads.
    :param max_bytes: of the body.
    """
    return http.route(
        urls,
        type="ocpi",
        auth="ocpi",
        methods=methods,
        csrf=False,
        save_session=False,
        readonly=methods in (None, ["GET"]),
        max_content_length=max_bytes,
        ocpi_module=module,
    )


def ocpi_route(side, module, *paths, methods, versions=ANY_VERSION):
    """A route of a module in every version of OCPI.

    :param side: "emsp" is asked by CPOs and by our own charge point system, "cpo" by eMSPs.
    :param paths: what follows the module's URL; by default nothing.
    """
    url = module_url(side, versions, module)
    return ocpi_urls([url + path for path in paths or ("",)], module, methods)

from werkzeug.exceptions import MethodNotAllowed, NotFound

from odoo import http
from odoo.http import request

from .routes import ocpi_urls

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class OcpiFallback(http.Controller):
    """What no other route takes is answered in an envelope too, not with a page in HTML."""

    @ocpi_urls(["/ocpi", "/ocpi/<path:rest>"], None)
    def unknown(self, rest=""):
        allowed = [method for method in METHODS if self._takes(method)]
        if allowed:
            raise MethodNotAllowed(valid_methods=allowed)
        raise NotFound

    def _takes(self, method):
        """Whether another route answers this path to `method`."""
        routes = request.env["ir.http"].routing_map().bind_to_environ(request.httprequest.environ)
        rule, __ = routes.match(method=method, return_rule=True)
        return rule.endpoint.routing["methods"] is not None

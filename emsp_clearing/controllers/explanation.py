from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

# The address is the secret: neither kept nor passed on.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept",
}


class CdrExplanation(http.Controller):
    """How the price of a CDR was computed, for whoever has the link."""

    @http.route(
        "/emsp/cdr/<int:cdr_id>/explanation",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        save_session=False,
    )
    def get_explanation(self, cdr_id, access_token="", **_kwargs):  # none is the default
        cdr = request.env["emsp.cdr"]._find_explained(cdr_id, access_token)
        if not cdr:
            raise NotFound
        accepted = request.httprequest.accept_mimetypes
        best = accepted.best_match(["application/json", "text/html"], default="application/json")
        if best == "text/html":
            values = {"cdr": cdr}
            return request.render("emsp_clearing.cdr_explanation_page", values, headers=HEADERS)
        return request.make_json_response(cdr._explanation_json(), headers=HEADERS)

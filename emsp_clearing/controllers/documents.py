from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

# The address is the secret: neither kept nor passed on.
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
ROUTE = {"type": "http", "auth": "public", "methods": ["GET"], "save_session": False}


class Documents(http.Controller):
    """The files of a delivery, for whoever has its link, until it expires."""

    @http.route("/emsp/documents/<token>", readonly=True, **ROUTE)
    def get_page(self, token, **_kwargs):
        delivery_sudo = self._find(token)
        rows = [{**proof, "url": f"/emsp/documents/{token}/{proof['id']}"} for proof in delivery_sudo.files]
        values = {"delivery": delivery_sudo, "rows": rows}
        return request.render("emsp_clearing.documents_page", values, headers=HEADERS)

    @http.route("/emsp/documents/<token>/<int:attachment_id>", readonly=False, **ROUTE)
    def get_file(self, token, attachment_id, **_kwargs):
        delivery_sudo = self._find(token)
        attachment_sudo = delivery_sudo._attachments_sudo().exists()
        attachment_sudo = attachment_sudo.filtered(lambda each: each.id == attachment_id)
        if not attachment_sudo:
            raise NotFound
        delivery_sudo._note_opened()
        stream = request.env["ir.binary"]._get_stream_from(attachment_sudo)
        response = stream.get_response(as_attachment=True)
        response.headers.update(HEADERS)
        return response

    def _find(self, token):
        delivery_sudo = request.env["emsp.settlement.delivery"]._find_by_link(token)
        if not delivery_sudo:
            raise NotFound
        return delivery_sudo

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager

MAX_TEXT = 4000
MAX_FORM_BYTES = 64 * 1024


class NettingPortal(CustomerPortal):
    """The partner's netting statements: read, download, accept or refuse. Which ones, record rules say."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        nettings = request.env["emsp.netting"]
        if not nettings.has_access("read"):
            return values
        if "emsp_netting_count" in counters:
            values["emsp_netting_count"] = nettings.search_count([], limit=1)
        if "emsp_netting_waiting_count" in counters:
            values["emsp_netting_waiting_count"] = nettings.search_count(nettings._waiting_domain())
        return values

    @http.route(
        ["/my/netting", "/my/netting/page/<int:page>"], type="http", auth="user", website=True, readonly=True
    )
    def my_nettings(self, page=1, **_kwargs):
        nettings = request.env["emsp.netting"]
        if not nettings.has_access("read"):
            return request.redirect("/my")
        pager = portal_pager(
            url="/my/netting", total=nettings.search_count([]), page=page, step=self._items_per_page
        )
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_nettings",
            "nettings": nettings.search([], limit=self._items_per_page, offset=pager["offset"]),
            "pager": pager,
            "default_url": "/my/netting",
        }
        return request.render("emsp_clearing.portal_nettings", values)

    @http.route("/my/netting/<int:netting_id>", type="http", auth="user", website=True, readonly=True)
    def my_netting(self, netting_id, done=None, **_kwargs):
        return self._render_netting(self._find_netting(netting_id), done=done)

    @http.route("/my/netting/<int:netting_id>/pdf", type="http", auth="user", website=True, readonly=True)
    def my_netting_pdf(self, netting_id, **_kwargs):
        # sudo: found with the user's rights; the page shows what both sides know
        netting_sudo = self._find_netting(netting_id).sudo()
        headers = [
            ("Content-Type", "application/pdf"),
            ("Content-Disposition", content_disposition(netting_sudo._statement_name())),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "private, no-store"),
        ]
        return request.make_response(netting_sudo._render_statement(), headers)

    @http.route(
        "/my/netting/<int:netting_id>/<any(accept,refuse):step>",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        max_content_length=MAX_FORM_BYTES,
    )
    def my_netting_step(self, netting_id, step, words="", **_kwargs):
        netting = self._find_netting(netting_id)
        person = request.env.user.partner_id
        try:
            with request.env.cr.savepoint():
                if step == "accept":
                    netting._accept_for_partner(person)
                    return request.redirect(f"/my/netting/{netting.id}?done=accepted")
                netting._refuse_for_partner(person, words[:MAX_TEXT])
        except UserError as error:
            return self._render_netting(netting, error=str(error), words=words, status=422)
        # A refused statement is a proposal again, and not shown until it is sent anew.
        return request.redirect("/my/netting?done=refused")

    def _render_netting(self, netting, status=200, **values):
        # sudo: found with the user's rights; the page shows what both sides know
        netting_sudo = netting.sudo()
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_netting",
            "netting": netting_sudo,
            "document": netting_sudo._get_netting_document(),
            "may_decide": bool(netting.filtered_domain(netting._waiting_domain())),
            **values,
        }
        response = request.render("emsp_clearing.portal_netting", values)
        response.status_code = status
        return response

    def _find_netting(self, netting_id):
        """:return: the record; what is not there and what belongs to somebody else look the same."""
        nettings = request.env["emsp.netting"]
        netting = nettings.has_access("read") and nettings.search(Domain("id", "=", netting_id))
        if not netting:
            raise NotFound
        return netting

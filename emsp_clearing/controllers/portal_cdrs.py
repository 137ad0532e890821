from werkzeug.exceptions import NotFound
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..models.emsp_cdr_portal import LIST_FIELDS
from .portal import ClearingPortal
from .portal_selection import CdrSelection

MIMETYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
HISTORY = "my_emsp_cdrs_history"


class ClearingPortalCdrs(ClearingPortal):
    """The partner's CDRs: search, totals, download, and one of them in full. All of it only reads."""

    _cdrs_per_page = 50

    @http.route(
        ["/my/cdrs", "/my/cdrs/page/<int:page>"], type="http", auth="user", website=True, readonly=True
    )
    def my_cdrs(self, page=1, **params):
        return request.render("emsp_clearing.portal_cdrs", self._prepare_cdrs_values(page, **params))

    def _prepare_cdrs_values(self, page, **params):
        """Extension point: values of the list.

        The number of queries does not hang on the number of CDRs: one aggregate for the whole
        selection, one search for the page, one for what its findings are counted by.
        """
        selection = self._get_cdr_selection(params)
        cdrs = request.env["emsp.cdr"]
        totals = cdrs._portal_totals(selection.domain)
        pager = portal_pager(
            url="/my/cdrs",
            url_args=selection.url_args,
            total=sum(total.claimed.count + total.withdrawn.count for total in totals),
            page=page,
            step=self._cdrs_per_page,
        )
        shown = cdrs.search_fetch(
            selection.domain,
            LIST_FIELDS,
            order=selection.order,
            limit=self._cdrs_per_page,
            offset=pager["offset"],
        )
        request.session[HISTORY] = shown.ids
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_cdrs",
            "selection": selection,
            "totals": totals,
            "pager": pager,
            "cdrs": shown,
            "groups": selection.get_groups(shown),
            "formats": [*MIMETYPES],
        }

    def _get_cdr_selection(self, params):
        """Extension point: what may be asked for."""
        return CdrSelection(request.env, params)

    @http.route(
        "/my/cdrs/download/<string:file_format>", type="http", auth="user", website=True, readonly=True
    )
    def my_cdrs_download(self, file_format, **params):
        if file_format not in MIMETYPES:
            raise NotFound
        selection = self._get_cdr_selection(params)
        output = request.env["emsp.cdr"]._portal_export(selection.domain, selection.order, file_format)
        content = wrap_file(request.httprequest.environ, output)
        response = self._download(content, f"cdrs.{file_format}", MIMETYPES[file_format])
        # The file leaves in pieces as the client takes them; nothing may gather them first.
        response.direct_passthrough = True
        return response

    @http.route("/my/cdrs/<int:cdr_id>", type="http", auth="user", website=True, readonly=True)
    def my_cdr(self, cdr_id, **kwargs):
        cdr = self._find_own("emsp.cdr", cdr_id)
        return request.render("emsp_clearing.portal_cdr", self._prepare_cdr_values(cdr, **kwargs))

    def _prepare_cdr_values(self, cdr, **_kwargs):
        """Extension point: values of a CDR's page."""
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_cdr",
            "cdr": cdr,
            "chart": cdr._portal_chart(),
            "tariffs": cdr._portal_tariffs(),
            **self._neighbours(cdr),
        }

    def _neighbours(self, cdr):
        """Links to the CDRs before and after it in the list it was opened from."""
        ids = request.session.get(HISTORY, [])
        if cdr.id not in ids:
            return {}
        position = ids.index(cdr.id)
        before, after = ids[max(0, position - 1) : position], ids[position + 1 : position + 2]
        return {
            "prev_record": before and f"/my/cdrs/{before[0]}",
            "next_record": after and f"/my/cdrs/{after[0]}",
        }

    @http.route("/my/cdrs/<int:cdr_id>/payload", type="http", auth="user", website=True, readonly=True)
    def my_cdr_payload(self, cdr_id, **_kwargs):
        """The CDR as its sender wrote it, byte for byte: its SHA-256 is the one on the page."""
        cdr = self._find_own("emsp.cdr", cdr_id)
        return self._download(cdr.payload.encode(), f"{cdr.ocpi_id}.json", MIMETYPES["json"])

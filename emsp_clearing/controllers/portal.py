from werkzeug.exceptions import NotFound

from odoo import fields, http
from odoo.fields import Domain
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager

PRIVATE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}
FILTERS = {
    "all": [],
    "control": [("state", "=", "control")],
    "collecting": [("state", "=", "collecting")],
    "closed": [("state", "not in", ("collecting", "control"))],
}


class ClearingPortal(CustomerPortal):
    """What waits for the partner, and its settlements. Record rules alone say which those are."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        settlements = request.env["emsp.settlement"]
        if not settlements.has_access("read"):
            return values
        if not counters:
            # The page itself: the number comes later, the deadline with it.
            values["emsp_next_lock"] = self._next_lock(settlements)
        if "emsp_control_count" in counters:
            values["emsp_control_count"] = settlements.search_count([("state", "=", "control")])
        if "emsp_settlement_count" in counters:
            values["emsp_settlement_count"] = settlements.search_count([], limit=1)
        if "emsp_cdr_count" in counters:
            values["emsp_cdr_count"] = request.env["emsp.cdr"].search_count([], limit=1)
        return values

    def _next_lock(self, settlements):
        """:return: Instant at which the next control window closes, or None."""
        first = settlements.search([("state", "=", "control")], order="lock_at, id", limit=1)
        return first._portal_instant(first.lock_at) if first else None

    # -- settlements

    @http.route(
        ["/my/settlements", "/my/settlements/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def my_settlements(self, page=1, sortby=None, filterby=None, **_kwargs):
        sortings, filters = self._settlement_sortings(), self._settlement_filters()
        sortby = sortby if sortby in sortings else "period"
        filterby = filterby if filterby in filters else "all"
        domain = filters[filterby]["domain"]
        settlements = request.env["emsp.settlement"]
        pager = portal_pager(
            url="/my/settlements",
            url_args={"sortby": sortby, "filterby": filterby},
            total=settlements.search_count(domain),
            page=page,
            step=self._items_per_page,
        )
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_settlements",
            "settlements": settlements.search(
                domain,
                order=sortings[sortby]["order"],
                limit=self._items_per_page,
                offset=pager["offset"],
            ),
            "now": fields.Datetime.now(),
            "pager": pager,
            "default_url": "/my/settlements",
            "searchbar_sortings": sortings,
            "searchbar_filters": filters,
            "sortby": sortby,
            "filterby": filterby,
        }
        return request.render("emsp_clearing.portal_settlements", values)

    def _settlement_sortings(self):
        return {
            "period": {"label": request.env._("Period"), "order": "period_end desc, id desc"},
            "deadline": {"label": request.env._("Deadline"), "order": "lock_at, id"},
            "amount": {"label": request.env._("Net amount"), "order": "amount_untaxed desc, id desc"},
            "state": {"label": request.env._("State"), "order": "state, period_end desc, id desc"},
        }

    def _settlement_filters(self):
        """Extension point: dict key -> label and domain, in their order."""
        labels = {
            "all": request.env._("All"),
            "control": request.env._("In control"),
            "collecting": request.env._("Collecting"),
            "closed": request.env._("Closed"),
        }
        return {key: {"label": label, "domain": FILTERS[key]} for key, label in labels.items()}

    @http.route("/my/settlements/<int:settlement_id>", type="http", auth="user", website=True, readonly=True)
    def my_settlement(self, settlement_id, **kwargs):
        settlement = self._find_own("emsp.settlement", settlement_id)
        values = self._prepare_settlement_values(settlement, **kwargs)
        return request.render("emsp_clearing.portal_settlement", values)

    def _prepare_settlement_values(self, settlement, **_kwargs):
        """Extension point: values of the settlement's page."""
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_settlement",
            "settlement": settlement,
            "now": fields.Datetime.now(),
            "places": settlement._portal_places(),
            "components": settlement._portal_components(),
            "documents": settlement._portal_documents(),
        }

    @http.route(
        "/my/settlements/<int:settlement_id>/<string:document>",
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def my_settlement_document(self, settlement_id, document, **_kwargs):
        """The invoice as PDF, or its session annex."""
        settlement = self._find_own("emsp.settlement", settlement_id)
        attachment_sudo = settlement._portal_documents().get(document)
        if not attachment_sudo:
            raise NotFound
        return self._stream(attachment_sudo)

    # -- shared by the pages

    def _find_own(self, model, record_id):
        """:return: the record; what is not there and what belongs to somebody else look the same."""
        record = request.env[model].search(Domain("id", "=", record_id))
        if not record:
            raise NotFound
        return record

    def _download(self, content, filename, mimetype):
        """:param content: bytes, or an iterable of them."""
        headers = [("Content-Type", mimetype), ("Content-Disposition", content_disposition(filename))]
        return request.make_response(content, [*headers, *PRIVATE_HEADERS.items()])

    def _stream(self, attachment_sudo):
        """A file piece by piece: that of a million sessions does not fit into memory many times."""
        stream = request.env["ir.binary"]._get_stream_from(attachment_sudo)
        response = stream.get_response(as_attachment=True, max_age=None, immutable=False)
        # Of a shared cache it would be served to others, and of none after it was made anew.
        response.headers.update(PRIVATE_HEADERS)
        response.headers["Content-Disposition"] = content_disposition(attachment_sudo.name)
        return response

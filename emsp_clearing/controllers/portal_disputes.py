"""Disputes on the portal: the list, one with its conversation, and the steps of the partner."""

from werkzeug.exceptions import NotFound

from odoo import fields, http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..core.disputes_api import MAX_TEXT
from ..models.emsp_dispute_partner import PARTNER_STEPS

MAX_FILES = 10
MAX_FILE_BYTES = 10 * 1024 * 1024
# All files, and what is written around them.
MAX_FORM_BYTES = MAX_FILES * MAX_FILE_BYTES + 1024 * 1024
OPEN, CLOSED = Domain("is_open", "=", True), Domain("is_open", "=", False)
NEEDS_WORDS = ("answer", "contest", "message")


class PortalDisputes(CustomerPortal):
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        domains = {"emsp_dispute_count": Domain.TRUE, "emsp_dispute_turn_count": self._waiting_domain()}
        disputes = request.env["emsp.dispute"]
        for name in domains.keys() & set(counters):
            may_read = disputes.has_access("read")
            values[name] = disputes.search_count(self._own_disputes() & domains[name]) if may_read else 0
        return values

    @http.route(
        ["/my/disputes", "/my/disputes/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_my_disputes(self, page=1, sortby=None, filterby=None, **_kwargs):  # what mails add to links
        sortings, filters = self._dispute_sortings(), self._dispute_filters()
        sortby = sortby if sortby in sortings else "due"
        filterby = filterby if filterby in filters else "all"
        domain = self._own_disputes() & filters[filterby]["domain"]
        disputes = request.env["emsp.dispute"]
        if not disputes.has_access("read"):
            return request.redirect("/my")
        pager = portal_pager(
            url="/my/disputes",
            total=disputes.search_count(domain),
            page=page,
            step=self._items_per_page,
            url_args={"sortby": sortby, "filterby": filterby},
        )
        order = sortings[sortby]["order"]
        found = disputes.search(domain, order=order, limit=self._items_per_page, offset=pager["offset"])
        values = {
            **self._prepare_portal_layout_values(),
            # sudo: found with the user's rights; the page shows what both sides know
            "disputes": found.sudo(),
            "page_name": "emsp_disputes",
            "pager": pager,
            "default_url": "/my/disputes",
            "searchbar_sortings": sortings,
            "searchbar_filters": filters,
            "sortby": sortby,
            "filterby": filterby,
            "time_left": time_left,
        }
        return request.render("emsp_clearing.portal_my_disputes", values)

    @http.route("/my/disputes/<int:dispute_id>", type="http", auth="public", website=True)
    def portal_my_dispute(self, dispute_id, access_token=None, **kwargs):
        try:
            dispute_sudo = self._document_check_access("emsp.dispute", dispute_id, access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        done = "done" in kwargs
        return self._render_dispute(dispute_sudo, access_token, done=done)

    @http.route(
        "/my/disputes/<int:dispute_id>/<any(answer,contest,accept,withdraw,message):step>",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        max_content_length=MAX_FORM_BYTES,
    )
    def portal_dispute_step(self, dispute_id, step, words="", **_kwargs):  # the files are read below
        dispute = self._find_own("emsp.dispute", dispute_id)
        partner = request.env.user.partner_id
        try:
            words = words.strip()
            self._check_words(step, words)
            files = read_files()
            with request.env.cr.savepoint():
                if step in PARTNER_STEPS:
                    dispute._take_partner_step(step, words, partner, files)
                else:
                    dispute._take_partner_message(words, partner, files)
        except UserError as error:
            # sudo: found with the user's rights
            return self._render_dispute(dispute.sudo(), None, error=str(error), words=words, status=422)
        return request.redirect(f"/my/disputes/{dispute.id}?done=1")

    def _check_words(self, step, words):
        if step in NEEDS_WORDS and not words:
            raise UserError(request.env._("Write something: the other side reads it."))
        if len(words) > MAX_TEXT:
            raise UserError(request.env._("Write at most %(limit)s characters.", limit=MAX_TEXT))

    def _render_dispute(self, dispute_sudo, access_token, status=200, **values):
        # The steps are of those who are logged in: a link that was passed on gives no money away.
        is_own = bool(self._search_own("emsp.dispute", dispute_sudo.id))
        values |= {
            "page_name": "emsp_dispute",
            "dispute": dispute_sudo,
            "is_own": is_own,
            "steps": dispute_sudo._partner_steps() if is_own else (),
            # Where it is the partner's turn, its words are a step: a mere message would not stop the clock.
            "may_write": is_own and not (dispute_sudo.turn == "partner" and dispute_sudo._partner_steps()),
            "deadline": deadline_words(dispute_sudo),
            "messages": dispute_sudo._shared_messages(),
            "needs_words": NEEDS_WORDS,
        }
        values = self._get_page_view_values(dispute_sudo, access_token, values, "my_disputes", False)
        response = request.render("emsp_clearing.portal_my_dispute", values)
        response.status_code = status
        return response

    def _own_disputes(self):
        return request.env["emsp.dispute"]._partner_domain(request.env.user.partner_id)

    def _waiting_domain(self):
        return OPEN & Domain("turn", "=", "partner")

    def _search_own(self, model, record_id):
        """:return: the record if the user may read it and it is its partner's; else an empty one."""
        records, partner = request.env[model], request.env.user.partner_id
        if not records.has_access("read"):
            return records
        own = records._partner_domain if model == "emsp.dispute" else records._payable_domain
        return records.search(Domain("id", "=", record_id) & own(partner))

    def _find_own(self, model, record_id):
        """As `_search_own`. :raise NotFound: the same for what is not there and what is another's."""
        record = self._search_own(model, record_id)
        if not record:
            raise NotFound
        return record

    def _dispute_sortings(self):
        return {
            "due": {"label": request.env._("Act by"), "order": "is_open desc, due_at, id"},
            "newest": {"label": request.env._("Newest"), "order": "opened_at desc, id desc"},
            "amount": {"label": request.env._("Amount"), "order": "disputed_amount desc, id"},
            "state": {"label": request.env._("State"), "order": "state, id"},
        }

    def _dispute_filters(self):
        return {
            "all": {"label": request.env._("All"), "domain": Domain.TRUE},
            "open": {"label": request.env._("Open"), "domain": OPEN},
            "mine": {"label": request.env._("Your turn"), "domain": self._waiting_domain()},
            "closed": {"label": request.env._("Closed"), "domain": CLOSED},
        }


def deadline_words(dispute):
    """Whose turn it is, until when, and who loses by silence: list of sentences.

    :param dispute: in sudo, of which the page is shown.
    """
    if not dispute.is_open:
        words = [request.env._("Closed on %(date)s.", date=dispute._local(dispute.closed_at))]
        if dispute.is_by_silence:
            words.append(request.env._("It was decided by silence."))
        return words
    due = {"date": dispute._local(dispute.due_at), "left": time_left(dispute.due_at)}
    if dispute.turn == "partner":
        words = [request.env._("It is your turn, until %(date)s (%(left)s).", **due)]
    else:
        words = [request.env._("It is our turn, until %(date)s (%(left)s).", **due)]
    if dispute.state == "rejected":
        words.append(
            request.env._("Without a reaction by then the rejection stands and the session is billed.")
        )
    elif dispute.state == "asked":
        words.append(request.env._("Without an answer by then it is decided on what is there."))
    else:
        end = dispute._local(dispute.end_at)
        words.append(request.env._("Without a decision until %(end)s the session is not billed.", end=end))
    return words


def time_left(due):
    """How long somebody still has, in words.

    :param datetime due: naive UTC.
    """
    seconds = (due - fields.Datetime.now()).total_seconds()
    if seconds <= 0:
        return request.env._("overdue")
    if seconds < 3600:
        return request.env._("in less than an hour")
    if seconds < 48 * 3600:
        return request.env._("in %(count)s h", count=int(seconds // 3600))
    return request.env._("in %(count)s days", count=int(seconds // 86400))


def read_files(field="files"):
    """The files of the form: list of (name, bytes).

    :raise UserError: too many, or one is too large.
    """
    uploads = [each for each in request.httprequest.files.getlist(field) if each.filename]
    if len(uploads) > MAX_FILES:
        raise UserError(request.env._("At most %(count)s files are taken at once.", count=MAX_FILES))
    files = []
    for upload in uploads:
        content = upload.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            text = request.env._("%(file)s is too large: a file has at most 10 MB.", file=upload.filename)
            raise UserError(text)
        files.append((upload.filename[:120], content))
    return files

"""On the portal: dispute chosen sessions, and approve a settlement."""

import re

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import request

from ..core.dispute_sheet import MAX_DISPUTES
from ..core.disputes_api import AMOUNT_PATTERN, MAX_TEXT
from ..models.emsp_dispute_opening import Complaint
from .portal_disputes import MAX_FORM_BYTES, PortalDisputes, read_files


class PortalDisputeOpening(PortalDisputes):
    @http.route("/my/cdrs/dispute", type="http", auth="user", methods=["GET"], website=True, readonly=True)
    def portal_dispute_form(self, **_kwargs):  # the ids are read as a list
        cdrs = self._chosen_cdrs()
        if not cdrs:
            return request.redirect("/my/disputes")
        # sudo: found with the user's rights
        problems = cdrs.sudo()._dispute_problems(fields.Datetime.now())
        return self._render_opening(cdrs, problems, {})

    @http.route(
        "/my/cdrs/dispute",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        max_content_length=MAX_FORM_BYTES,
    )
    def portal_dispute_open(self, **form):
        cdrs = self._chosen_cdrs()
        if not cdrs:
            return request.redirect("/my/disputes")
        complaints, problems = self._read_form(cdrs, form)
        if problems:
            return self._render_opening(cdrs, problems, form, status=422)
        try:
            files = read_files()
            with request.env.cr.savepoint():
                disputes = self._open_all(complaints, "portal", files)
        except UserError as error:
            return self._render_opening(cdrs, {}, form, error=str(error), status=422)
        if len(disputes) == 1:
            return request.redirect(f"/my/disputes/{disputes.id}?done=1")
        return request.redirect("/my/disputes?sortby=newest&filterby=open")

    @http.route(
        "/my/settlements/<int:settlement_id>/approve",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_approval_form(self, settlement_id, **_kwargs):  # what mails add to links
        return self._render_approval(self._find_own("emsp.settlement", settlement_id))

    @http.route(
        "/my/settlements/<int:settlement_id>/approve",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_approve(self, settlement_id, **_kwargs):  # the form has but its token
        settlement = self._find_own("emsp.settlement", settlement_id)
        try:
            with request.env.cr.savepoint():
                # sudo: only the life cycle writes settlements; that it is the partner's was seen to above
                settlement.sudo()._approve(request.env.user.partner_id)
        except UserError as error:
            return self._render_approval(settlement, error=str(error), status=422)
        return self._render_approval(settlement, done=True)

    def _render_approval(self, settlement, status=200, **values):
        # sudo: found with the user's rights; the page shows its totals and its dates
        settlement = settlement.sudo()
        values |= {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_approval",
            "settlement": settlement,
            "locks_at_once": settlement.contract_id.lock_on_approval,
            "may_approve": settlement.state == "control"
            and not settlement.approved_at
            and settlement.lock_at > fields.Datetime.now(),
        }
        response = request.render("emsp_clearing.portal_settlement_approval", values)
        response.status_code = status
        return response

    def _chosen_cdrs(self):
        """The sessions that the query or the form names and that are the partner's, in their order."""
        names = request.httprequest.values.getlist("cdr_ids")
        ids = [int(each) for text in names for each in text.split(",") if re.fullmatch(r"\d{1,9}", each)]
        cdrs = request.env["emsp.cdr"]
        if not ids or not cdrs.has_access("read"):
            return cdrs
        domain = Domain("id", "in", ids[:MAX_DISPUTES]) & cdrs._payable_domain(request.env.user.partner_id)
        return cdrs.search(domain, order="session_start_at, id")

    def _read_form(self, cdrs, form):
        """:return: (dict emsp.cdr in sudo -> Complaint, dict CDR id -> what is wrong)."""
        complaints, problems = {}, {}
        # sudo: found with the user's rights; opening reads terms of the contract
        for cdr in cdrs.sudo():
            text = form.get(f"own_amount_{cdr.id}", "").strip().replace(",", ".")
            if text and not re.match(AMOUNT_PATTERN, text):
                problems[cdr.id] = request.env._("The own amount is from 0, with at most four decimals.")
                continue
            complaints[cdr] = Complaint(
                form.get("reason", ""),
                form.get("explanation", "").strip()[:MAX_TEXT],
                float(text) if text else None,
                form.get("reference", "").strip()[:64],
            )
        disputes = request.env["emsp.dispute"].sudo()  # sudo: as above
        found = disputes._opening_problems(complaints, fields.Datetime.now())
        return complaints, problems | {cdr.id: problem.text for cdr, problem in found.items()}

    def _open_all(self, complaints, source, files=()):
        """:param complaints: emsp.cdr in sudo, found with the user's rights -> Complaint."""
        partner = request.env.user.partner_id
        # sudo: partners may not create disputes by themselves; which sessions they may dispute was seen to
        disputes = request.env["emsp.dispute"].sudo()._open(complaints, source, partner)
        if files:
            for dispute in disputes:
                dispute._say(partner, request.env._("Evidence"), files)
        return disputes

    def _render_opening(self, cdrs, problems, form, status=200, **values):
        """:param dict problems: CDR id -> what is wrong. :param dict form: what was typed."""
        disputes = request.env["emsp.dispute"]
        at = fields.Datetime.now()
        # sudo: found with the user's rights
        cdrs_sudo = cdrs.sudo()
        stuck = cdrs_sudo._dispute_problems(at)
        values |= {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_dispute_form",
            "cdrs": cdrs_sudo,
            "problems": problems,
            "form": form,
            "reasons": disputes._fields["reason"]._description_selection(request.env),
            "others": [str(cdr.id) for cdr in cdrs if cdr.id not in stuck],
            "is_stuck": bool(stuck),
        }
        response = request.render("emsp_clearing.portal_dispute_form", values)
        response.status_code = status
        return response

"""On the portal: dispute with the spreadsheet of a settlement; shown row by row before it is done."""

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import content_disposition, request

from ..core.dispute_sheet import Sheet, read_rows, read_sheet, write_rows
from ..core.errors import SheetError
from ..core.table_file import MAX_FILE_BYTES
from ..report.emsp_annex import MIMETYPE
from .portal_dispute_opening import PortalDisputeOpening

URL = "/my/settlements/<int:settlement_id>/dispute-sheet"


class PortalDisputeSheet(PortalDisputeOpening):
    @http.route(f"{URL}.xlsx", type="http", auth="user", methods=["GET"], website=True, readonly=True)
    def portal_dispute_sheet_file(self, settlement_id, **_kwargs):  # what mails add to links
        settlement = self._find_own("emsp.settlement", settlement_id)
        # sudo: found with the user's rights
        content = settlement.sudo()._dispute_sheet(self._listed_cdrs(settlement))
        name = f"{settlement.name.replace('/', '-')}-disputes.xlsx"
        headers = [("Content-Type", MIMETYPE), ("Content-Disposition", content_disposition(name))]
        return request.make_response(content, headers)

    @http.route(URL, type="http", auth="user", methods=["GET"], website=True, readonly=True)
    def portal_dispute_sheet(self, settlement_id, **_kwargs):  # what mails add to links
        return self._render_sheet(self._find_own("emsp.settlement", settlement_id))

    @http.route(
        URL,
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        max_content_length=MAX_FILE_BYTES + 1024 * 1024,
    )
    def portal_dispute_sheet_preview(self, settlement_id, file=None, **_kwargs):  # the form has no more
        settlement = self._find_own("emsp.settlement", settlement_id)
        if not getattr(file, "filename", ""):
            error = request.env._("Choose the file with the filled-in list.")
            return self._render_sheet(settlement, error=error, status=422)
        try:
            sheet = read_sheet(file.read(MAX_FILE_BYTES + 1))
        except SheetError as error:
            text = settlement._sheet_problem_text(error.code)
            return self._render_sheet(settlement, error=text, status=422)
        return self._render_plan(settlement, self._plan(settlement, sheet))

    @http.route(f"{URL}/confirm", type="http", auth="user", methods=["POST"], website=True)
    def portal_dispute_sheet_confirm(self, settlement_id, rows="", **_kwargs):  # the form has no more
        settlement = self._find_own("emsp.settlement", settlement_id)
        try:
            sheet = Sheet(read_rows(rows), 0)
        except SheetError:
            text = settlement._sheet_problem_text("unreadable")
            return self._render_sheet(settlement, error=text, status=422)
        plan = self._plan(settlement, sheet)
        if not plan.is_fine:
            return self._render_plan(settlement, plan, status=422)
        try:
            with request.env.cr.savepoint():
                self._open_all(plan.complaints, "sheet")
        except UserError as error:
            return self._render_plan(settlement, plan, error=str(error), status=422)
        return request.redirect("/my/disputes?sortby=newest&filterby=open")

    def _listed_cdrs(self, settlement):
        """The sessions of the list that are the partner's; in sudo."""
        cdrs = request.env["emsp.cdr"]
        domain = Domain("settlement_id", "=", settlement.id)
        found = cdrs.search(domain & cdrs._payable_domain(request.env.user.partner_id))
        # sudo: found with the user's rights; opening reads terms of the contract
        return found.sudo()

    def _plan(self, settlement, sheet):
        # sudo: as above
        settlement = settlement.sudo()
        return settlement._plan_disputes(sheet, self._listed_cdrs(settlement), fields.Datetime.now())

    def _render_plan(self, settlement, plan, status=200, **values):
        reasons = dict(request.env["emsp.dispute"]._fields["reason"]._description_selection(request.env))
        values |= {
            "plan": plan,
            "reasons": reasons,
            "rows": write_rows(plan.sheet.rows) if plan.is_fine else "",
            "total": sum(cdr.amount_untaxed for cdr in plan.complaints),
        }
        return self._render_sheet(settlement, status=status, **values)

    def _render_sheet(self, settlement, status=200, **values):
        # sudo: found with the user's rights
        settlement = settlement.sudo()
        values |= {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_dispute_sheet",
            "settlement": settlement,
            "is_open": settlement.state == "control"
            and not settlement.approved_at
            and settlement.lock_at > fields.Datetime.now(),
        }
        response = request.render("emsp_clearing.portal_dispute_sheet", values)
        response.status_code = status
        return response

from werkzeug.exceptions import NotFound

from odoo import fields, http
from odoo.http import request

from .portal import ClearingPortal

MIMETYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class AccountStatement(ClearingPortal):
    """The statement of account: for the staff as a file, for partners as a page and as files."""

    @http.route("/emsp/statement/<int:statement_id>/<string:kind>", type="http", auth="user", readonly=True)
    def get_statement(self, statement_id, kind, **_kwargs):
        """A statement that the user asked for in the back office."""
        statement = request.env["emsp.account.statement"].browse(statement_id).exists()
        # Of a dialog, which is its own user's alone.
        if kind not in MIMETYPES or not statement or not statement.has_access("read"):
            raise NotFound
        content, name = statement._file(kind)
        return self._download(content, name, MIMETYPES[kind])

    @http.route("/my/statement", type="http", auth="user", website=True, readonly=True)
    def my_statement(self, **kwargs):
        statement_sudo, companies_sudo = self._own_statement_sudo(kwargs)
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "emsp_statement",
            "statement": statement_sudo,
            "companies": companies_sudo,
            "doc": statement_sudo._get_document(),
            "has_overdue": bool(self._get_overdue_invoice_count()),
            "query": f"company={statement_sudo.company_id.id}&date_from={statement_sudo.date_from}"
            f"&date_to={statement_sudo.date_to}",
        }
        return request.render("emsp_clearing.portal_statement", values)

    @http.route("/my/statement/<string:kind>", type="http", auth="user", website=True, readonly=True)
    def my_statement_file(self, kind, **kwargs):
        if kind not in MIMETYPES:
            raise NotFound
        statement_sudo, __ = self._own_statement_sudo(kwargs)
        content, name = statement_sudo._file(kind)
        return self._download(content, name, MIMETYPES[kind])

    def _own_statement_sudo(self, params):
        """:return: (the statement of the user's own company, not saved; the companies that clear with it).

        sudo: the partner has no rights in accounting; whose account it is follows from the login alone.
        """
        settlements = request.env["emsp.settlement"]
        if not settlements.has_access("read"):
            raise NotFound
        user_sudo = request.env.user.sudo()
        partner_sudo = user_sudo.commercial_partner_id
        contracts_sudo = user_sudo.env["emsp.contract"]
        of_partner = [("partner_id", "child_of", partner_sudo.id)]
        companies_sudo = contracts_sudo.search(of_partner).company_id
        if not companies_sudo:
            raise NotFound
        chosen = companies_sudo.filtered(lambda company: str(company.id) == params.get("company"))
        statements_sudo = user_sudo.env["emsp.account.statement"]
        date_to = _day(params.get("date_to")) or fields.Date.context_today(statements_sudo)
        date_from = _day(params.get("date_from")) or fields.Date.start_of(date_to, "year")
        statement_sudo = statements_sudo.new(
            {
                "company_id": (chosen or companies_sudo)[0].id,
                "partner_id": partner_sudo.id,
                "date_from": min(date_from, date_to),
                "date_to": date_to,
            }
        )
        return statement_sudo, companies_sudo


def _day(text):
    """:return: date, or None where it is none."""
    try:
        return fields.Date.to_date((text or "")[:10]) or None
    except ValueError:
        return None

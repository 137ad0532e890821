from http import HTTPStatus

from odoo import http
from odoo.http import request

from ..core.verify import Status
from ..report.emsp_annex_guard import PUBLIC, RefusedFile
from ..report.emsp_annex_reader import SHA256, read_annex
from ..report.emsp_annex_verdict import list_text, refusal_text, row_text, status_text

URL = "/emsp/verify"
# What others hold about their invoices is not kept on the way.
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "Vary": "Accept"}
# Rows that the page shows, those that do not match first; the JSON has all.
ROWS_SHOWN = 500
STATUS_OF_REFUSAL = {
    "no_file": HTTPStatus.BAD_REQUEST,
    "list_hash": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_rows": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_spreadsheet": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsafe": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no_annex": HTTPStatus.UNPROCESSABLE_ENTITY,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
}


class AnnexVerification(http.Controller):
    """Whether the session annex of an invoice is what we issued. For anybody, without a login."""

    @http.route(URL, type="http", auth="public", methods=["GET"], website=True, sitemap=False, readonly=True)
    def get_form(self, **_kwargs):
        return self._render({})

    # Nothing is written or kept, hence the cursor that could not.
    @http.route(URL, type="http", auth="public", methods=["POST"], website=True, sitemap=False, readonly=True)
    def verify(self, annex=None, list_hash="", **_kwargs):
        # Whatever was sent under that name, as text; what is no hash is refused below.
        printed = "".join(str(list_hash).split()).lower()[:100]
        try:
            answer = self._verify(annex, printed)
        except RefusedFile as refusal:
            return self._refuse(refusal.code, printed)
        if wants_json():
            return request.make_json_response(answer, headers=HEADERS)
        return self._render({"answer": answer, "list_hash": printed, **self._texts(answer)})

    def _verify(self, annex, printed):
        """:return: dict, see `_verify_annex`. :raise RefusedFile:"""
        if not getattr(annex, "filename", ""):
            raise RefusedFile("no_file")
        if printed and not SHA256.fullmatch(printed):
            raise RefusedFile("list_hash")
        # sudo: the public may read no settlement; but for yes and no, nothing of them leaves here
        settlements_sudo = request.env["emsp.settlement"].sudo()
        if not settlements_sudo._try_verify_lock():
            raise RefusedFile("busy")
        stated = read_annex(annex.read(PUBLIC.file_bytes + 1))
        return settlements_sudo._verify_annex(stated, printed)

    def _texts(self, answer):
        """What the page says about an answer: sentences on the list, and the rows to show."""
        problems = [list_text(request.env, problem) for problem in answer["problems"]]
        if not answer["issued"]:
            problems.append(list_text(request.env, "not_issued"))
        wrong = [row for row in answer["rows"] if not matches(row)]
        right = [row for row in answer["rows"] if matches(row)]
        shown = (wrong + right)[:ROWS_SHOWN]
        hidden = len(answer["rows"]) - len(shown)
        return {
            "problems": problems,
            "rows": [self._row_texts(row) for row in shown],
            "wrong": len(wrong),
            "right": len(right),
            "hidden": hidden
            and request.env._(
                "%(rows)s more rows are not shown here; those that do not match come first. "
                "As JSON, the answer has all of them.",
                rows=hidden,
            ),
        }

    def _row_texts(self, row):
        status = Status.MATCHES if matches(row) else Status.CHANGED
        reasons = [*row["reasons"], *([] if row["held"] else ["not_held"])]
        return {
            **row,
            "matches": matches(row),
            "status_text": status_text(request.env, status),
            "reason_text": " ".join(row_text(request.env, reason) for reason in reasons),
        }

    def _refuse(self, code, printed):
        status = STATUS_OF_REFUSAL[code]
        message = refusal_text(request.env, code)
        headers = {**HEADERS, "Retry-After": "5"} if code == "busy" else HEADERS
        if wants_json():
            return request.make_json_response(
                {"error": code, "message": message}, headers=headers, status=status
            )
        return self._render({"refusal": message, "list_hash": printed}, headers=headers, status=status)

    def _render(self, values, **options):
        options = {"headers": HEADERS, **options}
        size = request.env._("A spreadsheet (.xlsx) of up to %(size)s MB.", size=PUBLIC.file_bytes // 1024**2)
        values = {"size_text": size, **values}
        return request.render("emsp_clearing.verify_page", values, **options)


def matches(row):
    return row["status"] == Status.MATCHES.value and row["held"]


def wants_json():
    accepted = request.httprequest.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"], default="text/html") == "application/json"

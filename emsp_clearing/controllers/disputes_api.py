"""API v1: an eMSP's own systems dispute sessions, answer, and approve settlements."""

from datetime import UTC, datetime

import msgspec
from werkzeug.exceptions import MethodNotAllowed, NotFound

from odoo import fields, http
from odoo.fields import Domain
from odoo.http import request

from ..core.dispute import CLOSED_STATES, OPEN_STATES
from ..core.disputes_answers import DisputePage, Disputes, ProblemError, Settlement
from ..core.disputes_api import MessageRequest, StepRequest, read_body, read_complaints
from ..core.money import from_float, to_float
from ..models.emsp_dispute_opening import Complaint
from .api_dispatcher import MAX_BODY_BYTES, ApiError, respond

BASE = "/api/emsp/v1"
MAX_PAGE = 500
DEFAULT_PAGE = 100
METHODS = ("GET", "POST")
# Of what an opening can be refused for, the HTTP status; the text tells the rest.
STATUS_OF_CODE = {"ambiguous": 422, "missing": 422, "range": 422, "twice": 422, "unknown": 404}


def api_route(paths, methods, *, max_bytes=MAX_BODY_BYTES):
    return http.route(
        paths,
        type="emsp_api",
        auth="emsp_api",
        methods=methods,
        csrf=False,
        save_session=False,
        readonly=methods == ["GET"],
        max_content_length=max_bytes,
    )


class DisputesApi(http.Controller):
    @api_route([f"{BASE}/disputes"], ["POST"])
    def post_disputes(self):
        complaints = read_complaints(request.dispatcher.read_body())
        return request.dispatcher.answer_once(lambda: self._open(complaints))

    @api_route([f"{BASE}/disputes"], ["GET"])
    def get_disputes(self):
        args = request.httprequest.args
        limit = read_number(args, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
        after = read_number(args, "cursor", 0, 0, 2**31 - 1)
        domain = filters_of(args) & Domain("id", ">", after)
        caller = request.dispatcher.caller
        found = caller.search("emsp.dispute", domain, order="id", limit=limit + 1)
        page = found[:limit]
        cursor = str(page[-1].id) if len(found) > limit else None
        answer = DisputePage(tuple(dispute._api_answer() for dispute in page), cursor)
        return respond(200, msgspec.json.encode(answer))

    @api_route([f"{BASE}/disputes/<string:number>"], ["GET"])
    def get_dispute(self, number):
        return respond(200, msgspec.json.encode(self._find(number)._api_thread()))

    @api_route([f"{BASE}/disputes/<string:number>/messages"], ["POST"])
    def post_message(self, number):
        body = read_body(request.dispatcher.read_body(), MessageRequest)
        return self._change(
            number, 201, lambda dispute, partner: dispute._take_partner_message(body.text, partner)
        )

    @api_route([f"{BASE}/disputes/<string:number>/contest"], ["POST"])
    def post_contest(self, number):
        body = read_body(request.dispatcher.read_body(), MessageRequest)
        return self._step(number, "contest", body.text)

    @api_route([f"{BASE}/disputes/<string:number>/accept"], ["POST"])
    def post_accept(self, number):
        return self._step(number, "accept", self._optional_words())

    @api_route([f"{BASE}/disputes/<string:number>/withdraw"], ["POST"])
    def post_withdraw(self, number):
        return self._step(number, "withdraw", self._optional_words())

    @api_route([f"{BASE}/settlements/<path:number>/approve"], ["POST"])
    def post_approval(self, number):
        return request.dispatcher.answer_once(lambda: self._approve(number))

    @api_route([f"{BASE}", f"{BASE}/<path:rest>"], None)
    def unknown(self, rest=""):
        """What no other route takes is answered as a problem too, not with a page in HTML."""
        routes = request.env["ir.http"].routing_map().bind_to_environ(request.httprequest.environ)
        matches = {method: routes.match(method=method, return_rule=True)[0] for method in METHODS}
        allowed = [method for method, rule in matches.items() if rule.endpoint.routing["methods"]]
        if allowed:
            raise MethodNotAllowed(valid_methods=allowed)
        raise NotFound

    def _find(self, number):
        """:raise NotFound: no dispute of the caller has this number."""
        dispute = request.dispatcher.caller.search("emsp.dispute", [("name", "=", number)], limit=1)
        if not dispute:
            raise NotFound
        return dispute

    def _optional_words(self):
        if not request.httprequest.content_length:
            return ""
        return read_body(request.dispatcher.read_body(), StepRequest).text

    def _step(self, number, step, words):
        return self._change(
            number, 200, lambda dispute, partner: dispute._take_partner_step(step, words, partner)
        )

    def _change(self, number, status, change):
        """:param change: (dispute, partner that speaks) -> None."""

        def work():
            dispute = self._find(number)
            change(dispute, request.dispatcher.caller.partner)
            return status, dispute._api_thread()

        return request.dispatcher.answer_once(work)

    def _approve(self, number):
        caller = request.dispatcher.caller
        settlement = caller.search("emsp.settlement", [("name", "=", number)], limit=1)
        if not settlement:
            raise NotFound
        settlement._approve(caller.partner)
        return 200, approval_of(settlement)

    def _open(self, complaints):
        caller, at = request.dispatcher.caller, fields.Datetime.now()
        asked = self._find_cdrs(complaints)
        disputes = caller.env["emsp.dispute"].sudo()  # sudo: the sessions were found with the caller's rights
        problems = disputes._opening_problems(asked, at)
        pointers = dict(zip(asked, complaints.pointers, strict=True))
        if problems:
            raise refusal(
                [
                    (f"{pointers[cdr]}/{problem.field}", problem.code, problem.text)
                    for cdr, problem in problems.items()
                ]
            )
        opened = disputes._open(asked, "api", caller.partner, at)
        answers = tuple(dispute._api_answer() for dispute in opened)
        return 201, Disputes(answers) if complaints.is_many else answers[0]

    def _find_cdrs(self, complaints):
        """:return: dict emsp.cdr -> Complaint, in the order of the body.
        :raise ApiError: one is not found, or named twice."""
        candidates = self._candidates(complaints.disputes)
        found, errors = {}, []
        for dispute, pointer in zip(complaints.disputes, complaints.pointers, strict=True):
            cdrs = candidates.filtered(lambda cdr, dispute=dispute: is_named(cdr, dispute))
            field = f"{pointer}/{'cdr' if dispute.cdr else 'cdr_id'}"
            if not cdrs:
                errors.append((field, "unknown", "There is no such session of yours."))
            elif len(cdrs) > 1:
                errors.append((field, "ambiguous", "Several owners have this id: name the owner in `cdr`."))
            elif cdrs in found:
                errors.append((field, "twice", "The session is in this request already."))
            else:
                own = None if dispute.own_amount is None else to_float(dispute.own_amount)
                found[cdrs] = Complaint(dispute.reason, dispute.explanation, own, dispute.reference)
        if errors:
            raise refusal(errors)
        return found

    def _candidates(self, disputes):
        """The caller's CDRs that some of the disputes may mean; one query."""
        keys = [key_of(dispute.cdr) for dispute in disputes if dispute.cdr]
        suffixes = [dispute.cdr_id for dispute in disputes if dispute.cdr_id]
        domain = Domain("ocpi_key", "in", keys) | Domain("ocpi_id", "in", suffixes)
        return request.dispatcher.caller.search("emsp.cdr", domain)


def key_of(name):
    """The `ocpi_key` of a CDR's name."""
    return f"{name.country_code}*{name.party_id}*{name.id}".upper()


def is_named(cdr, dispute):
    return cdr.ocpi_key == key_of(dispute.cdr) if dispute.cdr else cdr.ocpi_id == dispute.cdr_id


def refusal(errors):
    """:param errors: list of (pointer, code, text). Of one status alone that one; else 422."""
    statuses = {STATUS_OF_CODE.get(code, 409) for __, code, __ in errors}
    status = statuses.pop() if len(statuses) == 1 else 422
    code = {404: "not-found", 409: "conflict", 422: "invalid"}[status]
    shown = [ProblemError(*error) for error in errors]
    return ApiError(status, code, errors[0][2], shown)


def read_number(args, name, default, least, most):
    """:raise ApiError: a parameter that is no number within its bounds."""
    text = args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise ApiError(400, "bad-request", f"`{name}`: expected a number from {least} to {most}.")
    return int(text)


def filters_of(args):
    """Domain of the parameters state, settlement and updated_from.

    :raise ApiError: one of them cannot be read.
    """
    domain = Domain.TRUE
    if states := args.get("state"):
        known = OPEN_STATES | CLOSED_STATES
        wanted = set(states.split(","))
        groups = {"open": OPEN_STATES, "closed": CLOSED_STATES}
        wanted = frozenset().union(*(groups.get(each, {each}) for each in wanted))
        if not wanted <= known:
            text = f"`state`: expected open, closed, or some of {', '.join(sorted(known))}."
            raise ApiError(400, "bad-request", text)
        domain &= Domain("state", "in", sorted(wanted))
    if settlement := args.get("settlement"):
        domain &= Domain("settlement_id", "any!", [("name", "=", settlement)])
    if updated_from := args.get("updated_from"):
        domain &= Domain("write_date", ">=", read_instant(updated_from))
    return domain


def read_instant(text):
    """:return: naive UTC, whole seconds. :raise ApiError: it is no instant with an offset."""
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
        return instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (OverflowError, ValueError) as error:
        text = "`updated_from`: expected an instant, for example 2026-11-05T12:00:00Z."
        raise ApiError(400, "bad-request", text) from error


def approval_of(settlement):
    digits = int(settlement.price_precision)
    return Settlement(
        number=settlement.name,
        state=settlement.state,
        approved_at=settlement.approved_at.replace(tzinfo=UTC, microsecond=0),
        locks_at=settlement.lock_at.replace(tzinfo=UTC, microsecond=0),
        currency=settlement.currency_id.name,
        sessions=settlement.cdr_count,
        amount=f"{from_float(settlement.amount_untaxed, digits)}",
        disputed_sessions=settlement.disputed_count,
        disputed_amount=f"{from_float(settlement.disputed_amount, digits)}",
    )

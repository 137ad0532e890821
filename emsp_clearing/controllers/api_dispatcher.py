"""Routes of `type="emsp_api"`: JSON in, JSON out, and every refusal as application/problem+json."""

import logging
from typing import NamedTuple

import msgspec
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    Unauthorized,
    UnsupportedMediaType,
)

from odoo import http
from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import Dispatcher, Response

from ..core.disputes_answers import Problem, ProblemError
from ..core.disputes_api import BodyError
from ..models.emsp_api_answer import OtherRequestError, hash_request

_logger = logging.getLogger(__name__)

# 500 disputes with the longest words, each character escaped.
MAX_BODY_BYTES = 12 * 1024 * 1024
MAX_KEY_CHARS = 255
PROBLEM_TYPE = "urn:emsp-clearing:problem:"
# The same words for a missing, malformed, unknown and revoked token.
UNAUTHORIZED_TEXT = (
    "A valid token is required: Authorization: Token <base64 of your OCPI token>, or Bearer <API key>"
)
TITLES = {
    "bad-request": "The request cannot be read",
    "conflict": "It cannot be done as things stand",
    "failed": "Something went wrong on this side",
    "forbidden": "Not for this caller",
    "idempotency-key": "The idempotency key came with another request",
    "invalid": "The request is not what is expected",
    "method-not-allowed": "Another method is expected",
    "not-found": "There is no such object",
    "too-large": "The body is too large",
    "unauthorized": "No valid token",
    "unsupported-media-type": "Not application/json",
}


class ApiError(Exception):
    """Ends a request; nothing of it stays. :param errors: of core ProblemError."""

    # For Odoo: it is no failure of ours.
    loglevel = logging.INFO

    def __init__(self, status, code, detail, errors=(), headers=()):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = tuple(headers)


class Caller(NamedTuple):
    """Who calls. `partner`: in whose name. `env`: with which rights records are looked for; the domains, by
    model, hold beside them."""

    partner: object
    env: object
    domains: dict

    def search(self, model, domain=(), **options):
        """:return: records in sudo: what they are shown of and take part in is decided by the route."""
        try:
            found = self.env[model].search(self.domains[model] & Domain(domain), **options)
        except AccessError:
            # Where a user of the portal has no right, there is nothing for it either.
            found = self.env[model]
        # sudo: found with the caller's own rights; reading on goes by what the API shows
        return found.sudo()


class ApiDispatcher(Dispatcher):
    routing_type = "emsp_api"
    mimetypes = ("application/json",)

    def __init__(self, request):
        super().__init__(request)
        self.caller = None

    @classmethod
    def is_compatible_with(cls, request):
        # The path decides; another Content-Type is answered in words.
        return True

    def admit_user(self, user):
        """:raise Forbidden: a key of somebody who is no partner."""
        if not user._is_portal():
            raise Forbidden("The API key is of no user of the portal.")
        env = self.request.env
        partner = user.partner_id
        disputes = env["emsp.dispute"]._partner_domain(partner)
        domains = {
            "emsp.cdr": env["emsp.cdr"]._payable_domain(partner),
            "emsp.dispute": disputes & Domain("direction", "=", "received"),
            "emsp.settlement": env["emsp.settlement"]._payable_domain(partner),
        }
        self.caller = Caller(partner, env, domains)

    def admit_connection(self, connection):
        """A platform speaks for its own parties alone, and for their contracts with who runs it.

        :raise Forbidden: it is of no eMSP.
        """
        partner = connection.partner_id
        if connection.peer_role != "EMSP" or not partner:
            raise Forbidden("The token is of no eMSP that is billed here.")
        # sudo: the endpoint's user reads no disputes; what the platform may know is what the domains say
        env = connection.sudo().env
        contracts = Domain("contract_id", "in", connection.sudo()._contracts().ids)
        cdrs = env["emsp.cdr"]._payable_domain(partner) & contracts & connection._token_domain()
        disputes = env["emsp.dispute"]._partner_domain(partner) & contracts
        disputes &= Domain("direction", "=", "received") & Domain("cdr_id", "any", connection._token_domain())
        domains = {
            "emsp.cdr": cdrs,
            "emsp.dispute": disputes,
            "emsp.settlement": env["emsp.settlement"]._payable_domain(partner) & contracts,
        }
        self.caller = Caller(partner, env, domains)

    def dispatch(self, endpoint, args):
        methods = endpoint.routing["methods"]
        if methods and self.request.httprequest.method not in (*methods, "HEAD"):
            # Odoo adds OPTIONS to every route that names its methods.
            raise MethodNotAllowed(valid_methods=methods)
        if "\0" in self.request.httprequest.path:
            raise NotFound
        self.request.params = dict(args)
        try:
            return self.request.registry["ir.http"]._dispatch(endpoint)
        except BodyError as error:
            raise error_of_body(error) from error

    def read_body(self):
        """:return: bytes. :raise UnsupportedMediaType: it is not said to be JSON."""
        if self.request.httprequest.mimetype != "application/json":
            raise UnsupportedMediaType
        return self.request.httprequest.get_data()

    def answer_once(self, work):
        """Carry out a request that changes something; with an idempotency key, once for all.

        :param work: () -> (status, core answer).
        """
        key = self.request.httprequest.headers.get("Idempotency-Key")
        if key is None:
            status, answer = work()
            return respond(status, msgspec.json.encode(answer))
        if not 1 <= len(key) <= MAX_KEY_CHARS or "\0" in key:
            raise ApiError(400, "bad-request", "An idempotency key has 1 to 255 characters.")
        row = self._claim(key)
        if not row.http_status:
            status, answer = work()
            row.write({"http_status": status, "body": msgspec.json.encode(answer).decode()})
        return respond(row.http_status, row.body.encode())

    def _claim(self, key):
        http_request = self.request.httprequest
        request_hash = hash_request(http_request.method, http_request.path, http_request.get_data())
        # sudo: nobody may write what was answered
        rows = self.caller.env["emsp.api.answer"].sudo()
        partner = self.caller.partner.commercial_partner_id
        try:
            return rows._claim(self.caller.env.company, partner, key, request_hash)
        except OtherRequestError as error:
            text = "This idempotency key came with another request before."
            raise ApiError(422, "idempotency-key", text) from error

    def handle_error(self, exc):
        error = error_for(exc)
        if error.status >= 500:
            _logger.error("API %s failed", self.request.httprequest.path, exc_info=exc)
        problem = Problem(
            type=PROBLEM_TYPE + error.code,
            title=TITLES[error.code],
            status=error.status,
            detail=error.detail,
            errors=error.errors,
        )
        body = msgspec.json.encode(problem)
        return respond(error.status, body, error.headers, mimetype="application/problem+json")


def respond(status, body, headers=(), mimetype="application/json"):
    """:param bytes body: JSON."""
    fixed = [("Content-Type", mimetype), ("Cache-Control", "no-store")]
    return Response(body, status=status, headers=[*fixed, *headers])


def error_of_body(error):
    """:param error: core BodyError. :return: ApiError."""
    status, code = (400, "bad-request") if error.is_syntax else (422, "invalid")
    return ApiError(status, code, str(error), [ProblemError(*each) for each in error.errors])


def error_for(exc):
    """The one mapping from an exception to a refusal. What went wrong inside is for our log."""
    if isinstance(exc, ApiError):
        return exc
    if isinstance(exc, (AccessDenied, Unauthorized, http.SessionExpiredException)):
        challenge = ("WWW-Authenticate", 'Token, Bearer realm="disputes"')
        return ApiError(401, "unauthorized", UNAUTHORIZED_TEXT, headers=[challenge])
    if isinstance(exc, Forbidden):
        return ApiError(403, "forbidden", exc.description)
    if isinstance(exc, (NotFound, MissingError, AccessError)):
        return ApiError(404, "not-found", "There is no such object of yours.")
    if isinstance(exc, MethodNotAllowed):
        allowed = ", ".join(exc.valid_methods)
        text = f"Allowed here: {allowed}"
        return ApiError(405, "method-not-allowed", text, headers=[("Allow", allowed)])
    if isinstance(exc, RequestEntityTooLarge):
        return ApiError(413, "too-large", f"A body has at most {MAX_BODY_BYTES} bytes.")
    if isinstance(exc, UnsupportedMediaType):
        return ApiError(415, "unsupported-media-type", "Expected Content-Type: application/json")
    if isinstance(exc, BadRequest):
        return ApiError(400, "bad-request", "The request could not be read to its end.")
    if isinstance(exc, UserError):
        return ApiError(409, "conflict", str(exc))
    return ApiError(500, "failed", "Nothing was changed. Try again later.")

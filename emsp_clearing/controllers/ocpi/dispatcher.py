import json
import logging
import time
import uuid
from datetime import timedelta
from typing import NamedTuple

import psycopg2
from werkzeug.exceptions import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    Unauthorized,
)

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessDenied, UserError
from odoo.http import Dispatcher, Response

from ...core.errors import PayloadError
from ...core.ocpi.auth import find_header_deviation
from ...core.ocpi.envelope import ABSENT, Problem, StatusCode, answer_to, envelope
from ...core.ocpi.normalise import VERSIONS
from ...core.ocpi.record_file import gunzip
from ...models.emsp_ocpi_client import CONFIGURATION_MODULES
from ...models.emsp_ocpi_connection_peer import party_in
from ...models.emsp_ocpi_connection_server import HandshakeError
from .endpoints import side_of
from .remarks import deviations_of_body, in_two_letters

_logger = logging.getLogger(__name__)

# One CDR with signed meter data of a long session stays far below.
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_ID_CHARS = 255
# The same words for a missing, malformed, unknown and revoked token.
UNAUTHORIZED_TEXT = "A valid credentials token is required: Authorization: Token <base64>"


class Answer(NamedTuple):
    """What a route answers; the dispatcher writes the envelope around it (OCPI 2.2.1, 4.1.7).

    `data`: an object for JSON. `data_text`: JSON text that goes out as it is, byte for byte.
    """

    http_status: int = 200
    status: StatusCode = StatusCode.SUCCESS
    message: str | None = None
    data: object = ABSENT
    data_text: str | None = None
    headers: tuple = ()

    @classmethod
    def refusal(cls, problem, message=None, headers=()):
        """:param Problem problem: decides on both statuses."""
        http_status, status = answer_to(problem)
        return cls(http_status, status, message, headers=headers)


class OcpiDispatcher(Dispatcher):
    """Routes of `type="ocpi"`: every answer is an OCPI envelope, whatever happened.

    What a known connection sent and what it was answered is kept as emsp.ocpi.message: with the
    request's own transaction when that succeeds, else by a second cursor after its rollback. Of
    requests that only read, just the refused ones are kept, and once a day those that needed a tolerance.

    An endpoint of the side of the house that the connection has nothing to do with does not exist for it.
    """

    routing_type = "ocpi"
    mimetypes = ("application/json",)

    def __init__(self, request):
        super().__init__(request)
        headers = request.httprequest.headers
        self.request_uid = self._message_uid(headers.get("X-Request-ID"))
        self.correlation_uid = self._message_uid(headers.get("X-Correlation-ID"))
        self.received_at = fields.Datetime.now()
        self.connection_id = None
        self.token = None
        self.admission = None
        self.is_token_encoded = True
        self.ocpi_module = None
        self.body = b""
        self.deviations = []
        self._ends_grace = False
        self._started = time.monotonic()

    @classmethod
    def is_compatible_with(cls, request):
        # The path decides; some peers send no or another Content-Type.
        return True

    @property
    def connection(self):
        """The emsp.ocpi.connection whose token came with the request, acting as the technical user."""
        return self.request.env["emsp.ocpi.connection"].browse(self.connection_id)

    @property
    def version(self):
        """The OCPI version in the path, or None."""
        return next((part for part in self.request.httprequest.path.split("/") if part in VERSIONS), None)

    def admit(self, connection, token, is_encoded):
        """Note who calls.

        :param str token: in clear; it leaves this object in no way but the caller's own credentials.
        :param bool is_encoded: whether it came in Base64.
        """
        self.connection_id = connection.id
        self.token = token
        self.admission = connection._token_kind(token)
        self.is_token_encoded = is_encoded
        self._note(find_header_deviation(self.request.httprequest.headers.get("Authorization", "")))
        self._ends_grace = self.admission == "current" and bool(connection.previous_token_hash)

    def pre_dispatch(self, rule, args):
        self.ocpi_module = rule.endpoint.routing.get("ocpi_module")
        if self.admission == "pending" and self.ocpi_module not in ("versions", "credentials"):
            raise Unauthorized
        side = side_of(self.request.httprequest.path)
        if "\0" in self.request.httprequest.path:
            raise NotFound
        if side and side != self.connection._side():
            raise NotFound
        if self._is_routed():
            self.connection._check_routing(*self._parties())
        return super().pre_dispatch(rule, args)

    def dispatch(self, endpoint, args):
        self._check_method(endpoint)
        self.request.params = dict(self._tolerated(args))
        answer = self.request.registry["ir.http"]._dispatch(endpoint)
        if not endpoint.routing["readonly"]:
            self._note_body(answer, args)
            self._keep_message(self.request.env, answer)
        elif self.deviations and not self._is_told_today():
            self._keep_message_after_rollback(answer)
        self._end_grace(is_readonly=endpoint.routing["readonly"])
        return self._respond(answer)

    def _note(self, *deviations):
        self.deviations.extend(filter(None, deviations))

    def _tolerated(self, args):
        """The URL's arguments, as the connection lets them be read."""
        if not args.get("country_code") or not self.connection.allow_country_forms:
            return args
        args, deviation = in_two_letters(args)
        self._note(deviation)
        return args

    def _note_body(self, answer, args):
        if answer.status == StatusCode.SUCCESS:
            method = self.request.httprequest.method
            self._note(*deviations_of_body(self.ocpi_module, method, args, self.version, self.body))

    def _is_told_today(self):
        messages = self.request.env["emsp.ocpi.message"]
        return messages._is_told(self.connection_id, self.deviations, self.received_at - timedelta(days=1))

    def _end_grace(self, is_readonly):
        """A partner that uses its new token needs the one before no longer."""
        if not self._ends_grace:
            return
        if not is_readonly:
            self.connection._end_grace()
            return
        # Rare enough for a second cursor: once after each rotation.
        self.request.env.cr.rollback()
        with self.request.registry.cursor() as cr:
            self.connection.with_env(self.request.env(cr=cr))._end_grace()

    def handle_error(self, exc):
        answer = answer_for(exc)
        if self.connection_id:
            self._keep_message_after_rollback(answer)
        return self._respond(answer)

    def read_body(self):
        """:return: the request's body as bytes, decompressed.
        :raise RequestEntityTooLarge: beyond the route's `max_content_length`.
        :raise PayloadError: not the encoding it claims to have, or too large once decompressed.
        """
        self.body = self.request.httprequest.get_data()
        encoding = self.request.httprequest.headers.get("Content-Encoding", "identity").lower()
        if encoding in ("gzip", "x-gzip"):
            self.body = gunzip(self.body, MAX_BODY_BYTES)
        elif encoding != "identity":
            raise PayloadError(
                "encoding", path="Content-Encoding", expected="gzip or identity", got=encoding[:40]
            )
        return self.body

    def absolute_url(self, path):
        """The public URL of `path`.

        A frozen web.base.url is the operator's word on the public address. Else the address at
        which the sender just reached us: it is told to that sender and to nobody else.
        """
        # sudo: two system parameters that are no secrets; the technical user may read none
        params = self.request.env["ir.config_parameter"].sudo()
        base = self.request.httprequest.url_root
        if params.get_param("web.base.url.freeze"):
            base = params.get_param("web.base.url") or base
        return base.rstrip("/") + path

    def _check_method(self, endpoint):
        """Odoo adds OPTIONS to every route that names its methods; OCPI does not define it."""
        methods = endpoint.routing["methods"]
        if methods and self.request.httprequest.method not in (*methods, "HEAD"):
            raise MethodNotAllowed(valid_methods=methods)

    def _respond(self, answer):
        body = envelope(
            answer.status,
            data=answer.data,
            message=answer.message,
            timestamp=fields.Datetime.now(),
        )
        text = json.dumps(body, ensure_ascii=False)
        if answer.data_text is not None:
            text = '{"data": ' + answer.data_text + ", " + text[1:]
        headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Request-ID", self.request_uid),
            ("X-Correlation-ID", self.correlation_uid),
            *self._routing_headers(),
            *answer.headers,
        ]
        _logger.info(
            "OCPI %s %s: HTTP %s, status %s, connection %s, request %s",
            self.request.httprequest.method,
            self.request.httprequest.path,
            answer.http_status,
            int(answer.status),
            self.connection_id,
            self.request_uid,
        )
        return Response(text.encode(), status=answer.http_status, headers=headers)

    def _routing_headers(self):
        """The caller's, swapped (OCPI 2.2.1, 4.2.1); none where OCPI has none."""
        sender, receiver = self._parties()
        if not (sender and self._is_routed()):
            return []
        pairs = [("to", sender)] + ([("from", receiver)] if receiver else [])
        headers = []
        for direction, party in pairs:
            country_code, party_id = party.split("*")
            headers.append((f"OCPI-{direction}-country-code", country_code))
            headers.append((f"OCPI-{direction}-party-id", party_id))
        return headers

    def _is_routed(self):
        """Whether OCPI has routing headers here: functional modules from 2.2 on."""
        is_functional = self.ocpi_module not in (None, *CONFIGURATION_MODULES)
        return is_functional and self.version not in (None, "2.1.1")

    def _parties(self):
        """:return: (sender, receiver) as "FR*ABC" or None each, as far as the headers tell."""
        headers = self.request.httprequest.headers
        return party_in(headers, "from"), party_in(headers, "to")

    def _keep_message(self, env, answer):
        sender, receiver = self._parties()
        env["emsp.ocpi.message"]._keep(
            {
                "connection_id": self.connection_id,
                "module": self.ocpi_module,
                "method": self.request.httprequest.method,
                "url": self.request.httprequest.path,
                "http_status": answer.http_status,
                "ocpi_status": int(answer.status),
                "message": answer.message,
                "from_party": sender,
                "to_party": receiver,
                "deviations": self.deviations,
                # What was taken is kept with the record it became.
                "body": self.body if answer.status != StatusCode.SUCCESS else b"",
                "request_uid": self.request_uid,
                "correlation_uid": self.correlation_uid,
                "received_at": self.received_at,
                "duration_ms": round((time.monotonic() - self._started) * 1000),
            }
        )

    def _keep_message_after_rollback(self, answer):
        """Keep the message although nothing else of the request stays, if it was refused, or may write
        nothing."""
        if self.request.env:
            # Its locks would make the second cursor wait for ever.
            self.request.env.cr.rollback()
        try:
            with self.request.registry.cursor() as cr:
                self._keep_message(api.Environment(cr, SUPERUSER_ID, {}), answer)
        except psycopg2.Error:
            _logger.exception("OCPI message of request %s could not be kept", self.request_uid)

    @staticmethod
    def _message_uid(received):
        """The sender's id, echoed; one of ours when it sends none (OCPI 2.2.1, 4.1.4)."""
        return received[:MAX_ID_CHARS] if received else str(uuid.uuid4())


def answer_for(exc):
    """The one mapping from an exception to an answer.

    :param Exception exc: what ended the request.
    :return: Answer. What went wrong inside is for our log, not for the sender.
    """
    if isinstance(exc, PayloadError):
        return Answer.refusal(Problem.INVALID_PAYLOAD, str(exc))
    if isinstance(exc, HandshakeError):
        return Answer(200, exc.status, str(exc))
    if isinstance(exc, (AccessDenied, Unauthorized)):
        challenge = ("WWW-Authenticate", "Token")
        return Answer.refusal(Problem.UNAUTHORIZED, UNAUTHORIZED_TEXT, headers=(challenge,))
    if isinstance(exc, NotFound):
        return Answer.refusal(Problem.NOT_FOUND, "Unknown resource")
    if isinstance(exc, MethodNotAllowed):
        allowed = ", ".join(exc.valid_methods)
        return Answer.refusal(
            Problem.METHOD_NOT_ALLOWED, f"Allowed here: {allowed}", headers=(("Allow", allowed),)
        )
    if isinstance(exc, RequestEntityTooLarge):
        return Answer.refusal(Problem.TOO_LARGE, f"A body has at most {MAX_BODY_BYTES} bytes")
    if isinstance(exc, BadRequest):
        return Answer.refusal(Problem.INVALID_PAYLOAD, "The request could not be read to its end")
    if type(exc) is UserError:
        return Answer.refusal(Problem.REFUSED, str(exc))
    return Answer.refusal(Problem.FAILED)

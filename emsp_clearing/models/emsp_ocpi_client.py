import logging
import time
import uuid
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
import requests

from odoo import SUPERUSER_ID, api, fields

from ..core.errors import PayloadError
from ..core.ocpi.auth import authorization_header
from ..core.ocpi.json_text import read_json, write_json
from ..core.ocpi.paging import next_url, resolve, with_query
from .emsp_ocpi_client_errors import OcpiClientError
from .emsp_ocpi_network import TIMEOUT_S, AddressError, check_url, make_session

_logger = logging.getLogger(__name__)

MAX_TOTAL_S = 90
MAX_ANSWER_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_PAGES = 10_000
CHUNK_BYTES = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
CONFIGURATION_MODULES = ("versions", "credentials", "hubclientinfo")
# Parameters that OCPI itself defines; another one in an address may be a secret.
OCPI_PARAMETERS = ("date_from", "date_to", "offset", "limit", "type")


class Reply(NamedTuple):
    """A successful answer: `data` as `read_json` gives it (numbers are Decimal), None if there is none."""

    status_code: int
    data: object
    headers: dict
    http_status: int
    status_message: str | None = None


class OcpiClient:
    """Calls a partner's OCPI interface in the name of a connection, and keeps every call as a message.

    Not to be used while the transaction has changed the connection: messages are kept by a second cursor,
    so that they stay whatever becomes of the transaction.

    :param connection: one emsp.ocpi.connection.
    :param str correlation_uid: of the request that this one belongs to; a new one by default.
    :param str token: in clear; that of the connection by default.
    :param bool is_encoded: whether the token goes out in Base64; as the connection says by default.
    """

    def __init__(self, connection, correlation_uid=None, token=None, is_encoded=None):
        self.connection = connection
        self.env = connection.env
        self.correlation_uid = correlation_uid or str(uuid.uuid4())
        self.is_encoded = connection._is_token_encoded() if is_encoded is None else is_encoded
        self._token = token
        self._last_uid = None
        self._http = make_session(allow_private=connection.allow_private_network)

    def get(self, url, module, params=()):
        """:param params: pairs of names and texts, put behind those that the address has."""
        return self.call("GET", with_query(url or "", params), module)

    def get_pages(self, url, module, params=()):
        """The pages of a list, as the partner links them; it ends on an empty or a repeated one.

        :return: iterator of Reply.
        """
        url, seen = with_query(url, params), set()
        while url and url not in seen and len(seen) < MAX_PAGES:
            seen.add(url)
            reply = self.call("GET", url, module)
            if not reply.data:
                return
            yield reply
            url = self._same_scheme(next_url(reply.headers.get("Link"), url), url)

    def call(self, method, url, module, data=None, to_party=None, repeat_of=None):
        """One request.

        :param str module: as in the version details: cdrs, tokens, credentials …
        :param data: object for JSON (numbers may be Decimal), or bytes that go out as they are.
        :param to_party: country code and party id behind a hub; the connection's party by default.
        :param repeat_of: the emsp.ocpi.message that is sent once more.
        :return: Reply, when HTTP and OCPI both report success.
        :raise OcpiClientError: in all other cases.
        """
        url = url or ""
        body = data if data is None or isinstance(data, bytes) else write_json(data)
        exchange = _Exchange(self, method, url, module, body, to_party, repeat_of)
        try:
            headers = self._headers(module, exchange.request_uid, body is not None, to_party)
            reply = self._read_envelope(exchange, self._send(exchange, headers))
        except OcpiClientError as error:
            exchange.keep(error)
            raise
        exchange.keep()
        self._last_uid = exchange.request_uid
        return reply

    def note_deviations(self, deviations):
        """Keep with the last call what of its answer was understood thanks to a tolerance.

        :param deviations: core Deviations.
        """
        if not deviations:
            return
        with self.connection.env.registry.cursor() as cr:
            messages = api.Environment(cr, SUPERUSER_ID, {})["emsp.ocpi.message"]
            messages._note_deviations(self._last_uid, deviations)

    def _headers(self, module, request_uid, has_body, to_party):
        token = self._token or self.connection._peer_token_clear()
        if not token:
            raise OcpiClientError(self.env, "no_token")
        try:
            authorization = authorization_header(token, encoded=self.is_encoded)
        except ValueError:
            raise OcpiClientError(self.env, "bad_token") from None
        headers = {
            "Authorization": authorization,
            "Accept": "application/json",
            "X-Request-ID": request_uid,
            "X-Correlation-ID": self.correlation_uid,
        }
        if has_body:
            headers["Content-Type"] = "application/json"
        if module not in CONFIGURATION_MODULES and self.connection.version != "2.1.1":
            headers |= self.connection._routing_headers(to_party)
        return headers

    def _send(self, exchange, headers):
        """:return: the last answer of a chain of redirects that stays with one host."""
        url, deadline = exchange.url, time.monotonic() + MAX_TOTAL_S
        for __ in range(MAX_REDIRECTS + 1):
            self._check_url(url)
            response = self._request(exchange, url, headers, deadline)
            if response.status_code not in REDIRECTS or "Location" not in response.headers:
                return response
            target = resolve(url, response.headers["Location"])
            if exchange.method != "GET" or urlsplit(target)[:2] != urlsplit(url)[:2]:
                raise OcpiClientError(self.env, "redirect", http_status=response.status_code)
            url = target
        raise OcpiClientError(self.env, "redirect", http_status=response.status_code)

    def _check_url(self, url):
        try:
            check_url(url, allow_private=self.connection.allow_private_network)
        except AddressError as error:
            raise OcpiClientError(self.env, f"address_{error.code}", host=error.host) from None

    def _request(self, exchange, url, headers, deadline):
        """:return: the response, its body read into `exchange.answer`."""
        host = urlsplit(url).hostname
        try:
            with self._http.request(
                exchange.method,
                url,
                data=exchange.body,
                headers=headers,
                timeout=max(TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                exchange.http_status = response.status_code
                exchange.answer = self._read_body(response, deadline)
                return response
        except requests.Timeout:
            raise OcpiClientError(self.env, "timeout", host=host) from None
        except requests.exceptions.SSLError:
            raise OcpiClientError(self.env, "tls", host=host) from None
        except (requests.RequestException, UnicodeError, ValueError):
            raise OcpiClientError(self.env, "connection", host=host) from None

    def _read_body(self, response, deadline):
        read = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                raise OcpiClientError(self.env, "size", http_status=response.status_code)
            if time.monotonic() > deadline:
                raise requests.Timeout
        return bytes(read)

    def _read_envelope(self, exchange, response):
        status, tree = response.status_code, None
        try:
            tree = read_json(exchange.answer)
        except PayloadError as error:
            if status < HTTPStatus.BAD_REQUEST:
                raise OcpiClientError(self.env, "envelope", http_status=status) from error
        code = tree.get("status_code") if isinstance(tree, dict) else None
        code = int(code) if code is not None and str(code).isdecimal() else None
        exchange.ocpi_status = code or 0
        text = str(tree.get("status_message") or "")[:500] if isinstance(tree, dict) else ""
        if status >= HTTPStatus.BAD_REQUEST:
            raise OcpiClientError(self.env, "http", http_status=status, ocpi_status=code, text=text)
        if code is None:
            raise OcpiClientError(self.env, "envelope", http_status=status)
        if not 1000 <= code < 2000:
            raise OcpiClientError(self.env, "ocpi", http_status=status, ocpi_status=code, text=text)
        return Reply(code, tree.get("data"), response.headers, status, text or None)

    @staticmethod
    def _same_scheme(link, url):
        """Some peers behind a proxy link to http although they are reached by https."""
        if link and urlsplit(url).scheme == "https" and link.startswith("http://"):
            return "https://" + link.removeprefix("http://")
        return link


class _Exchange:
    """What is known of one call so far, and how it is kept."""

    def __init__(self, client, method, url, module, body, to_party, repeat_of):
        self.client = client
        self.method, self.url, self.module, self.body = method, url, module, body
        self.to_party, self.repeat_of = to_party, repeat_of
        self.request_uid = str(uuid.uuid4())
        self.sent_at = fields.Datetime.now()
        self.started = time.monotonic()
        self.http_status = self.ocpi_status = 0
        self.answer = b""

    def keep(self, error=None):
        connection = self.client.connection
        try:
            with connection.env.registry.cursor() as cr:
                messages = api.Environment(cr, SUPERUSER_ID, {})["emsp.ocpi.message"]
                messages._keep(self._vals(error))
        except psycopg2.Error:
            _logger.exception("OCPI message %s could not be kept", self.request_uid)
        _logger.info(
            "OCPI %s of %s to connection %s: HTTP %s, status %s, request %s",
            self.method,
            self.module,
            connection.id,
            self.http_status,
            self.ocpi_status,
            self.request_uid,
        )

    def _vals(self, error):
        # A failure without a status of its own must not look like a success.
        is_lost = error is not None and self.ocpi_status < 2000
        return {
            "connection_id": self.client.connection.id,
            "direction": "out",
            "module": self.module,
            "method": self.method,
            "url": url_without_secrets(self.url),
            "http_status": self.http_status,
            "ocpi_status": 0 if is_lost else self.ocpi_status,
            "message": str(error) if error else None,
            "to_party": "*".join(self.to_party) if self.to_party else None,
            "body": (self.body or b"") if error else b"",
            "answer": self.answer if error else b"",
            "request_uid": self.request_uid,
            "correlation_uid": self.client.correlation_uid,
            "received_at": self.sent_at,
            "duration_ms": round((time.monotonic() - self.started) * 1000),
            "repeat_of_id": self.repeat_of.id if self.repeat_of else None,
        }


def url_without_secrets(url):
    """The address for the log: without user and password, and without values of unknown parameters."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "?"
    query = "&".join(_without_secret(each) for each in parts.query.split("&"))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _without_secret(parameter):
    name, is_given, __ = parameter.partition("=")
    return parameter if unquote(name) in OCPI_PARAMETERS or not is_given else f"{name}=…"

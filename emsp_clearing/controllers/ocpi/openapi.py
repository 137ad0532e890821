from functools import cache
from typing import NamedTuple

from odoo import http
from odoo.http import request

from ...core.ocpi.findings import Finding
from ...core.ocpi.json_text import write_json
from ...core.ocpi.modules import schema_of
from ...core.ocpi.modules_v221 import (
    AuthorizationInfo,
    Connector,
    Credentials,
    Evse,
    InvoiceReconciliation,
    Location,
    LocationReferences,
    Session,
    Token,
    Version,
    VersionDetails,
)
from ...core.ocpi.openapi import Route, document
from ...core.ocpi.v221 import Cdr, Tariff
from ...core.ocpi.versions import VERSIONS, find_version
from .endpoints import (
    ENDPOINTS,
    FINDINGS,
    VERSIONS_URL,
    credentials_url,
    details_url,
    is_in,
    module_url,
)

OPENAPI_URL = "/ocpi/openapi.json"
PAGING = ("date_from", "date_to", "offset", "limit")
OBJECT = "/{country_code}/{party_id}/{id}"
BY_UID = "/{country_code}/{party_id}/{uid}"
EVSE = f"{OBJECT}/{{evse_uid}}"
CONNECTOR = f"{EVSE}/{{connector_id}}"


class Method(NamedTuple):
    """One method of a module; `schema` as OCPI 2.2.1 has it. `versions`: all, unless it names some."""

    method: str
    path: str = ""
    request_schema: type | None = None
    response_schema: type | None = None
    query: tuple = ()
    is_list: bool = False
    versions: tuple = VERSIONS


def _list(schema):
    return Method("GET", "", response_schema=schema, query=PAGING, is_list=True)


def _get(path, schema, query=()):
    return Method("GET", path, response_schema=schema, query=query)


def _changes(path, schema, query=()):
    return (
        _get(path, schema, query),
        Method("PUT", path, schema, query=query),
        Method("PATCH", path, schema, query=query),
    )


# By module and role, as in ENDPOINTS.
METHODS = {
    ("cdrs", "RECEIVER"): (Method("POST", "", Cdr), _get(OBJECT, Cdr)),
    ("cdrs", "SENDER"): (_list(Cdr),),
    ("sessions", "RECEIVER"): _changes(OBJECT, Session),
    ("sessions", "SENDER"): (_list(Session),),
    ("tariffs", "RECEIVER"): (
        _get(OBJECT, Tariff),
        Method("PUT", OBJECT, Tariff),
        Method("PATCH", OBJECT, Tariff, versions=("2.1.1",)),
        Method("DELETE", OBJECT),
    ),
    ("tariffs", "SENDER"): (_list(Tariff),),
    ("locations", "RECEIVER"): (
        *_changes(OBJECT, Location),
        *_changes(EVSE, Evse),
        *_changes(CONNECTOR, Connector),
    ),
    ("locations", "SENDER"): (
        _list(Location),
        _get("/{id}", Location),
        _get("/{id}/{evse_uid}", Evse),
        _get("/{id}/{evse_uid}/{connector_id}", Connector),
    ),
    ("tokens", "RECEIVER"): _changes(BY_UID, Token, query=("type",)),
    ("tokens", "SENDER"): (
        _list(Token),
        Method("POST", "/{uid}/authorize", LocationReferences, AuthorizationInfo, query=("type",)),
    ),
    ("invoicereconciliation", "SENDER"): (_list(InvoiceReconciliation),),
    ("invoicereconciliation", "RECEIVER"): (
        Method("POST", "", InvoiceReconciliation),
        _get(OBJECT, InvoiceReconciliation),
        Method("PUT", OBJECT, InvoiceReconciliation),
        Method("DELETE", OBJECT),
    ),
}
CREDENTIALS = (
    _get("", Credentials),
    Method("POST", "", Credentials, Credentials),
    Method("PUT", "", Credentials, Credentials),
    Method("DELETE", ""),
)


class OcpiOpenapi(http.Controller):
    """The endpoints described for programs, open to everybody: it names no partner and no token."""

    @http.route(OPENAPI_URL, type="http", auth="public", methods=["GET"], csrf=False, save_session=False)
    def get_openapi(self):
        # The address that the connections tell partners too; not that of the request, which anybody writes.
        text = openapi_text(request.env.company.get_base_url())
        return request.make_response(text, headers=[("Content-Type", "application/json; charset=utf-8")])


@cache
def openapi_text(base_url):
    """:return: the description as JSON, in bytes."""
    return write_json(document(routes(), base_url))


def routes():
    """:return: list of core Routes: the modules of ENDPOINTS in every version that has them."""
    found = [Route("versions", VERSIONS[-1], "SENDER", "GET", VERSIONS_URL, None, Version)]
    for version in VERSIONS:
        details = Method("GET", "", response_schema=VersionDetails)
        found.append(_route("versions", version, "SENDER", details_url(version), details))
        found += [
            _route("credentials", version, "SENDER", credentials_url(version), method)
            for method in CREDENTIALS
        ]
        found += [
            _route(module, version, role, module_url(side, version, module), method)
            for module, role, side in ENDPOINTS
            if is_in(module, version)
            for method in METHODS[module, role]
            if version in method.versions
        ]
        found += [
            _route(FINDINGS, version, "SENDER", module_url(side, version, FINDINGS), _list(Finding))
            for side in ("cpo", "emsp")
        ]
    return found


def _route(module, version, role, url, method):
    return Route(
        module,
        version,
        role,
        method.method,
        url + method.path,
        _in(method.request_schema, version),
        _in(method.response_schema, version),
        method.query,
        method.is_list,
    )


def _in(schema, version):
    """A schema of OCPI 2.2.1 as the version has it, or None."""
    if schema is None:
        return None
    known = find_version(version)
    return {Cdr: known.cdr, Tariff: known.tariff}.get(schema) or schema_of(schema, version)

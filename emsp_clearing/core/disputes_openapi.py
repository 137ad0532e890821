"""The disputes API described for programs: OpenAPI 3.1, made from the schemas of its bodies and answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from .disputes_answers import Problem
from .disputes_api import AMOUNT_PATTERN

VERSION: Final = "3.1.0"
_TEMPLATE: Final = "#/components/schemas/{name}"
_TOKEN: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Token` and the credentials token of your OCPI connection, in Base64.",
}
_KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of a user of the portal.",
}
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A value of your own, of 1 to 255 characters. The same request with the same key is "
    "carried out once, and answered the same for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_STATUSES: Final = {
    400: "The body is not JSON, or a parameter cannot be read.",
    401: "No valid token or key.",
    403: "The token or key is of nobody who may dispute.",
    404: "There is no such object of yours.",
    409: "It cannot be done as things stand; the text says why, and until when it could.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "The body is not what is expected, or the idempotency key came with another one before.",
}
_WITH_BODY: Final = (413, 415, 422)


class Operation(NamedTuple):
    """One method of one path. `query`: name -> schema. `is_public`: without a token."""

    method: str
    path: str
    summary: str
    request: tuple[type, ...] = ()
    response: tuple[type, ...] = ()
    status: int = 200
    query: dict[str, dict[str, Any]] | None = None
    is_public: bool = False


def document(operations: Sequence[Operation], base_url: str) -> dict[str, Any]:
    """The description, ready for JSON."""
    types = {Problem, *(schema for each in operations for schema in _types(each))}
    ordered = sorted(types, key=lambda schema: schema.__name__)
    __, components = msgspec.json.schema_components(ordered, ref_template=_TEMPLATE)
    amount = components["DisputeRequest"]["properties"]["own_amount"]
    amount["anyOf"] = [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": AMOUNT_PATTERN},
        {"type": "null"},
    ]
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": VERSION,
        "info": {"title": "Disputes", "version": "1"},
        "servers": [{"url": base_url}],
        "security": [{"token": []}, {"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": _TOKEN, "key": _KEY},
            "schemas": {name: _tidy(schema) for name, schema in components.items()},
        },
    }


def _types(operation: Operation) -> Iterator[type]:
    yield from operation.request
    yield from operation.response


def _operation(operation: Operation) -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9]+", "_", f"{operation.method.lower()}{operation.path}").strip("_")
    is_post = operation.method == "POST"
    described: dict[str, Any] = {
        "operationId": name,
        "summary": operation.summary,
        "parameters": [
            *_path_parameters(operation.path),
            *({"name": each, "in": "query", "schema": s} for each, s in (operation.query or {}).items()),
            *([_IDEMPOTENCY] if is_post else []),
        ],
        "responses": _responses(operation),
    }
    if operation.is_public:
        described["security"] = []
    if operation.request:
        content = {"application/json": {"schema": _one_of(operation.request)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if operation.response:
        done["content"] = {"application/json": {"schema": _one_of(operation.response)}}
    responses = {str(operation.status): done}
    if operation.is_public:
        return responses
    problem = {"application/problem+json": {"schema": _reference(Problem)}}
    for status, text in _STATUSES.items():
        if operation.method == "POST" or status not in (*_WITH_BODY, 409):
            responses[str(status)] = {"description": text, "content": problem}
    return responses


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _one_of(schemas: Sequence[type]) -> dict[str, Any]:
    references = [_reference(schema) for schema in schemas]
    return references[0] if len(references) == 1 else {"oneOf": references}


def _reference(schema: type) -> dict[str, Any]:
    return {"$ref": _TEMPLATE.format(name=schema.__name__)}


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """The docstring that became the description, without its indentation."""
    text = schema.get("description", "")
    return {**schema, "description": re.sub(r"\n\s+", "\n", text).strip()}

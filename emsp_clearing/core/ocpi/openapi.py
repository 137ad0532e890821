"""A description of OCPI endpoints for programs of others: OpenAPI 3.1, made from the payload schemas.

It tells what the specification has, not all that is understood: a field that is due is required, one that
belongs to another version is not there, lengths are the documented ones. Code lists stay open.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Any, Final, NamedTuple

from msgspec import inspect

from .decode import bare, trait_of
from .types import Payload, Trait

VERSION: Final = "3.1.0"
_REFERENCE: Final = "#/components/schemas/"
_DATE_TIME: Final = {"type": "string", "format": "date-time"}
_QUERY: Final[dict[str, dict[str, Any]]] = {
    "date_from": _DATE_TIME,
    "date_to": _DATE_TIME,
    "offset": {"type": "integer", "minimum": 0, "default": 0},
    "limit": {"type": "integer", "minimum": 1},
}
_PAGE_HEADERS: Final = {
    "Link": {"description": "The next page, unless this is the last.", "schema": {"type": "string"}},
    "X-Total-Count": {"description": "Objects that match.", "schema": {"type": "integer"}},
    "X-Limit": {"description": "Objects in a page, at most.", "schema": {"type": "integer"}},
}
_SIMPLE: Final[dict[type, dict[str, str]]] = {
    inspect.BoolType: {"type": "boolean"},
    inspect.DateTimeType: _DATE_TIME,
    inspect.DecimalType: {"type": "number"},
    inspect.DictType: {"type": "object"},
    inspect.StrType: {"type": "string"},
}
_SECURITY: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Token` and the credentials token, in Base64 from OCPI 2.2 on.",
}


class Route(NamedTuple):
    """One method of one endpoint.

    `role` SENDER or RECEIVER. `path`: below the base URL, with parameters in braces. `query`: names; those of
    paging have types, others are texts. `is_list`: the answer is a page of objects. The body of a
    PATCH needs nothing but `last_updated`.
    """

    module: str
    version: str
    role: str
    method: str
    path: str
    request_schema: type[Payload] | None = None
    response_schema: type[Payload] | None = None
    query: tuple[str, ...] = ()
    is_list: bool = False


def document(routes: Sequence[Route], base_url: str) -> dict[str, Any]:
    """The description of these routes, ready for `write_json`.

    :raise ValueError: two routes with the same method and path.
    """
    paths: dict[str, dict[str, Any]] = {}
    components = {version: _Components(version) for version in sorted({route.version for route in routes})}
    for route in _roots_first(routes, components):
        operations = paths.setdefault(route.path, {})
        method = route.method.lower()
        if method in operations:
            raise ValueError(f"expected {route.method} {route.path} once, got it again")
        operations[method] = _operation(route, components[route.version])
    return {
        "openapi": VERSION,
        "info": {"title": "OCPI", "version": ", ".join(components) or "none"},
        "servers": [{"url": base_url}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in sorted({route.module for route in routes})],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": _SECURITY},
            "schemas": {name: each for known in components.values() for name, each in known.described()},
        },
    }


def _operation(route: Route, components: "_Components") -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9]+", "_", f"{route.method.lower()}{route.path}").strip("_")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": f"{route.module}, {route.role}, OCPI {route.version}",
        "tags": [route.module],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {"default": _answer(route, components)},
    }
    if route.request_schema:
        is_change = route.method.upper() == "PATCH"
        schema = components.reference(route.request_schema, is_change=is_change)
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        yield {"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})}


def _answer(route: Route, components: "_Components") -> dict[str, Any]:
    """OCPI 2.2.1, 4.1.7."""
    properties: dict[str, Any] = {
        "status_code": {"type": "integer"},
        "status_message": {"type": "string"},
        "timestamp": _DATE_TIME,
    }
    if route.response_schema:
        data = components.reference(route.response_schema)
        properties["data"] = {"type": "array", "items": data} if route.is_list else data
    schema = {"type": "object", "properties": properties, "required": ["status_code", "timestamp"]}
    answer: dict[str, Any] = {
        "description": "What became of the request.",
        "content": {"application/json": {"schema": schema}},
    }
    return {**answer, "headers": _PAGE_HEADERS} if route.is_list else answer


@dataclass
class _Components:
    """The schemas of a version by name, collected while they are referred to."""

    version: str
    names: dict[type, str] = field(default_factory=dict)
    changed: set[type] = field(default_factory=set)

    def reference(
        self, schema: type, parent: type | None = None, *, is_change: bool = False
    ) -> dict[str, Any]:
        """:param parent: whose field it is; a name that another schema has is told apart by it."""
        if schema not in self.names:
            name = schema.__name__
            if name in self.names.values() and parent:
                name = f"{parent.__name__}{name}"
            self.names[schema] = name
        if is_change:
            self.changed.add(schema)
        return {"$ref": f"{_REFERENCE}{self._name(schema, is_change)}"}

    def described(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All schemas referred to, and those that they refer to."""
        done = 0
        while done < len(self.names):
            schema = list(self.names)[done]
            described = self._object(schema)
            yield self._name(schema), described
            if schema in self.changed:
                yield self._name(schema, True), {**described, "required": ["last_updated"]}
            done += 1

    def _name(self, schema: type, is_change: bool = False) -> str:
        return f"{self.version}.{self.names[schema]}{'Change' if is_change else ''}"

    def _object(self, schema: type) -> dict[str, Any]:
        kind = inspect.type_info(schema)
        fields = kind.fields if isinstance(kind, inspect.StructType) else ()
        known = [(each, trait_of(each.type)) for each in fields]
        return {
            "description": getdoc(schema),
            "type": "object",
            "properties": {
                each.name: self._value(each.type, schema) for each, trait in known if not trait.foreign
            },
            "required": [each.name for each, trait in known if each.required or trait.due],
        }

    def _value(self, kind: inspect.Type, parent: type) -> dict[str, Any]:
        trait = trait_of(kind)
        if trait.plain:
            return {"type": "number"}
        match bare(kind):
            case inspect.StructType(cls=schema):
                return self.reference(schema, parent)
            case inspect.VarTupleType(item_type=item, min_length=bound):
                items = {"type": "array", "items": self._value(item, parent)}
                return {**items, "minItems": bound} if bound else items
            case inspect.StrType() | inspect.AnyType() if trait.limit or trait.codes:
                return {"type": "string", **_annotated(trait)}
            case simple:
                return dict(_SIMPLE.get(type(simple), {}))


def _annotated(trait: Trait) -> dict[str, Any]:
    """The codes of an open list are no `enum`: a newer value is no error."""
    said: dict[str, Any] = {}
    if trait.limit is not None:
        said["maxLength"] = trait.limit
    if trait.codes is not None:
        said["x-extensible-enum"] = sorted(trait.codes)
    return said


def _roots_first(routes: Sequence[Route], components: dict[str, _Components]) -> Sequence[Route]:
    """The routes, with the plain names given to the schemas that they name themselves."""
    for route in routes:
        for schema in (route.request_schema, route.response_schema):
            if schema:
                components[route.version].reference(schema)
    return routes

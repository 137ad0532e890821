"""From a JSON tree to a payload schema, with refusals that name the field."""

import re
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from ..errors import PayloadError
from .types import DATE_TIME, FieldError, Payload, Trait

Schema = TypeVar("Schema", bound=Payload)
Path = tuple[str | int, ...]

# The text of OCPI 2.2.1, 10.3.1 spells its placeholder for an unknown time against its own format.
_DATE_PLACEHOLDER = {"1970-1-1T00:00:00Z": "1970-01-01T00:00:00Z"}
_DATE_NAMES = ("date_time", "datetime", "last_updated")
_VERBATIM = "signed_data"
_ABSENT = object()


def decode(tree: Any, schema: type[Schema], *, text_numbers: bool) -> Schema:
    """A payload as its schema describes it.

    Null and blank text are absent; unknown fields are passed over.

    :param tree: as `json_text.read_json` gives it.
    :param text_numbers: numbers may come as strings.
    :raise PayloadError: missing_field or invalid_field, with the path, what was expected and got.
    """
    number_types = () if text_numbers else (Decimal,)
    try:
        return msgspec.convert(present(tree), schema, builtin_types=number_types)
    except msgspec.ValidationError as error:
        raise _refusal(error, tree, schema) from None


def present(node: Any, name: str = "") -> Any:
    """The tree without what counts as absent.

    :param name: of the field that the tree is the value of.
    """
    if isinstance(node, dict):
        return {
            name: value if name == _VERBATIM else present(value, name)
            for name, value in node.items()
            if not is_absent(value)
        }
    if isinstance(node, list):
        return [present(value) for value in node]
    if isinstance(node, str) and name.endswith(_DATE_NAMES):
        return _DATE_PLACEHOLDER.get(node, node)
    return node


def is_absent(value: Any) -> bool:
    """Whether a field was as good as not sent."""
    return value is None or (isinstance(value, str) and not value.strip())


def spell(path: Path) -> str:
    """A path as people write it: charging_periods[3].dimensions[0].volume."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def show(value: Any) -> str:
    """A received value in a few characters."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "an object"
    return str(value)[:40]


def _refusal(error: msgspec.ValidationError, tree: Any, schema: type[Payload]) -> PayloadError:
    path, problem = _path(error), error.__cause__
    if isinstance(problem, FieldError):
        path += (problem.name,)
    value = _value_at(tree, path)
    if isinstance(problem, FieldError):
        expected = problem.expected
    else:
        expected = _expectation(_type_at(schema, path), value)
    named = bool(path) and isinstance(path[-1], str)
    return PayloadError(
        "missing_field" if named and (value is _ABSENT or is_absent(value)) else "invalid_field",
        path=spell(path),
        expected=expected,
        got="nothing" if value is _ABSENT else show(value),
    )


def _path(error: msgspec.ValidationError) -> Path:
    """msgspec tells the place only inside its message: "... `name` - at `$.a[1]`"."""
    text = str(error)
    place = re.search(r" - at `\$(.*)`$", text)
    steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", place[1]) if place else []
    path: Path = tuple(name or int(index) for name, index in steps)
    missing = re.match(r"Object missing required field `(\w+)`", text)
    return (*path, missing[1]) if missing else path


def _value_at(node: Any, path: Path) -> Any:
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return node


def _type_at(schema: type[Payload], path: Path) -> inspect.Type:
    kind: inspect.Type = inspect.type_info(schema)
    for step in path:
        kind = bare(kind)
        if isinstance(kind, inspect.StructType):
            kind = next(field.type for field in kind.fields if field.name == step)
        elif isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
    return kind


def trait_of(kind: inspect.Type) -> Trait:
    """The annotation of a field, wherever "or absent" put it."""
    if isinstance(kind, inspect.Metadata):
        return (kind.extra or {}).get("trait") or trait_of(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next(map(trait_of, kind.types))
    return Trait()


def bare(kind: inspect.Type) -> inspect.Type:
    """The type without annotations and without "or absent"; of a union the object, if any."""
    if isinstance(kind, inspect.Metadata):
        return bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        members = [bare(member) for member in kind.types]
        members.sort(key=lambda member: isinstance(member, inspect.NoneType))
        objects = [member for member in members if isinstance(member, inspect.StructType)]
        return (objects or members)[0]
    return kind


def _expectation(kind: inspect.Type, value: Any) -> str:
    if trait_of(kind).plain:
        return "a number"
    match bare(kind):
        case inspect.StrType(max_length=bound):
            overlong = isinstance(value, str) and not is_absent(value)
            return f"at most {bound} characters" if overlong else "a text"
        case inspect.DecimalType():
            return "a number"
        case inspect.DateTimeType():
            return DATE_TIME
        case inspect.BoolType():
            return "true or false"
        case inspect.VarTupleType(min_length=bound):
            return "a list with at least one entry" if bound else "a list"
    return "an object"

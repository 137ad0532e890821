"""What of a payload is not as the specification has it, yet was understood and taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from . import v221
from .countries import to_alpha_3
from .decode import Path, bare, decode, is_absent, show, spell
from .json_text import read_json
from .normalise import check_version
from .types import Trait


@dataclass(frozen=True, slots=True)
class Deviation:
    """One field, with what the specification wants there and what came.

    `code`: unknown_field, missing, too_long, unknown_code, not_alpha_3, text_for_number,
    number_for_price.
    """

    code: str
    path: str
    expected: str
    found: str


_CDR = inspect.type_info(v221.Cdr)


def find_deviations(raw: bytes | str, version: str = "2.2.1", *, lax: bool = False) -> tuple[Deviation, ...]:
    """Deviations of a CDR that `parse_cdr` takes, in the order of the schema.

    :raise PayloadError: as `parse_cdr`.
    """
    check_version(version)
    tree = read_json(raw)
    decode(tree, v221.Cdr, lax=lax)
    return tuple(_of_value(_CDR, tree, ()))


def _of_value(kind: inspect.Type, value: Any, path: Path) -> Iterator[Deviation]:
    trait, kind = _trait(kind), bare(kind)
    if trait.foreign:
        yield _deviation("unknown_field", path, "nothing", value)
        return
    yield from _of_trait(trait, value, path)
    if isinstance(kind, inspect.StructType):
        if isinstance(value, dict):
            yield from _of_object(kind, value, path)
        else:
            yield _deviation("number_for_price", path, "an object", value)
    elif isinstance(kind, inspect.VarTupleType):
        for index, item in enumerate(value):
            yield from _of_value(kind.item_type, item, (*path, index))
    elif isinstance(kind, inspect.DecimalType) and isinstance(value, str):
        yield _deviation("text_for_number", path, "a number", value)


def _of_object(kind: inspect.StructType, members: dict[str, Any], path: Path) -> Iterator[Deviation]:
    for field in kind.fields:
        value = members.get(field.name)
        if not is_absent(value):
            yield from _of_value(field.type, value, (*path, field.name))
        elif _trait(field.type).due:
            yield Deviation("missing", spell((*path, field.name)), "a value", "nothing")
    known = {field.name for field in kind.fields}
    for name in (name for name in members if name not in known):
        yield Deviation("unknown_field", spell((*path, name)), "nothing", show(members[name]))


def _of_trait(trait: Trait, value: Any, path: Path) -> Iterator[Deviation]:
    if not isinstance(value, str):
        return
    if trait.limit is not None and len(value) > trait.limit:
        found = f"{len(value)} characters"
        yield Deviation("too_long", spell(path), f"at most {trait.limit} characters", found)
    if trait.codes is not None and value not in trait.codes:
        yield _deviation("unknown_code", path, "a code of OCPI 2.2.1", value)
    if trait.alpha_3 and to_alpha_3(value) != value:
        yield _deviation("not_alpha_3", path, to_alpha_3(value), value)


def _deviation(code: str, path: Path, expected: str, value: Any) -> Deviation:
    return Deviation(code, spell(path), expected, show(value))


def _trait(kind: inspect.Type) -> Trait:
    """The annotation of a field, wherever "or absent" put it."""
    if isinstance(kind, inspect.Metadata):
        return (kind.extra or {}).get("trait") or _trait(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next(map(_trait, kind.types))
    return Trait()

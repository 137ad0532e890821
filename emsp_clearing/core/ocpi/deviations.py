"""What of a payload is not as the specification has it, yet can be understood, and is taken or not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

from msgspec import inspect

from ..errors import PayloadError
from .countries import to_alpha_2, to_alpha_3
from .decode import Path, bare, decode, is_absent, show, spell, trait_of
from .json_text import read_json
from .tolerances import LAX, Tolerances
from .types import Payload, Trait
from .versions import find_version

Schema = TypeVar("Schema", bound=Payload)
# An object says at its top whose it is; inside a CDR the owner is the CDR's.
_OWNER = (("country_code",), ("party_id",))


@dataclass(frozen=True, slots=True)
class Deviation:
    """One field, with what the specification wants there and what came.

    `code`: one of `tolerances.SWITCHES`, unknown_field, unknown_code or not_one.
    """

    code: str
    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        """As a refusal would have it."""
        return f"{self.path}: expected {self.expected}, found {self.found}"


def read(tree: Any, schema: type[Schema], version: str, tolerances: Tolerances) -> Schema:
    """A payload as its schema describes it, unless it is otherwise in a way that is not tolerated.

    :param tree: as `read_json` gives it.
    :raise PayloadError: as `decode`; unsupported_version.
    """
    tolerances = find_version(version).widen(tolerances)
    payload = decode(tree, schema, text_numbers=tolerances.text_numbers)
    if tolerances.is_selective:
        for each in compare(tree, schema, version):
            if tolerances.refuses(each.code):
                is_missing = each.code in ("missing", "missing_owner")
                code = "missing_field" if is_missing else "invalid_field"
                raise PayloadError(code, path=each.path, expected=each.expected, got=each.found)
    return payload


def compare(tree: Any, schema: type[Payload], version: str) -> Iterator[Deviation]:
    """Deviations of a payload that can be decoded, in the order of its schema.

    :param schema: the version's own.
    """
    return _Comparison(version).of_value(_type_info(schema), tree, ())


def find_deviations(
    raw: bytes | str, version: str = "2.2.1", *, tolerances: Tolerances = LAX
) -> tuple[Deviation, ...]:
    """Deviations of a CDR that `parse_cdr` takes, in the order of the version's schema.

    :raise PayloadError: as `parse_cdr`.
    """
    read(read_json(raw), find_version(version).cdr, version, tolerances)
    return deviations_of_stored(raw, version)


def deviations_of_stored(raw: bytes | str, version: str) -> tuple[Deviation, ...]:
    """As `find_deviations`, of a CDR that is known to be readable."""
    return tuple(compare(read_json(raw), find_version(version).cdr, version))


@cache
def _type_info(schema: type[Payload]) -> inspect.Type:
    return inspect.type_info(schema)


@cache
def _fields_of(schema: type[Payload]) -> Mapping[str, tuple[Trait, inspect.Type]]:
    """What is looked up for every object of every CDR, once."""
    info = cast(inspect.StructType, _type_info(schema))
    return {field.name: (trait_of(field.type), bare(field.type)) for field in info.fields}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A walk along schema and payload; what it cannot follow it passes over."""

    version: str

    def of_value(self, kind: inspect.Type, value: Any, path: Path) -> Iterator[Deviation]:
        return self._of_bare(trait_of(kind), bare(kind), value, path)

    def _of_bare(self, trait: Trait, kind: inspect.Type, value: Any, path: Path) -> Iterator[Deviation]:
        if trait.foreign:
            yield _deviation("unknown_field", path, "nothing", value)
            return
        yield from self._of_trait(trait, value, path)
        if trait.plain or isinstance(kind, inspect.DecimalType):
            yield from _of_number(value, path)
        elif isinstance(kind, inspect.StructType):
            if isinstance(value, dict):
                yield from self._of_object(kind, value, path)
            elif isinstance(value, (Decimal, str)):
                yield _deviation("number_for_price", path, "an object", value)
                yield from _of_number(value, path)
        elif isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
            item_trait, item_kind = trait_of(kind.item_type), bare(kind.item_type)
            for index, item in enumerate(value):
                yield from self._of_bare(item_trait, item_kind, item, (*path, index))

    def _of_object(
        self, kind: inspect.StructType, members: dict[str, Any], path: Path
    ) -> Iterator[Deviation]:
        known = _fields_of(kind.cls)
        for field, (trait, field_kind) in known.items():
            value = members.get(field)
            if not is_absent(value):
                yield from self._of_bare(trait, field_kind, value, (*path, field))
            else:
                yield from self._of_absence(trait, (*path, field))
        for name in (name for name in members if name not in known):
            yield Deviation("unknown_field", spell((*path, name)), "nothing", show(members[name]))

    def _of_absence(self, trait: Trait, path: Path) -> Iterator[Deviation]:
        if trait.net:
            yield Deviation("foreign_price", spell(path), "a number", "nothing")
        elif trait.due:
            is_owner = path in _OWNER and find_version(self.version).names_owners
            yield Deviation("missing_owner" if is_owner else "missing", spell(path), "a value", "nothing")

    def _of_trait(self, trait: Trait, value: Any, path: Path) -> Iterator[Deviation]:
        if trait.one and isinstance(value, list) and len(value) != 1:
            yield Deviation("not_one", spell(path), "one entry", f"{len(value)} entries")
        if not isinstance(value, str):
            return
        if trait.alpha_2 and to_alpha_2(value) != value:
            yield _deviation("not_alpha_2", path, to_alpha_2(value), value)
        elif trait.limit is not None and len(value) > trait.limit:
            found = f"{len(value)} characters"
            yield Deviation("too_long", spell(path), f"at most {trait.limit} characters", found)
        if trait.codes is not None and value not in trait.codes:
            yield _deviation("unknown_code", path, f"a code of OCPI {self.version}", value)
        if trait.alpha_3 and to_alpha_3(value) != value:
            yield _deviation("not_alpha_3", path, to_alpha_3(value), value)


def _of_number(value: Any, path: Path) -> Iterator[Deviation]:
    if isinstance(value, str):
        yield _deviation("text_for_number", path, "a number", value)
    elif isinstance(value, dict):
        yield _deviation("price_for_number", path, "a number", value)


def _deviation(code: str, path: Path, expected: str, value: Any) -> Deviation:
    return Deviation(code, spell(path), expected, show(value))

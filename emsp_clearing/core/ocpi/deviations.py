"""What of a payload is not as the specification has it, yet was understood and taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec import inspect

from .countries import to_alpha_3
from .decode import Path, bare, decode, is_absent, show, spell, trait_of
from .json_text import read_json
from .types import Payload, Trait
from .versions import find_version


@dataclass(frozen=True, slots=True)
class Deviation:
    """One field, with what the specification wants there and what came.

    `code`: unknown_field, missing, too_long, unknown_code, not_alpha_3, text_for_number,
    number_for_price, price_for_number, not_one.
    """

    code: str
    path: str
    expected: str
    found: str


def find_deviations(raw: bytes | str, version: str = "2.2.1", *, lax: bool = False) -> tuple[Deviation, ...]:
    """Deviations of a CDR that `parse_cdr` takes, in the order of the version's schema.

    :raise PayloadError: as `parse_cdr`.
    """
    known = find_version(version)
    tree = read_json(raw)
    decode(tree, known.cdr, lax=lax or known.texts_are_numbers)
    return tuple(_Comparison(version).of_value(_type_info(known.cdr), tree, ()))


@cache
def _type_info(schema: type[Payload]) -> inspect.Type:
    return inspect.type_info(schema)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A walk along schema and payload."""

    version: str

    def of_value(self, kind: inspect.Type, value: Any, path: Path) -> Iterator[Deviation]:
        trait, kind = trait_of(kind), bare(kind)
        if trait.foreign:
            yield _deviation("unknown_field", path, "nothing", value)
            return
        yield from self._of_trait(trait, value, path)
        if trait.plain or isinstance(kind, inspect.DecimalType):
            yield from _of_number(value, path)
        elif isinstance(kind, inspect.StructType):
            if isinstance(value, dict):
                yield from self._of_object(kind, value, path)
            else:
                yield _deviation("number_for_price", path, "an object", value)
        elif isinstance(kind, inspect.VarTupleType):
            for index, item in enumerate(value):
                yield from self.of_value(kind.item_type, item, (*path, index))

    def _of_object(
        self, kind: inspect.StructType, members: dict[str, Any], path: Path
    ) -> Iterator[Deviation]:
        for field in kind.fields:
            value = members.get(field.name)
            if not is_absent(value):
                yield from self.of_value(field.type, value, (*path, field.name))
            elif trait_of(field.type).due:
                yield Deviation("missing", spell((*path, field.name)), "a value", "nothing")
        known = {field.name for field in kind.fields}
        for name in (name for name in members if name not in known):
            yield Deviation("unknown_field", spell((*path, name)), "nothing", show(members[name]))

    def _of_trait(self, trait: Trait, value: Any, path: Path) -> Iterator[Deviation]:
        if trait.one and len(value) != 1:
            yield Deviation("not_one", spell(path), "one entry", f"{len(value)} entries")
        if not isinstance(value, str):
            return
        if trait.limit is not None and len(value) > trait.limit:
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

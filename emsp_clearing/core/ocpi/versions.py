"""The versions of OCPI that are read and written, and what belongs to each."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..errors import PayloadError
from . import objects, to_objects, v211, v221, v230
from .tolerances import Tolerances
from .types import Payload


class Version(NamedTuple):
    """Payload schemas of a version, and what makes an object of its CDR.

    `texts_are_numbers`: the version's own examples have numbers as strings. `names_owners`: a tariff
    by itself says whose it is.
    """

    cdr: type[Payload]
    tariff: type[v221.Tariff]
    to_cdr: Callable[[Any, str, to_objects.Owner], objects.Cdr]
    texts_are_numbers: bool = False
    names_owners: bool = True

    def widen(self, tolerances: Tolerances) -> Tolerances:
        """With what every sender of the version may do."""
        return tolerances._replace(text_numbers=True) if self.texts_are_numbers else tolerances


_VERSIONS: Final = {
    "2.1.1": Version(
        v211.Cdr, v211.Tariff, to_objects.cdr_of_211, texts_are_numbers=True, names_owners=False
    ),
    "2.2.1": Version(v221.Cdr, v221.Tariff, to_objects.cdr),
    "2.3.0": Version(v230.Cdr, v230.Tariff, to_objects.cdr),
}
VERSIONS = tuple(_VERSIONS)


def find_version(name: str) -> Version:
    """:raise PayloadError: unsupported_version, for a version this package cannot read."""
    if name not in _VERSIONS:
        known = f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"
        raise PayloadError("unsupported_version", expected=f"OCPI version {known}", got=name)
    return _VERSIONS[name]

"""OCPI's basic types (OCPI 2.2.1, chapter 16) as msgspec annotations and conversions.

Documented lengths and code lists are kept in the schema for `deviations`, not enforced: peers
exceed them, and a refused CDR is lost money for somebody. Only identifiers have a bound of ours.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from .countries import to_alpha_2

IDENTIFIER_BOUND = 255
"""Characters of an identifier, at most: identifiers are indexed, and an index row has a limit."""

LARGEST_EXPONENT = 20
SMALLEST_EXPONENT = -400
"""Powers of ten of a usable number: wider than any amount, narrow enough to count with."""


USABLE_NUMBER = f"a number below 10^{LARGEST_EXPONENT + 1} of at most {-SMALLEST_EXPONENT} decimals"
DATE_TIME = "a date and time such as 2025-06-02T10:00:00Z"


class Trait(NamedTuple):
    """What the specification says of a field beyond its type.

    `limit`: characters. `codes`: known values of an open enumeration. `due`: required by the text,
    yet its absence is no reason to refuse. `foreign`: no field of this version, understood anyway.
    `alpha_2`, `alpha_3`: a country in two or three letters. `plain`: an amount this version has as a bare
    number. `one`: a list that should hold one entry. `net`: the amount of a price, which stands under
    another name in other versions.
    """

    limit: int | None = None
    codes: frozenset[str] | None = None
    due: bool = False
    foreign: bool = False
    alpha_2: bool = False
    alpha_3: bool = False
    plain: bool = False
    one: bool = False
    net: bool = False


def ci_string(limit: int, *, due: bool = False, foreign: bool = False) -> msgspec.Meta:
    """CiString(limit): compared without regard to case, kept as sent (OCPI 2.2.1, 16.1)."""
    trait = Trait(limit=limit, due=due, foreign=foreign)
    return msgspec.Meta(max_length=IDENTIFIER_BOUND, extra={"trait": trait})


def alpha_2(*, due: bool = False, foreign: bool = False) -> msgspec.Meta:
    """`country_code`: ISO 3166-1 alpha-2, a CiString(2) (OCPI 2.2.1, 16.1); comes out in two letters."""
    trait = Trait(limit=2, due=due, foreign=foreign, alpha_2=True)
    return msgspec.Meta(max_length=IDENTIFIER_BOUND, extra={"trait": trait})


def string(limit: int, *, due: bool = False, foreign: bool = False) -> msgspec.Meta:
    """string(limit) (OCPI 2.2.1, 16.7)."""
    return msgspec.Meta(extra={"trait": Trait(limit=limit, due=due, foreign=foreign)})


def codes(values: Iterable[str], *, due: bool = False) -> msgspec.Meta:
    """An enumeration; an unknown value is kept as it is."""
    return msgspec.Meta(extra={"trait": Trait(codes=frozenset(values), due=due)})


DUE = msgspec.Meta(extra={"trait": Trait(due=True)})
FOREIGN = msgspec.Meta(extra={"trait": Trait(foreign=True)})
PLAIN = msgspec.Meta(extra={"trait": Trait(plain=True)})
NET = msgspec.Meta(extra={"trait": Trait(net=True)})
ONE = msgspec.Meta(extra={"trait": Trait(due=True, one=True)})
COUNTRY = msgspec.Meta(extra={"trait": Trait(limit=3, due=True, alpha_3=True)})


class FieldError(ValueError):
    """A value of the right JSON type that cannot be used: the field's name, what was expected."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: expected {expected}")
        self.name = name
        self.expected = expected


class Payload(msgspec.Struct):
    """Base of all payload schemas: numbers come out usable, instants aware and in UTC, parties' countries
    in two letters."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is Decimal:
                if not usable(value):
                    raise FieldError(name, USABLE_NUMBER)
            elif type(value) is str:
                if "\0" in value:
                    raise FieldError(name, "a text without NUL, which no database holds")
                if name == "country_code":
                    setattr(self, name, to_alpha_2(value))
            elif type(value) is datetime:
                setattr(self, name, _in_utc(name, value))

    def _check_whole(self, name: str) -> None:
        value = getattr(self, name)
        if value is not None and value != value.to_integral_value():
            raise FieldError(name, "a whole number")


def usable(number: Decimal) -> bool:
    """Whether a number can be counted with: finite, and neither endless nor of absurd size."""
    return (
        number.is_finite()
        and number.adjusted() <= LARGEST_EXPONENT
        and int(number.as_tuple().exponent) >= SMALLEST_EXPONENT
    )


def _in_utc(name: str, instant: datetime) -> datetime:
    try:
        return utc(instant)
    except OverflowError:
        raise FieldError(name, "an instant between the years 1 and 9999") from None


def utc(instant: datetime) -> datetime:
    """The instant in UTC; one without a zone is in UTC already (OCPI 2.2.1, 16.2).

    :raise OverflowError: the shift leaves the calendar.
    """
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def parse_date_time(text: str) -> datetime:
    """A DateTime as an aware instant in UTC (OCPI 2.2.1, 16.2).

    Takes more than OCPI allows: offsets, lower-case letters, a space before the time, any number
    of fractional digits (rounded to microseconds).

    :raise ValueError: not an RFC 3339 date and time.
    """
    try:
        return utc(msgspec.convert(text, datetime))
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(f"expected {DATE_TIME}, got {text!r}") from error


def format_date_time(instant: datetime) -> str:
    """An instant as OCPI writes it: UTC, "Z", as many decimals as it takes.

    Exact microseconds take 27 characters where OCPI has 25; a peer that sent them gets them back.
    """
    instant = utc(instant).replace(tzinfo=None)
    precision = "microseconds" if instant.microsecond % 1000 else "milliseconds"
    return instant.isoformat(timespec=precision if instant.microsecond else "seconds") + "Z"

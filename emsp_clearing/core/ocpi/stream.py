"""Of a CDR what decides its price, read straight from the bytes.

The common case of `normalise.parse_cdr`, which takes many times longer: what does not fit here as
the specification has it, is for that one to understand or to refuse by name.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from ..money import ZERO
from .types import LARGEST_EXPONENT, SMALLEST_EXPONENT
from .versions import find_version

AwareDateTime = Annotated[datetime, msgspec.Meta(tz=True)]


class Dimension(msgspec.Struct, gc=False):
    """As `objects.Dimension`."""

    type: str
    volume: Decimal


class ChargingPeriod(msgspec.Struct, gc=False):
    """As `objects.ChargingPeriod`."""

    start_date_time: AwareDateTime
    dimensions: list[Dimension]
    tariff_id: str | None = None


class Place(msgspec.Struct, gc=False):
    """Of `objects.CdrLocation`."""

    evse_uid: str | None = None
    connector_id: str | None = None
    time_zone: str | None = None


class Session(msgspec.Struct, kw_only=True):
    """Of `objects.Cdr`. `tariffs` are still JSON: the same ones come with many CDRs."""

    id: str | None = None
    country_code: str = ""
    party_id: str = ""
    start_date_time: AwareDateTime
    end_date_time: AwareDateTime
    currency: str
    cdr_location: Place = msgspec.field(default_factory=Place)
    charging_periods: Annotated[list[ChargingPeriod], msgspec.Meta(min_length=1)]
    tariffs: list[msgspec.Raw] = []
    total_energy: Decimal
    total_time: Decimal
    total_parking_time: Decimal | None = None
    credit: bool = False

    def without_tariffs(self) -> "Session":
        """The same session with no tariff of the sender's, for pricing it by another one."""
        for period in self.charging_periods:
            period.tariff_id = None
        self.tariffs = []
        return self


class Session211(Session, rename={"end_date_time": "stop_date_time", "cdr_location": "location"}):
    """The same in the words of OCPI 2.1.1."""


_DECODERS: dict[str, msgspec.json.Decoder[Session]] = {
    "2.1.1": msgspec.json.Decoder(Session211),
    "2.2.1": msgspec.json.Decoder(Session),
    "2.3.0": msgspec.json.Decoder(Session),
}


def read_session(raw: bytes, version: str) -> Session | None:
    """The session of a CDR, or None where it takes `normalise.parse_cdr` to read it.

    :raise PayloadError: unsupported_version.
    """
    find_version(version)
    try:
        session = _DECODERS[version].decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return session if _is_countable(session) else None


def _is_countable(session: Session) -> bool:
    """Whether its numbers are of a size that amounts have."""
    numbers = [session.total_energy, session.total_time, session.total_parking_time or ZERO]
    numbers += [dimension.volume for period in session.charging_periods for dimension in period.dimensions]
    return all(SMALLEST_EXPONENT <= number.adjusted() <= LARGEST_EXPONENT for number in numbers)

"""CDRs as they come, bytes in and prices out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import DecimalException
from functools import lru_cache
from typing import TypeVar

import msgspec

from ..errors import PayloadError
from ..ocpi.normalise import check_version, parse_cdr, parse_tariff
from ..ocpi.objects import Cdr
from ..ocpi.stream import Session, read_session
from ..ocpi.tolerances import LAX
from . import engine
from .explanation import Explanation, Note, PricingRules, Result
from .tariff import CompiledTariff, compile_tariff

TARIFFS_KEPT = 512
"""Compiled tariffs; a CPO has tens of them in use at a time."""

Outcome = TypeVar("Outcome", bound=Result)


class CdrPricer:
    """Prices CDRs of one OCPI version, by their own tariffs or by given ones.

    `precision`: decimals of a session's amount.

    :raise PayloadError: unsupported_version.
    """

    def __init__(self, version: str = "2.2.1", precision: int = 2) -> None:
        check_version(version)
        self.version = version
        self.precision = precision
        self._compiled = lru_cache(TARIFFS_KEPT)(self._compile)

    def total(
        self,
        cdr: bytes,
        tariffs: Sequence[bytes] = (),
        *,
        time_zone: str | None = None,
        reservation_expired: bool | None = None,
    ) -> Result:
        """The price without an explanation.

        :param cdr: one JSON object.
        :param tariffs: JSON objects that rule instead of the CDR's own. One that was not valid at the
            session's start prices it all the same, with a note.
        :param time_zone: of the charger; else the CDR's own, where it has one.
        :param reservation_expired: None: as the CDR suggests (A14).
        :raise PayloadError: as `normalise.parse_cdr` and `normalise.parse_tariff`.
        :raise PricingError: as `engine.price`.
        """
        return self._price(engine.total, cdr, tariffs, time_zone, reservation_expired)

    def explain(
        self,
        cdr: bytes,
        tariffs: Sequence[bytes] = (),
        *,
        time_zone: str | None = None,
        reservation_expired: bool | None = None,
    ) -> Explanation:
        """The price with its explanation; everything else as `total`."""
        return self._price(engine.price, cdr, tariffs, time_zone, reservation_expired)

    def check_tariff(self, tariff: bytes) -> None:
        """:raise PayloadError, PricingError: a tariff that cannot be read, by its own paths."""
        self._compiled(tariff)

    def _price(
        self,
        price: Callable[..., Outcome],
        raw: bytes,
        tariffs: Sequence[bytes],
        time_zone: str | None,
        reservation_expired: bool | None,
    ) -> Outcome:
        cdr: Session | Cdr | None = read_session(raw, self.version)
        if cdr is None:
            cdr = parse_cdr(raw, self.version, tolerances=LAX)
        zone = time_zone or cdr.cdr_location.time_zone
        rules = PricingRules(zone, self.precision, reservation_expired)
        try:
            given = [self._compiled(tariff) for tariff in tariffs]
            if not given:
                return price(cdr, self._own(cdr, raw), rules)
            return self._price_by(price, cdr, given, rules)
        except DecimalException:
            # A number that nobody can count with: the slow way names it.
            parse_cdr(raw, self.version, tolerances=LAX)
            raise

    def _price_by(
        self,
        price: Callable[..., Outcome],
        cdr: Session | Cdr,
        given: list[CompiledTariff],
        rules: PricingRules,
    ) -> Outcome:
        ids = {tariff.id for tariff in given}
        if not any((period.tariff_id or "").upper() in ids for period in cdr.charging_periods):
            cdr = cdr.without_tariffs()
        start = cdr.start_date_time
        if len(given) > 1 or given[0].is_valid_at(start):
            return price(cdr, given, rules)
        outcome = price(cdr, [_always(given[0])], rules)
        outcome.notes = (*outcome.notes, Note("tariff_not_valid", "tariff"))
        return outcome

    def _own(self, cdr: Session | Cdr, raw: bytes) -> Sequence[CompiledTariff]:
        """The tariffs that came with the CDR."""
        if isinstance(cdr, Cdr):
            return [compile_tariff(tariff) for tariff in cdr.tariffs]
        owner = (cdr.country_code, cdr.party_id)
        try:
            return [self._compiled(bytes(tariff), owner) for tariff in cdr.tariffs]
        except PayloadError:
            # As above: told with the place in the CDR, or understood.
            return [compile_tariff(tariff) for tariff in parse_cdr(raw, self.version, tolerances=LAX).tariffs]

    def _compile(self, raw: bytes, owner: tuple[str, str] = ("", "")) -> CompiledTariff:
        return compile_tariff(parse_tariff(raw, self.version, tolerances=LAX, owner=owner))


def read_tariffs(raw: bytes) -> list[bytes]:
    """One tariff, or a list of them, as the JSON of each.

    :raise PayloadError: invalid_json.
    """
    try:
        if raw.lstrip().startswith(b"["):
            return [bytes(each) for each in msgspec.json.decode(raw, type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        raise PayloadError("invalid_json", expected="JSON", got=str(error)) from None
    return [raw]


def _always(tariff: CompiledTariff) -> CompiledTariff:
    source = replace(tariff.tariff, start_date_time=None, end_date_time=None)
    return replace(tariff, tariff=source)

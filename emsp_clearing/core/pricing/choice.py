"""Which of several tariffs prices a charging period (OCPI 2.2.1, 10.3.1 and 11.3.1)."""

from collections.abc import Sequence

from ..errors import PricingError
from ..ocpi.objects import Tariff
from .explanation import Note
from .session import Period, SessionLike
from .tariff import CompiledTariff, compile_tariff

# Only by a tariff id: a CDR does not tell which charging preference was chosen.
UNLIKELY_TYPES = ("AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN")


class TariffChoice:
    """The tariff of each period of one session.

    A3: by the tariff id on the period. Where no period has one, the session's tariff prices all of
    it; where some have, the others have no tariff.
    """

    def __init__(
        self, cdr: SessionLike, periods: Sequence[Period], tariffs: Sequence[Tariff | CompiledTariff]
    ) -> None:
        self.cdr = cdr
        self.candidates = tariffs
        self.used: list[CompiledTariff] = []
        self.notes: list[Note] = []
        self.is_named = any(period.tariff_id for period in periods)
        self._by_id: dict[str, CompiledTariff] = {}
        self._session = None if self.is_named else self._use(self._valid())

    def of(self, period: Period) -> CompiledTariff | None:
        """:raise PricingError: no_tariff, when the period names one that is not there."""
        if not self.is_named:
            return self._session
        if not period.tariff_id:
            return None
        name = period.tariff_id.upper()
        if name not in self._by_id:
            self._by_id[name] = self._use(self._named(name, period))
        return self._by_id[name]

    def _valid(self) -> Tariff | CompiledTariff:
        """A4: the first one valid at the session's start, whatever happens to it later.

        One that is for everybody goes before one for a charging preference or for ad-hoc drivers.
        """
        start = self.cdr.start_date_time
        valid = [each for each in map(_compiled, self.candidates) if each.is_valid_at(start)]
        valid.sort(key=lambda each: each.tariff.type in UNLIKELY_TYPES)
        if valid:
            return valid[0]
        raise PricingError(
            "no_tariff", "tariffs", expected="a tariff valid at the session's start", got="none"
        )

    def _named(self, name: str, period: Period) -> Tariff | CompiledTariff:
        for each in self.candidates:
            if _source(each).id.upper() == name:
                return each
        raise PricingError(
            "no_tariff",
            f"{period.path}.tariff_id",
            expected="a known tariff",
            got=period.tariff_id,
        )

    def _use(self, tariff: Tariff | CompiledTariff) -> CompiledTariff:
        """:raise PricingError: currency_mismatch (A24)."""
        source, currency = _source(tariff), self.cdr.currency
        if source.currency.upper() != currency.upper():
            raise PricingError("currency_mismatch", "currency", expected=source.currency, found=currency)
        if source.version not in ("2.1.1", "2.2.1") and source.tax_included is None:
            self.notes.append(Note("tax_included_missing", "tariffs", {"expected": "NO", "found": "-"}))
        compiled = _compiled(tariff)
        self.used.append(compiled)
        return compiled


def _source(tariff: Tariff | CompiledTariff) -> Tariff:
    return tariff.tariff if isinstance(tariff, CompiledTariff) else tariff


def _compiled(tariff: Tariff | CompiledTariff) -> CompiledTariff:
    return tariff if isinstance(tariff, CompiledTariff) else compile_tariff(tariff)

"""What the summary of the annex says of the sessions, counted while they pass by."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .emsp_annex import AnnexRow

ZERO = Decimal(0)


@dataclass(slots=True)
class Share:
    """Of a place or a settlement."""

    sessions: int = 0
    energy_kwh: Decimal = ZERO
    net: Decimal = ZERO

    def add(self, row: AnnexRow) -> None:
        self.sessions += 1
        self.energy_kwh += row.energy_kwh
        self.net += row.net


@dataclass(slots=True)
class Tally:
    """`places` by name and city, `settlements` by name. `chain_head` is the chain's value after the
    last CDR; of two connections' last ones the greater key decides."""

    whole: Share = field(default_factory=Share)
    places: dict[tuple[str, str], Share] = field(default_factory=dict)
    settlements: dict[str, Share] = field(default_factory=dict)
    _last: tuple[int, str, str] = (0, "", "")

    @property
    def chain_head(self) -> str:
        return self._last[2]

    def add(self, row: AnnexRow) -> None:
        self.whole.add(row)
        place = row.place, row.city
        if place not in self.places:
            self.places[place] = Share()
        self.places[place].add(row)
        if row.settlement not in self.settlements:
            self.settlements[row.settlement] = Share()
        self.settlements[row.settlement].add(row)
        if (row.chain_index, row.ocpi_key) > self._last[:2]:
            self._last = row.chain_index, row.ocpi_key, row.chain_hash

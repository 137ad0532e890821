"""A CDR with the facts about it, and what several rules need of it, worked out once."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from ..money import ZERO
from ..ocpi.objects import Cdr
from ..pricing.session import ONE, SECONDS_PER_HOUR, Period, periods_of, seconds_of
from .facts import Facts


def whole_seconds(hours: Decimal) -> Decimal:
    """A2: four decimals of an hour are 0.36 s, so the nearest second is meant."""
    return (hours * SECONDS_PER_HOUR).quantize(ONE, ROUND_HALF_UP)


class Case:
    """Durations in seconds by the clock, energy in kWh."""

    def __init__(self, cdr: Cdr, facts: Facts) -> None:
        self.cdr = cdr
        self.facts = facts
        self.start: datetime = cdr.start_date_time
        self.end: datetime = cdr.end_date_time

    @cached_property
    def seconds(self) -> Decimal:
        """From start to end; negative where the session ends before it starts."""
        return seconds_of(self.end - self.start)

    @cached_property
    def periods(self) -> list[Period]:
        """The charging periods in order of time."""
        return periods_of(self.cdr)

    @cached_property
    def stated_seconds(self) -> Decimal:
        """The total time that the CDR states."""
        return whole_seconds(self.cdr.total_time)

    @cached_property
    def stated_net(self) -> Decimal:
        """The total cost that the CDR states; of a credit CDR without its sign."""
        amount = self.cdr.total_cost.excl_vat
        return abs(amount) if self.cdr.credit else amount

    @cached_property
    def computed_net(self) -> Decimal | None:
        """Our price; of a credit CDR without its sign."""
        price = self.facts.price
        if price is None:
            return None
        return abs(price.net) if self.cdr.credit else price.net

    def sum_of(self, dimension: str) -> Decimal:
        """Of all charging periods: kWh or seconds."""
        total = ZERO
        for period in self.periods:
            if dimension in period.volumes:
                total += period.volumes[dimension]
        return total

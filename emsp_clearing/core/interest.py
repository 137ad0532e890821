"""Interest on what is paid late: an open amount over time, at a yearly rate that changes with the half-year.

Sources: Directive 2011/7/EU, articles 2 (7), 3 and 6; Code de commerce, L441-10 and D441-5; BGB, §§ 247, 288.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

from .money import PRECISION, ZERO, round_money, round_to_total

# ACT/365: a leap year has 366 days of the same weight.
YEAR = Decimal(36500)
ONE_DAY = timedelta(days=1)


class Rate(NamedTuple):
    """`percent` a year, from `since` on until a later rate begins."""

    since: date
    percent: Decimal


class Change(NamedTuple):
    """What an open amount goes down by, paid on `day`. That day bears interest on it still."""

    day: date
    amount: Decimal


class Terms(NamedTuple):
    """`points` on top of the reference rates, and never less than `factor` times the floor's rates."""

    reference: Sequence[Rate]
    points: Decimal
    floor: Sequence[Rate] = ()
    factor: Decimal = ZERO


class Stretch(NamedTuple):
    """Days on which neither amount nor rate changes: `first` and `last` are both counted.

    `known`: the half-year that the reference rate is of. It lies before the half-year of `first` where no
    later rate is known. `amount` of interest is rounded; the stretches of one item sum up to its interest.
    """

    first: date
    last: date
    base: Decimal
    percent: Decimal
    known: date
    amount: Decimal

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_assumed(self) -> bool:
        return self.known < half_year(self.first)


def half_year(day: date) -> date:
    """1 January or 1 July: where the half-year of a day begins."""
    return date(day.year, 7 if day.month > 6 else 1, 1)


def next_half_year(day: date) -> date:
    start = half_year(day)
    return date(start.year + (start.month == 7), 1 if start.month == 7 else 7, 1)


def rate_on(rates: Sequence[Rate], day: date) -> Rate | None:
    """The rate of the day's half-year, or the last one known before it; None before the first one."""
    known = [rate for rate in rates if rate.since <= half_year(day)]
    return max(known) if known else None


def percent_on(terms: Terms, day: date) -> Rate | None:
    """What an open amount bears on a day.

    :return: Rate whose `since` is that of the reference; None where no reference rate is known.
    """
    reference = rate_on(terms.reference, day)
    if reference is None:
        return None
    floor = rate_on(terms.floor, day)
    lowest = floor.percent * terms.factor if floor else ZERO
    return Rate(reference.since, max(reference.percent + terms.points, lowest, ZERO))


def interest(
    amount: Decimal, changes: Sequence[Change], due: date, until: date, terms: Terms, digits: int
) -> list[Stretch]:
    """Interest of one item, from the day after it was due to `until`, both counted.

    An amount that goes below nothing bears none, and days before the first rate known bear none: a rate is
    never made up.

    :param amount: open on the day after `due`, before `changes`.
    :param digits: of the currency. The sum is rounded once, half up, and shared out by largest remainder.
    """
    stretches, exact = [], []
    with localcontext() as context:
        context.prec = PRECISION
        for first, last in _split(changes, due + ONE_DAY, until):
            paid = sum((change.amount for change in changes if change.day < first), ZERO)
            base, rate = amount - paid, percent_on(terms, first)
            if base <= 0 or rate is None:
                continue
            days = (last - first).days + 1
            exact.append(base * rate.percent * days / YEAR)
            stretches.append(Stretch(first, last, base, rate.percent, rate.since, ZERO))
        amounts = round_to_total(exact, round_money(sum(exact, ZERO), digits), digits)
    return [
        stretch._replace(amount=share) for stretch, share in zip(stretches, amounts, strict=True) if share
    ]


def _split(changes: Sequence[Change], first: date, last: date) -> list[tuple[date, date]]:
    """Stretches between changes of amount or half-year."""
    starts = {first} | {change.day + ONE_DAY for change in changes}
    start = next_half_year(first)
    while start <= last:
        starts.add(start)
        start = next_half_year(start)
    inside = sorted(day for day in starts if first <= day <= last)
    return [(day, other - ONE_DAY) for day, other in zip(inside, [*inside[1:], last + ONE_DAY], strict=False)]


def total(stretches: Sequence[Stretch]) -> Decimal:
    return sum((stretch.amount for stretch in stretches), ZERO)

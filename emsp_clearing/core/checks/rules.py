"""Every rule: what it is about, what it does unless a set says otherwise, and its codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import cost, order, overlap, records, signed, speed, sums, timing, token, values
from .case import Case
from .findings import Action, Outcome
from .values import NoParams

Group = Literal["values", "time", "cost", "token", "twice", "periods", "records", "signed"]

Scope = Literal["sessions", "credits", "all"]
"""Which CDRs a rule is for. A credit CDR repeats a session that was judged before: what is odd about
that one is not said again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `needs`: fields of `Facts` without which it cannot tell. `codes`: of its findings."""

    name: str
    group: Group
    action: Action
    evaluate: Callable[[Case, Any], Outcome]
    params: type[Any]
    codes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    scope: Scope = "sessions"


def _rule(
    group: Group,
    action: Action,
    evaluate: Callable[[Case, Any], Outcome],
    codes: str,
    params: type[Any] = NoParams,
    needs: tuple[str, ...] = (),
    scope: Scope = "sessions",
) -> Rule:
    """A rule has the name of its function."""
    return Rule(evaluate.__name__, group, action, evaluate, params, tuple(codes.split()), needs, scope)


_PRICE, _PLACE, _TOKEN, _OTHERS = ("price",), ("place",), ("token",), ("neighbours",)

_VALUES = (
    _rule("values", "hold", values.energy_range, "energy_below_min energy_above_max", values.EnergyRange),
    # Of credit CDRs too: the amount without its sign.
    _rule(
        "values", "hold", values.cost_range, "cost_below_min cost_above_max", values.CostRange, _PRICE, "all"
    ),
    _rule(
        "values", "hold", values.duration_range, "duration_below_min duration_above_max", values.DurationRange
    ),
    _rule("values", "hold", values.zero_time_energy, "energy_in_no_time"),
    _rule("values", "off", values.no_energy, "cost_without_energy", needs=_PRICE),
    _rule(
        "values",
        "hold",
        speed.charging_speed,
        "too_fast period_too_fast energy_in_wh",
        speed.ChargingSpeed,
        _PLACE,
    ),
)

_TIME = (
    _rule("time", "hold", timing.end_before_start, "end_before_start"),
    _rule("time", "hold", timing.placeholder_date, "placeholder_date"),
    _rule("time", "hold", timing.future_end, "end_in_future", timing.FutureEnd, ("received_at",)),
    # A credit CDR may come at any time.
    _rule("time", "hold", timing.received_late, "received_late", timing.ReceivedLate, ("received_at",)),
)

_COST = (
    # Of credit CDRs too: the amounts without their signs.
    _rule(
        "cost",
        "note",
        cost.cost_consistency,
        "cost_mismatch cost_not_stated",
        cost.CostConsistency,
        _PRICE,
        "all",
    ),
    _rule("cost", "hold", cost.currency, "currency_mismatch", needs=("currency",), scope="all"),
    _rule("cost", "note", cost.vat, "incl_below_excl vat_rate", cost.Vat, _PRICE),
)

_OF_TOKEN = (
    _rule("token", "note", token.token_unknown, "token_unknown", needs=_TOKEN),
    _rule("token", "hold", token.token_blocked, "token_blocked", needs=_TOKEN),
    _rule("token", "hold", token.token_refused, "token_refused token_expired", token.TokenRefused, _TOKEN),
    _rule(
        "token",
        "note",
        token.token_never_authorised,
        "token_never_authorised auth_request_unknown",
        token.TokenNeverAuthorised,
        _TOKEN,
    ),
)

_TWICE = (
    _rule(
        "twice",
        "hold",
        overlap.duplicate_session,
        "session_twice session_alike",
        overlap.DuplicateSession,
        _OTHERS,
    ),
    _rule("twice", "hold", overlap.overlap_connector, "connector_overlap", overlap.Overlap, _OTHERS),
    _rule(
        "twice", "note", overlap.overlap_token, "token_overlap token_in_two_towns", overlap.Overlap, _OTHERS
    ),
)

_PERIODS = (
    _rule("periods", "note", sums.energy_sum, "energy_sum_differs energy_sum_in_wh", sums.EnergySum),
    _rule(
        "periods",
        "note",
        sums.time_sum,
        "total_time_differs time_sum_differs parking_sum_differs total_time_in_seconds total_time_in_minutes",
        sums.TimeSum,
    ),
    _rule(
        "periods",
        "note",
        order.period_order,
        "first_period_start periods_unsorted period_start_twice period_after_end period_time_differs",
        order.PeriodOrder,
    ),
)

_RECORDS = (
    _rule("records", "note", records.unknown_location, "location_unknown", needs=_PLACE),
    _rule("records", "note", records.unknown_evse, "evse_unknown", needs=_PLACE),
    _rule("records", "hold", records.session_invalid, "session_invalid", needs=("session_status",)),
    _rule(
        "records",
        "hold",
        records.credit_original,
        "credit_orphan credit_double credit_of_void",
        needs=("original",),
        scope="credits",
    ),
)

_SIGNED = (
    _rule(
        "signed",
        "hold",
        signed.signed_data,
        "signed_data_unreadable signature_invalid signed_reading_unusable signed_energy_mismatch",
        needs=("meter_key",),
    ),
    _rule("signed", "note", signed.meter_key, "key_not_registered", needs=("meter_key",)),
    _rule("signed", "off", signed.signed_data_required, "signed_data_absent"),
)

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (*_VALUES, *_TIME, *_COST, *_OF_TOKEN, *_TWICE, *_PERIODS, *_RECORDS, *_SIGNED)
}
"""By name, in the order in which they are run and shown."""

"""The life cycles, step by step, and what a refusal says."""

from itertools import product

import pytest
from emsp_core.errors import CoreError, InvoicingError, LifecycleError, PayloadError, PricingError
from emsp_core.lifecycle import CDR_TRANSITIONS, SETTLEMENT_TRANSITIONS, Transitions, check

CDR_STATES = ("received", "quarantine", "open", "disputed", "locked", "invoiced", "void")
CDR_STEPS = {
    "received": {"quarantine", "open", "void"},
    "quarantine": {"open", "void"},
    "open": {"disputed", "locked", "void", "quarantine"},
    "disputed": {"open", "void"},
    "locked": {"invoiced"},
    "invoiced": set(),
    "void": set(),
}
SETTLEMENT_STATES = ("collecting", "control", "locked", "invoiced", "sent", "settled")
SETTLEMENT_STEPS = {
    "collecting": {"control"},
    "control": {"locked"},
    "locked": {"invoiced", "settled"},
    "invoiced": {"sent", "settled"},
    "sent": {"settled"},
    "settled": set(),
}


def _is_allowed(transitions: Transitions, old: str, new: str) -> bool:
    try:
        return check(transitions, old, new)
    except LifecycleError:
        return False


@pytest.mark.parametrize(("old", "new"), product(CDR_STATES, repeat=2))
def test_cdr_takes_the_steps_of_its_life_and_no_other(old: str, new: str) -> None:
    assert _is_allowed(CDR_TRANSITIONS, old, new) == (new in CDR_STEPS[old])


@pytest.mark.parametrize(("old", "new"), product(SETTLEMENT_STATES, repeat=2))
def test_settlement_takes_the_steps_of_its_life_and_no_other(old: str, new: str) -> None:
    assert _is_allowed(SETTLEMENT_TRANSITIONS, old, new) == (new in SETTLEMENT_STEPS[old])


@pytest.mark.parametrize("state", CDR_STATES)
def test_same_state_again_changes_nothing_and_is_no_error(state: str) -> None:
    assert check(CDR_TRANSITIONS, state, state) is False


def test_refusal_names_the_state_and_the_allowed_ones() -> None:
    with pytest.raises(LifecycleError) as refusal:
        check(CDR_TRANSITIONS, "disputed", "locked")
    assert str(refusal.value) == "state: expected one of open, void after disputed, got locked"
    assert refusal.value.code == "transition"


def test_refusal_of_a_final_state_says_that_nothing_follows() -> None:
    with pytest.raises(LifecycleError) as refusal:
        check(CDR_TRANSITIONS, "void", "open")
    assert str(refusal.value) == "state: expected nothing after void, got open"


def test_unknown_state_is_refused() -> None:
    with pytest.raises(LifecycleError, match="got archived"):
        check(CDR_TRANSITIONS, "open", "archived")


# --- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PayloadError, PricingError, LifecycleError, InvoicingError])
def test_every_error_of_core_is_a_core_error_with_code_path_and_values(kind: type[CoreError]) -> None:
    path = "charging_periods[3].dimensions[0].volume"
    error = kind("range", path, expected=">= 0", got="-1.5")
    assert isinstance(error, CoreError)
    assert (error.code, error.path, error.params) == ("range", path, {"expected": ">= 0", "got": "-1.5"})
    assert str(error) == f"{path}: expected >= 0, got -1.5"


def test_error_without_path_or_values_falls_back_to_its_code() -> None:
    assert str(PricingError("no_tariff")) == "no_tariff: no_tariff"
    assert str(PricingError("no_tariff", got="none")) == "no_tariff: got none"
    assert str(PricingError("no_tariff", "tariffs")) == "tariffs: no_tariff"

"""Sets of rules: what they run, what stops nothing, what is refused; and sentences for every code."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from charging import START, period, session
from checking import GOOD, KNOWN, cost
from emsp_core.checks.facts import (
    Authorisation,
    Facts,
    Neighbour,
    OriginalFacts,
    PlaceFacts,
    PriceFacts,
    TokenFacts,
)
from emsp_core.checks.findings import kwh, money, plain, span
from emsp_core.checks.rules import RULES
from emsp_core.checks.ruleset import (
    DEFAULT,
    RULE_FAILED,
    Ruleset,
    RulesetError,
    Setting,
    default_settings,
    read_setting,
    run,
)
from emsp_core.ocpi.normalise import parse_cdr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_ocpi_modules_round_trip import cdrs_in

DATA = Path(__file__).parent / "data" / "ocpi"


def told(verdict):
    return [(judged.finding.code, judged.action) for judged in verdict.findings]


# --- what is shipped ---------------------------------------------------------------------------------


def test_default_actions():
    held = {name for name, rule in RULES.items() if rule.action == "hold"}
    off = {name for name, rule in RULES.items() if rule.action == "off"}
    assert off == {"no_energy", "signed_data_required"}
    assert held == {
        "charging_speed",
        "cost_range",
        "credit_original",
        "currency",
        "duplicate_session",
        "duration_range",
        "end_before_start",
        "energy_range",
        "future_end",
        "overlap_connector",
        "placeholder_date",
        "received_late",
        "session_invalid",
        "signed_data",
        "token_blocked",
        "token_refused",
        "zero_time_energy",
    }
    assert {rule.action for name, rule in RULES.items() if name not in held | off} == {"note"}


def test_good_session_passes_and_everything_was_judged():
    verdict = run(GOOD, KNOWN, DEFAULT)
    assert (verdict.findings, verdict.not_evaluated, verdict.action) == ((), {}, "off")


def test_nothing_known_is_counted_and_never_passed():
    verdict = run(GOOD, Facts(), DEFAULT)
    assert verdict.findings == ()
    assert verdict.not_evaluated == {
        "charging_speed": "power_unknown",
        "cost_consistency": "price_unknown",
        "currency": "currency_unknown",
        "duplicate_session": "neighbours_unknown",
        "future_end": "reception_unknown",
        "overlap_connector": "neighbours_unknown",
        "overlap_token": "neighbours_unknown",
        "received_late": "reception_unknown",
        "session_invalid": "session_unknown",
        "token_blocked": "token_validity_unknown",
        "token_never_authorised": "authorisations_unknown",
        "token_refused": "authorisations_unknown",
        "token_unknown": "token_unknown",
        "unknown_evse": "location_unknown",
        "unknown_location": "location_unknown",
        "vat": "vat_rates_unknown",
    }


def test_credit_cdr_is_judged_by_few_rules():
    credit = replace(GOOD, credit=True, credit_reference_id="CDR-0", total_energy=Decimal(-5000))
    assert told(run(credit, KNOWN, DEFAULT)) == []
    other = replace(KNOWN, original=OriginalFacts(False), currency="CHF", price=PriceFacts(Decimal(-600)))
    assert told(run(credit, other, DEFAULT)) == [
        ("cost_above_max", "hold"),
        ("cost_mismatch", "note"),
        ("currency_mismatch", "hold"),
        ("credit_orphan", "hold"),
    ]


# --- sets --------------------------------------------------------------------------------------------


def test_set_gives_actions_and_params_and_leaves_the_rest_off():
    ruleset = Ruleset(
        {
            "energy_range": read_setting("energy_range", "refuse", {"max_kwh": "9.99"}),
            "duration_range": read_setting("duration_range", "note", {"max_s": 60}),
            "currency": read_setting("currency", "off", {}),
        }
    )
    verdict = run(GOOD, replace(KNOWN, currency="CHF"), ruleset)
    assert told(verdict) == [("energy_above_max", "refuse"), ("duration_above_max", "note")]
    assert verdict.action == "refuse"


def test_set_tells_the_facts_that_it_needs():
    settings_ = default_settings()
    assert DEFAULT.needs == {
        "currency",
        "meter_key",
        "neighbours",
        "original",
        "place",
        "price",
        "received_at",
        "session_status",
        "token",
    }
    few = {name: settings_[name] for name in ("currency", "energy_range", "no_energy")}
    assert Ruleset(few).needs == {"currency"}


def test_params_are_read_as_stored():
    setting = read_setting("cost_consistency", "hold", {"tolerance_pct": "1.5", "decimals": 4})
    assert (setting.action, setting.params.tolerance_pct, setting.params.decimals) == (
        "hold",
        Decimal("1.5"),
        4,
    )
    assert read_setting("cost_consistency", "note", {}) == default_settings()["cost_consistency"]


@pytest.mark.parametrize(
    "name, action, params, code",
    [
        ("energy", "hold", {}, "unknown_rule"),
        ("currency", "warn", {}, "unknown_action"),
        ("currency", "hold", {"min_kwh": 1}, "unknown_param"),
        ("energy_range", "hold", {"min_kwh": "much"}, "invalid_param"),
        ("energy_range", "hold", {"min_kwh": "NaN"}, "invalid_param"),
        ("energy_range", "hold", {"min_kwh": "-0.1"}, "invalid_param"),
        ("duration_range", "hold", {"max_s": "1.5"}, "invalid_param"),
        ("cost_consistency", "hold", {"decimals": 3}, "invalid_param"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name, action, params, code):
    with pytest.raises(RulesetError) as refusal:
        read_setting(name, action, params)
    assert refusal.value.code == code


@pytest.mark.parametrize("name", ["energy", "energy_range"])
def test_set_of_foreign_params_is_refused(name):
    with pytest.raises(RulesetError):
        Ruleset({name: Setting("hold", RULES["cost_range"].params())})


def test_rule_that_raises_holds_the_cdr_and_stops_no_other(monkeypatch):
    def broken(case, params):
        raise ZeroDivisionError("by nothing")

    broken_rules = {**RULES, "energy_range": replace(RULES["energy_range"], evaluate=broken)}
    monkeypatch.setattr("emsp_core.checks.ruleset.RULES", broken_rules)
    ruleset = Ruleset(
        {**default_settings(), "energy_range": default_settings()["energy_range"]._replace(action="note")}
    )
    verdict = run(GOOD, replace(KNOWN, currency="CHF"), ruleset)
    assert told(verdict) == [(RULE_FAILED, "hold"), ("currency_mismatch", "hold")]
    finding = verdict.findings[0].finding
    assert (finding.rule, finding.found) == ("energy_range", "ZeroDivisionError: by nothing")


# --- any CDR -----------------------------------------------------------------------------------------

instants = st.sampled_from([START, START - timedelta(hours=1), START + timedelta(days=400)])
amounts = st.sampled_from([Decimal(text) for text in ("-7", "0", "0.005", "12.5", "1e20", "1e-400")])
neighbours = st.builds(
    Neighbour,
    st.sampled_from(["FR*RVR*CDR-2", "~"]),
    st.none() | st.just("S-1"),
    st.sampled_from(["**04A1", "~"]),
    st.none() | st.just("FRRVRE1"),
    st.none() | st.just("1"),
    instants,
    instants,
    amounts,
)
answers = st.builds(
    Authorisation, instants, st.sampled_from(["ALLOWED", "EXPIRED", "~"]), st.none() | st.just("~")
)
maybe = st.none() | st.booleans()
any_facts = st.builds(
    Facts,
    received_at=st.none() | instants,
    currency=st.none() | st.just("EUR"),
    price=st.none() | st.builds(PriceFacts, amounts, st.just({}), st.none() | st.lists(amounts).map(tuple)),
    place=st.builds(PlaceFacts, maybe, maybe, maybe, st.none() | amounts),
    token=st.builds(
        TokenFacts,
        maybe,
        maybe,
        maybe,
        st.none() | instants,
        st.sampled_from([None, "NEVER", "~"]),
        st.none() | st.lists(answers, max_size=2).map(tuple),
    ),
    neighbours=st.none() | st.lists(neighbours, max_size=2).map(tuple),
    original=st.none() | st.builds(OriginalFacts, st.booleans(), st.booleans(), st.booleans()),
    meter_key=st.sampled_from([None, "", "AA=="]),
)
few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ALL_ON = Ruleset({name: setting._replace(action="hold") for name, setting in default_settings().items()})


@pytest.mark.parametrize("version", ("2.1.1", "2.2.1", "2.3.0"))
def test_no_rule_fails_on_any_cdr_and_says_the_same_twice(version):
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cdrs_in(version), any_facts)
    def holds(cdr, facts):
        verdict = run(cdr, facts, ALL_ON)
        assert not [judged for judged in verdict.findings if judged.finding.code == RULE_FAILED]
        assert run(cdr, facts, ALL_ON) == verdict

    holds()


@pytest.mark.parametrize("size", ["1e20", "-1e20", "1e-400", "0.1234567890123456789012345678901234567890"])
def test_numbers_of_absurd_size_fail_no_rule(size):
    number = Decimal(size)
    cdr = session(
        period(60, energy=size, time=size, parking_time=size),
        total_energy=number,
        total_time=number,
        total_parking_time=number,
        total_cost=cost(size, size),
        total_energy_cost=cost(size),
    )
    facts = replace(KNOWN, place=PlaceFacts(power_kw=number), price=PriceFacts(number, {}, (number,)))
    codes = {judged.finding.code for judged in run(cdr, facts, ALL_ON).findings}
    assert RULE_FAILED not in codes


@pytest.mark.parametrize("name", ["full_cdr", "minimal_cdr", "credit_cdr", "reservation_cdr"])
def test_sent_cdrs_fail_no_rule(name):
    cdr = parse_cdr((DATA / f"{name}.json").read_bytes())
    assert RULE_FAILED not in {judged.finding.code for judged in run(cdr, KNOWN, ALL_ON).findings}


# --- texts -------------------------------------------------------------------------------------------


def test_values_are_spelt_plainly():
    assert [plain(Decimal(text)) for text in ("12.30", "100", "0.00004", "1E+3", "-0.5")] == [
        "12.3",
        "100",
        "0",
        "1000",
        "-0.5",
    ]
    assert [span(Decimal(text)) for text in ("0", "45.5", "60", "3600", "90061", "-90")] == [
        "0 s",
        "45.5 s",
        "1 min",
        "1 h",
        "1 d 1 h 1 min 1 s",
        "-1 min 30 s",
    ]
    assert (kwh(Decimal("12.30")), money(Decimal("0.125"), "EUR")) == ("12.3 kWh", "0.13 EUR")

"""Every code and every reason has its sentence, with the values that its finding holds."""

from dataclasses import replace
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import get_args

import pytest
from charging import period, session
from checking import GOOD, KNOWN, cost
from emsp_core.checks.findings import Reason
from emsp_core.checks.rules import RULES
from emsp_core.checks.ruleset import DEFAULT, RULE_FAILED, Ruleset, run

MESSAGES = Path(__file__).resolve().parents[2] / "emsp_clearing" / "models" / "check_messages.py"


class Env:
    """English, and no word for what is missing."""

    @staticmethod
    def _(source, **values):
        return source % values if values else source


@pytest.fixture(scope="module")
def messages():
    spec = spec_from_file_location("check_messages", MESSAGES)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CODES = [*(code for rule in RULES.values() for code in rule.codes), RULE_FAILED]


def test_codes_are_told_apart():
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence(code, messages):
    text = messages.check_text(Env, code, {"expected": "E", "found": "F", "tolerance": "T"})
    assert text != code
    assert text.endswith(".")


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_a_sentence(reason, messages):
    assert messages.reason_text(Env, reason).endswith(".")


def sentences(messages, verdict):
    for finding, _ in verdict.findings:
        values = {name: getattr(finding, name) for name in ("expected", "found", "tolerance")}
        yield messages.check_text(Env, finding.code, {**values, **finding.details})


def test_sentences_name_what_was_found_expected_and_tolerated(messages):
    cdr = replace(
        GOOD,
        total_cost=cost("3.50", "4.80"),
        total_energy=Decimal(50),
        total_energy_cost=cost("1"),
        currency="CHF",
    )
    assert list(sentences(messages, run(cdr, KNOWN, DEFAULT))) == [
        "The session took 50 kWh. A connector of 22 kW delivers at most 22 kWh in the 1 h of charging "
        "(tolerance 5 %).",
        "The CDR states 3.50 CHF without tax, the contract gives 4.00 CHF (tolerance 2 %). "
        "The largest difference is in the energy cost: 1.00 CHF instead of 0.00 CHF.",
        "The CDR is in CHF, the contract in EUR: it cannot be priced.",
        "The cost with tax is 4.80 CHF; at the price's VAT of 20 % it would be 4.20 CHF "
        "(tolerance 0.5 % of the net cost).",
        "The charging periods hold 10 kWh, the total says 50 kWh (tolerance 0.01 kWh). "
        "The periods are priced.",
    ]


def test_sentence_counts_charging_periods(messages):
    cdr = session(period(60, time="1"), period(30, time="0.25"), period(30, time="0.25"))
    order = Ruleset({"period_order": DEFAULT.settings["period_order"]})
    assert list(sentences(messages, run(cdr, KNOWN, order))) == [
        "This charging period lasts 30 min by the clock, its volumes say 15 min (tolerance 1 min). "
        "The volumes are priced. The same holds for 2 charging periods in all."
    ]

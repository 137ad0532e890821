"""run(): a CDR through all the rules of a set."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Context, Decimal, localcontext
from typing import Any, NamedTuple

import msgspec

from ..errors import CoreError
from ..money import PRECISION
from ..ocpi.objects import Cdr
from .case import Case
from .facts import Facts
from .findings import ACTIONS, Action, Finding, NotEvaluated, Outcome, Reason
from .rules import RULES

RULE_FAILED = "rule_failed"
"""The code of a rule that raised. It holds the CDR, whatever the rule was set to do."""

_EXACT = Context(prec=PRECISION)


class RulesetError(CoreError):
    """A setting that makes no sense: unknown_rule, unknown_action, unknown_param, invalid_param."""


class Setting(NamedTuple):
    """What a finding of a rule leads to, and the rule's parameters."""

    action: Action
    params: Any


class Judged(NamedTuple):
    """A finding with what it leads to; never "off"."""

    finding: Finding
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that the rules said of a CDR. `not_evaluated`: by rule, why it could not tell."""

    findings: tuple[Judged, ...]
    not_evaluated: Mapping[str, Reason]

    @property
    def action(self) -> Action:
        """The strictest of all findings, "off" without any."""
        return max((judged.action for judged in self.findings), key=ACTIONS.index, default="off")


class _Active(NamedTuple):
    name: str
    action: Action
    params: Any
    evaluate: Callable[[Case, Any], Outcome]


class Ruleset:
    """Settings by rule, made ready to be run. A rule that is not named is off."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        """:raise RulesetError: unknown_rule, unknown_action, invalid_param."""
        for name, setting in settings.items():
            _check(name, setting)
        self.settings = dict(settings)
        self.needs = frozenset(need for name, _ in self._used() for need in RULES[name].needs)
        self._active = {is_credit: tuple(self._of(is_credit)) for is_credit in (False, True)}

    def active(self, *, is_credit: bool) -> tuple[_Active, ...]:
        """The rules that are on, for one kind of CDR."""
        return self._active[is_credit]

    def only(self, action: Action) -> "Ruleset":
        """Its rules with this action."""
        return Ruleset({name: each for name, each in self.settings.items() if each.action == action})

    def _used(self) -> Iterator[tuple[str, Setting]]:
        for name in RULES:
            setting = self.settings.get(name)
            if setting and setting.action != "off":
                yield name, setting

    def _of(self, is_credit: bool) -> Iterator[_Active]:
        other = "sessions" if is_credit else "credits"
        for name, setting in self._used():
            if RULES[name].scope != other:
                yield _Active(name, setting.action, setting.params, RULES[name].evaluate)


def run(cdr: Cdr, facts: Facts, ruleset: Ruleset) -> Verdict:
    """Every rule of the set on one CDR. A rule that raises is a finding, and stops no other."""
    findings: list[Judged] = []
    not_evaluated: dict[str, Reason] = {}
    case = Case(cdr, facts)
    with localcontext(_EXACT):
        for name, action, params, evaluate in ruleset.active(is_credit=cdr.credit):
            try:
                outcome = evaluate(case, params)
            # One broken rule must not stop the others.
            except Exception as error:  # noqa: BLE001
                findings.append(Judged(_failure(name, error), "hold"))
                continue
            if isinstance(outcome, NotEvaluated):
                not_evaluated[name] = outcome.reason
            elif outcome:
                findings.extend(Judged(finding, action) for finding in outcome)
    return Verdict(tuple(findings), not_evaluated)


def _failure(name: str, error: Exception) -> Finding:
    found = f"{type(error).__name__}: {error}"[:200]
    return Finding(name, RULE_FAILED, found=found, details={"rule": name})


def read_setting(name: str, action: Action, params: Mapping[str, Any]) -> Setting:
    """A setting as it is stored: numbers as text or integers; a parameter that is missing has its default.

    :raise RulesetError: unknown_rule, unknown_action, unknown_param, invalid_param.
    """
    if name not in RULES:
        raise RulesetError("unknown_rule", name, got=name)
    kind = RULES[name].params
    known = {field.name for field in fields(kind)}
    for param in params.keys() - known:
        raise RulesetError("unknown_param", f"{name}.{param}", expected=", ".join(sorted(known)), got=param)
    try:
        setting = Setting(action, msgspec.convert(dict(params), kind, strict=False))
    except msgspec.ValidationError as error:
        raise RulesetError("invalid_param", name, got=str(error)) from error
    _check(name, setting)
    return setting


def default_settings() -> dict[str, Setting]:
    """Of every rule, as it is shipped."""
    return {name: Setting(rule.action, rule.params()) for name, rule in RULES.items()}


def _check(name: str, setting: Setting) -> None:
    if name not in RULES:
        raise RulesetError("unknown_rule", name, got=name)
    if setting.action not in ACTIONS:
        raise RulesetError("unknown_action", name, expected=", ".join(ACTIONS), got=setting.action)
    kind = RULES[name].params
    if not isinstance(setting.params, kind):
        raise RulesetError("invalid_param", name, expected=kind.__name__, got=type(setting.params).__name__)
    for field in fields(setting.params):
        value = getattr(setting.params, field.name)
        number = Decimal(value)
        if not number.is_finite() or number < 0:
            raise RulesetError("invalid_param", f"{name}.{field.name}", expected=">= 0", got=value)


DEFAULT = Ruleset(default_settings())
"""As shipped, for everyone without a set of their own."""

from dataclasses import asdict, dataclass, field

from ..core.checks.findings import ACTIONS
from ..core.money import ZERO, D, to_float

# CDRs that are listed by name.
LISTED = 500
COUNTS = ("today", "after", "added", "gone", "not_judged")


@dataclass
class TrialTally:
    """What two sets say of the same CDRs, as JSON between two jobs.

    `rules`: by rule, the counts and the net amount, as text, of what is flagged then. `changes`: the
    first of the CDRs on which the sets differ.
    """

    rules: dict = field(default_factory=dict)
    changes: list = field(default_factory=list)
    changed: int = 0
    held_today: int = 0
    held_after: int = 0

    @classmethod
    def from_json(cls, stored):
        return cls(**(stored or {}))

    def to_json(self):
        return asdict(self)

    def add(self, cdr_id, amount, before, after, changed):
        """:param Verdict before: of the set as it is. :param Verdict after: of the rules that change.
        :param changed: their names."""
        today = actions_of(before)
        then = {rule: action for rule, action in today.items() if rule not in changed} | actions_of(after)
        unknown = (before.not_evaluated.keys() - changed) | after.not_evaluated.keys()
        for rule in today.keys() | then.keys() | unknown:
            self._count(rule, rule in today, rule in then, rule in unknown, amount)
        self.held_today += strictest(today) in ("hold", "refuse")
        self.held_after += strictest(then) in ("hold", "refuse")
        if today != then:
            self.changed += 1
            if len(self.changes) < LISTED:
                self.changes.append(change_of(cdr_id, today, then))

    def _count(self, rule, is_today, is_then, is_unknown, amount):
        counts = self.rules.setdefault(rule, {**dict.fromkeys(COUNTS, 0), "amount": "0"})
        counts["today"] += is_today
        counts["after"] += is_then
        counts["added"] += is_then and not is_today
        counts["gone"] += is_today and not is_then
        counts["not_judged"] += is_unknown
        counts["amount"] = str(D(counts["amount"]) + (amount if is_then else ZERO))

    def lines(self, rules):
        """:param rules: names, in their order. :return: iterator of (rule, vals)."""
        for rule in rules:
            if rule in self.rules:
                counts = self.rules[rule]
                yield rule, {**counts, "amount": to_float(D(counts["amount"]))}


def actions_of(verdict):
    """:return: dict rule -> the strictest action of its findings."""
    found = {}
    for finding, action in verdict.findings:
        found[finding.rule] = max(found.get(finding.rule, "off"), action, key=ACTIONS.index)
    return found


def strictest(actions):
    return max(actions.values(), key=ACTIONS.index, default="off")


def change_of(cdr_id, today, then):
    """:return: vals of the line of a CDR that is judged otherwise."""
    rules = sorted(rule for rule in today.keys() | then.keys() if today.get(rule) != then.get(rule))
    return {
        "cdr_id": cdr_id,
        "action_today": strictest(today),
        "action_after": strictest(then),
        "rules": rules,
    }

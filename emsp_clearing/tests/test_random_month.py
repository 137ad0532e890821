from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, reject, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from odoo.tests import tagged

from .random_month_checks import check_journal, check_ledger, check_settlements, check_statements
from .random_month_common import BEGIN, RandomMonthCommon
from .random_month_events import MonthEvents

# Each takes as many hours: the month has some five weeks, until the lists that begin in it are billed.
STEPS, HOURS = 77, 11
EVENTS = 2000
# How many of a hundred steps are of which kind.
KINDS = {
    "pay": 33,
    "hand": 12,
    "return": 7,
    "collect": 5,
    "credit": 12,
    "dispute": 14,
    "decide": 11,
    "note": 3,
    "net": 3,
}
# Chance that a seed repeats: what a step does takes more of it than a whole example may draw.
CHANCE = st.randoms(use_true_random=True)


class RandomMonth(RuleBasedStateMachine):
    """Steps of random kinds; what a step does in detail is up to its `rng`."""

    case = None

    def __init__(self):
        super().__init__()
        self.savepoint = self.case.env.cr.savepoint()
        self.month = None
        self.steps = 0

    @initialize(is_random=st.booleans(), rng=CHANCE)
    def begin(self, is_random, rng):
        # The simplest month of all, in which nothing but the first kind happens, would be the only one.
        if not is_random:
            reject()
        self.month = MonthEvents(self.case)
        self.month.run()
        self.month.advance(BEGIN, rng)
        self.month.openings = dict(self.month.model.owed)
        self._check(is_whole=True)

    @rule(kind=st.sampled_from([kind for kind, share in KINDS.items() for __ in range(share)]), rng=CHANCE)
    def step(self, kind, rng):
        self.steps += 1
        self.month.advance(self.month.now + timedelta(hours=HOURS), rng)
        getattr(self, f"_{kind}")(rng)
        # The first step of an example is that of the beginning.
        self._check(is_whole=self.steps % 10 == 0 or self.steps == STEPS - 1)

    def _pay(self, rng):
        self.month.pay(rng, size=24)

    def _hand(self, rng):
        self.month.book_by_hand(rng, size=4)

    def _return(self, rng):
        self.month.book_collections()
        self.month.give_back(rng, size=8)

    def _collect(self, rng):
        self.month.collect()

    def _credit(self, rng):
        self.month.credit(rng, size=75)

    def _dispute(self, rng):
        self.month.dispute(rng, size=75)

    def _decide(self, rng):
        self.month.decide(rng, size=100)

    def _note(self, rng):
        self.month.credit_by_hand(rng)

    def _net(self, rng):
        self.month.net(rng)

    def _check(self, is_whole):
        check_ledger(self.month)
        if is_whole:
            self.month.run()
            check_settlements(self.month)
            check_journal(self.month)
            check_statements(self.month)

    def teardown(self):
        if self.steps:
            self.case.months.append(self.month)
        self.case.env.invalidate_all()
        self.savepoint.close(rollback=True)


@tagged("post_install", "-at_install")
class TestRandomMonth(RandomMonthCommon):
    """After each step the ledger, and after each tenth the settlements, contracts, the journal of exceptions
    and the statements of account say to the cent what plain arithmetic says."""

    def test_all_books_agree_after_a_random_month(self):
        self.months = []
        machine = type("RandomMonth", (RandomMonth,), {"case": self})
        # To draw numbers that stand in the code, hypothesis would read the source of all of Odoo.
        no_constants = patch.object(providers, "_get_local_constants", lambda: providers._local_constants)
        with freeze_time(BEGIN) as self.clock, no_constants:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=1,
                    stateful_step_count=STEPS,
                    derandomize=True,
                    print_blob=True,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        [month] = self.months
        self.assertGreaterEqual(sum(month.model.events.values()), EVENTS, month.model.events)

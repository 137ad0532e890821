"""One rule on one CDR, and what it says, as short as it can be told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from charging import START, period, session
from emsp_core.checks.facts import Authorisation, Facts, OriginalFacts, PlaceFacts, PriceFacts, TokenFacts
from emsp_core.checks.rules import RULES
from emsp_core.checks.ruleset import Ruleset, read_setting, run
from emsp_core.ocpi.objects import CdrLocation, Price

PLACE = CdrLocation(id="L1", evse_uid="E1", evse_id="FR*RVR*E1", connector_id="1", city="Lyon")


def at(text):
    """ "10-05 08:00" or "10-05 08:00:30" of 2026, in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def lasting(seconds, **values):
    """A session of so many seconds, without charging periods to contradict it."""
    cdr = session((0, None, {}))
    end = cdr.start_date_time + timedelta(seconds=seconds)
    return session((0, None, {}), **{"end_date_time": end, "total_time": Decimal(seconds) / 3600, **values})


def cost(excl, incl=None):
    return Price(Decimal(excl), None if incl is None else Decimal(incl))


def priced(net, rates=None, **subtotals):
    """Facts with our price; rates and subtotals as text."""
    known = None if rates is None else tuple(map(Decimal, rates))
    return Facts(
        price=PriceFacts(Decimal(net), {name: Decimal(each) for name, each in subtotals.items()}, known)
    )


def judge(rule, cdr, facts=None, **params):
    """The findings of one rule, or the reason why it could not tell."""
    verdict = run(cdr, facts or Facts(), Ruleset({rule: read_setting(rule, "hold", params)}))
    if verdict.not_evaluated:
        assert not verdict.findings
        return verdict.not_evaluated[rule]
    findings = [judged.finding for judged in verdict.findings]
    for finding in findings:
        assert finding.rule == rule
        assert finding.code in RULES[rule].codes
    return findings


def codes(rule, cdr, facts=None, **params):
    """Of its findings; or the reason."""
    found = judge(rule, cdr, facts, **params)
    return found if isinstance(found, str) else [finding.code for finding in found]


# A session that every rule passes, where everything is known.
GOOD = session(
    period(60, energy="10", time="1"),
    period(30, parking_time="0.5"),
    cdr_location=PLACE,
    total_cost=cost("4.00", "4.80"),
    total_parking_time=Decimal("0.5"),
)
KNOWN = Facts(
    received_at=GOOD.end_date_time + timedelta(minutes=5),
    currency="EUR",
    price=PriceFacts(Decimal("4.00"), {}, (Decimal(20),)),
    place=PlaceFacts(True, True, True, Decimal(22)),
    token=TokenFacts(True, True, True, None, "ALLOWED", (Authorisation(START, "ALLOWED"),)),
    session_status="COMPLETED",
    neighbours=(),
    original=OriginalFacts(True),
)

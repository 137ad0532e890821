"""The rules on CDRs, and checking stored CDRs again with all that is known of them."""

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from _bench import environment, figure, make_network, paired, payloads
from support.core import load_core

PURE, STORED = 2000, 1000
ROUNDS = 7
RECEIVED = datetime(2026, 11, 1)
# A session each 100 minutes at a charger; a driver charges once or twice.
CHARGERS, DRIVERS = 100, 700


def main():
    check_pure()
    check_stored()


def check_pure():
    """All rules as delivered, where every fact is known and a neighbour is near."""
    load_core()
    from emsp_core.checks.ruleset import DEFAULT, run
    from emsp_core.ocpi.normalise import parse_cdr

    stream = payloads(PURE, "pure")
    cdrs = [parse_cdr(raw, "2.2.1") for raw in stream]
    cases = [(cdr, facts_of(cdr)) for cdr in cdrs]

    def judge():
        return [run(cdr, facts, DEFAULT) for cdr, facts in cases]

    def read():
        return [json.loads(raw, parse_float=Decimal) for raw in stream]

    if any(verdict.not_evaluated.keys() - {"signed_data", "meter_key"} for verdict in judge()):
        raise RuntimeError("expected every rule to judge")
    value, baseline = paired(judge, read, ROUNDS)
    print(f"{PURE / value:.0f} CDRs/s by the rules, {PURE / baseline:.0f} read", file=sys.stderr)
    figure("check_by_all_rules", value / PURE * 1e6, "us", baseline / PURE * 1e6, bar=8)


def facts_of(cdr):
    from emsp_core.checks import facts

    place, token = cdr.cdr_location, cdr.cdr_token
    near = facts.Neighbour(
        key="FR*RVR*OTHER",
        session_id="OTHER",
        token_key=facts.token_key(token.country_code, token.party_id, "OTHER"),
        evse_key=facts.evse_key(f"{cdr.country_code}*{cdr.party_id}", place.evse_id, place.evse_uid),
        connector_id=place.connector_id,
        start=cdr.start_date_time - timedelta(hours=2),
        end=cdr.start_date_time - timedelta(hours=1),
        energy_kwh=Decimal(10),
    )
    return facts.Facts(
        received_at=RECEIVED.replace(tzinfo=UTC),
        currency="EUR",
        price=facts.PriceFacts(cdr.total_cost.excl_vat + 1, {}, (Decimal(20),)),
        place=facts.PlaceFacts(True, True, True, Decimal(22)),
        token=facts.TokenFacts(
            True, True, True, None, "ALLOWED", (facts.Authorisation(cdr.start_date_time, "ALLOWED"),)
        ),
        session_status="COMPLETED",
        neighbours=(near,),
    )


def spread(stream):
    """The sessions at many chargers, of many drivers, instead of all of them at one."""
    spread = []
    for number, cdr in enumerate(map(json.loads, stream)):
        charger = number % CHARGERS
        cdr["cdr_location"] |= {"evse_uid": f"E{charger}", "evse_id": f"FR*RVR*E{charger}"}
        cdr["cdr_token"]["uid"] = f"DRIVER-{number % DRIVERS}"
        spread.append(json.dumps(cdr).encode())
    return spread


def check_stored():
    """Facts, price, rules and what differs from the findings, against writing these by the ORM alone."""
    with environment() as env:
        __, connection = make_network(env)
        endpoint = connection._as_endpoint().with_context(queue_job__no_delay=False)
        cdrs = endpoint.env["emsp.cdr"]
        receipts = cdrs._receive(endpoint, spread(payloads(STORED, "stored")), RECEIVED)
        cdrs = cdrs.browse([receipt.record.id for receipt in receipts])
        cdrs._rate(RECEIVED)
        appraised = cdrs._appraise()
        findings = [
            {"cdr_id": each.record.id, "found_at": RECEIVED, **finding}
            for each in appraised
            for finding in each.findings
        ]

        def fresh(work):
            env.flush_all()
            env.invalidate_all()
            work()
            env.flush_all()

        def check():
            cdrs._recheck(RECEIVED)

        def write():
            for each in appraised:
                each.record._store(each.judgement)
            env["emsp.cdr.finding"].create(findings).unlink()

        value, baseline = paired(lambda: fresh(check), lambda: fresh(write), ROUNDS)
        print(f"{STORED / value:.0f} CDRs/s checked again, {len(findings)} findings", file=sys.stderr)
        figure("check_stored_again", value / STORED * 1e3, "ms", baseline / STORED * 1e3, bar=2)


main()

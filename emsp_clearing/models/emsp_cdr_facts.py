from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

import pytz

from odoo import api, models

from ..core.checks.facts import Authorisation, Facts, OriginalFacts, PlaceFacts, PriceFacts, TokenFacts
from ..core.money import from_float
from ..core.ocpi.objects import Cdr

# How long before a session an answer to its charger may lie, to matter.
ANSWER_BEFORE = timedelta(days=1)


class Subject(NamedTuple):
    """A CDR that is to be checked: a stored one, or one that is just arriving.

    `received_at`: naive UTC. `contract` may be empty, `record` is for one that is not stored.
    """

    cdr: Cdr
    received_at: datetime
    contract: models.Model
    record: models.Model
    price: PriceFacts | None = None


class EmspCdrFacts(models.Model):
    """What is known about CDRs besides themselves, gathered for a batch: the same number of queries for
    one and for a thousand."""

    _inherit = "emsp.cdr"

    @api.model
    def _gather_facts(self, company, subjects, context):
        """:param list[Subject] subjects: all of the company.
        :param Context context: what the CDRs name, as far as it is known.
        :return: list of core Facts, in the same order.
        """
        published = self._find_publishers(company, subjects)
        tokens = [context.tokens.find(subject.cdr.cdr_token) for subject in subjects]
        answers = self._find_answers(subjects, tokens)
        neighbours = self._find_neighbours(company, subjects)
        originals = self._find_original_facts(company, subjects)
        return [
            Facts(
                received_at=pytz.utc.localize(subject.received_at),
                currency=subject.contract.currency_id.name or None,
                price=subject.price,
                place=place_facts(subject.cdr, context, published["emsp.location"]),
                token=token_facts(subject.cdr, token, answers, published["emsp.token"]),
                session_status=status_of(context.find_session(subject.cdr)),
                neighbours=tuple(neighbours[number]),
                original=originals.get(number),
                meter_key=find_connector(subject.cdr, context).meter_public_key or None,
            )
            for number, (subject, token) in enumerate(zip(subjects, tokens, strict=True))
        ]

    @api.model
    def _find_publishers(self, company, subjects):
        """Which of the parties in the CDRs publish their locations and their tokens at all.

        :return: dict model name -> set of (country code, party id), upper-case.
        """
        parties = {
            "emsp.location": {owner_of(subject.cdr) for subject in subjects},
            "emsp.token": {party_of_token(subject.cdr) for subject in subjects},
        }
        found = {}
        for model, wanted in parties.items():
            groups = self.env[model]._read_group(
                [
                    ("company_id", "=", company.id),
                    ("ocpi_country_code", "in", sorted({country for country, __ in wanted})),
                    ("ocpi_party_id", "in", sorted({party for __, party in wanted})),
                ],
                ["ocpi_country_code", "ocpi_party_id"],
            )
            found[model] = {(country.upper(), party.upper()) for country, party in groups}
        return found

    @api.model
    def _find_answers(self, subjects, tokens):
        """What we, as eMSP, told chargers about our tokens around the sessions; of others' nobody knows.

        :return: dict token id -> list of core Authorisation.
        """
        own = {token.id for token in tokens if token and not token.connection_id}
        if not own:
            return {}
        starts = [subject.cdr.start_date_time for subject in subjects]
        first = min(starts).replace(tzinfo=None) - ANSWER_BEFORE
        last = max(subject.cdr.end_date_time for subject in subjects).replace(tzinfo=None)
        answers = self.env["emsp.token.authorization"].search_fetch(
            [
                ("token_id", "in", sorted(own)),
                ("create_date", ">=", first),
                ("create_date", "<=", max(last, first)),
            ],
            ["token_id", "allowed", "reference", "create_date"],
        )
        by_token = {token_id: [] for token_id in own}
        for answer in answers:
            at = pytz.utc.localize(answer.create_date)
            by_token[answer.token_id.id].append(Authorisation(at, answer.allowed, answer.reference))
        return by_token

    @api.model
    def _find_original_facts(self, company, subjects):
        """:return: dict number of a credit CDR's subject -> core OriginalFacts."""
        keys = {
            number: original_key(subject.cdr) for number, subject in enumerate(subjects) if subject.cdr.credit
        }
        if not keys:
            return {}
        found = self.search_fetch(
            [("company_id", "=", company.id), ("ocpi_key", "in", sorted(set(keys.values())))],
            ["ocpi_key", "state", "contract_id"],
        )
        originals = {original.ocpi_key: original for original in found}
        credits = defaultdict(self.browse)
        for credit in self.search_fetch([("credited_cdr_id", "in", found.ids)], ["credited_cdr_id"]):
            credits[credit.credited_cdr_id.id] |= credit
        facts = {}
        for number, key in keys.items():
            original, subject = originals.get(key), subjects[number]
            facts[number] = OriginalFacts(
                is_known=bool(original) and original.contract_id == subject.contract,
                is_void=bool(original) and original.state in ("received", "void"),
                is_credited=bool(original and credits[original.id] - subject.record),
            )
        return facts


def owner_of(cdr):
    """:return: (country code, party id) of the CPO, upper-case."""
    return cdr.country_code.upper(), cdr.party_id.upper()


def party_of_token(cdr):
    """:return: (country code, party id) of the eMSP as the CDR has it, upper-case; empty where it has not."""
    token = cdr.cdr_token
    return (token.country_code or "").upper(), (token.party_id or "").upper()


def original_key(cdr):
    """The `ocpi_key` of the CDR that a credit CDR names."""
    return f"{cdr.country_code}*{cdr.party_id}*{cdr.credit_reference_id or ''}".upper()


def find_connector(cdr, context):
    """:return: emsp.location.connector, may be empty."""
    return context.places.find_connector(cdr.country_code, cdr.party_id, cdr.cdr_location)


def place_facts(cdr, context, publishers):
    """:param publishers: parties that publish their locations. :return: core PlaceFacts."""
    connector = find_connector(cdr, context)
    place = (cdr.country_code, cdr.party_id, cdr.cdr_location)
    return PlaceFacts(
        is_published=owner_of(cdr) in publishers,
        is_location_known=bool(connector) or context.places.is_known(*place),
        is_evse_known=bool(connector),
        power_kw=from_float(connector.capacity_kw, 3) if connector.capacity_kw else None,
    )


def token_facts(cdr, token, answers, publishers):
    """:param token: emsp.token or None. :param publishers: parties that publish their tokens.
    :return: core TokenFacts."""
    published = party_of_token(cdr) in publishers
    if not token:
        return TokenFacts(is_published=published, is_known=False)
    since = token.invalid_since
    return TokenFacts(
        is_published=published or bool(token),
        is_known=True,
        is_valid=token.is_valid,
        invalid_since=pytz.utc.localize(since) if since else None,
        whitelist=token.whitelist,
        authorisations=None if token.connection_id else tuple(answers.get(token.id, ())),
    )


def status_of(session):
    """:param session: emsp.session or None. :return: OCPI's word, or None."""
    return session.status or None if session else None

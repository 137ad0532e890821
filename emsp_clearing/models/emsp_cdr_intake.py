from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import ormcache

from odoo.addons.queue_job.job import identity_exact

from ..core.chain import payload_hash
from ..core.errors import PayloadError
from ..core.money import to_float
from ..core.ocpi.json_text import write_json
from ..core.ocpi.modules import cdr_payload
from ..core.ocpi.normalise import canonical, parse_cdr
from .emsp_cdr_rating import RATING_BATCH
from .emsp_ocpi_object import naive
from .emsp_token import token_party

# From the second of a request to the price of its CDR: longer than any request takes to commit.
ARRIVALS_WAIT = timedelta(seconds=3)


class Receipt(NamedTuple):
    """What became of one CDR that came in.

    `outcome`: created, existing (same content again), conflict (same id, other content), refused (by a
    rule of ours) or invalid.
    `message` is in the words of OCPI, for the sender's system; `path` names the field.
    """

    outcome: str
    record: models.Model
    code: str = ""
    message: str = ""
    path: str = ""

    @property
    def is_refusal(self):
        return self.outcome in ("conflict", "invalid", "refused")


class Parsed(NamedTuple):
    raw: bytes
    cdr: object
    key: str


class EmspCdrIntake(models.Model):
    """From bytes to a stored CDR: over OCPI and from files alike."""

    _inherit = "emsp.cdr"

    last_updated = fields.Datetime(index=True, help="By the sender's clock.")
    is_home_compensation = fields.Boolean(
        string="Compensation of charging at home", help="Paid to the driver, not by the driver."
    )
    _for_partner = models.Index("(company_id, token_country_code, token_party_id)")

    @api.model
    def _receive(self, connection, items, received_at, available_at=None, version=None):
        """Store CDRs as received, attach them, and have them priced in the background.

        :param connection: emsp.ocpi.connection they came from.
        :param list[bytes] items: one JSON object each, byte for byte as received.
        :param datetime received_at: naive UTC.
        :param datetime available_at: when the partner could see them, where that is past; by
            default the moment they are priced.
        :param str version: of OCPI that they are in; by default the connection's.
        :return: one Receipt per item, in the same order.
        :raise ConcurrencyError: another transaction stores one of them now; the caller is replayed.
        """
        version = version or connection.version
        parsed = [self._parse(connection, raw, version) for raw in items]
        good = [entry for entry in parsed if isinstance(entry, Parsed)]
        known = self._find_known(connection, good)
        fresh = {}
        for entry in good:
            if entry.key not in known:
                fresh.setdefault(entry.key, entry)
        refused = self._refuse(connection, fresh, received_at)
        new = {}
        if fresh:
            created = self._create_received(
                connection, list(fresh.values()), version, received_at=received_at, available_at=available_at
            )
            new = {cdr.ocpi_key: cdr for cdr in created}
            if len(created) == 1:
                created._enqueue_rating_of_arrivals()
            else:
                created._enqueue_rating()
        receipts = []
        for entry in parsed:
            if isinstance(entry, Receipt):
                receipts.append(entry)
            elif entry.key in refused:
                receipts.append(refused[entry.key])
            elif fresh.get(entry.key) is entry:
                receipts.append(Receipt("created", new[entry.key]))
            else:
                receipts.append(self._receipt_again(known.get(entry.key) or new[entry.key], entry))
        self._report_conflicts(
            connection, [r.record for r in receipts if r.outcome == "conflict"], received_at
        )
        return receipts

    @api.model
    def _refuse(self, connection, fresh, received_at):
        """Take out of `fresh` what a rule refuses.

        :param dict fresh: Parsed by key.
        :return: dict key -> Receipt.
        """
        entries = list(fresh.values())
        refusals = self._refusals(connection, [entry.cdr for entry in entries], received_at)
        receipts = {}
        for number, (path, text) in refusals.items():
            key = entries[number].key
            del fresh[key]
            message = f"{path}: {text}" if path else text
            receipts[key] = Receipt("refused", self.browse(), "rule", message, path)
        return receipts

    @api.model
    def _report_conflicts(self, connection, records, received_at):
        """A sender that changes a CDR has an error in its books, or in ours: somebody has to ask."""
        if not records:
            return
        journal = self.env["emsp.exception"]._in_language_of(connection.company_id)
        journal._open_all(
            [
                {
                    "kind": "cdr_conflict",
                    "fact_key": f"emsp.cdr:{cdr.id}",
                    "name": journal.env._(
                        "CDR %(cdr)s came again from %(connection)s with other content; the first one stays.",
                        cdr=cdr.ocpi_id,
                        connection=connection.name,
                    ),
                    "company_id": connection.company_id.id,
                    "contract_id": cdr.contract_id.id,
                    "partner_id": cdr.partner_id.id,
                    "user_id": cdr.contract_id.user_id.id,
                    "date": received_at.date(),
                }
                for cdr in records
            ]
        )

    @api.model
    def _parse(self, connection, raw, version):
        """:return: Parsed, or the Receipt of a refusal."""
        try:
            owner = connection._owner_of_unnamed(version)
            cdr = parse_cdr(raw, version, tolerances=connection._tolerances(), owner=owner)
            connection._check_owner(cdr)
        except PayloadError as error:
            return Receipt("invalid", self.browse(), error.code, str(error), error.path or "")
        return Parsed(raw, cdr, cdr.key)

    @api.model
    def _find_known(self, connection, parsed):
        records = self.search_fetch(
            [
                ("company_id", "=", connection.company_id.id),
                ("ocpi_key", "in", [entry.key for entry in parsed]),
            ],
            ["ocpi_key", "payload", "ocpi_country_code", "ocpi_party_id", "ocpi_id"],
        )
        return {cdr.ocpi_key: cdr for cdr in records}

    @api.model
    def _receipt_again(self, record, entry):
        if canonical(record.payload) == canonical(entry.raw):
            return Receipt("existing", record)
        return Receipt(
            "conflict",
            record,
            "conflict",
            f"id: CDR {entry.cdr.id} is stored with other content; a CDR never changes, "
            "send a credit CDR and a new one",
            "id",
        )

    @api.model
    def _create_received(self, connection, parsed, version, **instants):
        """:param instants: `received_at` and `available_at` as `_receive`."""
        # Of OCPI 2.1.1: it does not say whose the token is.
        ownerless = [entry.cdr.cdr_token for entry in parsed if not entry.cdr.cdr_token.country_code]
        tokens = self.env["emsp.token"]._known(connection.company_id, ownerless) if ownerless else None
        vals_list = [
            {
                "connection_id": connection.id,
                "company_id": connection.company_id.id,
                "ocpi_version": version,
                **instants,
                "currency_id": self._currency_id(entry.cdr.currency.upper()),
                **self._vals_from_payload(entry),
                **self._vals_from_cdr(entry.cdr, tokens),
            }
            for entry in parsed
        ]
        facts = [(connection, parties_of(vals), vals["session_end_at"]) for vals in vals_list]
        found = self._find_contracts(connection.company_id, facts)
        for vals, (contract, reason) in zip(vals_list, found, strict=True):
            partner = contract.partner_id
            vals.update(contract_id=contract.id, partner_id=partner.id, attach_reason=reason)
        try:
            # Without a savepoint: when it fails, the whole transaction is replayed.
            return self.create(vals_list)
        except UniqueViolation as error:
            # The other row is not in our snapshot (REPEATABLE READ): only a replay can see it.
            raise ConcurrencyError("The CDR is being stored by another request.") from error

    @api.model
    @ormcache("name", cache="stable")
    def _currency_id(self, name):
        """:return: id of a currency, active or not; None for an unknown one. The cache is cleared with every
        change of a currency."""
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "=", name)], limit=1).id or None

    @api.model
    def _vals_from_payload(self, entry):
        return {
            "payload": entry.raw.decode(),
            "payload_sha256": payload_hash(entry.raw),
            "ocpi_key": entry.key,
        }

    @api.model
    def _vals_from_cdr(self, cdr, tokens):
        """Field values of a core Cdr; instants become naive UTC, amounts floats at the ORM's door.

        :param KnownTokens tokens: those that it may name, or None.
        """
        location, token = cdr.cdr_location, cdr.cdr_token
        country_code, party_id = token_party(token, tokens and tokens.find(token))
        return {
            "ocpi_country_code": cdr.country_code,
            "ocpi_party_id": cdr.party_id,
            "ocpi_id": cdr.id,
            "session_start_at": naive(cdr.start_date_time),
            "session_end_at": naive(cdr.end_date_time),
            "ocpi_session_id": cdr.session_id,
            "token_country_code": country_code,
            "token_party_id": party_id,
            "token_uid": token.uid,
            "emaid": token.contract_id,
            "location_name": location.name,
            "location_address": location.address,
            "location_city": location.city,
            "location_country": location.country,
            "evse_id": location.evse_id,
            "connector_id": location.connector_id,
            "power_type": location.connector_power_type,
            **quantities(cdr),
            "is_credit": cdr.credit,
            "credited_ocpi_id": cdr.credit_reference_id,
            "stated_amount": to_float(cdr.total_cost.excl_vat),
            "last_updated": naive(cdr.last_updated),
            "is_home_compensation": cdr.home_charging_compensation,
        }

    def _check_company(self, fnames=None):
        """By sets: a batch names a handful of records, in thousands of CDRs."""
        names = [
            name for name, field in self._fields.items() if field.type == "many2one" and field.check_company
        ]
        wrong = self.browse()
        for company in self.company_id:
            cdrs = self.filtered(lambda cdr, c=company: cdr.company_id == c)
            if any(cdrs[name].company_id - company for name in names):
                wrong |= cdrs
        # It finds the CDR, and the words.
        return super(EmspCdrIntake, wrong)._check_company(fnames)

    def _attach(self):
        """Find the contract of each CDR by its party; where there is none, say why."""
        for company in self.company_id:
            cdrs = self.filtered(lambda cdr, c=company: cdr.company_id == c)
            facts = [(cdr.connection_id, parties_of(cdr), cdr.session_end_at) for cdr in cdrs]
            grouped = {}
            for cdr, found in zip(cdrs, self._find_contracts(company, facts), strict=True):
                grouped.setdefault(found, []).append(cdr.id)
            for (contract, reason), ids in grouped.items():
                self.browse(ids)._store({"contract_id": contract.id, "attach_reason": reason})

    @api.model
    def _find_contracts(self, company, facts):
        """Where we are the CPO the token's party pays, where we are the eMSP the CDR's owner is paid.

        :param facts: (connection, parties as `parties_of`, end of the session) of each CDR.
        :return: list of (contract or empty, reason code or False), in the same order.
        """
        pairs = [sought_of(connection, parties) for connection, parties, __ in facts]
        none = self.env["emsp.contract"]
        contracts = none._by_party(company, set(pairs))
        candidates, found = {}, []
        for (connection, __, ended_at), pair in zip(facts, pairs, strict=True):
            key = (connection, pair)
            if key not in candidates:
                candidates[key] = connection._candidates(contracts.get(pair, none))
            contract, reason = contract_at(candidates[key], ended_at)
            found.append((contract or none, reason))
        return found

    def _sought_party(self):
        """:return: the party whose contract the CDR belongs to, such as DE*SMO."""
        self.ensure_one()
        return "*".join(part or "-" for part in sought_of(self.connection_id, parties_of(self)))

    def _enqueue_rating(self):
        """Have them priced in the background."""
        for start in range(0, len(self), RATING_BATCH):
            batch = self[start : start + RATING_BATCH]
            batch.with_delay(identity_key=identity_exact)._job_rate()

    def _enqueue_rating_of_arrivals(self):
        """Have a CDR priced together with all that its connection posts in the same second: a job costs
        more than a price.

        The job starts when even a slow request of that second has long committed.
        """
        second = fields.Datetime.now().replace(microsecond=0)
        key = f"emsp.cdr:rate-arrivals:{self.connection_id.id}:{second}"
        # Who comes in the same second leaves it to the first one that is at it; the job sees both.
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        if self.env.cr.fetchone()[0]:
            job = self.with_delay(eta=second + ARRIVALS_WAIT, identity_key=key)
            job._job_rate_arrivals(self.connection_id)

    @api.model
    def _enqueue_forgotten(self, before):
        """Rate again what was stored before `before` (naive UTC) and has no price: its job has died."""
        forgotten = self.search(
            [("state", "=", "received"), ("contract_id", "!=", False), ("create_date", "<", before)]
        )
        forgotten._enqueue_rating()

    @api.model
    def _job_attach_waiting(self):
        """Attach and price the CDRs that waited for a contract."""
        waiting = self.search([("state", "=", "received"), ("contract_id", "=", False)])
        waiting._attach()
        waiting.filtered("contract_id")._enqueue_rating()

    def _payload_in(self, version):
        """JSON text: as received where it came in this version, else said in its words."""
        self.ensure_one()
        if self.ocpi_version == version:
            # A byte order mark is no part of the JSON it stands before (RFC 8259, 8.1).
            return self.payload.removeprefix("\ufeff")
        cdr = self._received_cdr()
        token = cdr.cdr_token
        if not token.country_code:
            # OCPI 2.1.1 does not say whose the token is; later versions have to.
            party = {
                "country_code": self.token_country_code or None,
                "party_id": self.token_party_id or None,
            }
            token = replace(token, **party)
        owner = {"country_code": self.ocpi_country_code, "party_id": self.ocpi_party_id}
        place = self.location_connector_id._place_for(version)
        return write_json(cdr_payload(replace(cdr, cdr_token=token, **owner), version, place)).decode()


def parties_of(cdr):
    """:param cdr: a record, or its values.
    :return: (country code, party id) of the token and of the CDR's owner, upper-case."""
    owner = (cdr["ocpi_country_code"].upper(), cdr["ocpi_party_id"].upper())
    return (cdr["token_country_code"], cdr["token_party_id"]), owner


def sought_of(connection, parties):
    """:param parties: as `parties_of`. :return: the one whose contract counts."""
    token, owner = parties
    return token if connection.our_role == "CPO" else owner


def contract_at(candidates, ended_at):
    """:param candidates: as `emsp.ocpi.connection._candidates`.
    :param datetime ended_at: of the session, naive UTC.
    :return: (contract or None, reason code or False)."""
    if not candidates:
        return None, "no_contract"
    covering = [contract for contract, first, end in candidates if first <= ended_at < end]
    if not covering:
        return None, "contract_dates"
    return (covering[0], False) if len(covering) == 1 else (None, "ambiguous")


def quantities(cdr):
    """What a core Cdr adds to every sum. A credit repeats its session (OCPI 2.2.1, 10.1.1) and takes it
    back: its quantities are negative like its amount, whatever sign the sender used."""
    found = {
        "energy_kwh": to_float(cdr.total_energy),
        "duration_s": round((cdr.end_date_time - cdr.start_date_time).total_seconds()),
        "parking_s": round((cdr.total_parking_time or 0) * 3600),
    }
    return {name: -abs(value) for name, value in found.items()} if cdr.credit else found

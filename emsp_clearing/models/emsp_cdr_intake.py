from dataclasses import replace
from typing import NamedTuple

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.queue_job.job import identity_exact

from ..core.chain import payload_hash
from ..core.errors import PayloadError
from ..core.money import to_float
from ..core.ocpi.normalise import canonical, parse_cdr


class Receipt(NamedTuple):
    """What became of one CDR that came in.

    `outcome`: created, existing (same content again), conflict (same id, other content) or invalid.
    `message` is in the words of OCPI, for the sender's system; `path` names the field.
    """

    outcome: str
    record: models.Model
    code: str = ""
    message: str = ""
    path: str = ""


class Parsed(NamedTuple):
    raw: bytes
    cdr: object
    key: str
    content: str


class EmspCdrIntake(models.Model):
    """From bytes to a stored CDR: over OCPI and from files alike."""

    _inherit = "emsp.cdr"

    @api.model
    def _receive(self, connection, items, received_at, available_at=None):
        """Store CDRs as received, attach them, and have them priced in the background.

        :param connection: emsp.ocpi.connection they came from.
        :param list[bytes] items: one JSON object each, byte for byte as received.
        :param datetime received_at: naive UTC.
        :param datetime available_at: when the partner could see them, where that is past; by
            default the moment they are priced.
        :return: one Receipt per item, in the same order.
        :raise ConcurrencyError: another transaction stores one of them now; the caller is replayed.
        """
        parsed = [self._parse(connection, raw) for raw in items]
        good = [entry for entry in parsed if isinstance(entry, Parsed)]
        known = self._find_known(connection, good)
        fresh = {}
        for entry in good:
            if entry.key not in known:
                fresh.setdefault(entry.key, entry)
        new = {}
        if fresh:
            created = self._create_received(connection, list(fresh.values()), received_at)
            new = {cdr.ocpi_key: cdr for cdr in created}
            created._attach()
            created._enqueue_rating(available_at)
        receipts = []
        for entry in parsed:
            if isinstance(entry, Receipt):
                receipts.append(entry)
            elif fresh.get(entry.key) is entry:
                receipts.append(Receipt("created", new[entry.key]))
            else:
                receipts.append(self._receipt_again(known.get(entry.key) or new[entry.key], entry))
        self._report_conflicts(
            connection, [r.record for r in receipts if r.outcome == "conflict"], received_at
        )
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
    def _parse(self, connection, raw):
        """:return: Parsed, or the Receipt of a refusal."""
        try:
            cdr = parse_cdr(raw, connection.version, lax=connection.is_lax)
            if not cdr.country_code:
                # OCPI 2.1.1 does not say whose it is: the party of the connection.
                party = {"country_code": connection.country_code, "party_id": connection.ocpi_party_id}
                cdr = replace(cdr, **party)
            connection._check_owner(cdr)
            content = payload_hash(canonical(raw))
        except PayloadError as error:
            return Receipt("invalid", self.browse(), error.code, str(error), error.path or "")
        return Parsed(raw, cdr, cdr.key, content)

    @api.model
    def _find_known(self, connection, parsed):
        records = self.search_fetch(
            [
                ("company_id", "=", connection.company_id.id),
                ("ocpi_key", "in", [entry.key for entry in parsed]),
            ],
            ["ocpi_key", "content_sha256", "ocpi_country_code", "ocpi_party_id", "ocpi_id"],
        )
        return {cdr.ocpi_key: cdr for cdr in records}

    @api.model
    def _receipt_again(self, record, entry):
        if record.content_sha256 == entry.content:
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
    def _create_received(self, connection, parsed, received_at):
        names = {entry.cdr.currency.upper() for entry in parsed}
        found = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search_fetch([("name", "in", names)], ["name"])
        )
        currencies = {currency.name: currency.id for currency in found}
        vals_list = [
            {
                "connection_id": connection.id,
                "company_id": connection.company_id.id,
                "ocpi_version": connection.version,
                "received_at": received_at,
                "currency_id": currencies.get(entry.cdr.currency.upper()),
                **self._vals_from_payload(entry),
                **self._vals_from_cdr(entry.cdr, connection),
            }
            for entry in parsed
        ]
        try:
            with self.env.cr.savepoint():
                return self.create(vals_list)
        except UniqueViolation as error:
            # The other row is not in our snapshot (REPEATABLE READ): only a replay can see it.
            raise ConcurrencyError(self.env._("The CDR is being stored by another request.")) from error

    @api.model
    def _vals_from_payload(self, entry):
        return {
            "payload": entry.raw.decode(),
            "payload_sha256": payload_hash(entry.raw),
            "content_sha256": entry.content,
            "ocpi_key": entry.key,
        }

    @api.model
    def _vals_from_cdr(self, cdr, connection):
        """Field values of a core Cdr; instants become naive UTC, amounts floats at the ORM's door."""
        location, token = cdr.cdr_location, cdr.cdr_token
        return {
            "ocpi_country_code": cdr.country_code,
            "ocpi_party_id": cdr.party_id,
            "ocpi_id": cdr.id,
            "session_start_at": cdr.start_date_time.replace(tzinfo=None, microsecond=0),
            "session_end_at": cdr.end_date_time.replace(tzinfo=None, microsecond=0),
            "ocpi_session_id": cdr.session_id,
            "token_country_code": (token.country_code or "").upper(),
            "token_party_id": (token.party_id or "").upper(),
            "token_uid": token.uid,
            "emaid": token.contract_id,
            "location_name": location.name,
            "location_address": location.address,
            "location_city": location.city,
            "location_country": location.country,
            "evse_id": location.evse_id,
            "connector_id": location.connector_id,
            "power_type": location.connector_power_type,
            "time_zone": location.time_zone or connection.time_zone,
            "energy_kwh": to_float(cdr.total_energy),
            "duration_s": round((cdr.end_date_time - cdr.start_date_time).total_seconds()),
            "parking_s": round((cdr.total_parking_time or 0) * 3600),
            "is_credit": cdr.credit,
            "credited_ocpi_id": cdr.credit_reference_id,
            "stated_amount": to_float(cdr.total_cost.excl_vat),
        }

    def _attach(self):
        """Find the contract of each CDR by its party; where there is none, say why.

        Where we are the CPO the token's party pays, where we are the eMSP the CDR's owner is paid.
        """
        for company in self.company_id:
            cdrs = self.filtered(lambda cdr, c=company: cdr.company_id == c)
            contracts = self.env["emsp.contract"]._by_party(company, {cdr._counterparty() for cdr in cdrs})
            found = {}
            for cdr in cdrs:
                contract, reason = cdr._find_contract(contracts)
                found.setdefault((contract, reason), []).append(cdr.id)
            for (contract, reason), ids in found.items():
                self.browse(ids)._store({"contract_id": contract.id, "attach_reason": reason})

    def _counterparty(self):
        self.ensure_one()
        if self.connection_id.our_role == "CPO":
            return self.token_country_code, self.token_party_id
        return self.ocpi_country_code.upper(), self.ocpi_party_id.upper()

    def _find_contract(self, contracts_by_party):
        """:return: (contract or empty, reason code or False)."""
        self.ensure_one()
        role = "emsp" if self.connection_id.our_role == "CPO" else "cpo"
        candidates = contracts_by_party.get(self._counterparty(), self.env["emsp.contract"])
        candidates = candidates.filtered(lambda contract: contract.partner_role == role)
        candidates = candidates or self.connection_id.default_contract_id
        if not candidates:
            return candidates, "no_contract"
        covering = candidates.filtered(lambda contract: contract._covers(self.session_end_at))
        if not covering:
            return covering, "contract_dates"
        return (covering, False) if len(covering) == 1 else (covering[:0], "ambiguous")

    def _enqueue_rating(self, available_at=None):
        self.with_delay(identity_key=identity_exact)._job_rate(available_at)

    @api.model
    def _enqueue_forgotten(self, before):
        """Rate again what was stored before `before` (naive UTC) and has no price: its job has died."""
        forgotten = self.search(
            [("state", "=", "received"), ("contract_id", "!=", False), ("create_date", "<", before)]
        )
        if forgotten:
            forgotten._enqueue_rating()

    @api.model
    def _job_attach_waiting(self):
        """Attach and price the CDRs that waited for a contract."""
        waiting = self.search([("state", "=", "received"), ("contract_id", "=", False)])
        waiting._attach()
        attached = waiting.filtered("contract_id")
        if attached:
            attached._enqueue_rating()

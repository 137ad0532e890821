import uuid

import pytz

from odoo import api, fields, models

from ..core.errors import PayloadError
from ..core.money import ZERO, from_float, to_float
from ..core.ocpi.decode import show
from ..core.ocpi.json_text import write_json
from ..core.ocpi.modules import invoice_reconciliation_payload, parse_invoice_reconciliation
from ..core.ocpi.objects import Price
from ..core.ocpi.peer_objects import InvoiceReconciliation
from .emsp_ocpi_object import SEARCHED_FIELDS, naive

# The only version that has the module.
VERSION = "2.3.0"


class EmspInvoiceReconciliation(models.Model):
    """Which CDRs an invoice is about (OCPI 2.3.0 edition 2): we tell it a partner, or a partner tells us.

    Direct billing: who delivered the service sends the invoice, and so the record. Reverse billing: who
    consumed it does. What a partner sends is matched against the CDRs that we have; a record that it takes
    back stays, as evidence.
    """

    _name = "emsp.invoice.reconciliation"
    _description = "OCPI invoice reconciliation"
    _inherit = ["emsp.ocpi.object"]
    _rec_name = "invoice_reference"
    _parse_object = staticmethod(parse_invoice_reconciliation)
    _write_object = staticmethod(invoice_reconciliation_payload)

    ocpi_id = fields.Char(string="Record id")
    direction = fields.Selection(
        [("ours", "Sent by us"), ("theirs", "Received")],
        compute="_compute_direction",
        store=True,
        precompute=True,
        index=True,
    )
    invoice_reference = fields.Char(string="Invoice", required=True, readonly=True)
    settlement_id = fields.Many2one(
        "emsp.settlement", readonly=True, check_company=True, ondelete="restrict", index="btree_not_null"
    )
    move_id = fields.Many2one(
        "account.move", string="Our invoice", readonly=True, check_company=True, index="btree_not_null"
    )
    contract_id = fields.Many2one(
        "emsp.contract", readonly=True, check_company=True, index="btree_not_null", help="Of our own invoice."
    )
    cdr_count = fields.Integer(string="CDRs", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    stated_amount = fields.Float(
        digits=(16, 4), readonly=True, help="Total of the invoice before tax, where the record tells it."
    )
    annex_sha256 = fields.Char(string="SHA-256 of the annex", readonly=True)
    dispute_url = fields.Char(string="Disputes", readonly=True)
    withdrawn_at = fields.Datetime(
        string="Taken back at", readonly=True, help="The record was wrong: its sender deleted it."
    )
    line_ids = fields.One2many("emsp.invoice.reconciliation.line", "reconciliation_id", readonly=True)
    matched_at = fields.Datetime(readonly=True)
    known_count = fields.Integer(string="Known", readonly=True)
    unknown_count = fields.Integer(string="Unknown", readonly=True)
    repeated_count = fields.Integer(string="Listed before", readonly=True)
    cdr_amount = fields.Float(
        string="Our amount",
        digits=(16, 4),
        readonly=True,
        help="Net amount of the known CDRs in the invoice's currency, as we price them.",
    )
    difference = fields.Float(
        digits=(16, 4),
        compute="_compute_difference",
        help="Stated less ours, where a total is stated.",
    )

    _ocpi_key_unique = models.UniqueIndex("(company_id, ocpi_key) WHERE withdrawn_at IS NULL")
    _one_per_invoice = models.UniqueIndex("(move_id) WHERE move_id IS NOT NULL AND withdrawn_at IS NULL")

    @api.depends("connection_id")
    def _compute_direction(self):
        for record in self:
            record.direction = "theirs" if record.connection_id else "ours"

    @api.depends("stated_amount", "cdr_amount")
    def _compute_difference(self):
        for record in self:
            stated, ours = from_float(record.stated_amount, 4), from_float(record.cdr_amount, 4)
            is_comparable = stated and record.direction == "theirs"
            record.difference = to_float(stated - ours) if is_comparable else 0.0

    def action_match(self):
        """Match again: CDRs may have come since."""
        self.check_access("read")
        # sudo: people write no records; the result follows from the CDRs alone, whoever asks for it
        self.sudo()._match()
        return True

    # -- theirs

    @api.model
    def _post(self, connection, version, raw, received_at):
        """Take a new record; one that is there is changed by PUT alone.

        :return: (record, "created", "known" or "conflict").
        :raise PayloadError: unreadable, or of another party.
        """
        owner = connection._owner_of_unnamed(version)
        obj = self._parse_object(raw, version, tolerances=connection._tolerances(), owner=owner)
        connection._check_owner(obj)
        check_ids(obj)
        record = self._search_key(connection, obj.key)
        if record:
            return record, "known" if record._has_content(raw, version, connection) else "conflict"
        return self._take(connection, version, obj, raw.decode(), received_at), "created"

    @api.model
    def _search_key(self, connection, key):
        """Of the records with this key the one that was not taken back."""
        return self.search_fetch(
            [
                ("company_id", "=", connection.company_id.id),
                ("ocpi_key", "=", key),
                ("withdrawn_at", "=", False),
            ],
            SEARCHED_FIELDS,
            limit=1,
        )

    @api.model
    def _read(self, connection, version, address, raw):
        obj = super()._read(connection, version, address, raw)
        check_ids(obj)
        return obj

    def _take(self, connection, version, obj, text, received_at):
        record = super()._take(connection, version, obj, text, received_at)
        (record | record._later_claimants())._match()
        return record

    def _withdraw(self, at):
        """Take the record back. What is also on a later one is no repetition any more.

        :param datetime at: naive UTC.
        """
        self.write({"withdrawn_at": at})
        # The same id may come again at once, and of each only one may hold.
        self.flush_recordset(["withdrawn_at"])
        self._later_claimants()._match()

    @api.model
    def _vals_from_object(self, obj, connection):
        currencies = self.env["res.currency"].with_context(active_test=False)
        currency = currencies.search([("name", "=", (obj.currency or "").upper())], limit=1)
        url = obj.dispute_url or ""
        return {
            "invoice_reference": obj.invoice_id,
            "cdr_count": len(obj.cdrs),
            "currency_id": currency.id,
            "stated_amount": to_float(obj.total_cost.excl_vat) if obj.total_cost else 0.0,
            "annex_sha256": obj.annex_sha256,
            # A link that people click on: other schemes stay in the payload.
            "dispute_url": url if url.lower().startswith(("https://", "http://")) else False,
        }

    # -- matching

    def _match(self):
        """Say of each listed id whether we have its CDR, and whether another invoice claims it too."""
        now = fields.Datetime.now()
        for record in self.filtered(lambda record: record.direction == "theirs"):
            vals_list = self.line_ids._prepare_lines(record, record._to_core().cdrs)
            record.line_ids.unlink()
            lines = self.line_ids.create(vals_list)
            record.write({"matched_at": now, **record._prepare_result_vals(lines)})

    def _prepare_result_vals(self, lines):
        cdrs = lines.cdr_id
        currency = self.currency_id or cdrs[:1].currency_id
        comparable = cdrs.filtered(lambda cdr: cdr.currency_id == currency)
        amounts = (from_float(cdr.amount_untaxed, 4) for cdr in comparable)
        return {
            "known_count": len(lines.filtered("cdr_id")),
            "unknown_count": len(lines.filtered(lambda line: line.outcome == "unknown")),
            "repeated_count": len(lines.filtered(lambda line: line.outcome == "repeated")),
            "currency_id": currency.id,
            "cdr_amount": to_float(sum(amounts, ZERO)),
        }

    def _later_claimants(self):
        """Records in which CDRs of these ones count as listed before."""
        lines = self.env["emsp.invoice.reconciliation.line"].search([("repeated_in_id", "in", self.ids)])
        return lines.reconciliation_id

    # -- ours

    @api.model
    def _create_own(self, move):
        """The record of an invoice of ours.

        :param move: posted, with its annex.
        """
        settlement = move.emsp_settlement_id
        obj = self._own_object(move)
        text = write_json(invoice_reconciliation_payload(obj, VERSION)).decode()
        nobody = self.env["emsp.ocpi.connection"]
        vals = self._prepare_received_vals(nobody, VERSION, obj, text, naive(obj.last_updated))
        vals |= {
            "company_id": settlement.company_id.id,
            "settlement_id": settlement.id,
            "move_id": move.id,
            "contract_id": settlement.contract_id.id,
        }
        return self.create(vals)

    @api.model
    def _own_object(self, move):
        """:return: core InvoiceReconciliation, in the name of the party of most of the CDRs."""
        cdrs, listed = self.env["emsp.cdr"], [("move_id", "=", move.id)]
        parties = cdrs._read_group(listed, ["ocpi_country_code", "ocpi_party_id"], ["__count"])
        country_code, party_id, __ = min(parties, key=lambda party: (-party[2], party[:2]))
        sign = -1 if move.move_type == "out_refund" else 1
        digits = move.currency_id.decimal_places
        return InvoiceReconciliation(
            country_code=country_code,
            party_id=party_id,
            id=str(uuid.uuid4()),
            invoice_id=move.name,
            cdrs=tuple(cdrs._ocpi_ids_of(listed)),
            total_cost=Price(
                from_float(move.amount_untaxed, digits) * sign, from_float(move.amount_total, digits) * sign
            ),
            currency=move.currency_id.name,
            annex_sha256=move.emsp_annex_id._content_sha256(),
            dispute_url=f"{move.get_base_url()}/my/invoices/{move.id}",
            last_updated=pytz.utc.localize(fields.Datetime.now()),
        )

    @api.model
    def _told_domain(self, connection):
        """Domain of what a partner may read: our records for the contracts that name a party of it."""
        contracts = connection._contracts()
        return [
            ("company_id", "=", connection.company_id.id),
            ("direction", "=", "ours"),
            ("withdrawn_at", "=", False),
            ("contract_id", "in", contracts.filtered(lambda c: c.partner_role == "emsp").ids),
        ]

    def _announce(self):
        """Extension point: tell partners of records of ours."""


def check_ids(obj):
    """:param obj: core InvoiceReconciliation. :raise PayloadError: an id that no database holds."""
    for index, ocpi_id in enumerate(obj.cdrs):
        if "\0" in ocpi_id:
            path = f"cdrs[{index}]"
            raise PayloadError("invalid_field", path=path, expected="a text without NUL", got=show(ocpi_id))

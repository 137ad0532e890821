from odoo import api, fields, models
from odoo.fields import Domain


class EmspInvoiceReconciliationLine(models.Model):
    """One id that a partner's record lists, and what we know of it."""

    _name = "emsp.invoice.reconciliation.line"
    _description = "CDR of an OCPI invoice reconciliation"
    _order = "reconciliation_id, id"
    _rec_name = "ocpi_cdr_id"

    reconciliation_id = fields.Many2one(
        "emsp.invoice.reconciliation", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True, index=True)
    ocpi_cdr_id = fields.Char(string="CDR id", required=True, readonly=True, help="As sent.")
    cdr_id = fields.Many2one(
        "emsp.cdr", string="CDR", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    outcome = fields.Selection(
        [("known", "Known"), ("unknown", "Unknown"), ("repeated", "Listed before")],
        required=True,
        readonly=True,
        help="Listed before: another record claims the CDR too, or this one does so twice.",
    )
    repeated_in_id = fields.Many2one(
        "emsp.invoice.reconciliation",
        string="Also in",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    session_end_at = fields.Datetime(related="cdr_id.session_end_at")
    amount_untaxed = fields.Float(related="cdr_id.amount_untaxed")

    @api.model
    def _prepare_lines(self, record, ids):
        """:param ids: of CDRs, as the record lists them. :return: list of vals."""
        cdrs = self._find_cdrs(record, ids)
        claims = self._find_claims(record, cdrs)
        vals_list, seen = [], set()
        for ocpi_id in ids:
            cdr = cdrs.get(ocpi_id.upper())
            claim = claims.get(cdr.id) if cdr else None
            is_repeated = bool(claim) or ocpi_id.upper() in seen
            seen.add(ocpi_id.upper())
            vals_list.append(
                {
                    "reconciliation_id": record.id,
                    "ocpi_cdr_id": ocpi_id,
                    "cdr_id": cdr and cdr.id,
                    "outcome": "repeated" if is_repeated else "known" if cdr else "unknown",
                    "repeated_in_id": claim and claim.id,
                }
            )
        return vals_list

    @api.model
    def _find_cdrs(self, record, ids):
        """The CDRs that a record means: it names ids, and the connection tells whose they are.

        A CPO's record is about its own CDRs, an eMSP's about those of our chargers that its tokens made.

        :return: dict upper-case id -> emsp.cdr.
        """
        connection = record.connection_id
        domain = Domain("company_id", "=", record.company_id.id)
        owners = {(record.ocpi_country_code, record.ocpi_party_id)}
        if connection._side() == "cpo":
            domain &= connection._token_domain()
            owners = self._own_parties(record.company_id)
        keys = [f"{country}*{party}*{ocpi_id}".upper() for country, party in owners for ocpi_id in ids]
        cdrs = self.env["emsp.cdr"].search_fetch(
            domain & Domain("ocpi_key", "in", keys),
            ["ocpi_id", "settlement_id", "amount_untaxed", "currency_id"],
            order="id",
        )
        return {cdr.ocpi_id.upper(): cdr for cdr in cdrs}

    @api.model
    def _own_parties(self, company):
        """:return: set of (country code, party id) of the company's own chargers."""
        own = self.env["emsp.ocpi.connection"].with_context(active_test=False)
        connections = own.search([("company_id", "=", company.id), ("peer_role", "=", "OWN")])
        return set(connections._by_party())

    @api.model
    def _find_claims(self, record, cdrs):
        """Which records claim CDRs already: earlier ones of partners, and ours of the invoice they are on.

        :param cdrs: as of `_find_cdrs`. :return: dict id of a CDR -> emsp.invoice.reconciliation.
        """
        records = self.env["emsp.invoice.reconciliation"]
        settlements = {cdr.id: cdr.settlement_id.id for cdr in cdrs.values() if cdr.settlement_id}
        ours = records.search(
            [("settlement_id", "in", list(set(settlements.values()))), ("withdrawn_at", "=", False)]
        )
        by_settlement = {each.settlement_id.id: each for each in ours}
        lines = self.search(
            [
                ("cdr_id", "in", [cdr.id for cdr in cdrs.values()]),
                ("reconciliation_id", "<", record.id),
                ("reconciliation_id.withdrawn_at", "=", False),
            ],
            order="id desc",
        )
        claims = {line.cdr_id.id: line.reconciliation_id for line in lines}
        claims |= {
            cdr: by_settlement[settlement]
            for cdr, settlement in settlements.items()
            if settlement in by_settlement
        }
        return claims

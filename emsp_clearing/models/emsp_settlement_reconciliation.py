from odoo import api, fields, models


class EmspSettlementReconciliation(models.Model):
    """Says over OCPI which CDRs an invoice of ours is about (direct billing)."""

    _inherit = "emsp.settlement"

    reconciliation_ids = fields.One2many("emsp.invoice.reconciliation", "settlement_id", readonly=True)

    @api.model
    def _invoice(self, groups):
        moves = super()._invoice(groups)
        for move in moves:
            move.emsp_settlement_ids._publish_reconciliation(move)
        return moves

    def _publish_reconciliation(self, move):
        """Make the record of an invoice of these settlements, once.

        :return: the record; empty where the partner is the one that bills.
        """
        # sudo: nobody writes records but the endpoint, and this one, which follows from the invoice alone
        records = self.env["emsp.invoice.reconciliation"].sudo()
        found = records.search([("move_id", "=", move.id), ("withdrawn_at", "=", False)], limit=1)
        if found or self[:1].contract_id.partner_role != "emsp":
            return found
        record = records._create_own(move)
        record._announce()
        return record

from odoo import fields, models


class EmspSettlementReconciliation(models.Model):
    """Says over OCPI which CDRs an invoice of ours is about (direct billing)."""

    _inherit = "emsp.settlement"

    reconciliation_ids = fields.One2many("emsp.invoice.reconciliation", "settlement_id", readonly=True)

    def _invoice(self):
        move = super()._invoice()
        self._publish_reconciliation()
        return move

    def _publish_reconciliation(self):
        """Make the record of the settlement's invoice, once.

        :return: the record; empty where nothing was invoiced, or the partner is the one that bills.
        """
        self.ensure_one()
        # sudo: nobody writes records but the endpoint, and this one, which follows from the invoice alone
        records = self.env["emsp.invoice.reconciliation"].sudo()
        found = records.search([("settlement_id", "=", self.id), ("withdrawn_at", "=", False)], limit=1)
        if found or not self.move_id or self.contract_id.partner_role != "emsp":
            return found
        record = records._create_own(self)
        record._announce()
        return record

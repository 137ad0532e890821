from odoo import models


class EmspContractRecheck(models.Model):
    """A price that was missing holds CDRs until it is there."""

    _inherit = "emsp.contract"

    def write(self, vals):
        done = super().write(vals)
        if vals.keys() & {"price_grid_ids", "price_source"}:
            self._recheck_unpriced()
        return done

    def _recheck_unpriced(self):
        """Price the CDRs again for which there was no tariff."""
        without = [("code", "=", "no_tariff"), ("superseded_at", "=", False)]
        for contract in self:
            domain = [
                ("contract_id", "=", contract.id),
                ("state", "=", "quarantine"),
                ("finding_ids", "any", without),
            ]
            self.env["emsp.cdr"]._enqueue_recheck(contract, domain)

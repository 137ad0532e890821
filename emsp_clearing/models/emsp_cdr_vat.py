from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class EmspCdrVat(models.Model):
    """The sessions that were invoiced after the 15th, of all settlements: a list for the tax adviser."""

    _inherit = "emsp.cdr"

    is_vat_late = fields.Boolean(
        string="Invoiced after the 15th",
        store=False,
        search="_search_is_vat_late",
        help="Under reverse charge and invoiced later than on the 15th of the month after the session.",
    )

    @api.model
    def _search_is_vat_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        settlements = self.env["emsp.settlement"].search([("vat_late_count", ">", 0)])
        # Settlements of the same month and time zone share a condition.
        ids_by_end = defaultdict(list)
        for settlement in settlements:
            ids_by_end[settlement._vat_late_end()].append(settlement.id)
        late = Domain("is_credit", "=", False) & Domain.OR(
            Domain("settlement_id", "in", ids) & Domain("session_end_at", "<", end)
            for end, ids in ids_by_end.items()
        )
        return Domain.OR(late if is_late else ~late for is_late in value)

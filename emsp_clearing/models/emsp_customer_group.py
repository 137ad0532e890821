from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.pricing.grid import Membership


class EmspCustomerGroup(models.Model):
    """Drivers that have prices of their own in some grid: a fleet, the staff, a brand's cards."""

    _name = "emsp.customer.group"
    _description = "Customer group"
    _order = "sequence, id"

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    sequence = fields.Integer(default=10, help="Of several groups that a driver is in, the first counts.")
    contract_prefixes = fields.Text(
        string="Beginnings of eMA ids",
        help="One per line. DE-SMO-C1 is every driver's contract whose id begins so.",
    )
    token_uids = fields.Text(string="Token uids", help="Of cards and apps, one per line.")

    @api.constrains("contract_prefixes", "token_uids")
    def _check_not_empty(self):
        for group in self:
            if not group._membership():
                raise ValidationError(
                    self.env._(
                        "Customer group %(group)s holds nobody. Give beginnings of eMA ids or token uids, "
                        "one per line.",
                        group=group.display_name,
                    )
                )

    def _membership(self):
        self.ensure_one()
        return Membership.of_texts(self.token_uids, self.contract_prefixes)

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.pricing.grid import Membership


class EmspLocationGroup(models.Model):
    """Chargers that have prices of their own in some grid."""

    _name = "emsp.location.group"
    _description = "Location group"
    _order = "sequence, id"

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    sequence = fields.Integer(default=10, help="Of several groups that a charger is in, the first counts.")
    location_codes = fields.Text(string="Location ids", help="OCPI location ids, one per line.")
    evse_prefixes = fields.Text(
        string="Beginnings of EVSE ids", help="One per line. FR*RVR*E1 is every EVSE whose id begins so."
    )

    @api.constrains("location_codes", "evse_prefixes")
    def _check_not_empty(self):
        for group in self:
            if not group._membership():
                raise ValidationError(
                    self.env._(
                        "Location group %(group)s holds no charger. Give location ids or beginnings of "
                        "EVSE ids, one per line.",
                        group=group.display_name,
                    )
                )

    def _membership(self):
        self.ensure_one()
        return Membership.of_texts(self.location_codes, self.evse_prefixes)

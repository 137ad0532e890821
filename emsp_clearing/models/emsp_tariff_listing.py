from odoo import fields, models


class EmspTariffListing(models.Model):
    """What becomes of a tariff that its CPO's whole list does not hold any more."""

    _inherit = "emsp.tariff"

    listed_at = fields.Datetime(
        string="Last listed", readonly=True, help="When the partner's whole list held it last."
    )

    def _end_unlisted(self, as_of):
        """As if the partner had deleted them. :return: those that ended now."""
        self._end(as_of)
        return self

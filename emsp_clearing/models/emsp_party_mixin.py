from odoo import api, fields, models

from . import party


class EmspPartyMixin(models.AbstractModel):
    """An OCPI party: the country code and party id of one role of somebody."""

    _name = "emsp.party.mixin"
    _description = "OCPI party"

    country_code = fields.Char(size=2, required=True, help="Two letters, for example FR.")
    ocpi_party_id = fields.Char(
        string="Party id", size=3, required=True, help="Three letters or digits, as registered (eMI3)."
    )

    @api.depends("country_code", "ocpi_party_id")
    def _compute_display_name(self):
        for record in self:
            record.display_name = f"{record.country_code}*{record.ocpi_party_id}"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([party.upper(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(party.upper(vals))

    @api.constrains("country_code", "ocpi_party_id")
    def _check_format(self):
        for record in self:
            party.check(record)

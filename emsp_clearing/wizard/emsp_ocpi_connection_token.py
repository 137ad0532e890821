from odoo import fields, models


class EmspOcpiConnectionToken(models.AbstractModel):
    """Shows a new token once. Abstract: there is no table in which the clear text could stay."""

    _name = "emsp.ocpi.connection.token"
    _description = "New token of an OCPI connection"

    # Without it the form's onchange does not return the token.
    id = fields.Id()
    token = fields.Char(readonly=True)
    versions_url = fields.Char(string="Versions URL", readonly=True)
    valid_until = fields.Datetime(string="Valid until", readonly=True, help="Of a registration token.")

import uuid

from odoo import fields, models


class EmspTokenAuthorization(models.Model):
    """What a charger was told when it asked whether a driver may charge; the CDR names its reference."""

    _name = "emsp.token.authorization"
    _description = "Authorization of a token"
    _check_company_auto = True
    _order = "id desc"
    _rec_name = "reference"

    token_id = fields.Many2one(
        "emsp.token", required=True, readonly=True, check_company=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="token_id.company_id", store=True, index=True)
    connection_id = fields.Many2one(
        "emsp.ocpi.connection",
        required=True,
        readonly=True,
        check_company=True,
        ondelete="restrict",
        index=True,
    )
    reference = fields.Char(required=True, readonly=True, default=lambda self: str(uuid.uuid4()), index=True)
    allowed = fields.Selection(
        [("ALLOWED", "Allowed"), ("BLOCKED", "Blocked")], string="Answer", required=True, readonly=True
    )
    ocpi_location_id = fields.Char(string="Location id", readonly=True)
    evse_uids = fields.Char(string="EVSEs", readonly=True)
    create_date = fields.Datetime(string="Asked at", readonly=True)

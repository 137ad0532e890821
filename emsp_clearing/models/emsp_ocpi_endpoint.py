from odoo import api, fields, models


class EmspOcpiEndpoint(models.Model):
    """Where a module of a partner is: as its version details told, or as a manager typed it in."""

    _name = "emsp.ocpi.endpoint"
    _description = "OCPI endpoint of a partner"
    _order = "connection_id, identifier, role, id"
    _rec_name = "identifier"

    connection_id = fields.Many2one("emsp.ocpi.connection", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    identifier = fields.Char(string="Module", required=True, help="As in OCPI: cdrs, sessions, tokens …")
    role = fields.Selection(
        [("SENDER", "Sender"), ("RECEIVER", "Receiver")], help="The partner's; none in OCPI 2.1.1."
    )
    url = fields.Char(string="URL", required=True)

    @api.model_create_multi
    def create(self, vals_list):
        # A partner's role that OCPI does not know is no reason to refuse its endpoint.
        known = dict(self._fields["role"].selection)
        return super().create(
            [{**vals, "role": vals.get("role") if vals.get("role") in known else False} for vals in vals_list]
        )

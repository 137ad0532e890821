from odoo import api, fields, models


class EmspOcpiConnectionParty(models.Model):
    """A further party on a partner's platform (OCPI 2.2.1, 7.3.1): beside the connection's own.

    What credentials tell is the partner's word alone. A party counts when it was accepted: else a partner
    could name another one's, and be given what belongs to that one.
    """

    _name = "emsp.ocpi.connection.party"
    _description = "Further party of an OCPI connection"
    _inherit = ["emsp.party.mixin"]
    _order = "connection_id, role, country_code, ocpi_party_id"

    connection_id = fields.Many2one("emsp.ocpi.connection", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    role = fields.Selection(
        [("CPO", "CPO"), ("EMSP", "eMSP")],
        required=True,
        help="Parties count in the role of the connection's other side.",
    )
    name = fields.Char()
    is_accepted = fields.Boolean(
        string="Accepted",
        default=True,
        help="Objects of the party are taken from this platform, and given to it, only then.",
    )
    is_declared = fields.Boolean(
        string="Told by the partner",
        readonly=True,
        help="By its credentials: the party goes when they name it no more.",
    )

    _party_unique = models.UniqueIndex(
        "(connection_id, role, country_code, ocpi_party_id)", "A connection names each party once in a role."
    )
    _claim = models.Index("(company_id, country_code, ocpi_party_id)")

    @api.constrains("connection_id", "role", "country_code", "ocpi_party_id", "is_accepted")
    def _check_once(self):
        self.connection_id._check_parties_once()

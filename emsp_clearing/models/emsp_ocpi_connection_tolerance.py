from odoo import fields, models

from ..core.ocpi.tolerances import DEFAULT, Tolerances
from .emsp_ocpi_connection import TOLERANCE_FIELDS

# The version in which no object but the CDR's location tells an owner.
OWNERLESS = "2.1.1"


class EmspOcpiConnectionTolerance(models.Model):
    """What a partner may do otherwise than OCPI says.

    Of each use there is a note: a finding of the CDR, or a remark with the message in the log.
    """

    _inherit = "emsp.ocpi.connection"

    allow_text_numbers = fields.Boolean(
        string="Numbers as text",
        default=DEFAULT.text_numbers,
        tracking=True,
        help='"12.5" for 12.5. In OCPI 2.1.1, whose own examples have it, always taken.',
    )
    allow_missing_values = fields.Boolean(
        string="Missing values",
        default=DEFAULT.missing_values,
        tracking=True,
        help="What OCPI requires, but an object can be understood without: of a place the address, the "
        "coordinates, the EVSE; of a token its party and type.",
    )
    allow_missing_owner = fields.Boolean(
        string="Missing owner",
        default=DEFAULT.missing_owner,
        tracking=True,
        help="Objects without country_code and party_id: the URL tells whose they are; a CDR is taken to be "
        "of the connection's party. The CDRs of a hub have to tell.",
    )
    allow_country_forms = fields.Boolean(
        string="Countries in the other length",
        default=DEFAULT.country_forms,
        tracking=True,
        help="Two letters where three are due (FR for FRA in a location), and three where two are due (FRA "
        "for FR of a party).",
    )
    allow_price_forms = fields.Boolean(
        string="Prices of other versions",
        default=DEFAULT.price_forms,
        tracking=True,
        help="A bare number, which is taken as the net price, or the fields that prices have in another "
        "version of OCPI.",
    )
    allow_long_texts = fields.Boolean(
        string="Long texts",
        default=DEFAULT.long_texts,
        tracking=True,
        help="Texts over their documented length, such as an address of more than 45 characters. They are "
        "kept whole; an identifier has at most 255 characters.",
    )
    allow_header_forms = fields.Boolean(
        string="Other token headers",
        default=DEFAULT.header_forms,
        tracking=True,
        help='The token behind "token" or "Bearer", or alone, where "Token" is due.',
    )

    def _tolerances(self):
        """:return: core Tolerances of this connection."""
        self.ensure_one()
        return Tolerances(**{name: self[field] for name, field in TOLERANCE_FIELDS.items()})

    def _owner_of_unnamed(self, version):
        """Whose a CDR is that does not say.

        :return: (country code, party id), or None: of a hub's parties nobody knows which.
        """
        self.ensure_one()
        if self.is_hub and version != OWNERLESS:
            return None
        return self.country_code, self.ocpi_party_id

from odoo import fields, models

from ..core.ocpi.normalise import VERSIONS


class EmspOcpiConnectionVersion(models.Model):
    """How far a handshake may go: some partners offer a version that they do not master yet."""

    _inherit = "emsp.ocpi.connection"

    highest_version = fields.Selection(
        [(version, version) for version in VERSIONS],
        string="Up to version",
        tracking=True,
        help="A handshake agrees on the highest version that both sides speak, and on none above this one.",
    )

    def _fetch_details(self, client, versions_url, acceptable):
        if self.highest_version:
            acceptable = acceptable[: VERSIONS.index(self.highest_version) + 1]
        return super()._fetch_details(client, versions_url, acceptable)

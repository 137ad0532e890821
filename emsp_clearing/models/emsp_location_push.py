from odoo import models

from .emsp_ocpi_push import Told
from .emsp_ocpi_traffic import quoted


class EmspLocationPush(models.Model):
    """eMSPs are told of our own charging places."""

    _inherit = "emsp.location"

    def _take(self, connection, version, obj, text, received_at):
        location = super()._take(connection, version, obj, text, received_at)
        location._queue_push()
        return location

    def _queue_push(self):
        """Queue places of our own charge point system for each partner that is told of them."""
        own = self.filtered(lambda location: location.connection_id.peer_role == "OWN")
        told = []
        for company in own.company_id:
            connections = self.env["emsp.ocpi.connection"]._pushing("locations", company)
            if connections:
                locations = own.filtered(lambda location, c=company: location.company_id == c)
                told += [location._tell(connection) for location in locations for connection in connections]
        self.env["emsp.ocpi.push"]._queue(told)

    def _tell(self, connection):
        path = quoted(self.ocpi_country_code, self.ocpi_party_id, self.ocpi_id)
        return Told(connection, "locations", "PUT", self, self.ocpi_key, path, self.payload)

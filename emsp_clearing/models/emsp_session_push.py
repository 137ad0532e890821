from odoo import models

from .emsp_ocpi_push import Told
from .emsp_ocpi_traffic import quoted


class EmspSessionPush(models.Model):
    """eMSPs are told of their drivers' sessions at our own chargers."""

    _inherit = "emsp.session"

    def _take(self, connection, version, obj, text, received_at):
        session = super()._take(connection, version, obj, text, received_at)
        session._queue_push()
        return session

    def _queue_push(self):
        """Queue sessions of our own chargers for the partner whose token was used."""
        own = self.filtered(lambda session: session.connection_id.peer_role == "OWN")
        told = []
        for company in own.company_id:
            connections = self.env["emsp.ocpi.connection"]._pushing("sessions", company)
            by_party = connections._by_party()
            for session in own.filtered(lambda session, c=company: session.company_id == c):
                connection = by_party.get((session.token_country_code, session.token_party_id))
                if connection:
                    told.append(session._tell(connection))
        self.env["emsp.ocpi.push"]._queue(told)

    def _tell(self, connection):
        path = quoted(self.ocpi_country_code, self.ocpi_party_id, self.ocpi_id)
        return Told(connection, "sessions", "PUT", self, self.ocpi_key, path, self.payload)

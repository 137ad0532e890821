from odoo import models

from .emsp_ocpi_push import Told
from .emsp_ocpi_traffic import quoted


class EmspOcpiObjectPush(models.AbstractModel):
    """eMSPs are told what our own charge point system tells us of our chargers."""

    _inherit = "emsp.ocpi.object"
    # Of each kind that partners are told of: the OCPI module.
    _pushed_module = None

    def _take(self, connection, version, obj, text, received_at):
        record = super()._take(connection, version, obj, text, received_at)
        if self._pushed_module:
            record._queue_push()
        return record

    def _queue_push(self):
        """Queue objects of our own charge point system for the partners that they are for."""
        told = []
        own = self.filtered(lambda record: record.connection_id.peer_role == "OWN")
        for company in own.company_id:
            connections = self.env["emsp.ocpi.connection"]._pushing(self._pushed_module, company)
            by_party = connections._by_party()
            for record in own.filtered(lambda record, c=company: record.company_id == c):
                told += [record._tell(each) for each in record._told_among(connections, by_party)]
        self.env["emsp.ocpi.push"]._queue(told)

    def _told_among(self, connections, by_party):
        """Extension point: which partners an object is for; by default all.

        :param connections: those that are told of its kind.
        :param by_party: the same, as of `_by_party`.
        """
        return connections

    def _tell(self, connection):
        path = quoted(self.ocpi_country_code, self.ocpi_party_id, self.ocpi_id)
        return Told(connection, self._pushed_module, "PUT", self, self.ocpi_key, path, self.payload)

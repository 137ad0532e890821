from odoo import models

from .emsp_ocpi_push import Told
from .emsp_ocpi_push_content import SHOWN_STATES


class EmspCdrPush(models.Model):
    """eMSPs get the CDRs of our own chargers as soon as these are open to them."""

    _inherit = "emsp.cdr"

    def _rate(self, as_of):
        waiting = self.filtered(lambda cdr: cdr.state == "received")
        done = super()._rate(as_of)
        waiting._queue_push()
        return done

    def _release(self, as_of):
        released = super()._release(as_of)
        released._queue_push()
        return released

    def _queue_push(self):
        """Queue CDRs of our own chargers for the partner whose token was used: all of them at once.

        A credit that is neutralised together with its original is queued too: the partner may have the
        original already. Whether it does is seen when the credit's turn comes.
        """
        told = []
        mine = self.filtered(
            lambda cdr: (
                cdr.connection_id.peer_role == "OWN"
                and (cdr.state in SHOWN_STATES or (cdr.is_credit and cdr.credited_cdr_id))
            )
        )
        for company in mine.company_id:
            connections = self.env["emsp.ocpi.connection"]._pushing("cdrs", company)
            by_party = connections._by_party()
            for cdr in mine.filtered(lambda cdr, c=company: cdr.company_id == c):
                connection = by_party.get((cdr.token_country_code, cdr.token_party_id))
                if connection:
                    told.append(cdr._tell(connection))
        self.env["emsp.ocpi.push"]._queue(told)

    def _tell(self, connection):
        return Told(connection, "cdrs", "POST", self, self.ocpi_key, "", self.payload_sha256)

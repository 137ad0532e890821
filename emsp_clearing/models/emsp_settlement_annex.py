from odoo import models

from ..report.emsp_annex import AnnexSettlement

COLUMN_OF_COMPONENT = {"FLAT": "session_fee", "ENERGY": "energy", "TIME": "time", "PARKING_TIME": "parking"}


class EmspSettlementAnnex(models.Model):
    """A settlement as the session annex of an invoice names it."""

    _inherit = "emsp.settlement"

    def _annex_settlement(self):
        """:return: AnnexSettlement."""
        self.ensure_one()
        return AnnexSettlement(
            name=self.name,
            contract=self.contract_id.display_name,
            date_first=self.date_first,
            date_last=self.date_last,
            time_zone=self._zone_name(),
            list_hash=self.list_hash,
            sessions=self.cdr_count,
        )

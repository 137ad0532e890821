from datetime import UTC

from odoo import models
from odoo.tools import SQL

from ..core.money import ZERO, D, round_money
from ..report.emsp_annex import AnnexRow
from .emsp_settlement_annex import COLUMN_OF_COMPONENT
from .sql_stream import stream

# Of the row, by its expression in SQL; `cdr` is the CDR, `before` the one before it in its chain.
COLUMNS = {
    "ocpi_key": "cdr.ocpi_key",
    "cdr": "cdr.ocpi_id",
    "session_id": "COALESCE(cdr.ocpi_session_id, '')",
    "start": "cdr.session_start_at",
    "end": "cdr.session_end_at",
    "time_zone": "cdr.time_zone",
    "place": "COALESCE(cdr.location_name, '')",
    "address": "COALESCE(cdr.location_address, '')",
    "city": "COALESCE(cdr.location_city, '')",
    "country": "COALESCE(cdr.location_country, '')",
    "evse_id": "COALESCE(cdr.evse_id, '')",
    "connector": "COALESCE(cdr.connector_id, '')",
    "power_type": "COALESCE(cdr.power_type, '')",
    "token_uid": "COALESCE(cdr.token_uid, '')",
    "emaid": "COALESCE(cdr.emaid, '')",
    "energy_kwh": "ROUND(COALESCE(cdr.energy_kwh, 0), 4)::text",
    "duration_s": "COALESCE(cdr.duration_s, 0)",
    "parking_s": "COALESCE(cdr.parking_s, 0)",
    "tariff": "COALESCE(cdr.priced_by, '')",
    "net": "ROUND(COALESCE(cdr.amount_untaxed, 0), 4)::text",
    "payload_sha256": "cdr.payload_sha256",
    "chain_index": "COALESCE(cdr.chain_index, 0)",
    "chain_before": "COALESCE(before.chain_hash, '')",
    "chain_hash": "COALESCE(cdr.chain_hash, '')",
    "is_credit": "COALESCE(cdr.is_credit, FALSE)",
}
# Read beside them, to make of it what the row has.
OTHERS = "cdr.components, cdr.settlement_id, cdr.price_grid_id, COALESCE(cdr.is_late, FALSE)"
PARTS = (*COLUMN_OF_COMPONENT.values(), "other")


class AccountMoveAnnexRows(models.Model):
    """The sessions that a document bills, as rows of its annex."""

    _inherit = "account.move"

    def _annex_domain(self):
        """The document says which sessions it bills; a settlement may have several documents, and a
        document several settlements."""
        self.ensure_one()
        return [("move_id", "=", self.id)]

    def _annex_rows(self, net, tax):
        """
        :param Decimal net: sum of all rows. :param Decimal tax: of the invoice, for them to share.
        :return: iterator of AnnexRow in the order of the sessions.
        """
        self.ensure_one()
        take_tax = self._annex_tax_taker(net, tax)
        label = ", ".join(self.invoice_line_ids.tax_ids.mapped("name"))
        settlements = {settlement.id: settlement for settlement in self._annex_settlements()}
        grids, precision = {}, self._annex_precision()
        for *values, components, settlement_id, grid_id, is_late in stream(self.env, self._annex_query()):
            facts = dict(zip(COLUMNS, values, strict=True))
            settlement = settlements[settlement_id]
            if grid_id not in grids:
                grids[grid_id] = self.env["emsp.price.grid"].browse(grid_id).name
            late_from = f"{settlement.contract_id._local_date(facts['end']):%Y-%m}" if is_late else ""
            facts["start"], facts["end"] = (facts[name].replace(tzinfo=UTC) for name in ("start", "end"))
            facts["time_zone"] = facts["time_zone"] or settlement._zone_name()
            facts["energy_kwh"] = D(facts["energy_kwh"])
            facts["net"] = round_money(D(facts["net"]), precision)
            facts["tariff"] = grids[grid_id] or facts["tariff"]
            yield AnnexRow(
                **facts,
                **parts_of(components),
                tax=take_tax(facts["net"], components),
                tax_label=label,
                settlement=settlement.name,
                late_from=late_from,
            )

    def _annex_query(self):
        self.env["emsp.cdr"].flush_model()
        return SQL(
            """SELECT %s, %s
                 FROM emsp_cdr cdr
            LEFT JOIN emsp_cdr before ON before.connection_id = cdr.connection_id
                                     AND before.chain_index = cdr.chain_index - 1
                                     AND before.chain_index > 0
                WHERE cdr.move_id = %s
             ORDER BY cdr.session_start_at, cdr.ocpi_key""",
            SQL(", ").join(map(SQL, COLUMNS.values())),
            SQL(OTHERS),
            self.id,
        )

    def _annex_settlements(self):
        """:return: the settlements whose sessions the document bills, in the order of their periods."""
        groups = self.env["emsp.cdr"]._read_group(self._annex_domain(), ["settlement_id"])
        settlements = self.env["emsp.settlement"].union(*(settlement for (settlement,) in groups))
        return settlements.sorted(lambda settlement: (settlement.period_start, settlement.id))

    def _annex_precision(self):
        return max((int(settlement.price_precision) for settlement in self._annex_settlements()), default=2)


def parts_of(components):
    """The net amount by column; what has no column of its own is "other"."""
    parts = dict.fromkeys(PARTS, ZERO)
    for component in components or ():
        parts[COLUMN_OF_COMPONENT.get(component["component"], "other")] += D(component["amount"])
    return parts

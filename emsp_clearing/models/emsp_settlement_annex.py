from datetime import UTC

from odoo import models

from ..core.invoicing import annex_taxes
from ..core.money import D, from_float
from ..report.emsp_annex import AnnexHeader, AnnexRow

COLUMN_OF_COMPONENT = {"FLAT": "session_fee", "ENERGY": "energy", "TIME": "time", "PARKING_TIME": "parking"}
ZERO = D(0)


class EmspSettlementAnnex(models.Model):
    """The settlement's list as rows of the session annex."""

    _inherit = "emsp.settlement"

    def _annex_header(self, move):
        """:return: AnnexHeader of the invoice; amounts signed like the rows."""
        self.ensure_one()
        company, partner = self.company_id, move.commercial_partner_id
        sign = -1 if move.move_type == "out_refund" else 1
        digits = self.currency_id.decimal_places
        return AnnexHeader(
            company=company.name,
            company_vat=company.vat or "",
            partner=partner.name,
            partner_vat=partner.vat or "",
            contract=self.contract_id.display_name,
            settlement=self.name,
            date_first=self.date_first,
            date_last=self.date_last,
            time_zone=self.time_zone,
            invoice_number=move.name or "",
            invoice_date=move.invoice_date,
            currency=self.currency_id.name,
            precision=int(self.price_precision),
            untaxed=from_float(move.amount_untaxed, digits) * sign,
            tax=from_float(move.amount_tax, digits) * sign,
            list_hash=self.list_hash,
            chain_head=self._annex_chain_head(move),
            color=company.primary_color or "#1f3a4d",
        )

    def _annex_rows(self, move):
        """:return: list of AnnexRow in the order of the sessions; their tax sums to the invoice's."""
        self.ensure_one()
        cdrs = self._annex_cdrs(move).sorted(lambda cdr: (cdr.session_start_at, cdr.ocpi_key))
        precision = int(self.price_precision)
        nets = [from_float(cdr.amount_untaxed, precision) for cdr in cdrs]
        header = self._annex_header(move)
        taxes = annex_taxes(nets, header.tax, self.currency_id.decimal_places)
        label = ", ".join(move.invoice_line_ids.tax_ids.mapped("name"))
        before = self._annex_chain_before(cdrs)
        return [
            AnnexRow(
                net=net,
                tax=tax,
                tax_label=label,
                late_from=self._origin_period(cdr),
                chain_before=before[cdr],
                **self._annex_facts(cdr),
                **self._annex_parts(cdr),
            )
            for cdr, net, tax in zip(cdrs, nets, taxes, strict=True)
        ]

    def _annex_cdrs(self, move):
        return self.env["emsp.cdr"].search([("move_id", "=", move.id)])

    def _annex_facts(self, cdr):
        return {
            "ocpi_key": cdr.ocpi_key,
            "cdr": cdr.ocpi_id,
            "session_id": cdr.ocpi_session_id or "",
            "start": cdr.session_start_at.replace(tzinfo=UTC),
            "end": cdr.session_end_at.replace(tzinfo=UTC),
            "time_zone": cdr.time_zone or self.time_zone,
            "place": cdr.location_name or "",
            "address": cdr.location_address or "",
            "city": cdr.location_city or "",
            "country": cdr.location_country or "",
            "evse_id": cdr.evse_id or "",
            "connector": cdr.connector_id or "",
            "power_type": cdr.power_type or "",
            "token_uid": cdr.token_uid or "",
            "emaid": cdr.emaid or "",
            "energy_kwh": from_float(cdr.energy_kwh, 4),
            "duration_s": cdr.duration_s,
            "parking_s": cdr.parking_s,
            "tariff": cdr.price_grid_id.name or cdr.priced_by or "",
            "payload_sha256": cdr.payload_sha256,
            "chain_index": cdr.chain_index,
            "chain_hash": cdr.chain_hash,
            "is_credit": cdr.is_credit,
        }

    def _annex_parts(self, cdr):
        """The net amount by column; what has no column of its own is "other"."""
        parts = dict.fromkeys((*COLUMN_OF_COMPONENT.values(), "other"), ZERO)
        for component in cdr.components:
            parts[COLUMN_OF_COMPONENT.get(component["component"], "other")] += D(component["amount"])
        return parts

    def _annex_chain_head(self, move):
        """The chain's value after the last CDR; of two connections' last ones the greater key decides."""
        return (
            self._annex_cdrs(move).sorted(lambda cdr: (cdr.chain_index, cdr.ocpi_key))[-1:].chain_hash or ""
        )

    def _annex_chain_before(self, cdrs):
        """:return: dict CDR -> the chain's value before it, empty for the first of a connection."""
        links = self.env["emsp.cdr"].search_read(
            [
                ("connection_id", "in", cdrs.connection_id.ids),
                ("chain_index", "in", [cdr.chain_index - 1 for cdr in cdrs if cdr.chain_index > 1]),
            ],
            ["connection_id", "chain_index", "chain_hash"],
            load=None,
        )
        values = {(row["connection_id"], row["chain_index"]): row["chain_hash"] for row in links}
        return {cdr: values.get((cdr.connection_id.id, cdr.chain_index - 1), "") for cdr in cdrs}

    def _origin_period(self, cdr):
        return f"{self.contract_id._local_date(cdr.session_end_at):%Y-%m}" if cdr.is_late else ""

from datetime import UTC
from tempfile import SpooledTemporaryFile

from odoo import api, models
from odoo.tools import split_every

from ..core.money import ZERO, D, from_float
from ..report.emsp_annex_cells import DATE_TIME, KWH, MINUTES
from ..report.emsp_cdr_export import Column, local_columns, write_csv, write_json, write_xlsx
from .emsp_settlement_annex import COLUMN_OF_COMPONENT

# CDRs in memory at a time; and bytes, before the file goes to the disk.
BATCH = 1000
SPOOL_BYTES = 8 * 1024 * 1024
# As many decimals as the contract counts in.
AMOUNT = "#,##0.00##"
PARTS = (*COLUMN_OF_COMPONENT.values(), "other")
# Column of the file: field of the CDR.
PLAIN_COLUMNS = {
    "cdr": "ocpi_id",
    "country_code": "ocpi_country_code",
    "party_id": "ocpi_party_id",
    "session_id": "ocpi_session_id",
    "place": "location_name",
    "address": "location_address",
    "city": "location_city",
    "country": "location_country",
    "evse_id": "evse_id",
    "connector": "connector_id",
    "power_type": "power_type",
    "token_uid": "token_uid",
    "emaid": "emaid",
    "tariff": "priced_by",
    "credits_cdr": "credited_ocpi_id",
    "sha256": "payload_sha256",
}
EXPORT_FIELDS = (
    *PLAIN_COLUMNS.values(),
    "state",
    "session_start_at",
    "session_end_at",
    "time_zone",
    "energy_kwh",
    "duration_s",
    "parking_s",
    "components",
    "amount_untaxed",
    "stated_amount",
    "currency_id",
    "is_credit",
    "is_late",
)


class EmspCdrPortalExport(models.Model):
    """A selection of CDRs as a file."""

    _inherit = "emsp.cdr"

    @api.model
    def _portal_export(self, domain, order, file_format):
        """Write the whole selection; only a batch of it is in memory at a time.

        :param file_format: "csv", "json" or "xlsx".
        :return: open file, at its start; whoever takes it closes it.
        """
        ids = self._search(domain, order=order).get_result_ids()
        # Amounts of several currencies have no sum.
        columns = self._portal_export_columns(len(self._portal_totals(domain)) == 1)
        rows = self._portal_export_rows(ids)
        output = SpooledTemporaryFile(max_size=SPOOL_BYTES)
        if file_format == "csv":
            write_csv(output, columns, rows)
        elif file_format == "json":
            write_json(output, columns, rows)
        else:
            color = self.env.company.primary_color or ""
            write_xlsx(output, columns, rows, len(ids), color, self.env._("Sessions"))
        output.seek(0)
        return output

    @api.model
    def _portal_export_columns(self, one_currency):
        """Extension point: the columns of the file, in their order."""
        parts = (
            self.env._("Session fee"),
            self.env._("Energy"),
            self.env._("Time"),
            self.env._("Parking"),
            self.env._("Other"),
        )
        return [
            Column("cdr", self.env._("CDR"), 26),
            Column("state", self.env._("State"), 12),
            Column("start_local", self.env._("Start (local)"), 20, DATE_TIME),
            Column("start_offset", self.env._("Offset at start"), 10, is_ours=True),
            Column("end_local", self.env._("End (local)"), 20, DATE_TIME),
            Column("end_offset", self.env._("Offset at end"), 10, is_ours=True),
            Column("time_zone", self.env._("Time zone"), 17),
            Column("place", self.env._("Place"), 28),
            Column("city", self.env._("City"), 18),
            Column("evse_id", self.env._("EVSE ID"), 22),
            Column("token_uid", self.env._("Token"), 22),
            Column("emaid", self.env._("eMA ID"), 22),
            Column("energy_kwh", "kWh", 12, KWH, total=True),
            Column("duration_s", self.env._("Duration (min)"), 11, MINUTES, total=True),
            Column("parking_s", self.env._("Parking (min)"), 11, MINUTES, total=True),
            Column("tariff", self.env._("Applied tariff"), 24),
            *(
                Column(name, label, 13, AMOUNT, total=one_currency)
                for name, label in zip(PARTS, parts, strict=True)
            ),
            Column("net", self.env._("Net"), 13, AMOUNT, total=one_currency),
            Column("currency", self.env._("Currency"), 10),
            Column("stated", self.env._("Stated by the CDR"), 13, AMOUNT),
            Column("findings", self.env._("Findings"), 40),
            Column("is_credit", self.env._("Credit CDR"), 11),
            Column("credits_cdr", self.env._("Credits CDR"), 20),
            Column("is_late", self.env._("Late"), 9),
            Column("session_id", self.env._("Session"), 20),
            Column("country_code", self.env._("Country code"), 10),
            Column("party_id", self.env._("Party id"), 10),
            Column("address", self.env._("Address"), 28),
            Column("country", self.env._("Country"), 10),
            Column("connector", self.env._("Connector"), 14),
            Column("power_type", self.env._("Power type"), 14),
            Column("start_utc", self.env._("Start (UTC)"), 20, DATE_TIME),
            Column("end_utc", self.env._("End (UTC)"), 20, DATE_TIME),
            Column("sha256", self.env._("SHA-256 of the CDR as received"), 68),
        ]

    @api.model
    def _portal_export_rows(self, ids):
        """:return: iterator of dicts by column name."""
        for batch in split_every(BATCH, ids, tuple):
            cdrs = self.browse(batch)
            findings = cdrs._portal_finding_texts()
            for vals in cdrs.read(EXPORT_FIELDS, load=None):
                yield self._portal_export_row(vals, findings.get(vals["id"], ""))
            # What was written is not read again.
            self.env.invalidate_all(flush=False)

    def _portal_finding_texts(self):
        """:return: dict id of CDR -> its findings in words; one query for all."""
        found = self.env["emsp.cdr.finding"].search_fetch(
            [("cdr_id", "in", self.ids), ("superseded_at", "=", False)], order="cdr_id, id"
        )
        by_cdr = found.grouped(lambda finding: finding.cdr_id.id)
        return {cdr: "; ".join(findings.mapped("message")) for cdr, findings in by_cdr.items()}

    def _portal_export_row(self, vals, findings):
        """:param vals: EXPORT_FIELDS of one CDR, as `read` gives them."""
        start, end = (vals[name].replace(tzinfo=UTC) for name in ("session_start_at", "session_end_at"))
        parts = dict.fromkeys(PARTS, ZERO)
        for component in vals["components"] or ():
            parts[COLUMN_OF_COMPONENT.get(component["component"], "other")] += D(component["amount"])
        return {
            **{column: vals[name] or "" for column, name in PLAIN_COLUMNS.items()},
            **local_columns(start, end, vals["time_zone"] or "UTC"),
            **parts,
            "state": vals["state"],
            "start_utc": start,
            "end_utc": end,
            "energy_kwh": from_float(vals["energy_kwh"], 4),
            "duration_s": vals["duration_s"],
            "parking_s": vals["parking_s"],
            "net": from_float(vals["amount_untaxed"], 4),
            "currency": self.env["res.currency"].browse(vals["currency_id"]).name or "",
            "stated": from_float(vals["stated_amount"], 4),
            "findings": findings,
            "is_credit": vals["is_credit"],
            "is_late": vals["is_late"],
        }

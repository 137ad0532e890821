from odoo import models
from odoo.tools import SQL, split_every

from ..core.money import D
from ..report import emsp_annex_details as details
from .sql_stream import stream

# Records in memory at a time.
BATCH = 1000


class AccountMoveAnnexDetails(models.Model):
    """What the annex tells of the sessions besides their amounts: nothing that the portal does not show."""

    _inherit = "account.move"

    def _annex_details(self):
        """:return: list of report.emsp_annex.Detail, the further sheets of the annex."""
        currency = self.currency_id.name
        sheets = [
            details.findings(self._annex_findings(), self.env),
            details.disputes(currency, self._annex_disputes(), self.env),
        ]
        if any(settlement.contract_id.annex_has_segments for settlement in self._annex_settlements()):
            sheets.insert(0, details.segments(currency, self._annex_segments(), self.env))
        return sheets

    def _annex_segments(self):
        """:return: iterator of SegmentRow, from the explanations as they were stored."""
        cdrs = self.env["emsp.cdr"]
        cdrs.flush_model()
        query = SQL(
            """SELECT ocpi_id, ocpi_key, is_credit, explanation FROM emsp_cdr
                WHERE move_id = %s ORDER BY session_start_at, ocpi_key""",
            self.id,
        )
        for cdr, key, is_credit, explanation in stream(self.env, query):
            if explanation:
                # Its segments repeat the session; only its total is negative (OCPI 2.2.1, 10.1.1).
                sign = D(-1 if is_credit else 1)
                for segment in cdrs._annex_segment_facts(explanation, sign):
                    yield details.SegmentRow(cdr=cdr, ocpi_key=key, **segment)

    def _annex_findings(self):
        """:return: iterator of FindingRow: those that hold, as the record rule shows them to the partner."""
        findings = self.env["emsp.cdr.finding"]
        domain = [("superseded_at", "=", False), ("cdr_id.move_id", "=", self.id)]
        labels = dict(findings._fields["severity"]._description_selection(self.env))
        for finding in batches(findings, domain, "cdr_id, id"):
            yield details.FindingRow(
                cdr=finding.cdr_id.ocpi_id,
                ocpi_key=finding.cdr_id.ocpi_key,
                found_at=finding.found_at,
                severity=labels[finding.severity],
                message=finding.message or "",
                path=finding.path or "",
                expected=finding.expected or "",
                found=finding.found or "",
                tolerance=finding.tolerance or "",
                code=finding.code,
            )

    def _annex_disputes(self):
        """:return: iterator of DisputeRow: of the sessions themselves, and of those that they stand for."""
        disputes = self.env["emsp.dispute"]
        links = ("cdr_id.move_id", "new_cdr_id.move_id", "credit_cdr_id.move_id")
        domain = ["|", "|", *((link, "=", self.id) for link in links)]
        for dispute in batches(disputes, domain, "opened_at, id"):
            yield dispute._annex_dispute()


def batches(model, domain, order):
    """Records of a domain, each with a CDR, one after the other; those that have passed leave the memory."""
    for ids in split_every(BATCH, model.search(domain, order=order).ids):
        records = model.browse(ids)
        yield from records
        records.cdr_id.invalidate_recordset()
        records.invalidate_recordset()

import base64

from odoo import models

from ..core.money import from_float
from ..report.emsp_dispute_sheet import DisputeRow, build_dispute_sheet


class EmspDisputeSheet(models.Model):
    """Disputes as a spreadsheet, for a partner that answers in it."""

    _inherit = "emsp.dispute"

    def _sheet_file(self):
        """:return: (name, base64) of an .xlsx file, in the language of the environment."""
        name = self.env._("Disputes %(number)s.xlsx", number=self[:1].name)
        color = self.company_id[:1].primary_color
        sheet = build_dispute_sheet([dispute._sheet_row() for dispute in self], self.env, color)
        return name, base64.b64encode(sheet)

    def _sheet_row(self):
        self.ensure_one()
        cdr = self.cdr_id
        precision = int(self.contract_id.price_precision)
        return DisputeRow(
            dispute=self.name,
            cdr=cdr.ocpi_id,
            session=cdr.ocpi_session_id or "",
            start=cdr.session_start_at,
            end=cdr.session_end_at,
            place=", ".join(filter(None, (cdr.location_name, cdr.location_city))),
            energy_kwh=from_float(cdr.energy_kwh, 3),
            currency=self.currency_id.name,
            claimed=from_float(self.disputed_amount, precision),
            own=from_float(self.own_amount, precision) if self.has_own_amount else None,
            reason=self._label_of("reason"),
            words=self.explanation or "",
            due=self._instant(self.due_at),
        )

import base64

from odoo import fields, models
from odoo.tools import format_date, format_datetime

from ..core.money import from_float
from ..report.emsp_accrual_sheet import AccrualHeader, AccrualRow, build_accrual_sheet


class EmspAccrualSheet(models.Model):
    """The accrual as a spreadsheet, for whoever audits it."""

    _inherit = "emsp.accrual"

    sheet = fields.Binary(string="Spreadsheet", compute="_compute_sheet")

    def _compute_sheet(self):
        for accrual in self:
            accrual.sheet = base64.b64encode(accrual._to_sheet())

    def _to_sheet(self):
        """:return: bytes of the .xlsx file."""
        self.ensure_one()
        header = AccrualHeader(
            company=self.company_id.name,
            date=format_date(self.env, self.date),
            known_at=format_datetime(self.env, self.known_at),
            currency=self.company_currency_id.name,
            color=self.company_id.primary_color,
        )
        return build_accrual_sheet(header, [self._sheet_row(line) for line in self.line_ids], self.env)

    def _sheet_row(self, line):
        kinds = {"emsp": self.env._("Revenue"), "cpo": self.env._("Cost")}
        return AccrualRow(
            contract=line.contract_id.display_name,
            partner=line.partner_id.name,
            kind=kinds[line.partner_role],
            time_zone=line.contract_id.time_zone,
            currency=line.currency_id.name,
            sessions=line.cdr_count,
            unbilled=from_float(line.amount_unbilled, 4),
            disputed=from_float(line.amount_disputed, 4),
            late=from_float(line.amount_late, 4),
            credited=from_float(line.amount_credited, 4),
            accrued=from_float(line.amount_accrued, line.currency_id.decimal_places),
            balance=from_float(line.balance, line.company_currency_id.decimal_places),
            is_booked=line.is_booked,
            held_sessions=line.held_count,
            held=from_float(line.amount_held, 4),
        )

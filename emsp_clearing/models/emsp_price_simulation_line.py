from odoo import api, fields, models

from ..core.money import to_float
from .emsp_price_simulation_tally import COMPONENTS


class EmspPriceSimulationLine(models.Model):
    """One component of one partner's sessions of a period, today and by the other grid."""

    _name = "emsp.price.simulation.line"
    _description = "What-if line"
    _order = "simulation_id desc, partner_id, date_first, sequence, id"

    simulation_id = fields.Many2one(
        "emsp.price.simulation",
        string="What-if",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="simulation_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="simulation_id.currency_id")
    partner_id = fields.Many2one("res.partner", readonly=True, index=True)
    period = fields.Char(
        readonly=True, help="Of the settlement; for sessions on no settlement the month of their end."
    )
    date_first = fields.Date(string="From", readonly=True)
    date_last = fields.Date(string="Until", readonly=True)
    component = fields.Selection(
        [
            ("FLAT", "Session"),
            ("ENERGY", "Energy"),
            ("TIME", "Charging time"),
            ("PARKING_TIME", "Parking time"),
            ("RESERVATION_TIME", "Reservation time"),
            ("RESERVATION_FLAT", "Reservation"),
            ("ADJUSTMENT", "Price limits and rounding"),
        ],
        required=True,
        readonly=True,
    )
    sequence = fields.Integer(readonly=True, aggregator=None)
    # Not summed: a session has several components and would count several times.
    session_count = fields.Integer(
        string="Sessions",
        readonly=True,
        aggregator=None,
        help="Sessions with this component, today or by the other grid. A credit counts -1.",
    )
    energy_kwh = fields.Float(
        string="Energy (kWh)", digits=(16, 4), readonly=True, aggregator=None, help="Of these sessions."
    )
    amount_today = fields.Float(string="Today", digits=(16, 4), readonly=True)
    amount_other = fields.Float(string="Other grid", digits=(16, 4), readonly=True)
    difference = fields.Float(digits=(16, 4), readonly=True)
    difference_pct = fields.Float(
        string="Difference (%)", compute="_compute_difference_pct", help="Of today's amount."
    )

    @api.depends("amount_today", "difference")
    def _compute_difference_pct(self):
        for line in self:
            line.difference_pct = line.amount_today and line.difference * 100 / abs(line.amount_today)

    @api.depends("partner_id", "period", "component")
    def _compute_display_name(self):
        labels = dict(self._fields["component"]._description_selection(self.env))
        for line in self:
            line.display_name = f"{line.partner_id.name} {line.period}: {labels.get(line.component)}"

    @api.model
    def _prepare_vals(self, simulation, key, sums):
        """:param key: as a Tally has it. :param sums: Sums."""
        partner_id, first, last, component = key
        days = (fields.Date.to_date(first), fields.Date.to_date(last))
        return {
            "simulation_id": simulation.id,
            "partner_id": partner_id,
            "period": period_label(*days),
            "date_first": days[0],
            "date_last": days[1],
            "component": component,
            "sequence": COMPONENTS.index(component),
            "session_count": sums.sessions,
            "energy_kwh": to_float(sums.energy),
            "amount_today": to_float(sums.today),
            "amount_other": to_float(sums.other),
            "difference": to_float(sums.difference),
        }


def period_label(first, last):
    """A month as 2026-10, else both days (ISO 8601)."""
    is_month = first.day == 1 and last == fields.Date.end_of(first, "month")
    return f"{first:%Y-%m}" if is_month else f"{first}/{last}"

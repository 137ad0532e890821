from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.money import from_float
from ..core.pricing.grid import GridLine

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PRICE_DIGITS = 4


class EmspPriceGridLine(models.Model):
    """One price of a grid: per session, per kWh or per minute, always or in a time bracket."""

    _name = "emsp.price.grid.line"
    _description = "Price grid line"
    _order = "grid_id, sequence, id"

    grid_id = fields.Many2one("emsp.price.grid", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="grid_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="grid_id.currency_id")
    sequence = fields.Integer(default=10)
    component = fields.Selection(
        [
            ("FLAT", "Per session"),
            ("ENERGY", "Per kWh"),
            ("TIME", "Per minute of charging"),
            ("PARKING_TIME", "Per minute of parking"),
        ],
        required=True,
        default="ENERGY",
    )
    price = fields.Float(
        digits=(16, PRICE_DIGITS), required=True, help="Net of tax, up to 4 decimals. 0 is a price: free."
    )
    step_size = fields.Integer(
        default=1,
        help="Billing step: Wh for energy, seconds for time. 60 bills started minutes. "
        "Rounded up once per session (OCPI 2.2.1, 11.4.2).",
    )
    hour_from = fields.Char(
        string="From", size=5, help="HH:MM at the charger. Empty: from the start of the day."
    )
    hour_to = fields.Char(
        string="Until", size=5, help="HH:MM at the charger, not included. Earlier than From: past midnight."
    )
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean(default=True)
    sunday = fields.Boolean(default=True)

    _price_not_negative = models.Constraint("CHECK (price >= 0)", "A price is not negative.")
    _step_positive = models.Constraint("CHECK (step_size >= 0)", "A billing step is not negative.")
    _some_day = models.Constraint(
        "CHECK (monday OR tuesday OR wednesday OR thursday OR friday OR saturday OR sunday)",
        "A price holds on one weekday at least.",
    )

    @api.depends("component", "price", "hour_from", "hour_to", *WEEKDAYS)
    def _compute_display_name(self):
        units = {
            "FLAT": self.env._("session"),
            "ENERGY": self.env._("kWh"),
            "TIME": self.env._("min"),
            "PARKING_TIME": self.env._("min parked"),
        }
        for line in self:
            text = f"{line.price:.4f}".rstrip("0")
            whole, __, decimals = text.partition(".")
            price = f"{whole}.{decimals.ljust(2, '0')}"
            bracket = f" {line.hour_from or '00:00'}-{line.hour_to or '24:00'}" if line._has_hours() else ""
            line.display_name = f"{price} {line.currency_id.name}/{units.get(line.component)}{bracket}"

    @api.constrains("hour_from", "hour_to")
    def _check_hours(self):
        for line in self:
            for hour in filter(None, (line.hour_from, line.hour_to)):
                hours, colon, minutes = hour.partition(":")
                valid = colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal()
                if not valid or int(hours) > 23 or int(minutes) > 59:
                    raise ValidationError(
                        self.env._(
                            "%(hour)s is not an hour of the day: 00:00 to 23:59 is expected.", hour=hour
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.grid_id._check_draft()
        return lines

    def write(self, vals):
        self.grid_id._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_published(self):
        self.grid_id._check_draft()

    def _has_hours(self):
        return bool(self.hour_from or self.hour_to)

    def _to_core(self):
        self.ensure_one()
        days = tuple(day.upper() for day in WEEKDAYS if self[day])
        return GridLine(
            component=self.component,
            price_per_unit=from_float(self.price, PRICE_DIGITS),
            step_size=self.step_size,
            start_time=self.hour_from or None,
            end_time=self.hour_to or None,
            weekdays=days if len(days) < len(WEEKDAYS) else (),
        )

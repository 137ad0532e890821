from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import get_day_names

from odoo import api, fields, models
from odoo.tools import formatLang
from odoo.tools.misc import babel_locale_parse, get_lang

from ..core.money import ZERO, D, to_float
from ..core.pricing.restrictions import WEEKDAYS

MINUTES_PER_HOUR = D(60)
SECONDS_PER_MINUTE = D(60)
DURATIONS = ("min_duration", "max_duration")
# Prices per hour are shown per minute, as the price grid names them.
TIMES = ("TIME", "PARKING_TIME", "RESERVATION_TIME")


class EmspCdrExplanation(models.Model):
    """The stored explanation of a price, as people read it."""

    _inherit = "emsp.cdr"

    duration = fields.Float(compute="_compute_duration", help="Hours and minutes from start to end.")
    parking = fields.Float(compute="_compute_duration", help="Hours and minutes parked without charging.")
    explanation_html = fields.Html(
        string="How the price was computed", compute="_compute_explanation_html", sanitize=False
    )

    @api.depends("duration_s", "parking_s")
    def _compute_duration(self):
        for cdr in self:
            cdr.duration = cdr.duration_s / 3600
            cdr.parking = cdr.parking_s / 3600

    @api.depends("explanation")
    @api.depends_context("lang")
    def _compute_explanation_html(self):
        for cdr in self:
            cdr.explanation_html = bool(cdr.explanation) and self.env["ir.qweb"]._render(
                "emsp_clearing.cdr_explanation", {"cdr": cdr, **cdr._get_explanation_values()}
            )

    def _get_explanation_values(self):
        """:return: dict of the template: `rows`, one per priced dimension of a charging period, their
        exact sum, what a price limit added, and the total, rounded once; numbers as text."""
        self.ensure_one()
        segments = self.explanation["segments"]
        exact = sum((D(segment["amount"]) for segment in segments), ZERO)
        adjustment = D(self.explanation["adjustment"]["excl"])
        tariffs = {tariff["id"]: tariff for tariff in self.explanation["tariffs"]}
        return {
            "rows": [self._explanation_row(segment, tariffs) for segment in segments],
            "zone": self._explanation_zone().key,
            "exact": self._number(exact, 6),
            "adjustment": self._number(adjustment, 6) if adjustment else "",
            "total": self._number(D(self.explanation["totals"]["excl"]), 2),
        }

    def _explanation_row(self, segment, tariffs):
        volume, billed, price = (D(segment[key]) for key in ("volume", "billed_volume", "unit_price"))
        unit = {"ENERGY": self.env._("kWh")}.get(segment["dimension"], "")
        if segment["dimension"] in TIMES:
            unit = self.env._("min")
            volume, billed, price = (
                volume * MINUTES_PER_HOUR,
                billed * MINUTES_PER_HOUR,
                price / MINUTES_PER_HOUR,
            )
        start, end = (self._local_text(segment[key]) for key in ("start", "end"))
        return {
            "start": start,
            "end": end,
            "component": self._component_labels().get(segment["dimension"], segment["dimension"]),
            "volume": f"{self._number(volume, 4)} {unit}".strip(),
            "billed": f"{self._number(billed, 4)} {unit}".strip(),
            "price": self._number(price, 4),
            "amount": self._number(D(segment["amount"]), 6),
            "reason": self._condition_text(segment, tariffs),
        }

    def _condition_text(self, segment, tariffs):
        """The restrictions that held, with their values; of the tariff as it was then."""
        element = tariffs[segment["tariff_id"]]["elements"][segment["element"]]
        restrictions = element.get("restrictions", {})
        labels = self._restriction_labels()
        return ", ".join(
            labels[name].format(self._restriction_value(name, restrictions[name]))
            for name in segment["reason"]
        )

    def _restriction_value(self, name, value):
        if name == "day_of_week":
            locale = babel_locale_parse(get_lang(self.env).code)
            days = dict(zip(WEEKDAYS, get_day_names("abbreviated", locale=locale).values(), strict=True))
            return ", ".join(days.get(day.upper(), day) for day in value)
        if name in DURATIONS:
            return self._number(D(value) / SECONDS_PER_MINUTE, 2)
        return value

    def _restriction_labels(self):
        return {
            "start_time": self.env._("from {}"),
            "end_time": self.env._("until {}"),
            "start_date": self.env._("from {}"),
            "end_date": self.env._("before {}"),
            "min_kwh": self.env._("from {} kWh"),
            "max_kwh": self.env._("below {} kWh"),
            "min_current": self.env._("from {} A"),
            "max_current": self.env._("below {} A"),
            "min_power": self.env._("from {} kW"),
            "max_power": self.env._("below {} kW"),
            "min_duration": self.env._("after {} min"),
            "max_duration": self.env._("within {} min"),
            "day_of_week": "{}",
        }

    def _component_labels(self):
        return {
            "FLAT": self.env._("Session"),
            "ENERGY": self.env._("Energy"),
            "TIME": self.env._("Charging time"),
            "PARKING_TIME": self.env._("Parking time"),
            "RESERVATION_TIME": self.env._("Reservation time"),
            "RESERVATION_FLAT": self.env._("Reservation"),
        }

    def _number(self, value, digits):
        """With up to `digits` decimals, at least two."""
        shown = max(2, min(digits, -int(value.normalize().as_tuple().exponent)))
        return formatLang(self.env, to_float(value), digits=shown)

    def _explanation_zone(self):
        """The charger's zone, in which the price was found; UTC where it is not known."""
        try:
            return ZoneInfo(self.explanation["rules"]["time_zone"] or "UTC")
        except (ZoneInfoNotFoundError, OSError, ValueError):
            return ZoneInfo("UTC")

    def _local_text(self, instant):
        moment = datetime.fromisoformat(instant).astimezone(self._explanation_zone())
        return moment.strftime("%Y-%m-%d %H:%M:%S")

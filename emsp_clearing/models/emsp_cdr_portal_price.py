from odoo import models

from ..core.errors import CoreError
from ..core.money import ZERO, D

# Of the drawing, in its own units.
CHART_WIDTH, CHART_HEIGHT = 600, 160
CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 8, 592, 12, 148


class EmspCdrPortalPrice(models.Model):
    """What the partner is told about tariff and energy of a CDR: in words, and as a drawing."""

    _inherit = "emsp.cdr"

    def _portal_tariffs(self):
        """:return: [{"id", "currency", "prices": [text], "limits": [text]}] of the tariffs that priced it."""
        self.ensure_one()
        return [
            {
                "id": tariff["id"],
                "currency": tariff["currency"],
                "prices": [
                    self._portal_price_text(component, element.get("restrictions", {}))
                    for element in tariff["elements"]
                    for component in element["price_components"]
                ],
                "limits": self._portal_limits(tariff),
            }
            for tariff in (self.explanation or {}).get("tariffs", ())
        ]

    def _portal_price_text(self, component, restrictions):
        """One line of a tariff: the price and its unit, the step, and when it applies."""
        kind, price = component["type"], D(str(component["price"]))
        if kind in ("TIME", "PARKING_TIME"):
            price /= 60
        amount = self._number(price, 4)
        text = {
            "FLAT": self.env._("%(price)s per session", price=amount),
            "ENERGY": self.env._("%(price)s per kWh", price=amount),
            "TIME": self.env._("%(price)s per minute of charging", price=amount),
            "PARKING_TIME": self.env._("%(price)s per minute of parking", price=amount),
        }.get(kind, f"{kind} {amount}")
        return ", ".join([text, *self._portal_step_text(component), *self._portal_conditions(restrictions)])

    def _portal_step_text(self, component):
        step = component.get("step_size", 1)
        if step <= 1 or component["type"] == "FLAT":
            return []
        unit = "Wh" if component["type"] == "ENERGY" else "s"
        return [self.env._("in steps of %(step)s %(unit)s", step=step, unit=unit)]

    def _portal_conditions(self, restrictions):
        labels = self._restriction_labels()
        texts = [
            labels[name].format(self._restriction_value(name, value))
            for name, value in restrictions.items()
            if name in labels
        ]
        return [*texts, self.env._("for a reservation")] if "reservation" in restrictions else texts

    def _portal_limits(self, tariff):
        limits = []
        if tariff.get("min_price"):
            price = self._number(D(str(tariff["min_price"]["excl_vat"])), 4)
            limits.append(self.env._("at least %(price)s per session", price=price))
        if tariff.get("max_price"):
            price = self._number(D(str(tariff["max_price"]["excl_vat"])), 4)
            limits.append(self.env._("at most %(price)s per session", price=price))
        return limits

    def _portal_energy_curve(self):
        """:return: [(aware UTC instant, kWh since the start)], the session's start first; empty where the
        charging periods tell no energy."""
        try:
            cdr = self._received_cdr()
        except CoreError:
            return []
        periods = sorted(cdr.charging_periods, key=lambda period: period.start_date_time)
        if not periods:
            return []
        ends = [period.start_date_time for period in periods[1:]] + [cdr.end_date_time]
        points, total = [(periods[0].start_date_time, ZERO)], ZERO
        for period, end in zip(periods, ends, strict=True):
            total += sum(
                (abs(each.volume) for each in period.dimensions if each.type in ("ENERGY", "ENERGY_IMPORT")),
                ZERO,
            )
            points.append((end, total))
        return points if total and points[0][0] < points[-1][0] else []

    def _portal_chart(self):
        """The drawing of the energy over the charging periods, as values of its template.

        :return: dict with `title`, `line` and `area` as SVG points, `periods`, `first` and `last` as
            local "HH:MM", `energy` as text; or None.
        """
        points = self._portal_energy_curve()
        if not points:
            return None
        first, last, most = points[0][0], points[-1][0], points[-1][1]
        seconds = (last - first).total_seconds()

        def place(instant, energy):
            share = (instant - first).total_seconds() / seconds
            height = float(energy / most)
            x = CHART_LEFT + share * (CHART_RIGHT - CHART_LEFT)
            return round(x, 1), round(CHART_BOTTOM - height * (CHART_BOTTOM - CHART_TOP), 1)

        marks = [place(*point) for point in points]
        line = " ".join(f"{x},{y}" for x, y in marks)
        zone = self._portal_zone()
        return {
            "title": self.env._("Energy over the charging periods"),
            "line": line,
            "area": f"{CHART_LEFT},{CHART_BOTTOM} {line} {marks[-1][0]},{CHART_BOTTOM}",
            "width": CHART_WIDTH,
            "height": CHART_HEIGHT,
            "bottom": CHART_BOTTOM,
            "left": CHART_LEFT,
            "right": CHART_RIGHT,
            "periods": len(points) - 1,
            "first": f"{first.astimezone(zone):%H:%M}",
            "last": f"{last.astimezone(zone):%H:%M}",
            "energy": self._number(most, 3),
        }

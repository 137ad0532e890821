from datetime import UTC, datetime

from odoo import models

from ..core.money import D
from .emsp_cdr_explanation import MINUTES_PER_HOUR, TIMES


class EmspCdrAnnex(models.Model):
    """The price of a CDR, segment by segment."""

    _inherit = "emsp.cdr"

    def _annex_segment_facts(self, explanation, sign):
        """:param dict explanation: as stored. :return: iterator of dicts for SegmentRow."""
        labels = self._component_labels()
        tariffs = {tariff["id"]: tariff for tariff in explanation["tariffs"]}
        for segment in explanation["segments"]:
            is_time = segment["dimension"] in TIMES
            factor = MINUTES_PER_HOUR if is_time else D(1)
            unit = self.env._("min") if is_time else {"ENERGY": "kWh"}.get(segment["dimension"], "")
            yield {
                "start": utc(segment["start"]),
                "end": utc(segment["end"]),
                "component": labels.get(segment["dimension"], segment["dimension"]),
                "quantity": sign * factor * D(segment["volume"]),
                "billed_quantity": sign * factor * D(segment["billed_volume"]),
                "unit": unit,
                "unit_price": D(segment["unit_price"]) / factor,
                "amount": sign * D(segment["amount"]),
                "tariff": segment["tariff_id"],
                "reason": self._condition_text(segment, tariffs),
            }
        adjustment = D(explanation["adjustment"]["excl"] or 0)
        if adjustment:
            yield {
                **dict.fromkeys(("start", "end", "quantity", "billed_quantity", "unit_price")),
                **dict.fromkeys(("unit", "tariff", "reason"), ""),
                "component": self.env._("Minimum or maximum price"),
                "amount": sign * adjustment,
            }


def utc(text):
    """An OCPI DateTime as a moment in UTC, without zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)

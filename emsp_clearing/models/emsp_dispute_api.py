from datetime import UTC

from odoo import models
from odoo.tools import html2plaintext

from ..core import disputes_answers
from ..core.disputes_api import CdrName
from ..core.money import from_float

SIDES = {"us": "us", "partner": "you"}


class EmspDisputeApi(models.Model):
    """A dispute as the API shows it to the partner."""

    _inherit = "emsp.dispute"

    def _api_answer(self):
        """:return: core Dispute."""
        return disputes_answers.Dispute(**self._api_values())

    def _api_thread(self):
        """:return: core DisputeThread."""
        messages = tuple(self._api_message(message) for message in self._shared_messages())
        return disputes_answers.DisputeThread(**self._api_values(), messages=messages)

    def _api_message(self, message):
        return disputes_answers.Message(
            at=_utc(message.date),
            by="you" if self._is_by_partner(message) else "us",
            text=html2plaintext(message.body or "").strip(),
            files=tuple(message.attachment_ids.mapped("name")),
        )

    def _api_values(self):
        self.ensure_one()
        cdr = self.cdr_id
        return {
            "number": self.name,
            "state": self.state,
            "turn": SIDES.get(self.turn),
            "cdr": CdrName(cdr.ocpi_country_code, cdr.ocpi_party_id, cdr.ocpi_id),
            "settlement": self.settlement_id.name or None,
            "reason": self.reason,
            "explanation": self.explanation or "",
            "reference": self.reference or "",
            "answer": self.answer or "",
            **self._api_amounts(),
            "opened_at": _utc(self.opened_at),
            "act_by": _utc(self.due_at),
            "ends_at": _utc(self.end_at),
            "by_silence_becomes": self._by_silence(),
            "closed_at": _utc(self.closed_at),
            "closed_by_silence": self.is_by_silence,
            "credit_cdr_id": self.credit_cdr_id.ocpi_id or None,
            "new_cdr_id": self.new_cdr_id.ocpi_id or None,
            "updated_at": _utc(self.write_date),
            "url": f"{self.get_base_url()}{self.access_url}",
        }

    def _api_amounts(self):
        digits = int(self.contract_id.price_precision)
        closed_with = self.state in ("upheld", "corrected")
        return {
            "currency": self.currency_id.name,
            "disputed_amount": f"{from_float(self.disputed_amount, digits)}",
            "own_amount": f"{from_float(self.own_amount, digits)}" if self.has_own_amount else None,
            "agreed_amount": f"{from_float(self.agreed_amount, digits)}" if closed_with else None,
        }


def _utc(instant):
    """A stored instant as an aware one, in whole seconds; None where there is none."""
    return instant.replace(tzinfo=UTC, microsecond=0) if instant else None

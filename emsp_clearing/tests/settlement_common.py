from datetime import datetime
from unittest.mock import patch

from .common import EmspCommon, cdr_payload

# October 2026 in Paris: +02:00 until the 25th, +01:00 after it.
MID_MONTH = datetime(2026, 10, 15)
PERIOD_END = datetime(2026, 10, 31, 23, 0)
CUT_OFF = datetime(2026, 11, 2, 23, 0)
LOCK = datetime(2026, 11, 9, 23, 0)


class SettlementCommon(EmspCommon):
    """A contract whose October is open; nothing is mailed."""

    def setUp(self):
        super().setUp()
        settlement = self.env["emsp.settlement"]
        self.startPatcher(patch.object(type(settlement), "_send", lambda settlement: None))
        self._run_due(MID_MONTH)

    def _settlement(self, month=10):
        # sudo: settlements move by the calendar alone.
        settlements = self.contract.settlement_ids.sudo()
        return settlements.filtered(lambda settlement: settlement.date_first.month == month)

    def _settle(self, *payloads):
        """October with these CDRs, run through to its end. :return: the settlement."""
        if payloads:
            self._receive(*payloads)
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        return self._settlement()

    def _cdrs(self):
        return self.env["emsp.cdr"].search([("contract_id", "=", self.contract.id)], order="id")


def credit_of(payload, number="C", **changes):
    """The credit CDR of a payload: all its data, the total negated (OCPI 2.2.1, 10.1.1)."""
    return {
        **payload,
        "id": f"CDR-{number}",
        "credit": True,
        "credit_reference_id": payload["id"],
        "total_cost": {"excl_vat": -payload["total_cost"]["excl_vat"]},
        **changes,
    }


def priced(number, amount, **changes):
    """A CDR whose stated cost is `amount`."""
    return cdr_payload(number, total_cost={"excl_vat": amount}, **changes)

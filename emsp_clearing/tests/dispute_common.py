from datetime import timedelta

from odoo import Command

from ..models.emsp_dispute_opening import Complaint
from .settlement_common import CUT_OFF, SettlementCommon, priced

SECOND = timedelta(seconds=1)
IN_WINDOW = CUT_OFF + timedelta(days=2)


class DisputeCommon(SettlementCommon):
    """A settlement in its window: sessions of 6.40 (10 kWh) and 10.30 (20 kWh), which an eMSP looks at."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.opener = cls.env["res.partner"].create(
            {"name": "Frieda Finanz", "parent_id": cls.contract.partner_id.id, "email": "frieda@smo.example"}
        )
        cls.operator = cls.env["res.users"].create(
            {
                "name": "Odile Opératrice",
                "login": "odile",
                "email": "odile@rvr.example",
                "company_ids": [Command.set(cls.env.company.ids)],
                "company_id": cls.env.company.id,
                "group_ids": [Command.set([cls.env.ref("emsp_clearing.emsp_clearing_group_operator").id])],
            }
        )
        cls.contract.user_id = cls.operator

    def _in_control(self, *payloads):
        """:return: (settlement in its window, its CDRs in the order they came)."""
        cdrs = self._receive(*(payloads or (priced(1, 6.4), priced(2, 10.3, energy=20.0))))
        self._run_due(CUT_OFF)
        return self._settlement(), cdrs

    def _dispute(self, cdr, reason="energy", at=IN_WINDOW, **complaint):
        complaints = {cdr: Complaint(reason, **complaint)}
        return self.env["emsp.dispute"]._open(complaints, "portal", self.opener, at)

    def _balance(self, settlement):
        return (
            settlement.cdr_count,
            settlement.amount_untaxed,
            settlement.disputed_count,
            settlement.disputed_amount,
        )

from datetime import date

from odoo import Command

from .common import cdr_payload
from .settlement_common import SettlementCommon

COMPARED = ("component", "session_count", "energy_kwh", "amount_today", "amount_other", "difference")


class SimulationCommon(SettlementCommon):
    """The contract's grid is 1.00 per session + 0.39 per kWh + 0.05 per minute; the other one, a
    draft, has no fee, 0.45 per kWh and 0.04 per minute.

    CDR 1, 10 kWh in 30 min: 1.00 + 3.90 + 1.50 = 6.40 today, 4.50 + 1.20 = 5.70 by the other.
    CDR 2, 7.777 kWh in 6 min: 1.00 + 3.03303 + 0.30 = 4.33 today, 3.49965 + 0.24 = 3.74 by the other.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_grid = cls._draft_grid("AC-2027", ENERGY=0.45, TIME=0.04)

    @classmethod
    def _draft_grid(cls, code, currency="base.EUR", **prices):
        return cls.env["emsp.price.grid"].create(
            {
                "name": code,
                "code": code,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref(currency).id,
                "valid_from": date(2027, 1, 1),
                "line_ids": [
                    Command.create({"component": component, "price": price})
                    for component, price in prices.items()
                ],
            }
        )

    def _simulation(self, **vals):
        values = {
            "price_grid_id": self.other_grid.id,
            "company_id": self.company.id,
            "date_from": date(2026, 10, 1),
            "date_to": date(2026, 12, 31),
            **vals,
        }
        return self.env["emsp.price.simulation"].create(values)

    def _run(self, simulation=None, **vals):
        """A what-if, run to its end in this process."""
        simulation = simulation or self._simulation(**vals)
        simulation.with_context(queue_job__no_delay=True).action_run()
        return simulation

    def _numbers(self, lines):
        return [tuple(round(v, 4) if isinstance(v, float) else v for v in line) for line in lines]

    def _lines(self, simulation, period):
        lines = simulation.line_ids.filtered(lambda line: line.period == period)
        return self._numbers([tuple(line[name] for name in COMPARED) for line in lines])

    def _totals(self, simulation):
        names = ("session_count", "energy_kwh", "amount_today", "amount_other", "difference")
        return self._numbers([tuple(simulation[name] for name in names)])[0]

    def _two_sessions(self):
        return self._receive(cdr_payload(1), cdr_payload(2, minutes=6, energy=7.777))

from datetime import date
from itertools import count

from odoo import Command

from .common import EmspCommon, cdr_payload

NUMBERS = count(1)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY = dict.fromkeys(DAYS, True)
WORKDAYS = {**EVERY_DAY, "saturday": False, "sunday": False}


class PriceGridCommon(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.motorway = cls.env["emsp.location.group"].create(
            {"name": "Motorway", "company_id": cls.company.id, "location_codes": "loc-7\nLOC-8"}
        )
        cls.city = cls.env["emsp.location.group"].create(
            {"name": "City", "company_id": cls.company.id, "evse_prefixes": "FR*RVR*E1"}
        )
        cls.fleet = cls.env["emsp.customer.group"].create(
            {"name": "Fleet", "company_id": cls.company.id, "contract_prefixes": "de-smo-c9"}
        )
        cls.staff = cls.env["emsp.customer.group"].create(
            {"name": "Staff", "company_id": cls.company.id, "token_uids": "AA 11\nBB22"}
        )

    @classmethod
    def _draft(cls, *lines, code=None, **vals):
        """A draft of the company, with a line for each dict."""
        code = code or f"NEW-{next(NUMBERS)}"
        return cls.env["emsp.price.grid"].create(
            {
                "name": f"Grid {code}",
                "code": code,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "valid_from": date(2026, 1, 1),
                "line_ids": [
                    Command.create({"sequence": number, **line}) for number, line in enumerate(lines)
                ],
                **vals,
            }
        )

    def _use(self, *lines):
        """Let the contract price by a grid of these lines."""
        grid = self._draft(*lines)
        grid.action_publish()
        self.contract.price_grid_ids = grid
        return grid


def payload_at(location_id="LOC-1", evse_id="FR*RVR*E9001*1", number=1):
    """10 kWh in 30 minutes at a charger."""
    payload = cdr_payload(number)
    payload["cdr_location"].update(id=location_id, evse_id=evse_id)
    return payload


def payload_of(uid="04A1B2C3D4E5F6", contract_id="DE-SMO-C00012345-6", number=1):
    """10 kWh in 30 minutes by a driver, at a charger in no group."""
    payload = payload_at(number=number)
    payload["cdr_token"].update(uid=uid, contract_id=contract_id)
    return payload

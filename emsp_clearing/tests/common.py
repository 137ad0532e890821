import json
from copy import deepcopy
from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import Command

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .einvoice_common import watch_einvoices

# A session of 30 minutes and 10 kWh at the charger in Lyon, with a blocking fee of nothing.
CDR = {
    "country_code": "FR",
    "party_id": "RVR",
    "id": "CDR-1",
    "start_date_time": "2026-10-05T08:00:00Z",
    "end_date_time": "2026-10-05T08:30:00Z",
    "session_id": "S-1",
    "cdr_token": {
        "country_code": "DE",
        "party_id": "SMO",
        "uid": "04A1B2C3D4E5F6",
        "type": "RFID",
        "contract_id": "DE-SMO-C00012345-6",
    },
    "auth_method": "WHITELIST",
    "cdr_location": {
        "id": "LOC-1",
        "name": "Parking Bellecour",
        "address": "Place Bellecour",
        "city": "Lyon",
        "postal_code": "69002",
        "country": "FRA",
        "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
        "evse_uid": "EVSE-1",
        "evse_id": "FR*RVR*E1001*1",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    },
    "currency": "EUR",
    "charging_periods": [
        {
            "start_date_time": "2026-10-05T08:00:00Z",
            "dimensions": [
                {"type": "ENERGY", "volume": 10.0},
                {"type": "TIME", "volume": 0.5},
            ],
        }
    ],
    "total_cost": {"excl_vat": 6.4},
    "total_energy": 10.0,
    "total_time": 0.5,
    "last_updated": "2026-10-05T08:31:00Z",
}
# Made once for a run, in the project's conftest.py: by the country of the accounts, "" for the generic ones.
PREPARED_COMPANIES = {"": "Prepared company", "FR": "Prepared company in France"}


def cdr_payload(number=1, start=None, minutes=30, energy=10.0, **changes):
    """A CDR as a dict: `energy` kWh over `minutes`, from `start` (naive UTC); other fields by name.

    Each number but 1 has a charger and a card of its own: two sessions at once would be the same one twice.
    """
    start = start or datetime(2026, 10, 5, 8, 0)
    end = start + timedelta(minutes=minutes)
    payload = deepcopy(CDR)
    payload.update(
        id=f"CDR-{number}",
        session_id=f"S-{number}",
        start_date_time=f"{start.isoformat()}Z",
        end_date_time=f"{end.isoformat()}Z",
        last_updated=f"{end.isoformat()}Z",
        total_energy=energy,
        total_time=round(minutes / 60, 4),
    )
    if number != 1:
        payload["cdr_token"]["uid"] += f"-{number}"
        payload["cdr_location"].update(evse_uid=f"EVSE-{number}", evse_id=f"FR*RVR*E{number}*1")
    payload["charging_periods"][0]["start_date_time"] = payload["start_date_time"]
    payload["charging_periods"][0]["dimensions"] = [
        {"type": "ENERGY", "volume": energy},
        {"type": "TIME", "volume": round(minutes / 60, 4)},
    ]
    payload.update(changes)
    return payload


def raw(payload):
    return json.dumps(payload).encode()


def clear_invalidated_caches(registry):
    invalidated = tuple(registry.cache_invalidated)
    if invalidated:
        registry.clear_cache(*invalidated)
        registry.cache_invalidated.clear()


class PreparedCompanyCommon(AccountTestInvoicingCommon):
    """Works in the company that the run has prepared for the country, if it has; what it changes is taken
    back."""

    def setUp(self):
        # What a test leaves behind is what a request leaves that is rolled back: a server then empties the
        # caches that were invalidated. To fill all of them again takes a fifth of the tests' time.
        with patch.object(type(self.registry), "clear_all_caches", clear_invalidated_caches):
            super().setUp()

    @classmethod
    def setup_independent_company(cls, **kwargs):
        name = PREPARED_COMPANIES.get(cls.country_code or "", False)
        company = cls.env["res.company"].search([("name", "=", name)])
        if not company:
            return super().setup_independent_company(**kwargs)
        cls.env.user.company_ids = [Command.link(company.id)]
        return company


class EmspCommon(PreparedCompanyCommon):
    """A CPO, a German eMSP with a monthly contract, and an OCPI connection of our own chargers.

    The grid: 1.00 per session + 0.39 per kWh + 0.05 per minute. The session of `cdr_payload()`
    therefore costs 1.00 + 3.90 + 1.50 = 6.40.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        watch_einvoices(cls)
        cls.env.user.group_ids += cls.env.ref("emsp_clearing.emsp_clearing_group_manager")
        cls.env.ref("base.EUR").active = True
        cls.company = cls.company_data["company"]
        cls.company.write(
            {
                "vat": "FR23334175221",
                "email": "billing@rvr.test",
                "phone": "+33 4 78 00 12 34",
                "country_id": cls.env.ref("base.fr").id,
            }
        )
        bank = cls.env["res.bank"].create({"name": "Crédit des Traboules", "bic": "AGRIFRPP"})
        cls.env["res.partner.bank"].create(
            {
                "acc_number": "FR76 3000 6000 0112 3456 7890 189",
                "partner_id": cls.company.partner_id.id,
                "bank_id": bank.id,
                "allow_out_payment": True,
            }
        )
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Spree Mobility GmbH",
                "is_company": True,
                "country_id": cls.env.ref("base.de").id,
                "street": "Warschauer Platz 11",
                "zip": "10245",
                "city": "Berlin",
                "vat": "DE136695976",
                "email": "office@spree.test",
            }
        )
        cls.invoicing_contact = cls.env["res.partner"].create(
            {
                "name": "Accounts Payable",
                "type": "invoice",
                "parent_id": cls.partner.id,
                "email": "ap@spree.test",
            }
        )
        cls.grid = cls._create_grid("AC-2026")
        cls.contract = cls._create_contract(cls.partner, "DE", "SMO")
        cls.connection = cls.env["emsp.ocpi.connection"].create(
            {
                "name": "Own chargers",
                "company_id": cls.company.id,
                "our_role": "CPO",
                "country_code": "FR",
                "ocpi_party_id": "RVR",
                "version": "2.2.1",
                "time_zone": "Europe/Paris",
            }
        )

    @classmethod
    def _create_grid(cls, code, flat=1.0, energy=0.39, minute=0.05, **vals):
        grid = cls.env["emsp.price.grid"].create(
            {
                "name": f"Grid {code}",
                "code": code,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "valid_from": date(2026, 1, 1),
                "line_ids": [
                    Command.create({"component": component, "price": price})
                    for component, price in (("FLAT", flat), ("ENERGY", energy), ("TIME", minute))
                ],
                **vals,
            }
        )
        grid.action_publish()
        return grid

    @classmethod
    def _home_position(cls):
        """Of the country of the accounts, whichever the company's own is."""
        return cls.env["account.fiscal.position"].search(
            [
                ("company_id", "=", cls.company.id),
                ("country_id", "=", cls.company.account_fiscal_country_id.id),
            ],
            limit=1,
        )

    @classmethod
    def _create_contract(cls, partner, country_code, party_id, activate=True, **vals):
        contact = partner.browse(partner.address_get(["invoice"])["invoice"])
        contract = cls.env["emsp.contract"].create(
            {
                "name": f"Roaming {partner.name}",
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "date_start": date(2026, 1, 1),
                "time_zone": "Europe/Paris",
                "price_grid_ids": [Command.set((vals.pop("grid", None) or cls.grid).ids)],
                "party_ids": [Command.create({"country_code": country_code, "ocpi_party_id": party_id})],
                "payment_term_id": cls.env.ref("account.account_payment_term_30days").id,
                # As Odoo finds it; test_vat is about the rules. What goes to a contact without a country is
                # taxed as at home in these tests, wherever its company is.
                "fiscal_position_id": not contact.country_id and cls._home_position().id,
                "vat_decided_by": "accountant",
                "vat_override_reason": "Tests of other matters",
                **vals,
            }
        )
        if activate:
            contract.action_activate()
        return contract

    @classmethod
    def _receive(cls, *payloads, received_at=datetime(2026, 10, 6, 6, 0), rate=True):
        """Take CDRs as the OCPI endpoint does, and price them at once. :return: the new CDRs."""
        endpoint = cls.connection._as_endpoint()
        receipts = endpoint.env["emsp.cdr"]._receive(
            endpoint, [raw(payload) for payload in payloads], received_at
        )
        cdrs = cls.env["emsp.cdr"].browse([r.record.id for r in receipts if r.outcome == "created"])
        if rate:
            cdrs._rate(received_at)
        return cdrs

    def _run_due(self, as_of):
        """Run every step due at `as_of`, as cron and jobs do, in this process."""
        run = self.env["emsp.settlement"].sudo().with_context(queue_job__no_delay=True)
        run._cron_run_due(as_of)
        return self.contract.settlement_ids

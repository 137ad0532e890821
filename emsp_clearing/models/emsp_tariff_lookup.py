from collections import defaultdict

import pytz

from odoo import api, models


class EmspTariffLookup(models.Model):
    """Which published tariffs a CDR names that holds none itself."""

    _inherit = "emsp.tariff"

    @api.model
    def _find_for(self, company, cdrs, context):
        """The CPO's tariffs of each CDR: those in it, else those that its charging periods name, else
        those of its connector, in the versions that held when the session started.

        :param cdrs: core Cdrs of the company.
        :param Context context: what they name, as far as it is known.
        :return: list of tuples of core Tariffs, in the same order; one query, however many.
        """
        wanted = [() if cdr.tariffs else wanted_keys(cdr, context) for cdr in cdrs]
        keys = sorted({key for each in wanted for key in each})
        if not keys:
            return [cdr.tariffs for cdr in cdrs]
        versions = defaultdict(list)
        domain = [("company_id", "=", company.id), ("ocpi_key", "in", keys)]
        for tariff in self.search(domain, order="received_at, id"):
            versions[tariff.ocpi_key].append(tariff)
        cores = {}
        return [
            cdr.tariffs or tuple(self._held_at(cdr, each, versions, cores))
            for cdr, each in zip(cdrs, wanted, strict=True)
        ]

    @api.model
    def _held_at(self, cdr, keys, versions, cores):
        for key in keys:
            held = next((v for v in versions[key] if v._holds_at(cdr.start_date_time)), None)
            if held:
                if held.id not in cores:
                    cores[held.id] = held._to_core()
                yield cores[held.id]

    def _holds_at(self, instant):
        """Whether this version was not replaced yet; the first one stands for the time before it came, too.

        :param instant: aware UTC.
        """
        return not self.ended_at or pytz.utc.localize(self.ended_at) > instant


def wanted_keys(cdr, context):
    """:return: tuple of `ocpi_key`s of the tariffs that a CDR is to be priced by."""
    ids = {period.tariff_id: None for period in cdr.charging_periods if period.tariff_id}
    if not ids:
        connector = context.places.find_connector(cdr.country_code, cdr.party_id, cdr.cdr_location)
        ids = {each.strip(): None for each in (connector.tariff_codes or "").split(",") if each.strip()}
    return tuple(f"{cdr.country_code}*{cdr.party_id}*{tariff_id}".upper() for tariff_id in ids)

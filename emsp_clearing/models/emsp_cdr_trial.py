from odoo import models

from ..core.checks.facts import PriceFacts
from .emsp_cdr_facts import Subject

# Read at once: neither of them is prefetched.
LARGE_FIELDS = ("payload", "explanation")


class EmspCdrTrial(models.Model):
    """Stored CDRs, ready to be judged again by the prices that they have."""

    _inherit = "emsp.cdr"

    def _as_subjects(self):
        """The CDRs of one company, without pricing them anew.

        :return: (list of Subject, Context).
        """
        self.fetch(LARGE_FIELDS)
        cdrs = [record._received_cdr() for record in self]
        prices = self._stored_prices()
        subjects = [
            Subject(cdr, record.received_at, record.contract_id, record, prices[record.id])
            for record, cdr in zip(self, cdrs, strict=True)
        ]
        return subjects, self._find_context(self.company_id, cdrs)

    def _stored_prices(self):
        """:return: dict id -> core PriceFacts, None without a price. A credit has that of its original."""
        credits = self.filtered("is_credit")
        originals = credits._find_originals()
        return {
            record.id: record._price_of_credit(originals.get(record._original_key()))
            if record.is_credit
            else record._stored_price_facts()
            for record in self
        }

    def _stored_price_facts(self):
        return PriceFacts.of_stored(self.explanation) if self.explanation else None

    def _original_key(self):
        key = "*".join((self.ocpi_country_code, self.ocpi_party_id, self.credited_ocpi_id or ""))
        return key.upper()

    def _find_originals(self):
        """:return: dict `ocpi_key` -> the CDR that is credited."""
        keys = {credit._original_key() for credit in self}
        if not keys:
            return {}
        domain = [("company_id", "=", self.company_id.id), ("ocpi_key", "in", sorted(keys))]
        originals = self.search_fetch(domain, ["ocpi_key", "explanation", "amount_untaxed"])
        return {original.ocpi_key: original for original in originals}

from odoo import models

from .emsp_invoice_reconciliation import VERSION
from .emsp_ocpi_push import Told

MODULE = "invoicereconciliation"
# Of settlements: what is paid needs no explanation any more.
UNPAID = ("invoiced", "sent")


class EmspInvoiceReconciliationPush(models.Model):
    """eMSPs are told of our invoices."""

    _inherit = "emsp.invoice.reconciliation"

    def _announce(self):
        """Queue records of ours for the partners whose parties the contract names; each once."""
        told = [
            Told(connection, MODULE, "POST", record, record.ocpi_key, "", record.payload)
            for record in self
            for connection in self.env["emsp.ocpi.connection"]._told_of(record)
        ]
        self.env["emsp.ocpi.push"]._queue(told)


class EmspOcpiConnection(models.Model):
    _inherit = "emsp.ocpi.connection"

    def _is_told(self, module):
        """A partner that has an endpoint for records wants them: there is no switch."""
        if module == MODULE:
            self.ensure_one()
            return self.active and self.peer_role == "EMSP" and self.version == VERSION
        return super()._is_told(module)

    def _queue_untold(self):
        if self._push_url(MODULE):
            records = self.env["emsp.invoice.reconciliation"]
            domain = [*records._told_domain(self), ("settlement_id.state", "in", UNPAID)]
            records.search(domain)._announce()
        return super()._queue_untold()

    def _told_of(self, record):
        """:param record: emsp.invoice.reconciliation of ours. :return: connections of its partner."""
        parties = {(party.country_code, party.ocpi_party_id) for party in record.contract_id.party_ids}
        # sudo: what partners are told does not hang on the rights of who causes it
        found = self.sudo().search([("company_id", "=", record.company_id.id), ("peer_role", "=", "EMSP")])
        return found.filtered(
            lambda connection: connection._push_url(MODULE) and not parties.isdisjoint(connection._parties())
        )

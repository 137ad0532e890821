import json

from odoo import models
from odoo.fields import Domain

TOLD_FIELDS = ("rule", "code", "severity", "message", "path", "expected", "found", "tolerance")
# When a list of what is new must bring a finding: it was found, taken away, or its CDR shown.
INSTANTS = ("found_at", "superseded_at", "cdr_id.available_at")


class EmspCdrFindingTold(models.Model):
    """Findings, as partners' systems are told of them; messages are in English there."""

    _inherit = "emsp.cdr.finding"

    def _told(self):
        self.ensure_one()
        finding = self.with_context(lang="en_US")
        return {name: finding[name] or None for name in TOLD_FIELDS}

    def _told_domain(self, connection):
        """Whose CDR it is reads the findings once it is open; who sent it reads them at any time."""
        cdrs = self.env["emsp.cdr"]._told_domain(connection)
        return Domain("company_id", "=", connection.company_id.id) & Domain("cdr_id", "any", cdrs)

    def _payload_in(self, version):
        """JSON text of the custom module; the same in every version of OCPI."""
        self.ensure_one()
        cdr = self.cdr_id
        instants = [self.found_at, self.superseded_at, cdr.available_at]
        last_updated = max(filter(None, instants))
        payload = {
            "id": str(self.id),
            "cdr": {
                "country_code": cdr.ocpi_country_code,
                "party_id": cdr.ocpi_party_id,
                "id": cdr.ocpi_id,
            },
            "cdr_state": cdr.state,
            **self._told(),
            "superseded": bool(self.superseded_at),
            "last_updated": last_updated.isoformat() + "Z",
        }
        return json.dumps({name: value for name, value in payload.items() if value is not None})

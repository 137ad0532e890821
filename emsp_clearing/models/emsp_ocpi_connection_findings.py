from odoo import fields, models


class EmspOcpiConnectionFindings(models.Model):
    """The custom module of findings, for partners with whom it was agreed (OCPI 2.2.1, 6.2.5)."""

    _inherit = "emsp.ocpi.connection"

    offer_findings = fields.Boolean(
        string="Offer findings over OCPI",
        tracking=True,
        help="Lists a custom module in the version details, with which the partner's system reads what was "
        "found about its CDRs. Only for partners who know of it: OCPI wants an agreement.",
    )

    def _findings_module(self):
        """:return: the module's identifier, with our party before it as OCPI advises; None: not offered."""
        self.ensure_one()
        if not self.offer_findings:
            return None
        own = self._own_party()
        return f"{''.join(own) if own else 'emsp'}-findings".lower()

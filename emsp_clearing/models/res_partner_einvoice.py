from odoo import models

from ..report.emsp_einvoice import ElectronicAddress, Registration

# ISO 6523 codes of the registers that Odoo's company registry field holds a number of.
REGISTERS = {"BE": "0208", "FI": "0212", "NO": "0192", "SE": "0007"}
SIRENE = "0002"
SIREN_DIGITS, SIRET_DIGITS = 9, 14


class ResPartnerEinvoice(models.Model):
    """How an e-invoice names a party."""

    _inherit = "res.partner"

    def _get_legal_registration(self):
        """:return: Registration of the company (BT-30, BT-47), or None where no number is known."""
        self.ensure_one()
        if self.country_code == "FR":
            siren = self._get_siren()
            return Registration(siren, SIRENE) if siren else None
        if not self.company_registry:
            return None
        return Registration(self.company_registry, REGISTERS.get(self.country_code))

    def _get_siren(self):
        """The first nine digits of a SIRET, and the last nine of a French VAT number."""
        number = "".join(filter(str.isdigit, self.company_registry or ""))
        if len(number) in (SIREN_DIGITS, SIRET_DIGITS):
            return number[:SIREN_DIGITS]
        vat = (self.vat or "").replace(" ", "")
        return vat[-SIREN_DIGITS:] if vat.startswith("FR") and vat[-SIREN_DIGITS:].isdigit() else ""

    def _get_electronic_address(self):
        """:return: ElectronicAddress (BT-34, BT-49): the one in Peppol, else the e-mail address, or None."""
        self.ensure_one()
        if self.peppol_eas and self.peppol_endpoint:
            return ElectronicAddress(self.peppol_endpoint, self.peppol_eas)
        return ElectronicAddress(self.email, "EM") if self.email else None

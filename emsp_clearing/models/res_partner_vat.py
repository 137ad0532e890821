from stdnum.eu.vat import check_vies
from stdnum.exceptions import ValidationError as NumberError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core import vat

VIES_TIMEOUT_S = 10
# A clause of the contract is proven by the contract itself.
NO_DOCUMENT = ("contract",)


class ResPartnerVat(models.Model):
    """The evidence of a company's place in VAT: is it a dealer in electricity, is its number valid."""

    _inherit = "res.partner"

    emsp_dealer = fields.Selection(
        [("yes", "Yes"), ("no", "No")],
        string="Taxable dealer in electricity",
        tracking=True,
        help="Buys electricity mainly to sell it on, and uses little of it itself "
        "(Directive 2006/112/EC, article 38). Empty: nobody has said, and what hangs on it is not invoiced.",
    )
    emsp_dealer_proof = fields.Selection(
        [
            ("ust1th", "Form USt 1 TH (Germany)"),
            ("certificate", "Certificate of a tax office"),
            ("declaration", "Signed declaration"),
            ("contract", "Clause of the contract"),
        ],
        string="Dealer proof",
        tracking=True,
    )
    emsp_dealer_document = fields.Binary(string="Document of the proof", attachment=True)
    emsp_dealer_filename = fields.Char(string="Name of the document")
    emsp_dealer_until = fields.Date(
        string="Proof valid until",
        tracking=True,
        help="Last day of supply that it covers. Empty: without end.",
    )
    emsp_vies_answer = fields.Selection(
        [("valid", "Valid"), ("invalid", "Not valid")], string="VIES answer", readonly=True, copy=False
    )
    emsp_vies_number = fields.Char(string="Number asked about", readonly=True, copy=False)
    emsp_vies_at = fields.Datetime(string="VIES asked at", readonly=True, copy=False)
    emsp_vies_text = fields.Text(string="VIES said", readonly=True, copy=False)

    @api.constrains("emsp_dealer_proof", "emsp_dealer_until")
    def _check_emsp_dealer_until(self):
        for partner in self:
            if partner.emsp_dealer_proof == "ust1th" and not partner.emsp_dealer_until:
                raise ValidationError(
                    self.env._(
                        "Form USt 1 TH is valid for a limited time: write its last day for %(partner)s.",
                        partner=partner.name,
                    )
                )

    def action_emsp_ask_vies(self):
        """Ask VIES about the number now, and keep what it says."""
        self.ensure_one()
        self.check_access("write")
        if not vat.vat_country(self.vat or ""):
            raise UserError(
                self.env._("%(partner)s has no VAT number of an EU country.", partner=self.display_name)
            )
        answer, text = self._ask_vies(self.vat)
        self.write(
            {
                "emsp_vies_answer": answer,
                "emsp_vies_number": self.vat,
                "emsp_vies_at": fields.Datetime.now(),
                "emsp_vies_text": text,
            }
        )
        return True

    @api.model
    def _ask_vies(self, number):
        """:return: ("valid", "invalid" or False where there is no answer, what was said)"""
        # Odoo loads the library on demand, as it takes long.
        from odoo.tools import zeep

        try:
            said = check_vies(number, timeout=VIES_TIMEOUT_S)
        except (OSError, NumberError, zeep.exceptions.Error) as error:
            return False, self.env._("No answer: %(reason)s", reason=error)
        return ("valid" if said["valid"] else "invalid"), str(said)

    def _emsp_vies(self):
        """What VIES says about the number of today: "valid", "invalid", or "" where it was not asked.

        Odoo's own check leaves no trace of a question without an answer, so only its yes counts.
        """
        self.ensure_one()
        if self.vat and self.emsp_vies_number == self.vat and self.emsp_vies_answer:
            return self.emsp_vies_answer
        return "valid" if self.vat and self.vies_valid else ""

    def _emsp_dealer(self):
        """:return: core Dealer, of the company that the contact belongs to."""
        company = self.commercial_partner_id
        proof = company.emsp_dealer_proof
        return vat.Dealer(
            status=company.emsp_dealer or "",
            proven=bool(proof and (company.emsp_dealer_document or proof in NO_DOCUMENT)),
            until=company.emsp_dealer_until or None,
        )

    def _emsp_taxed_as(self):
        """Whose country decides on VAT: the contact's own, or that of its company where it has none.

        :return: res.partner.
        """
        self.ensure_one()
        return self if self.country_id else self.commercial_partner_id

    def _emsp_vat_number(self):
        """The company's VAT number, if it is one by its form; else ""."""
        company = self.commercial_partner_id
        number = (company.vat or "").replace(" ", "").upper()
        country = vat.vat_country(number)
        if country in vat.EU and not company._check_vat_number(country, number[2:]):
            return ""
        return number

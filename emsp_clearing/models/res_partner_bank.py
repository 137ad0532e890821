from schwifty import IBAN

from odoo import models

from ..core.iso20022.rules import is_bic, is_iban
from ..core.iso20022.text import NAME_LENGTH

# The European Economic Area: payments inside it need no address (EPC153-22).
EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)


class ResPartnerBank(models.Model):
    """One account in a payment file."""

    _inherit = "res.partner.bank"

    def _generate_party_block(self, parent_node, block_level, gen_args, payment=None):
        """EXTENDS account_payment_sepa_base: the scheme gives names 70 characters, in each version."""
        own_args = {**gen_args, "name_maxsize": min(NAME_LENGTH, gen_args["name_maxsize"])}
        return super()._generate_party_block(parent_node, block_level, own_args, payment=payment)

    def _sepa_country(self):
        """:return: ISO code of the country of the IBAN."""
        return IBAN(self.sanitized_acc_number or "", allow_invalid=True).country_code

    def _sepa_problems(self):
        """:return: list of sentences on the IBAN and the BIC."""
        self.ensure_one()
        problems = []
        if self.acc_type != "iban" or not is_iban(self.sanitized_acc_number or ""):
            problems.append(
                self.env._(
                    "%(partner)s: the account number %(account)s is not a valid IBAN.",
                    partner=self.partner_id.display_name,
                    account=self.acc_number,
                )
            )
        if self.bank_bic and not is_bic(self.bank_bic):
            problems.append(
                self.env._(
                    "%(partner)s: %(bic)s is not a valid BIC (bank %(bank)s).",
                    partner=self.partner_id.display_name,
                    bic=self.bank_bic,
                    bank=self.bank_id.name,
                )
            )
        return problems

    def _sepa_address_problems(self):
        """Beyond the EEA the scheme demands the address of the partner: at least its town and country."""
        if not self:
            return []
        self.ensure_one()
        partner = self.partner_id
        countries = {self._sepa_country(), partner.country_id.code or self._sepa_country()}
        if countries <= EEA or (partner.city and partner.country_id):
            return []
        return [
            self.env._(
                "%(partner)s: payments beyond the European Economic Area need an address; its town or its "
                "country is missing.",
                partner=partner.display_name,
            )
        ]

import re

from lxml import objectify

from odoo import models

# "12 bis rue de la Paix", "12, rue de la Paix"
NUMBER_FIRST = re.compile(r"^(?P<number>\d+\s?(?:[a-z]|bis|ter|quater)?)\b[\s,]+(?P<name>.+)$", re.IGNORECASE)
# "Hauptstraße 40a", "Keizersgracht 12-14"
NUMBER_LAST = re.compile(r"^(?P<name>.+?)[\s,]+(?P<number>\d+(?:\s?-\s?\d+)?\s?[a-z]?)$", re.IGNORECASE)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _generate_address_block(self, parent_node, gen_args):
        """OVERRIDE account_payment_sepa_base, which puts the street into a free-text AdrLine.

        SEPA takes no unstructured address since 15 November 2026; banks advise against the hybrid one.
        Without town and country there is no address block at all, which the scheme allows. The second
        street line has no place of its own in ISO 20022 and is left out.
        """
        self.ensure_one()
        if gen_args["pain_flavor"].startswith(("pain.001.003.03", "pain.008.003.02")):
            # German variants of 2012 that know no structured address.
            return super()._generate_address_block(parent_node, gen_args)
        if not (self.city and self.country_id):
            return None
        prepare = self.env["account.payment.order"]._prepare_field
        street, number = self._split_street()
        address = objectify.SubElement(parent_node, "PstlAdr")
        if street:
            address.StrtNm = prepare("Street", street, 70, gen_args)
        if number:
            address.BldgNb = prepare("Building number", number, 16, gen_args)
        if self.zip:
            address.PstCd = prepare("ZIP Code", self.zip, 16, gen_args)
        address.TwnNm = prepare("City", self.city, 35, gen_args)
        address.Ctry = self.country_id.code
        return address

    def _split_street(self):
        """:return: (street name, building number); the whole line is the name where no number is plain."""
        street = " ".join((self.street or "").split())
        found = NUMBER_FIRST.match(street) or NUMBER_LAST.match(street)
        return (found["name"], found["number"]) if found else (street, "")

import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class EmspContractParty(models.Model):
    """One OCPI party (country code and party id) of a contract's partner."""

    _name = "emsp.contract.party"
    _description = "OCPI party of a roaming contract"
    _order = "country_code, ocpi_party_id"

    contract_id = fields.Many2one("emsp.contract", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    country_code = fields.Char(size=2, required=True, help="Two letters, for example FR.")
    ocpi_party_id = fields.Char(
        string="Party id", size=3, required=True, help="Three letters or digits, as registered (eMI3)."
    )

    _party_unique = models.Constraint(
        "UNIQUE (contract_id, country_code, ocpi_party_id)", "A contract names each OCPI party once."
    )

    @api.depends("country_code", "ocpi_party_id")
    def _compute_display_name(self):
        for party in self:
            party.display_name = f"{party.country_code}*{party.ocpi_party_id}"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._upper(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._upper(vals))

    @api.model
    def _upper(self, vals):
        """OCPI compares party ids without case; we keep one spelling so that look-ups can use the index."""
        return {
            key: value.strip().upper() if key in ("country_code", "ocpi_party_id") and value else value
            for key, value in vals.items()
        }

    @api.constrains("country_code", "ocpi_party_id")
    def _check_format(self):
        for party in self:
            if not re.fullmatch(r"[A-Z]{2}", party.country_code) or not re.fullmatch(
                r"[A-Z0-9]{3}", party.ocpi_party_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(party)s is not an OCPI party: two letters of the country and three letters or "
                        "digits of the party are expected, for example FR*ABC.",
                        party=party.display_name,
                    )
                )

    @api.constrains("country_code", "ocpi_party_id", "contract_id")
    def _check_one_contract_per_party(self):
        """No two contracts may claim the same party on the same day: a CDR must have one home."""
        for party in self:
            contract = party.contract_id
            rivals = self.search(
                [
                    ("id", "!=", party.id),
                    ("company_id", "=", party.company_id.id),
                    ("country_code", "=", party.country_code),
                    ("ocpi_party_id", "=", party.ocpi_party_id),
                    ("contract_id", "!=", contract.id),
                    ("contract_id.partner_role", "=", contract.partner_role),
                ]
            ).contract_id.filtered(
                lambda rival, c=contract: (
                    (not rival.date_end or rival.date_end >= c.date_start)
                    and (not c.date_end or c.date_end >= rival.date_start)
                )
            )
            if rivals:
                raise ValidationError(
                    self.env._(
                        "%(party)s belongs to contract %(rival)s in the same period. End that contract "
                        "first, or choose dates that do not overlap.",
                        party=party.display_name,
                        rival=rivals[0].display_name,
                    )
                )

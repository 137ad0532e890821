from odoo import api, fields, models
from odoo.exceptions import ValidationError


class EmspContractParty(models.Model):
    """One OCPI party (country code and party id) of a contract's partner."""

    _name = "emsp.contract.party"
    _description = "OCPI party of a roaming contract"
    _inherit = ["emsp.party.mixin"]
    _order = "country_code, ocpi_party_id"

    contract_id = fields.Many2one("emsp.contract", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)

    _party_unique = models.Constraint(
        "UNIQUE (contract_id, country_code, ocpi_party_id)", "A contract names each OCPI party once."
    )

    @api.constrains("country_code", "ocpi_party_id", "contract_id")
    def _check_one_contract_per_party(self):
        """No two contracts may claim the same party on the same day: a CDR must have one home."""
        for record in self:
            contract = record.contract_id
            rivals = self.search(
                [
                    ("id", "!=", record.id),
                    ("company_id", "=", record.company_id.id),
                    ("country_code", "=", record.country_code),
                    ("ocpi_party_id", "=", record.ocpi_party_id),
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
                        party=record.display_name,
                        rival=rivals[0].display_name,
                    )
                )

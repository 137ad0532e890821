from odoo import api, fields, models
from odoo.exceptions import ValidationError


class EmspContractNetting(models.Model):
    """Whether what both parties owe each other may be set off: both must have agreed on it."""

    _inherit = "emsp.contract"

    is_netting_agreed = fields.Boolean(
        string="Netting agreed",
        copy=False,
        tracking=True,
        help="Both parties agreed to set off their invoices. It takes two contracts that say so, with the "
        "same partner and currency: by one we bill the partner, by the other it bills us.",
    )
    netting_date = fields.Date(
        string="Agreed on",
        copy=False,
        tracking=True,
        help="Day of the clause; documents from before it are not set off.",
    )
    netting_reference = fields.Char(
        string="Clause",
        copy=False,
        tracking=True,
        help="Where it is agreed, such as: Roaming agreement, 7.3.",
    )
    netting_counterpart_ids = fields.Many2many(
        "emsp.contract", string="Set off against", compute="_compute_netting_counterpart_ids"
    )

    @api.constrains("is_netting_agreed", "netting_date", "netting_reference")
    def _check_netting_clause(self):
        for contract in self.filtered("is_netting_agreed"):
            if not contract.netting_date or not contract.netting_reference:
                raise ValidationError(
                    self.env._(
                        "Netting on contract %(contract)s: write the day and the clause of the agreement.",
                        contract=contract.display_name,
                    )
                )

    @api.depends("is_netting_agreed", "partner_id", "currency_id", "company_id", "partner_role")
    def _compute_netting_counterpart_ids(self):
        for contract in self:
            agreed = contract._netting_contracts(
                contract.company_id, contract.partner_id.commercial_partner_id, contract.currency_id
            )
            contract.netting_counterpart_ids = agreed.filtered(
                lambda other, c=contract: other.partner_role != c.partner_role
            )

    @api.model
    def _netting_contracts(self, company, partner, currency):
        """The contracts of both directions that agreed on netting.

        :param partner: the commercial partner.
        """
        return self.search(
            [
                ("company_id", "=", company.id),
                ("partner_id.commercial_partner_id", "=", partner.id),
                ("currency_id", "=", currency.id),
                ("is_netting_agreed", "=", True),
                ("state", "!=", "draft"),
            ]
        )

    @api.model
    def _netting_pairs(self):
        """:return: list of (company, commercial partner, currency) that agreed in both directions."""
        roles = {}
        for contract in self.search([("is_netting_agreed", "=", True), ("state", "=", "active")]):
            key = contract.company_id, contract.partner_id.commercial_partner_id, contract.currency_id
            roles.setdefault(key, set()).add(contract.partner_role)
        return [key for key, found in roles.items() if found == {"emsp", "cpo"}]

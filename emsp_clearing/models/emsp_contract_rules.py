from odoo import api, fields, models


class EmspContractRules(models.Model):
    """Which rules judge the CDRs of a contract."""

    _inherit = "emsp.contract"

    ruleset_id = fields.Many2one(
        "emsp.validation.ruleset",
        string="Rules for CDRs",
        compute="_compute_ruleset_id",
        help="The partner's own set, else the one for everyone.",
    )
    has_own_rules = fields.Boolean(compute="_compute_ruleset_id")

    @api.depends("company_id", "partner_id")
    def _compute_ruleset_id(self):
        rulesets = self.env["emsp.validation.ruleset"]
        for company in self.company_id:
            contracts = self.filtered(lambda contract, c=company: contract.company_id == c)
            chosen = rulesets._choose(company, contracts.partner_id)
            for contract in contracts:
                contract.ruleset_id = chosen[contract.partner_id.id]
        (self.filtered(lambda contract: not contract.company_id)).ruleset_id = False
        for contract in self:
            contract.has_own_rules = bool(contract.ruleset_id.partner_id)

    def action_own_rules(self):
        """Rules of the partner's own, which begin as those for everyone."""
        self.ensure_one()
        return self.env["emsp.validation.ruleset"]._action_own(self.company_id, self.partner_id)

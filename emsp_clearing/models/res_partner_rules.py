from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    emsp_ruleset_id = fields.Many2one(
        "emsp.validation.ruleset",
        string="Rules for CDRs",
        compute="_compute_emsp_ruleset_id",
        groups="emsp_clearing.emsp_clearing_group_user",
        help="What judges the CDRs of this partner's contracts; empty without a contract.",
    )

    @api.depends_context("company")
    def _compute_emsp_ruleset_id(self):
        company = self.env.company
        having = self.env["emsp.contract"].search(
            [("company_id", "=", company.id), ("partner_id", "child_of", self.commercial_partner_id.ids)]
        )
        families = having.partner_id.commercial_partner_id
        chosen = self.env["emsp.validation.ruleset"]._choose(company, families)
        for partner in self:
            family = partner.commercial_partner_id
            partner.emsp_ruleset_id = chosen[family.id] if family in families else False

    def action_view_emsp_rules(self):
        self.ensure_one()
        return self.emsp_ruleset_id.get_formview_action()

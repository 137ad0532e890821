from odoo import fields, models


class ResConfigSettingsMatching(models.TransientModel):
    _inherit = "res.config.settings"

    emsp_charge_limit = fields.Monetary(related="company_id.emsp_charge_limit", readonly=False)
    emsp_charge_account_id = fields.Many2one(related="company_id.emsp_charge_account_id", readonly=False)

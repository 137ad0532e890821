from odoo import fields, models


class ResConfigSettingsPayment(models.TransientModel):
    _inherit = "res.config.settings"

    emsp_four_eyes = fields.Boolean(related="company_id.emsp_four_eyes", readonly=False)
    emsp_payment_ahead_days = fields.Integer(related="company_id.emsp_payment_ahead_days", readonly=False)
    emsp_return_account_id = fields.Many2one(related="company_id.emsp_return_account_id", readonly=False)
    emsp_return_limit = fields.Float(related="company_id.emsp_return_limit", readonly=False)

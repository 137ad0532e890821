from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    emsp_reminders = fields.Selection(related="company_id.emsp_reminders", readonly=False)
    emsp_late_journal_id = fields.Many2one(related="company_id.emsp_late_journal_id", readonly=False)
    emsp_late_interest_account_id = fields.Many2one(
        related="company_id.emsp_late_interest_account_id", readonly=False
    )
    emsp_late_indemnity_account_id = fields.Many2one(
        related="company_id.emsp_late_indemnity_account_id", readonly=False
    )

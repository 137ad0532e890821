from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    emsp_accrued_income_account_id = fields.Many2one(
        related="company_id.emsp_accrued_income_account_id", readonly=False
    )
    emsp_accrual_revenue_account_id = fields.Many2one(
        related="company_id.emsp_accrual_revenue_account_id", readonly=False
    )
    emsp_accrued_expense_account_id = fields.Many2one(
        related="company_id.emsp_accrued_expense_account_id", readonly=False
    )
    emsp_accrual_expense_account_id = fields.Many2one(
        related="company_id.emsp_accrual_expense_account_id", readonly=False
    )
    emsp_accrual_journal_id = fields.Many2one(related="company_id.emsp_accrual_journal_id", readonly=False)
    emsp_journal_id = fields.Many2one(related="company_id.emsp_journal_id", readonly=False)
    emsp_journal_is_hashed = fields.Boolean(related="emsp_journal_id.restrict_mode_hash_table")

    def action_emsp_secure_journal(self):
        return self.company_id.action_emsp_secure_journal()

from odoo import fields, models


class ResCompanyAccounting(models.Model):
    """Accounts and journals of the clearing."""

    _inherit = "res.company"

    emsp_accrued_income_account_id = fields.Many2one(
        "account.account",
        string="Accrued income",
        check_company=True,
        help="Asset: sessions of eMSPs that are not invoiced at the month-end.",
    )
    emsp_accrual_revenue_account_id = fields.Many2one(
        "account.account",
        string="Revenue of accruals",
        check_company=True,
        help="Empty: the income account of the product Charging energy.",
    )
    emsp_accrued_expense_account_id = fields.Many2one(
        "account.account",
        string="Accrued expense",
        check_company=True,
        help="Liability: sessions at CPOs whose invoice has not come at the month-end.",
    )
    emsp_accrual_expense_account_id = fields.Many2one(
        "account.account",
        string="Expense of accruals",
        check_company=True,
        help="Empty: the expense account of the product Charging energy.",
    )
    emsp_accrual_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of accruals",
        check_company=True,
        domain="[('type', '=', 'general')]",
        help="Empty: the first journal for entries.",
    )
    emsp_journal_id = fields.Many2one(
        "account.journal",
        string="Clearing journal",
        check_company=True,
        domain="[('type', '=', 'sale')]",
        help="For the invoices of contracts that name no journal of their own. Empty: the first sales "
        "journal.",
    )

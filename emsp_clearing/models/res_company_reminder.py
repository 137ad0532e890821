from odoo import fields, models


class ResCompanyReminder(models.Model):
    """Reminders of a company, and where interest and recovery costs are booked."""

    _inherit = "res.company"

    emsp_reminders = fields.Selection(
        [
            ("off", "No reminders"),
            ("approve", "Made each day, sent by a person"),
            ("auto", "Made and sent each day"),
        ],
        string="Payment reminders",
        required=True,
        default="approve",
    )
    emsp_late_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of late interest",
        check_company=True,
        domain="[('type', '=', 'general')]",
        help="Empty: the first journal for entries.",
    )
    emsp_late_interest_account_id = fields.Many2one(
        "account.account", string="Late interest received", check_company=True
    )
    emsp_late_indemnity_account_id = fields.Many2one(
        "account.account",
        string="Recovery costs received",
        check_company=True,
        help="Empty: that of late interest.",
    )

    def _used_reference_rates(self):
        """:return: set of the references that interest of this company is computed by."""
        if self.emsp_reminders == "off" or not self.env["emsp.contract"].search_count(
            [("company_id", "=", self.id)], limit=1
        ):
            return set()
        policies = self.env["credit.control.policy"]._get_clearing_policies(self)
        used = set(policies.mapped("emsp_interest_reference")) - {False}
        return used | ({"fr_legal"} if any(policies.mapped("emsp_interest_floor")) else set())

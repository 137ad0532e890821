from odoo import fields, models


class ResCompanyException(models.Model):
    """Who hears of the exceptions of a company, and when."""

    _inherit = "res.company"

    emsp_exception_todo_days = fields.Integer(
        string="Warnings become a to-do after (days)",
        default=3,
        required=True,
        help="An error is a to-do of its owner at once, a warning after so many days.",
    )
    emsp_exception_digest_days = fields.Integer(
        string="Remind of exceptions after (days)",
        default=7,
        required=True,
        help="The digest comes when something changed, and every day while something is open for longer.",
    )
    emsp_exception_digest_user_ids = fields.Many2many(
        "res.users",
        "emsp_exception_digest_user_rel",
        "company_id",
        "user_id",
        string="Digest of exceptions to",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Empty: the accountants with rights in Clearing who take their notifications by e-mail.",
    )
    emsp_exception_digest_at = fields.Datetime(string="Last digest of exceptions", readonly=True)

    _emsp_exception_days = models.Constraint(
        "CHECK (emsp_exception_todo_days >= 0 AND emsp_exception_digest_days >= 0)",
        "A number of days is not negative.",
    )

    def _exception_digest_users(self):
        """:return: res.users that may read the company's journal and get its digest."""
        self.ensure_one()
        # sudo: who belongs to which group is the administrators' to read.
        company = self.sudo()
        group = company.env.ref
        chosen = company.emsp_exception_digest_user_ids
        if not chosen:
            accountants = group("account.group_account_user").all_user_ids
            chosen = accountants.filtered(lambda user: user.notification_type == "email")
        readers = group("emsp_clearing.emsp_clearing_group_user").all_user_ids
        return (chosen & readers).filtered(lambda user: user.active and company in user.company_ids)

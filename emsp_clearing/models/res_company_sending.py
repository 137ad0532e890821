from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompanySending(models.Model):
    """Through which server, and how heavy, the mails of settlements leave."""

    _inherit = "res.company"

    emsp_mail_server_id = fields.Many2one(
        "ir.mail_server",
        string="Mail server of settlements",
        help="Settlements leave through it. Empty: Odoo chooses by the sender's address.",
    )
    emsp_reply_to = fields.Char(
        string="Answers to",
        help="Address that answers to the mails of settlements go to. Empty: Odoo's own choice.",
    )
    emsp_mail_max_mb = fields.Integer(
        string="Largest package (MB)",
        default=10,
        required=True,
        help="Heavier documents are not attached: the mail has links that expire.",
    )
    emsp_link_days = fields.Integer(
        string="Links valid for (days)",
        default=60,
        required=True,
        help="Of mails with links, and of webhooks.",
    )

    _emsp_sending_limits = models.Constraint(
        "CHECK (emsp_mail_max_mb >= 0 AND emsp_link_days > 0)",
        "Links are valid for at least a day, and a package has a size.",
    )

    @api.constrains("emsp_mail_server_id", "email")
    def _check_emsp_mail_server(self):
        for company in self:
            # sudo: only administrators read mail servers
            server_sudo = company.emsp_mail_server_id.sudo()
            if server_sudo.from_filter and not server_sudo._match_from_filter(
                company.email_formatted, server_sudo.from_filter
            ):
                raise ValidationError(
                    self.env._(
                        "The mail server %(server)s sends for %(filter)s only, and %(company)s writes as "
                        "%(sender)s. Correct one of them.",
                        server=server_sudo.name,
                        filter=server_sudo.from_filter,
                        company=company.name,
                        sender=company.email or "-",
                    )
                )

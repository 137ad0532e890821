from dateutil.relativedelta import relativedelta

from odoo import api, fields, models


class EmspContractStatement(models.Model):
    """The statement of account that a partner gets by mail at the beginning of each month."""

    _inherit = "emsp.contract"

    statement_by_mail = fields.Boolean(
        string="Mail a statement of account monthly",
        tracking=True,
        help="In the first days of a month, of the month before; to the partner's invoicing contact. It is "
        "not sent when nothing was booked and nothing is open.",
    )
    statement_mailed_until = fields.Date(string="Statement mailed until", readonly=True, copy=False)

    @api.model
    def _cron_mail_statements(self, today=None):
        """Mail what is due; one statement for a partner, whatever the number of its contracts.

        :param date today: by default that of the user's time zone.
        """
        today = today or fields.Date.context_today(self)
        until = today.replace(day=1) - relativedelta(days=1)
        due = self.search(
            [
                ("statement_by_mail", "=", True),
                ("partner_role", "=", "emsp"),
                ("state", "in", ("active", "suspended", "ended")),
                "|",
                ("statement_mailed_until", "=", False),
                ("statement_mailed_until", "<", until),
            ]
        )
        # Of two runs at once only one has the rows; the other one finds them marked.
        locked = due.try_lock_for_update()
        locked.invalidate_recordset(["statement_mailed_until"])
        locked = locked.filtered(
            lambda each: not each.statement_mailed_until or each.statement_mailed_until < until
        )
        by_account = locked.grouped(lambda each: (each.company_id, each.partner_id.commercial_partner_id))
        for (company, partner), contracts in by_account.items():
            contracts._mail_statement(company, partner, until)
        self.env["mail.mail"]._trigger_queue()

    def _mail_statement(self, company, partner, until):
        statement = self.env["emsp.account.statement"].new(
            {
                "company_id": company.id,
                "partner_id": partner.id,
                "date_from": until.replace(day=1),
                "date_to": until,
            }
        )
        contact = partner.browse(partner.address_get(["invoice"])["invoice"])
        made = statement._make()
        is_worth_it = any(account.rows or account.items for __, account in made)
        if is_worth_it and not contact.email_normalized:
            # It stays due until there is an address.
            return
        if is_worth_it:
            self[0]._send_statement(statement, contact)
        self.statement_mailed_until = until

    def _send_statement(self, statement, contact):
        content, name = statement._file("pdf")
        attachment = self.env["ir.attachment"].create(
            {
                "name": name,
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        template = self.env.ref("emsp_clearing.mail_template_account_statement")
        lang = statement._localized().env.lang
        template.with_context(lang=lang, statement=statement._localized()._get_document()).send_mail(
            self.id, email_values={"email_to": contact.email_formatted, "attachment_ids": attachment.ids}
        )

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, format_date

# Rows of the newest that a mail lists.
NEWEST = 10


class EmspExceptionDigest(models.Model):
    """One mail a day to those who work through the journal: what is there, what is new, what stays long."""

    _inherit = "emsp.exception"

    @api.model
    def _cron_mail_digest(self, as_of=None):
        """:param as_of: naive UTC; by default now."""
        as_of = as_of or fields.Datetime.now()
        for (company,) in self._read_group([("state", "=", "open")], ["company_id"]):
            self.with_company(company)._mail_digest(company, as_of)
        self.env["mail.mail"]._trigger_queue()

    @api.model
    def _mail_digest(self, company, as_of):
        """Mail the company's journal when something changed since the last digest, or is open for too long.

        :return: res.users that it was mailed to.
        """
        nobody = self.env["res.users"]
        since = company.emsp_exception_digest_at or as_of - timedelta(days=1)
        of_company = Domain("company_id", "=", company.id)
        still_open = self.search(of_company & Domain("state", "=", "open"), order="opened_at desc, id desc")
        if not still_open:
            return nobody
        has_changed = self.search_count(
            of_company & (Domain("opened_at", ">", since) | Domain("closed_at", ">", since)), limit=1
        )
        overdue = self._older_than(company.emsp_exception_digest_days, as_of)
        if not has_changed and not still_open.filtered_domain(overdue):
            return nobody
        users = company._exception_digest_users().filtered("email_normalized")
        for user in users:
            self._mail_digest_to(user, company, still_open, since)
        if users:
            company.emsp_exception_digest_at = as_of
        return users

    @api.model
    def _mail_digest_to(self, user, company, still_open, since):
        lang = user.lang or self.env.lang
        digest = still_open.with_context(lang=lang)._prepare_digest(company, since)
        template = self.env.ref("emsp_clearing.mail_template_exception_digest")
        apart = {"email_to": user.email_formatted, "model": False, "res_id": False}
        template.with_context(lang=lang, digest=digest).send_mail(company.id, email_values=apart)

    def _prepare_digest(self, company, since):
        """:return: dict of texts, in the language of the context."""
        new = self.filtered(lambda exception: exception.opened_at > since)
        return {
            # As text: a template shows nothing for the number 0.
            "count": str(len(self)),
            "new": str(len(new)),
            "kinds": [exceptions._digest_kind(company) for exceptions in self.grouped("kind").values()],
            "rows": [exception._digest_row(since) for exception in self[:NEWEST]],
            "more": max(0, len(self) - NEWEST),
            "url": f"{company.get_base_url()}/odoo/emsp-exceptions",
        }

    def _digest_kind(self, company):
        oldest = min(self.mapped("date"))
        return {
            "label": dict(self._fields["kind"]._description_selection(self.env))[self[0].kind],
            "count": len(self),
            "errors": len(self.filtered(lambda exception: exception.severity == "error")),
            "amount": format_amount(self.env, sum(self.mapped("amount_company")), company.currency_id),
            "oldest": format_date(self.env, oldest),
        }

    def _digest_row(self, since):
        return {
            "name": self.name,
            "suggestion": self.suggestion or "",
            "is_new": self.opened_at > since,
            "partner": self.partner_id.name or "",
            "owner": self.user_id.name or "",
            "amount": format_amount(self.env, self.amount, self.currency_id) if self.amount else "",
            "date": format_date(self.env, self.date),
            "url": f"{self.get_base_url()}/odoo/emsp-exceptions/{self.id}",
        }

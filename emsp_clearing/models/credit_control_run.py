from functools import partial

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .credit_control_line import WAITING


class CreditControlRun(models.Model):
    """The daily run of reminders."""

    _inherit = "credit.control.run"

    @api.model
    def _cron_remind(self, as_of=None):
        """:param as_of: naive UTC; by default now."""
        as_of = as_of or fields.Datetime.now()
        companies = self.env["res.company"].search([("emsp_reminders", "!=", "off")])
        self.env["emsp.interest.rate"]._watch(companies, as_of)
        self.env["ir.cron"]._commit_progress(remaining=len(companies))
        for company in companies:
            remind = partial(self.with_company(company)._remind, company, as_of.date())
            self._attempt(company, f"res.company:{company.id}", remind)
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _remind(self, company, day):
        """Make the reminders of a day; send them where the company wants that.

        :return: the run; empty where nothing new is to be reminded of.
        """
        policies = self.env["credit.control.policy"].search(
            [("company_id", "in", (False, company.id)), ("do_nothing", "=", False)]
        )
        run = self.create({"date": day, "company_id": company.id, "policy_ids": [Command.set(policies.ids)]})
        run.generate_credit_lines()
        if not run.line_ids:
            run.unlink()
            run = self.browse()
        lines = self.env["credit.control.line"]
        waiting = lines.search([("company_id", "=", company.id), ("state", "in", WAITING)])._refresh_claim(
            day
        )
        if company.emsp_reminders == "auto":
            mails = waiting.filtered(lambda line: line.channel == "email").grouped("partner_id")
            for partner, own in mails.items():
                key = f"res.partner:{partner.id}:{company.id}"
                self._attempt(company, key, partial(own._send_by_mail, day), partner_id=partner.id)
        return run

    @api.model
    def _attempt(self, company, key, work, **vals):
        """Do a part of the run; where it cannot be done, the journal says why and the rest goes on."""
        journal = self.env["emsp.exception"]._in_language_of(company)
        try:
            with self.env.cr.savepoint():
                work()
        except UserError as error:
            journal._open(
                "reminder_failed",
                key,
                name=journal.env._("Reminders were not made: %s", error),
                suggestion=journal._usual_remedy("reminder_failed"),
                company_id=company.id,
                currency_id=company.currency_id.id,
                **vals,
            )
        else:
            journal._close("reminder_failed", key, fields.Datetime.now())

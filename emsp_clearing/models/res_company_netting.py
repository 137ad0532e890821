from odoo import fields, models
from odoo.exceptions import UserError

JOURNAL_CODE = "NET"
# Behind the journals that people write entries in: the first one is the default there.
JOURNAL_SEQUENCE = 90


class ResCompanyNetting(models.Model):
    """The journal in which mutual claims are set off."""

    _inherit = "res.company"

    emsp_netting_journal_id = fields.Many2one(
        "account.journal",
        string="Netting journal",
        check_company=True,
        domain="[('type', '=', 'general')]",
        help="For the entries that set off what a partner and we owe each other. Made when it is needed.",
    )

    def _ensure_netting_journal(self):
        """:return: the company's journal for nettings, made where there is none."""
        self.ensure_one()
        if not self.emsp_netting_journal_id:
            if not self.chart_template:
                raise UserError(
                    self.env._("Install a chart of accounts for %(company)s first.", company=self.name)
                )
            # sudo: whoever settles needs the journal once, without rights to set up journals or companies
            company_sudo = self.sudo()
            vals = company_sudo._prepare_netting_journal()
            company_sudo.emsp_netting_journal_id = company_sudo.env["account.journal"].create(vals)
        return self.emsp_netting_journal_id

    def _prepare_netting_journal(self):
        journals = self.env["account.journal"].with_context(active_test=False)
        taken = journals.search([("company_id", "=", self.id)]).mapped("code")
        vals = {
            "name": self.env._("Netting"),
            "type": "general",
            "company_id": self.id,
            "sequence": JOURNAL_SEQUENCE,
        }
        return vals if JOURNAL_CODE in taken else {**vals, "code": JOURNAL_CODE}

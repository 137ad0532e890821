from odoo import models
from odoo.exceptions import UserError

JOURNAL_CODE = "CLR"
# Behind the journals that people write invoices in: the first one is the default there.
JOURNAL_SEQUENCE = 90


class ResCompanyJournal(models.Model):
    """The clearing journal: a sales journal of its own, whose posted invoices nobody changes any more.

    Odoo hashes each entry of such a journal when it is posted, together with the hash before it. From then
    on the entry is not reset, cancelled or deleted; a credit note corrects it. The journal cannot be opened
    again either.
    """

    _inherit = "res.company"

    def action_emsp_secure_journal(self):
        """Give the company its clearing journal, hashed on post."""
        self.env["account.journal"].check_access("create")
        self._ensure_clearing_journal()
        return True

    def _ensure_clearing_journal(self):
        """:return: the company's clearing journal, hashed on post; made where there is none."""
        self.ensure_one()
        journal = self.emsp_journal_id
        if not journal:
            if not self.chart_template:
                raise UserError(
                    self.env._("Install a chart of accounts for %(company)s first.", company=self.name)
                )
            journal = self.env["account.journal"].create(self._prepare_clearing_journal())
            # sudo: an accountant sets up journals, also this one, without rights on the company
            self.sudo().emsp_journal_id = journal
        if not journal.restrict_mode_hash_table:
            journal.restrict_mode_hash_table = True
        return journal

    def _prepare_clearing_journal(self):
        journals = self.env["account.journal"].with_context(active_test=False)
        own = journals.search([("company_id", "=", self.id)])
        vals = {
            "name": self.env._("Roaming clearing"),
            # For lines whose product has none.
            "default_account_id": own.filtered(lambda journal: journal.type == "sale")[
                :1
            ].default_account_id.id,
            "type": "sale",
            "company_id": self.id,
            "sequence": JOURNAL_SEQUENCE,
            "restrict_mode_hash_table": True,
        }
        return vals if JOURNAL_CODE in own.mapped("code") else {**vals, "code": JOURNAL_CODE}

    def _needs_clearing_journal(self):
        """A company that starts gets one. With contracts a person decides: invoices change their numbers."""
        contracts = self.env["emsp.contract"].with_context(active_test=False)
        return (
            not self.parent_id
            and not self.emsp_journal_id
            and not contracts.search_count([("company_id", "=", self.id)], limit=1)
        )

    def _get_clearing_journal(self):
        """:return: account.journal of contracts that name none: the clearing journal, else the first one."""
        self.ensure_one()
        journal = (self | self.parent_ids).emsp_journal_id.filtered("active")[:1]
        journals = self.env["account.journal"]
        return journal or journals.search(
            [*journals._check_company_domain(self), ("type", "=", "sale")], limit=1
        )

from odoo import api, fields, models
from odoo.exceptions import UserError


class EmspContractJournal(models.Model):
    """In which journal a contract's invoices stand, and whether nobody can change them there."""

    _inherit = "emsp.contract"

    clearing_journal_id = fields.Many2one(
        "account.journal",
        string="Invoices go to",
        compute="_compute_clearing_journal_id",
        compute_sudo=True,
        help="The contract's journal, else the company's clearing journal, else its first sales journal.",
    )
    # sudo: who sees a contract sees where its invoices stand, without rights in accounting
    clearing_journal_name = fields.Char(compute="_compute_clearing_journal_id", compute_sudo=True)
    is_journal_secured = fields.Boolean(
        compute="_compute_clearing_journal_id",
        compute_sudo=True,
        help="Posted invoices of the journal are hashed: nobody resets, changes or deletes them.",
    )

    @api.depends("journal_id", "company_id.emsp_journal_id", "journal_id.restrict_mode_hash_table")
    def _compute_clearing_journal_id(self):
        for contract in self:
            journal = contract._get_clearing_journal()
            contract.clearing_journal_id = journal
            contract.clearing_journal_name = journal.display_name
            contract.is_journal_secured = journal.restrict_mode_hash_table

    def action_use_clearing_journal(self):
        """Let the contracts bill in the company's clearing journal from their next list on."""
        self.env["account.journal"].check_access("write")
        for contract in self:
            if contract.partner_role != "emsp":
                raise UserError(
                    self.env._("%(contract)s makes no invoices of ours.", contract=contract.display_name)
                )
            contract.journal_id = contract.company_id._ensure_clearing_journal()
        return True

    def _get_clearing_journal(self):
        """:return: account.journal, maybe none."""
        self.ensure_one()
        return self.journal_id or self.company_id._get_clearing_journal()

from odoo import models
from odoo.tools import SQL


class AccountMoveInalterable(models.Model):
    """Two invoices posted at once in a hashed journal: one after the other, or the chain would break."""

    _inherit = "account.move"

    def _post(self, soft=True):
        # EXTENDS account
        self._queue_for_hashing()
        return super()._post(soft)

    def _queue_for_hashing(self):
        """Take the hashed journals until the end of the transaction.

        Account gives the second invoice the next number, but a transaction that began earlier does not see
        the first one, and its hash would not follow that one's: the chain would be broken. Touching the row
        makes the database refuse the later transaction instead, as a conflict; Odoo and the job queue replay
        those, and then it sees the first invoice.
        """
        journals = self.journal_id.filtered("restrict_mode_hash_table").sorted("id")
        if journals:
            self.env.cr.execute(
                SQL("UPDATE account_journal SET write_date = write_date WHERE id IN %s", tuple(journals.ids))
            )

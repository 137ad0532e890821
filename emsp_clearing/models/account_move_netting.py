from odoo import fields, models
from odoo.exceptions import UserError


class AccountMoveNetting(models.Model):
    """The entry of a netting statement: it stands as long as the statement does."""

    _inherit = "account.move"

    emsp_netting_id = fields.Many2one(
        "emsp.netting",
        string="Netting statement",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
    )

    def button_draft(self):
        # EXTENDS account: also before the entry is cancelled or deleted
        for move in self:
            # sudo: the entry of the other company is of a statement that its users may not see
            netting_sudo = move.emsp_netting_id.sudo()
            if netting_sudo.state == "settled":
                raise UserError(
                    self.env._(
                        "%(entry)s clears the documents of %(netting)s. Cancel the statement instead.",
                        entry=move.name,
                        netting=netting_sudo.name,
                    )
                )
        return super().button_draft()

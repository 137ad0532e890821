from odoo import fields, models


class AccountMoveAccrual(models.Model):
    """An accrual's entry and its reversal."""

    _inherit = "account.move"

    emsp_accrual_id = fields.Many2one(
        "emsp.accrual",
        string="Clearing accrual",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
    )

    def _post(self, soft=True):
        # EXTENDS account: an accrual is never posted without its reversal, which waits for its date
        posted = super()._post(soft)
        reversals = posted.filtered("emsp_accrual_id").reversal_move_ids
        waiting = reversals.filtered(lambda move: move.emsp_accrual_id and move.state == "draft")
        if waiting:
            waiting._post(soft=True)
        return posted

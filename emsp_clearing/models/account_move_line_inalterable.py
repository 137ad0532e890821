from odoo import models
from odoo.exceptions import UserError

# Account's hash holds debit, credit, account, partner and label of a line; what the invoice prints besides
# is protected here.
PRINTED = frozenset(
    {
        "price_unit",
        "quantity",
        "discount",
        "tax_ids",
        "product_id",
        "product_uom_id",
        "balance",
        "amount_currency",
        "currency_id",
        "emsp_unit",
        "emsp_quantity",
        "emsp_unit_price",
        "emsp_session_count",
    }
)


class AccountMoveLineInalterable(models.Model):
    """A line of a hashed clearing invoice says for ever what it said when it was posted."""

    _inherit = "account.move.line"

    def write(self, vals):
        if PRINTED & vals.keys():
            moves = self.move_id.filtered("inalterable_hash")
            hashed = moves.filtered(lambda move: move._is_clearing_document())[:1]
            if hashed:
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s is secured: its lines are not changed any more. Correct it by a "
                        "credit note.",
                        invoice=hashed.name,
                    )
                )
        return super().write(vals)

from odoo import fields, models


class AccountMoveFollowers(models.Model):
    """What follows the state of a move, as the move knows it.

    For the ORM alone: without these, each change of a move, and thus of a bank line, looks in the database
    for what is to be computed again. A new move knows that nothing follows it yet.
    """

    _inherit = "account.move"

    emsp_delivery_ids = fields.One2many(
        "emsp.settlement.delivery", "move_id", string="Deliveries", groups=fields.NO_ACCESS
    )
    emsp_exception_ids = fields.One2many(
        "emsp.exception", "move_id", string="Entries of the exception journal", groups=fields.NO_ACCESS
    )

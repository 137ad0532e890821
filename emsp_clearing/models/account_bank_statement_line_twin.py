from odoo import fields, models


class AccountBankStatementLineTwin(models.Model):
    """What a booking is known by where the bank gives it no reference of its own."""

    _inherit = "account.bank.statement.line"

    emsp_booking_key = fields.Char(
        string="Booking key",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Made of what a CAMT entry says: days, amount, account, text and references. Entries of "
        "several statements that have the same key are the same booking.",
    )

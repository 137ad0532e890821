from odoo import fields, models


class EmspExceptionVat(models.Model):
    """What the tax adviser or the accountant must see in the journal."""

    _inherit = "emsp.exception"

    kind = fields.Selection(
        selection_add=[
            ("vat_undecided", "VAT undecided"),
            ("vat_late", "Invoiced after the 15th"),
        ],
        ondelete={"vat_undecided": "cascade", "vat_late": "cascade"},
    )

from odoo import fields, models


class EmspContractInvoiceLayout(models.Model):
    """How the invoices of a contract look."""

    _inherit = "emsp.contract"

    invoice_layout_id = fields.Many2one(
        "emsp.invoice.layout",
        string="Invoice Document",
        check_company=True,
        help="Empty: the company's first one.",
    )

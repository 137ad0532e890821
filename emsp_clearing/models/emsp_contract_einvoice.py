from odoo import fields, models

EINVOICE_FORMATS = [
    ("facturx", "Factur-X"),
    ("ubl_bis3", "Peppol BIS Billing 3 (UBL), and Factur-X in the PDF"),
    ("xrechnung", "XRechnung (UBL), and Factur-X in the PDF"),
    ("none", "No e-invoice"),
]


class EmspContractEinvoice(models.Model):
    """What the partner wants to find in its e-invoices."""

    _inherit = "emsp.contract"

    einvoice_format = fields.Selection(
        EINVOICE_FORMATS,
        string="E-invoice",
        tracking=True,
        help="Empty: the format chosen on the partner, else Factur-X.",
    )
    buyer_reference = fields.Char(
        tracking=True,
        help="By which the partner routes the invoice (BT-10): a department, a cost centre, a Leitweg-ID. "
        "Empty: the partner's reference, else that of this contract.",
    )
    purchase_order = fields.Char(
        tracking=True, help="Number of the partner's purchase order (BT-13), printed on each e-invoice."
    )
    einvoice_annex_limit_mb = fields.Integer(
        string="Annex in the e-invoice up to (MB)",
        default=20,
        required=True,
        help="A larger session annex is only named in the e-invoice, and stands in the mail beside it. "
        "0: never inside.",
    )

    _einvoice_annex_limit = models.Constraint(
        "CHECK (einvoice_annex_limit_mb BETWEEN 0 AND 100)",
        "The session annex in an e-invoice may have between 0 and 100 MB.",
    )

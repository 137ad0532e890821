from odoo import fields, models

INVOICE_SCOPES = [("period", "One for the period"), ("cdr", "One for each session")]
LINE_GROUPINGS = [
    ("price", "Component and unit price"),
    ("location_group", "Location group, then component and price"),
    ("tariff", "Tariff, then component and price"),
    ("cdr", "One line for each session"),
]
CREDIT_SCOPES = [
    ("next", "As negative lines of the next invoice"),
    ("own", "As credit notes of their own"),
]


class EmspContractInvoicing(models.Model):
    """How the settlements of a contract become invoices."""

    _name = "emsp.contract"
    _inherit = ["emsp.contract", "analytic.mixin"]

    invoice_scope = fields.Selection(
        INVOICE_SCOPES,
        string="Invoices",
        required=True,
        default="period",
        tracking=True,
    )
    line_grouping = fields.Selection(
        LINE_GROUPINGS,
        string="Invoice lines",
        required=True,
        default="price",
        tracking=True,
        help="The session annex has one row for each session in any case.",
    )
    credit_scope = fields.Selection(
        CREDIT_SCOPES,
        string="Credit CDRs",
        required=True,
        default="next",
        tracking=True,
        help="A credit note of its own names the invoice that it corrects, and is set off against it.",
    )
    minimum_amount = fields.Float(
        string="Invoice from",
        digits=(16, 2),
        tracking=True,
        help="Net amount. A settlement below it is not invoiced but carried forward to the next one. "
        "0: everything is invoiced.",
    )
    shares_invoice = fields.Boolean(
        string="Together with other contracts",
        tracking=True,
        help="One invoice for all contracts of the partner that say so and agree on currency, date, journal, "
        "payment terms and fiscal position.",
    )
    # Of analytic.mixin; here for its help.
    analytic_distribution = fields.Json(help="Of the lines of this contract's invoices.")

    _minimum_amount_positive = models.Constraint(
        "CHECK (minimum_amount >= 0)", "The amount from which is invoiced is not negative."
    )
    _cdr_invoices_stand_alone = models.Constraint(
        "CHECK (invoice_scope = 'period' OR (NOT shares_invoice AND minimum_amount = 0))",
        "One invoice for each session has no minimum amount and is not shared with other contracts.",
    )

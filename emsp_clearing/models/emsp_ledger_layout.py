from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.ledger import Format

# What a column can show; see emsp.ledger.export._row_values.
SOURCES = [
    ("date", "Accounting date"),
    ("journal_code", "Journal: code"),
    ("journal_name", "Journal: name"),
    ("entry", "Entry: number"),
    ("reference", "Entry: reference"),
    ("invoice_date", "Document date"),
    ("date_due", "Due date"),
    ("account_code", "Account: number"),
    ("account_name", "Account: name"),
    ("partner_name", "Partner: name"),
    ("partner_ref", "Partner: reference"),
    ("partner_vat", "Partner: VAT number"),
    ("label", "Label"),
    ("debit", "Debit"),
    ("credit", "Credit"),
    ("balance", "Balance"),
    ("amount_currency", "Amount in its currency"),
    ("currency", "Currency"),
    ("tax", "Tax of the item"),
    ("base_taxes", "Taxes on the item"),
    ("matching", "Matching number"),
    ("item_id", "Id of the item"),
]


class EmspLedgerLayout(models.Model):
    """Where the ledger is exported to, and how its file looks. Each item goes to each target once."""

    _name = "emsp.ledger.layout"
    _description = "Layout of ledger exports"
    _order = "sequence, id"

    name = fields.Char(string="Target", required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Empty: for all companies.")
    kind = fields.Selection(
        [("csv", "CSV with columns"), ("datev", "DATEV format (EXTF)"), ("fec", "FEC (France)")],
        string="Format",
        required=True,
        default="csv",
    )
    separator = fields.Selection(
        [(";", "Semicolon"), (",", "Comma"), ("\t", "Tabulator"), ("|", "Bar")],
        string="Between columns",
        required=True,
        default=";",
    )
    decimal_sign = fields.Selection([(",", "Comma"), (".", "Point")], required=True, default=",")
    date_format = fields.Selection(
        [
            ("iso", "2026-10-31"),
            ("compact", "20261031"),
            ("dmy_dots", "31.10.2026"),
            ("dmy_slashes", "31/10/2026"),
            ("mdy_slashes", "10/31/2026"),
        ],
        string="Dates",
        required=True,
        default="iso",
    )
    encoding = fields.Selection(
        [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 for Excel"), ("cp1252", "Windows-1252")],
        string="Characters",
        required=True,
        default="utf-8-sig",
    )
    has_titles = fields.Boolean(string="Titles in the first row", default=True)
    column_ids = fields.One2many("emsp.ledger.column", "layout_id", copy=True)

    @api.constrains("separator", "decimal_sign")
    def _check_signs(self):
        for layout in self:
            if layout.kind == "csv" and layout.separator == layout.decimal_sign:
                raise ValidationError(
                    self.env._("The sign between columns and the decimal sign must not be the same.")
                )

    @api.constrains("kind", "column_ids")
    def _check_columns(self):
        for layout in self:
            if layout.kind == "csv" and not layout.column_ids:
                raise ValidationError(self.env._("%(layout)s needs a column at least.", layout=layout.name))

    def _format(self):
        """:return: core.ledger.Format"""
        self.ensure_one()
        return Format(separator=self.separator, decimal=self.decimal_sign, dates=self.date_format)


class EmspLedgerColumn(models.Model):
    _name = "emsp.ledger.column"
    _description = "Column of a ledger export"
    _order = "sequence, id"

    layout_id = fields.Many2one("emsp.ledger.layout", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    source = fields.Selection(SOURCES, string="Shows", required=True)
    title = fields.Char(help="Empty: what the column shows.")

    def _get_title(self):
        return self.title or dict(self._fields["source"]._description_selection(self.env))[self.source]

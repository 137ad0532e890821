from odoo import fields, models


class EmspContractAnnex(models.Model):
    """What comes with the invoices of a contract: the session annex as a spreadsheet, always, and more."""

    _inherit = "emsp.contract"

    annex_has_segments = fields.Boolean(
        string="Price segments",
        help="The annex has a further sheet: how the price of each session came about, charging period by "
        "charging period.",
    )
    annex_csv = fields.Selection(
        [("comma", "With commas"), ("semicolon", "With semicolons")],
        string="Sessions as CSV",
        help="The sessions as a text file as well, with decimal points and ISO dates.",
    )
    annex_csv_mark = fields.Boolean(
        string="CSV with byte order mark",
        default=True,
        help="Spreadsheets then know that the file is UTF-8. Some systems stumble over it.",
    )
    annex_has_parquet = fields.Boolean(
        string="Sessions as Parquet",
        help="The sessions for a data platform: exact decimals, instants in UTC.",
    )
    annex_mails_all = fields.Boolean(
        string="Mail these files, too",
        help="The spreadsheet is always mailed with the invoice. The other files can always be downloaded "
        "in the portal.",
    )

from odoo import fields, models


class ResCompanyDatev(models.Model):
    """How the company is known to its tax advisor's DATEV."""

    _inherit = "res.company"

    emsp_datev_advisor = fields.Integer(string="DATEV advisor number", help="Beraternummer: 1001 to 9999999.")
    emsp_datev_client = fields.Integer(string="DATEV client number", help="Mandantennummer: 1 to 99999.")
    emsp_datev_account_length = fields.Integer(
        string="DATEV account length",
        default=4,
        required=True,
        help="Digits of general ledger accounts (Sachkontenlänge): 4 to 8.",
    )
    emsp_datev_needs_personal = fields.Boolean(
        string="DATEV numbers of partners required",
        help="Ticked: nothing is exported to DATEV while a customer or supplier in it has no number there. "
        "Otherwise what it owes goes out under the collective account.",
    )
    emsp_datev_is_locked = fields.Boolean(
        string="DATEV locks the rows", help="Festschreibung: the rows are locked as soon as they are read."
    )

    _emsp_datev_numbers = models.Constraint(
        "CHECK ((COALESCE(emsp_datev_advisor, 0) = 0 OR emsp_datev_advisor BETWEEN 1001 AND 9999999) "
        "AND COALESCE(emsp_datev_client, 0) BETWEEN 0 AND 99999 "
        "AND emsp_datev_account_length BETWEEN 4 AND 8)",
        "DATEV: advisor numbers are 1001 to 9999999, client numbers 1 to 99999, accounts have 4 to 8 digits.",
    )


class ResConfigSettingsDatev(models.TransientModel):
    _inherit = "res.config.settings"

    emsp_datev_advisor = fields.Integer(related="company_id.emsp_datev_advisor", readonly=False)
    emsp_datev_client = fields.Integer(related="company_id.emsp_datev_client", readonly=False)
    emsp_datev_account_length = fields.Integer(related="company_id.emsp_datev_account_length", readonly=False)
    emsp_datev_needs_personal = fields.Boolean(related="company_id.emsp_datev_needs_personal", readonly=False)
    emsp_datev_is_locked = fields.Boolean(related="company_id.emsp_datev_is_locked", readonly=False)


class AccountTaxDatev(models.Model):
    _inherit = "account.tax"

    emsp_datev_key = fields.Char(
        string="DATEV key",
        size=4,
        help="BU-Schlüssel of the rows with this tax. Net amounts and tax are rows of their own, so on "
        "accounts that compute tax by themselves it is the key that stops them (40).",
    )

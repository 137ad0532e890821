from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.datev import is_personal_account


class ResPartnerDatev(models.Model):
    """The numbers of a customer and supplier in DATEV (Personenkonten), by company."""

    _inherit = "res.partner"

    # Portal users read their own partner.
    emsp_datev_debtor = fields.Char(
        string="DATEV customer number",
        company_dependent=True,
        copy=False,
        groups="base.group_user",
        help="Debitorenkonto: in DATEV exports the account of what this customer owes. One digit longer than "
        "general ledger accounts, beginning with 1 to 6. Empty: the collective account.",
    )
    emsp_datev_creditor = fields.Char(
        string="DATEV supplier number",
        company_dependent=True,
        copy=False,
        groups="base.group_user",
        help="Kreditorenkonto: in DATEV exports the account of what this supplier is owed. One digit longer "
        "than general ledger accounts, beginning with 7 to 9. Empty: the collective account.",
    )

    emsp_has_datev = fields.Boolean(
        string="Exports to DATEV", compute="_compute_emsp_has_datev", groups="base.group_user"
    )

    @api.depends_context("company")
    def _compute_emsp_has_datev(self):
        self.emsp_has_datev = bool(self.env.company.emsp_datev_advisor)

    @api.constrains("emsp_datev_debtor", "emsp_datev_creditor")
    def _check_datev_numbers(self):
        length = self.env.company.emsp_datev_account_length
        for partner in self.sudo():
            debtor, creditor = partner.emsp_datev_debtor, partner.emsp_datev_creditor
            if debtor and not is_personal_account(debtor, length, is_debtor=True):
                raise ValidationError(
                    self.env._(
                        "A DATEV customer number has %(digits)s digits and begins with 1 to 6, like "
                        "%(example)s.",
                        digits=length + 1,
                        example="1" + "0" * (length - 1) + "1",
                    )
                )
            if creditor and not is_personal_account(creditor, length, is_debtor=False):
                raise ValidationError(
                    self.env._(
                        "A DATEV supplier number has %(digits)s digits and begins with 7 to 9, like "
                        "%(example)s.",
                        digits=length + 1,
                        example="7" + "0" * (length - 1) + "1",
                    )
                )

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
        for name in ("emsp_datev_debtor", "emsp_datev_creditor"):
            # sudo: portal users write their own partner, without rights on its numbers; the number of a
            # partner that the user does not see is taken all the same
            numbered_sudo = self.sudo().filtered(name)
            numbered_sudo._check_datev_form(name)
            numbered_sudo._check_datev_unique(name)

    def _check_datev_form(self, name):
        """:param name: one of the two fields. :raise ValidationError: it is no account of its kind."""
        is_debtor = name == "emsp_datev_debtor"
        length = self.env.company.emsp_datev_account_length
        if all(is_personal_account(partner[name], length, is_debtor=is_debtor) for partner in self):
            return
        names = {"digits": length + 1, "example": ("1" if is_debtor else "7") + "0" * (length - 1) + "1"}
        raise ValidationError(
            self.env._(
                "A DATEV customer number has %(digits)s digits and begins with 1 to 6, like %(example)s.",
                **names,
            )
            if is_debtor
            else self.env._(
                "A DATEV supplier number has %(digits)s digits and begins with 7 to 9, like %(example)s.",
                **names,
            )
        )

    def _check_datev_unique(self, name):
        """:raise ValidationError: another partner has the number. Contacts of one company are one partner."""
        holders = self.with_context(active_test=False).search([(name, "in", self.mapped(name))])
        for partner in self:
            others = holders.filtered(
                lambda other, own=partner: (
                    other[name] == own[name] and other.commercial_partner_id != own.commercial_partner_id
                )
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "DATEV number %(number)s of %(partner)s is that of %(other)s already: what the two "
                        "owe would stand in one account.",
                        number=partner[name],
                        partner=partner.display_name,
                        other=others[0].display_name,
                    )
                )

from odoo import fields, models


class AccountBankStatementLineBankCode(models.Model):
    """What kind of entry it is by the bank's own codes: a return is told by them."""

    _inherit = "account.bank.statement.line"

    emsp_bank_code = fields.Char(
        string="Bank code",
        readonly=True,
        copy=False,
        help="ISO 20022: BkTxCd (domain-family-sub-family, or the bank's own code). MT940: the business "
        "transaction code of field 86, or the type of field 61.",
    )
    emsp_return_reason = fields.Char(
        string="Return reason",
        readonly=True,
        copy=False,
        help="Why the bank returned a payment, as its code. ISO 20022: RtrInf/Rsn/Cd.",
    )

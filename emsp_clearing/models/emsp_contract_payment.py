from odoo import api, fields, models
from odoo.exceptions import ValidationError

PAYMENT_WAYS = [("transfer", "The partner transfers"), ("debit", "We collect by direct debit")]
REFUND_WAYS = [
    ("rest", "Set off against open invoices, refund the rest"),
    ("refund", "Refund each credit note in full"),
    ("keep", "Keep for later invoices"),
]
BILL_WAYS = [("transfer", "By transfer, proposed when they fall due"), ("hand", "By hand")]


class EmspContractPayment(models.Model):
    """How money moves between the partner and us."""

    _inherit = "emsp.contract"

    payment_way = fields.Selection(
        PAYMENT_WAYS,
        string="Way of payment",
        required=True,
        default="transfer",
        tracking=True,
        help="A direct debit needs a mandate that the partner has signed.",
    )
    collection_days = fields.Integer(
        string="Collect after (days)",
        required=True,
        default=5,
        tracking=True,
        help="Days between the sending of the invoice and its collection, never before the due date. The "
        "rule book of SEPA demands a notice of 14 days, unless a shorter one is agreed on in the contract or "
        "the mandate.",
    )
    debit_mandate_id = fields.Many2one(
        "account.banking.mandate",
        string="Mandate",
        check_company=True,
        tracking=True,
        domain="[('partner_id', '=', commercial_partner_id), ('state', 'in', ('valid', 'final')),"
        " ('company_id', '=', company_id)]",
        help="Empty: the valid mandate of the partner.",
    )
    refund_way = fields.Selection(
        REFUND_WAYS,
        string="Credit notes",
        required=True,
        default="rest",
        tracking=True,
        help="What becomes of credit notes and of what the partner has paid too much. Refunds are proposed "
        "as transfers; a person releases them.",
    )
    bill_way = fields.Selection(
        BILL_WAYS,
        string="Bills of the partner",
        required=True,
        default="transfer",
        tracking=True,
        help="Posted vendor bills of the CPO.",
    )
    payee_bank_id = fields.Many2one(
        "res.partner.bank",
        string="Transfer to",
        check_company=True,
        tracking=True,
        domain="[('partner_id', '=', commercial_partner_id)]",
        help="The partner's account for refunds and bills. Empty: the one on the document, else the "
        "partner's first trusted account.",
    )
    commercial_partner_id = fields.Many2one(related="partner_id.commercial_partner_id", string="Company paid")
    payee_holder = fields.Char(
        string="Account holder",
        related="payee_bank_id.acc_holder_name",
        help="The legal name under which the bank keeps the account; it may be another one than the trade "
        "name. Banks compare it when a transfer is released (verification of payee). It is set on the "
        "account.",
    )

    _collection_days_range = models.Constraint(
        "CHECK (collection_days BETWEEN 1 AND 90)",
        "An invoice is collected between 1 and 90 days after it was sent.",
    )

    @api.constrains("payee_bank_id", "debit_mandate_id", "partner_id")
    def _check_payment_parties(self):
        for contract in self:
            company = contract.partner_id.commercial_partner_id
            owners = contract.payee_bank_id.partner_id | contract.debit_mandate_id.partner_id
            if owners - company:
                raise ValidationError(
                    self.env._(
                        "The account and the mandate of contract %(contract)s have to be those of "
                        "%(partner)s.",
                        contract=contract.display_name,
                        partner=company.display_name,
                    )
                )

    def _valid_mandate(self):
        """:return: account.banking.mandate that invoices are collected with; maybe none."""
        self.ensure_one()
        if self.debit_mandate_id:
            return self.debit_mandate_id.filtered(lambda mandate: mandate.state in ("valid", "final"))
        mandates = self.debit_mandate_id.search(
            [
                ("partner_id", "=", self.partner_id.commercial_partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("state", "in", ("valid", "final")),
            ]
        )
        return mandates.sorted(lambda mandate: mandate.state == "final")[:1]

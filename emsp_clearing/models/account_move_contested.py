from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.money import ZERO, from_float, round_money

CDR_DIGITS = 4


class AccountMoveContested(models.Model):
    """What the partner disputes of an invoice that it has: it is neither reminded of nor bears interest."""

    _inherit = "account.move"

    emsp_contested_amount = fields.Monetary(
        string="Disputed after invoicing",
        copy=False,
        tracking=True,
        help="Tax included. What the partner wrote to us about after the lock, until it is decided: a credit "
        "note then takes it back, or this is set to nothing.",
    )
    emsp_contested_reason = fields.Char(string="Why it is disputed", copy=False, tracking=True)

    @api.constrains("emsp_contested_amount")
    def _check_contested_amount(self):
        for move in self:
            compare = move.currency_id.compare_amounts
            contested = move.emsp_contested_amount
            if compare(contested, 0) < 0 or compare(contested, move.amount_total) > 0:
                raise ValidationError(
                    self.env._(
                        "What is disputed of %(invoice)s lies between 0 and its total.", invoice=move.name
                    )
                )

    def _get_not_claimed(self):
        """What is disputed of invoices, and what credit CDRs will take back that no document has yet.

        :return: dict move -> Decimal, tax included.
        """
        amounts = defaultdict(lambda: ZERO)
        # sudo: whoever does the books reminds without rights on sessions and disputes
        moves_sudo = self.sudo()
        for move, net in moves_sudo._sum_open_disputes().items():
            amounts[move] += move._with_tax(net)
        for move, net in moves_sudo._sum_credits_to_come().items():
            amounts[move] += move._with_tax(net)
        for move in self:
            amounts[move] += from_float(move.emsp_contested_amount, move.currency_id.decimal_places)
        return amounts

    def _sum_open_disputes(self):
        disputes = self.env["emsp.dispute"].search(
            [("cdr_id.move_id", "in", self.ids), ("is_open", "=", True), ("direction", "=", "received")]
        )
        sums = defaultdict(lambda: ZERO)
        for dispute in disputes:
            paid = from_float(dispute.own_amount, CDR_DIGITS) if dispute.has_own_amount else ZERO
            sums[dispute.cdr_id.move_id] += from_float(dispute.disputed_amount, CDR_DIGITS) - paid
        return sums

    def _sum_credits_to_come(self):
        credits = self.env["emsp.cdr"].search(
            [
                ("credited_cdr_id.move_id", "in", self.ids),
                ("move_id", "=", False),
                ("state", "in", ("open", "locked")),
            ]
        )
        sums = defaultdict(lambda: ZERO)
        for credit in credits:
            sums[credit.credited_cdr_id.move_id] -= from_float(credit.amount_untaxed, CDR_DIGITS)
        return sums

    def _with_tax(self, net):
        """A part of the net amount with its share of the tax."""
        digits = self.currency_id.decimal_places
        untaxed, total = from_float(self.amount_untaxed, digits), from_float(self.amount_total, digits)
        return round_money(net * total / untaxed, digits) if untaxed else round_money(net, digits)

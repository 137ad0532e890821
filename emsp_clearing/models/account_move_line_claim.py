from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from odoo import models

from ..core.interest import Change, interest
from ..core.money import ZERO, from_float

PENDING = ("draft", "open", "generated")
SENT_TO_BANK = "uploaded"
# Of reminders that count as never made.
NOT_MADE = ("draft", "ignored")


class Claim(NamedTuple):
    """What may be asked for of an open item, in its currency: what is open, without what is disputed and
    without what credits of the partner cover. Nothing, while a payment of it is under way."""

    open: Decimal
    disputed: Decimal = ZERO
    credited: Decimal = ZERO
    is_under_way: bool = False

    @property
    def due(self):
        return ZERO if self.is_under_way else self.open - self.disputed - self.credited


class AccountMoveLineClaim(models.Model):
    """Open items as reminders see them."""

    _inherit = "account.move.line"

    def _without_reminder(self):
        """:return: items whose partner was not reminded of them."""
        reminders = self.env["credit.control.line"].search(
            [
                ("move_line_id", "in", self.ids),
                ("state", "not in", NOT_MADE),
                ("manually_overridden", "=", False),
            ]
        )
        return self - reminders.move_line_id

    def _get_claims(self):
        """What may be asked for now.

        The credits of a partner are set off against its oldest items first, whichever are asked about.

        :return: dict account.move.line id -> Claim.
        """
        # sudo: the items of a partner count as a whole, whoever reminds it of some
        asked_sudo = self.sudo()
        items = (asked_sudo | asked_sudo._get_items_of_partners()).sorted(
            lambda item: (item.date_maturity or item.date, item.id)
        )
        disputed = items.move_id._get_not_claimed()
        credits = items._get_open_credits()
        under_way = items._get_under_way()
        claims = {}
        for item in items:
            opened = from_float(item.amount_residual_currency, item.currency_id.decimal_places)
            contested = min(opened, disputed[item.move_id])
            disputed[item.move_id] -= contested
            covered = ZERO
            if item not in under_way:
                covered = min(opened - contested, credits[item._account_key()])
                credits[item._account_key()] -= covered
            claims[item.id] = Claim(opened, contested, covered, item in under_way)
        return {item.id: claims[item.id] for item in self}

    def _account_key(self):
        return (self.company_id, self.partner_id.commercial_partner_id, self.currency_id)

    def _open_items_domain(self, sign):
        return [
            ("company_id", "in", self.company_id.ids),
            ("partner_id", "child_of", self.partner_id.commercial_partner_id.ids),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("amount_residual_currency", ">" if sign > 0 else "<", 0),
        ]

    def _get_items_of_partners(self):
        return self.search(self._open_items_domain(1))

    def _get_open_credits(self):
        """:return: dict of `_account_key` -> Decimal: credit notes and payments that no invoice took."""
        credits = self.search(self._open_items_domain(-1))
        sums = defaultdict(lambda: ZERO)
        # What is on its way back to the partner covers nothing.
        for credit in credits - credits._get_payment_lines(PENDING).move_line_id:
            amount = from_float(credit.amount_residual_currency, credit.currency_id.decimal_places)
            sums[credit._account_key()] -= amount
        return sums

    def _get_payment_lines(self, states):
        return self.env["account.payment.line"].search(
            [("move_line_id", "in", self.ids), ("order_id.state", "in", states)]
        )

    def _get_under_way(self):
        """Items in a payment order that is not done, paid but not yet on the account, or that we collect by
        direct debit ourselves and have not tried to."""
        pending = self._get_payment_lines(PENDING).move_line_id
        in_payment = self.filtered(lambda item: item.move_id.payment_state == "in_payment")
        debits = self.filtered(lambda item: item.move_id._is_collected())
        return pending | in_payment | (debits - debits._get_payment_lines((SENT_TO_BANK,)).move_line_id)

    def _get_interest(self, claim, terms, until):
        """Interest of an item; what is disputed or covered by credits bears none from the beginning.

        :param Claim claim: of the item. :param terms: core.interest.Terms. :param until: date, counted.
        :return: [core.interest.Stretch].
        """
        self.ensure_one()
        digits = self.currency_id.decimal_places
        amount = from_float(self.amount_currency, digits) - claim.disputed - claim.credited
        changes = []
        for partial in self.matched_credit_ids:
            paid = from_float(partial.debit_amount_currency, digits)
            if partial.credit_move_id.move_id.move_type == "out_refund":
                # What a credit note takes back was never owed.
                amount -= paid
            else:
                changes.append(Change(partial.credit_move_id.date, paid))
        return interest(amount, changes, self.date_maturity, until, terms, digits)

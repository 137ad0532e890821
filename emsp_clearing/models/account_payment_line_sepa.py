from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.account.tools import is_valid_structured_reference_iso, sanitize_structured_reference

from ..core.iso20022.rules import LEAST, MOST
from ..core.money import from_float
from ..core.target import add_target_days, next_target_day
from .account_payment_order_sepa import SEPA_METHODS

CENTS = 2
# Days on which banks settle between the file and the payment: the bank's cut-off, and the day before the
# collection on which it reaches the payer's bank (EPC016-06, 4.3.1).
LEAD_DAYS = {"outbound": 1, "inbound": 2}
UNSENT_STATES = ("draft", "open", "generated")


class AccountPaymentLineSepa(models.Model):
    """What is checked of an item before it stands in a payment file, and on which day it is executed."""

    _inherit = "account.payment.line"

    emsp_outcome = fields.Selection(
        [("rejected", "Rejected by the bank"), ("returned", "Returned")],
        string="Came back",
        readonly=True,
        copy=False,
        help="The payment was not made or did not last: its item is open again.",
    )
    emsp_reason = fields.Char(string="Why it came back", readonly=True, copy=False)

    # The last word on two runs at once: an item stands in one order at a time.
    _emsp_once = models.UniqueIndex(
        "(move_line_id) WHERE state IN ('draft', 'open', 'generated')",
        "This item stands in another payment order already.",
    )

    def _compute_payment_line(self):
        """EXTENDS account_payment_batch_oca: a structured creditor reference is sent as such, and alone."""
        result = super()._compute_payment_line()
        for line in self:
            move = line.move_line_id.move_id
            reference = move.payment_reference
            if not reference and move.is_purchase_document():
                reference = move.ref
            if reference and is_valid_structured_reference_iso(reference):
                line.communication_type = "structured"
                line.communication = sanitize_structured_reference(reference)
        return result

    def _prepare_write_draft2open(self):
        """EXTENDS account_payment_batch_oca: executed on a day of banks that the file still reaches."""
        vals = super()._prepare_write_draft2open()
        if self.order_id.payment_method_code in SEPA_METHODS:
            today = fields.Date.context_today(self)
            earliest = add_target_days(today, LEAD_DAYS[self.order_id.payment_type])
            vals["date"] = next_target_day(max(vals["date"], earliest))
        return vals

    def _prepare_account_payment_lot_vals(self, lot_sequence):
        """EXTENDS account_payment_batch_oca: an order that is made again gives its batches other ids."""
        vals = super()._prepare_account_payment_lot_vals(lot_sequence)
        # sudo: files are the system's
        made = len(self.order_id.sudo().emsp_file_ids)
        if made:
            vals["name"] = f"{self.order_id.name}-{made + 1}/LOT{lot_sequence}"
        return vals

    def _draft2open_payment_line_check(self):
        # EXTENDS account_payment_batch_oca
        errors = super()._draft2open_payment_line_check()
        if self.order_id.payment_method_code in SEPA_METHODS:
            errors += self._sepa_problems()
            errors += self._due_problems()
        return errors

    def _sepa_problems(self):
        """:return: list of sentences, each with the partner and the field."""
        amount = from_float(self.amount_currency, CENTS)
        problems = []
        if self.order_id.sepa and not LEAST <= amount <= MOST:
            problems.append(
                self.env._(
                    "%(partner)s: the amount %(amount)s is not between 0.01 and 999,999,999.99.",
                    partner=self.partner_id.display_name,
                    amount=amount,
                )
            )
        if self.currency_id.name != "EUR":
            problems.append(
                self.env._(
                    "%(partner)s: %(item)s is in %(currency)s; SEPA payments are in euro. Pay it by hand.",
                    partner=self.partner_id.display_name,
                    item=self.communication or self.name,
                    currency=self.currency_id.name,
                )
            )
        for account in self.order_id.company_partner_bank_id | self.partner_bank_id:
            problems += account._sepa_problems()
        problems += self.partner_bank_id._sepa_address_problems()
        return problems

    def _due_problems(self):
        """Whether the item is still open to the amount: it may have been paid, or stand in an order that is
        with the bank."""
        item = self.move_line_id
        if not item:
            return []
        sign = -1 if self.payment_type == "outbound" else 1
        left = self.currency_id.round(sign * item.amount_residual_currency)
        others = item.payment_line_ids.filtered(lambda line: line != self and line._is_live())
        left -= sum(others.mapped("amount_currency"))
        if self.currency_id.compare_amounts(self.amount_currency, left) <= 0:
            return []
        return [
            self.env._(
                "%(partner)s: of %(item)s only %(left)s is still to pay, not %(amount)s. Take it out of the "
                "order.",
                partner=self.partner_id.display_name,
                item=item.move_id.name,
                left=self.currency_id.format(max(left, 0)),
                amount=self.currency_id.format(self.amount_currency),
            )
        ]

    def _check_still_due(self):
        """:raise UserError: what the lines pay was settled meanwhile."""
        problems = [problem for line in self for problem in line._due_problems()]
        if problems:
            raise UserError("\n".join(problems))

    def _is_live(self):
        """Whether it is going to move money that the books of the item do not show yet."""
        self.ensure_one()
        if self.state in UNSENT_STATES:
            return True
        if self.state != "uploaded" or self.emsp_outcome:
            return False
        # With an entry of its own, the payment is off the item already.
        return any(payment.state == "in_process" and not payment.move_id for payment in self.payment_ids)

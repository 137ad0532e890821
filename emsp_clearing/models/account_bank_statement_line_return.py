from odoo import fields, models

from ..core.iso20022.returns import is_return, return_reason
from ..core.references import Candidate, find_references

OPPOSITE = {True: "outbound", False: "inbound"}


class AccountBankStatementLineReturn(models.Model):
    """Bank lines by which one of our transfers or collections comes back.

    The payment is known by its own ids alone: the end-to-end id or the instruction id of a file that was
    released. Then what had settled the document is taken off it again and set against this line, and the
    document is open. All else is told to a person.
    """

    _inherit = "account.bank.statement.line"

    emsp_returned_payment_id = fields.Many2one(
        "account.payment", string="Gives back", readonly=True, copy=False, index="btree_not_null"
    )

    def _match_open_lines(self):
        """EXTENDS: what comes back is no payment of a document, so it is not matched like one.

        The payment may stand in the same file, and is matched before it is given back.
        """
        returns = self.filtered(
            lambda line: (
                not line.is_reconciled
                and not line.currency_id.is_zero(line.amount)
                and any(line._returned_payment())
            )
        )
        matched = super(AccountBankStatementLineReturn, self - returns)._match_open_lines()
        for line in returns:
            line._take_return()
        return matched

    def _returned_payment(self):
        """:return: (the payment that the line gives back, or none; whether it claims to be a return)."""
        self.ensure_one()
        texts = self._return_texts()
        is_marked = is_return(self.emsp_bank_code or "", self.emsp_return_reason or "", texts)
        payment = self.emsp_returned_payment_id or self._find_returned(texts if is_marked else [])
        if payment and not self._is_amount_of(payment, is_marked):
            payment = payment.browse()
        return payment, is_marked

    def _return_texts(self):
        return [str(text) for text in (self.payment_ref, self.narration, self.ref) if text]

    def _take_return(self):
        payment, __ = self._returned_payment()
        if payment:
            self._give_back(payment, return_reason(self.emsp_return_reason or "", self._return_texts()))
        elif self._has_contracts(self.company_id):
            self.env["emsp.exception"]._open_all([self._prepare_unknown_return_fact()])

    def _find_returned(self, texts):
        """:param texts: in which the ids may stand, too.
        :return: the one payment; none where there is none or more than one.
        """
        # sudo: who imports a bank file needs no rights on payment orders
        payments = self.env["account.payment"].sudo()
        domain = [
            ("company_id", "=", self.company_id.id),
            ("journal_id", "=", self.journal_id.id),
            ("payment_type", "=", OPPOSITE[self.amount > 0]),
            ("payment_order_id.state", "=", "uploaded"),
            ("payment_line_ids.emsp_outcome", "=", False),
        ]
        ids = [text for text in (self.emsp_end_to_end_id, self.ref) if text]
        named = ["|", ("emsp_end_to_end_id", "in", ids), ("memo", "in", ids)]
        found = payments.search([*domain, *named]) if ids else payments
        if not found and texts:
            found = self._find_in_texts(payments.search(domain), texts)
        return found if len(found) == 1 else payments.browse()

    def _find_in_texts(self, payments, texts):
        candidates = [
            Candidate(payment.id, tuple(filter(None, (payment.emsp_end_to_end_id, payment.memo))))
            for payment in payments
            if self._is_amount_of(payment, True)
        ]
        matches = [match for text in texts for match in find_references(text, candidates)]
        exact = {match.key for match in matches if match.reason == "exact" and not match.is_ambiguous}
        return payments.browse(exact) if len({match.key for match in matches}) == 1 else payments.browse()

    def _return_charge(self, payment):
        """What the bank took for the return: above a collection, below a transfer."""
        difference = abs(self.amount) - payment.amount
        return self.currency_id.round(difference if self.amount < 0 else -difference)

    def _is_amount_of(self, payment, may_cost):
        charge = self._return_charge(payment)
        most = self.company_id.emsp_return_limit if may_cost else 0.0
        return (
            not self.foreign_currency_id
            and payment.currency_id == self.currency_id
            and self.currency_id.compare_amounts(charge, 0) >= 0
            and self.currency_id.compare_amounts(charge, most) <= 0
        )

    def _give_back(self, payment, reason):
        """Open the payment's items again, and set this line against what had settled them.

        Repeated where the booking had to wait (no account for charges, say); the rest happens once.
        """
        if not self.emsp_returned_payment_id:
            self.emsp_returned_payment_id = payment
            settling = self._settling_line(payment)
            settling.remove_move_reconcile()
            if not payment.move_id:
                payment.action_reject()
            payment._mark_failed("returned", *self._reason_parts(reason))
        else:
            settling = self._settling_line(payment)
        is_booked = self._book_return(payment, settling)
        charge = self._return_charge(payment)
        fact = payment._prepare_failed_fact(statement_line_id=self.id, date=self.date)
        if charge:
            env = self.env["emsp.exception"]._in_language_of(self.company_id).env
            fact["name"] = env._(
                "%(what)s (charge of the bank: %(charge)s)",
                what=fact["name"],
                charge=self.currency_id.format(charge),
            )
        if not is_booked:
            fact["suggestion"] = self._booking_remedy(payment, settling, charge)
        self.env["emsp.exception"]._open_all([fact])

    def _reason_parts(self, reason):
        text = self.emsp_return_reason or ""
        return reason, "" if text.strip() == reason else text

    def _settling_line(self, payment):
        """The journal item by which the payment settled its documents; none where the books do not show it.

        :return: account.move.line of the payment's own entry, or of the bank line that was matched.
        """
        items = payment.payment_line_ids.move_line_id
        accounts = items.account_id
        if payment.move_id:
            lines = payment.move_id.line_ids.filtered(lambda line: line.account_id in accounts)
        else:
            lines = items.matched_debit_ids.debit_move_id | items.matched_credit_ids.credit_move_id
            if not lines and self.emsp_returned_payment_id:
                lines = self._opened_lines(payment, accounts)
            lines = lines.filtered(lambda line: self._is_booking_of(line, payment))
        return lines if len(lines) == 1 else lines.browse()

    def _opened_lines(self, payment, accounts):
        """What was taken off the documents before, and still waits for this line."""
        return self.env["account.move.line"].search(
            [
                ("statement_line_id.journal_id", "=", self.journal_id.id),
                ("account_id", "in", accounts.ids),
                ("partner_id", "=", payment.partner_id.id),
                ("reconciled", "=", False),
                ("parent_state", "=", "posted"),
            ]
        )

    def _is_booking_of(self, line, payment):
        """Whether the item books this payment: by its ids, or in the sum of its batch or order.

        What the partner has paid besides, of the same amount, is none: a collection that was booked alone is
        known by its ids only. Nobody but us makes the transfers that leave our account.
        """
        bank_line = line.statement_line_id
        currency = payment.currency_id
        if not bank_line or currency.compare_amounts(abs(line.amount_currency), payment.amount) != 0:
            return False
        own_ids = {payment.emsp_end_to_end_id, payment.memo} - {False}
        if own_ids & {bank_line.emsp_end_to_end_id, bank_line.ref}:
            return True
        if bank_line.emsp_end_to_end_id or (bank_line.amount > 0) != (payment.payment_type == "inbound"):
            return False
        order, lot = payment.payment_order_id, payment.payment_lot_id
        batches = [each.payment_ids for each in (order, lot) if len(each.payment_ids) > 1]
        sums = [sum(payments.mapped("amount")) for payments in batches]
        if payment.payment_type == "outbound":
            sums.append(payment.amount)
        return any(currency.compare_amounts(abs(bank_line.amount), each) == 0 for each in sums)

    def _book_return(self, payment, settling):
        """:return: whether the line is booked."""
        charge = self._return_charge(payment)
        account = self.company_id.emsp_return_account_id
        residual = abs(settling.amount_residual_currency)
        if not settling or payment.currency_id.compare_amounts(residual, payment.amount) != 0:
            return False
        if charge and not account:
            return False
        if not self.partner_id:
            self.partner_id = payment.partner_id
        auxiliary, lines = self._get_reconcile_line(settling, "other", is_counterpart=True, move=True)
        kept = [line for line in self.reconcile_data_info["data"] if line["kind"] == "liquidity"]
        info = self._recompute_suspense_line(kept + lines, auxiliary or 1, self.manual_reference)
        if charge:
            for line in info["data"]:
                if line["kind"] == "suspense":
                    line.update(
                        kind="other",
                        account_id=[account.id, account.display_name],
                        name=self.env._("Charge of the bank for a returned payment"),
                    )
            info = self._recompute_suspense_line(
                info["data"], info["reconcile_auxiliary_id"], self.manual_reference
            )
        self.reconcile_data_info = info
        self.reconcile_bank_line()
        self.emsp_match_reason = self.env._("It gives back the payment %s.", payment.emsp_end_to_end_id)
        return True

    def _booking_remedy(self, payment, settling, charge):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        if settling and charge and not self.company_id.emsp_return_account_id:
            return env._(
                "The document is open again. Set the account for charges for returns in the settings, "
                "then match the bank line again."
            )
        return env._(
            "The document is open again, but the books do not show the bank line of the payment. Book this "
            "line against it when it is there."
        )

    def _prepare_unknown_return_fact(self):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        return {
            "kind": "returned",
            "fact_key": f"account.bank.statement.line:{self.id}",
            "name": env._(
                "The bank gives back %(amount)s and names no payment of ours for sure: %(label)s",
                amount=self.currency_id.format(abs(self.amount)),
                label=self.payment_ref or "/",
            ),
            "statement_line_id": self.id,
            "amount": abs(self.amount),
            "date": self.date,
        }

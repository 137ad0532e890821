from odoo import api, models


class AccountPaymentFailure(models.Model):
    """Payments that were not made, or came back: their items are open again."""

    _inherit = "account.payment"

    def _emsp_reject(self, code, text, status):
        """The bank refused the payments before any money moved. Doing it again changes nothing.

        :param code: of ISO 20022's external reasons, or the bank's own; maybe "".
        :param text: what the bank adds; maybe "".
        :param status: ISO 20022 code.
        :return: the payments that were not rejected before.
        """
        fresh = self.filtered(lambda payment: not any(payment.payment_line_ids.mapped("emsp_outcome")))
        for payment in fresh:
            if payment.move_id:
                payment.move_id.line_ids.remove_move_reconcile()
                payment.action_draft()
                payment.action_cancel()
            else:
                payment.action_reject()
        fresh._mark_failed("rejected", code, text)
        fresh.emsp_bank_status = status
        return fresh

    def _mark_failed(self, outcome, code, text):
        reason = self._reason_sentence(code, text)
        self.write({"emsp_reason": reason})
        self.payment_line_ids.write({"emsp_outcome": outcome, "emsp_reason": reason})
        if outcome == "rejected":
            self._restore_mandates()

    def _restore_mandates(self):
        """The release ends a one-off or final mandate; no collection was made of it."""
        expired = self.payment_line_ids.mandate_id.filtered(lambda mandate: mandate.state == "expired")
        for mandate in expired:
            mandate.state = "valid" if mandate.type == "oneoff" else "final"
            if mandate.type == "oneoff":
                mandate.last_debit_date = False

    def _prepare_failed_fact(self, **vals):
        """A fact "returned" for one payment, whose item is open again."""
        self.ensure_one()
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        move = self.payment_line_ids.move_line_id.move_id[:1]
        names = {
            "document": ", ".join(self.payment_line_ids.move_line_id.move_id.mapped("name")) or self.memo,
            "partner": self.partner_id.name,
            "reason": self.emsp_reason,
        }
        return {
            "kind": "returned",
            "fact_key": f"account.payment:{self.id}",
            "name": (
                env._("The collection of %(document)s from %(partner)s failed: %(reason)s", **names)
                if self.payment_type == "inbound"
                else env._("The transfer for %(document)s to %(partner)s failed: %(reason)s", **names)
            ),
            "suggestion": env._(
                "Ask the partner, correct its account or mandate, then close this: the item is proposed "
                "again."
            ),
            "move_id": move.id,
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "amount": self.amount,
            "currency_id": self.currency_id.id,
            **vals,
        }

    @api.model
    def _reason_sentence(self, code, text):
        """:return: the code, what it means, and what the bank adds."""
        parts = [code, self._reason_texts().get(code), text]
        return " - ".join(filter(None, parts)) or self.env._("the bank gives no reason")

    @api.model
    def _reason_texts(self):
        """Of the external code set of ISO 20022, the reasons that the rule books of SEPA name."""
        return {
            "AC01": self.env._("the account number is wrong"),
            "AC04": self.env._("the account is closed"),
            "AC06": self.env._("the account is blocked"),
            "AC13": self.env._("the account is that of a consumer"),
            "AG01": self.env._("this kind of payment is forbidden on the account"),
            "AG02": self.env._("the sequence type or the operation is wrong"),
            "AM02": self.env._("the amount is above what is allowed"),
            "AM04": self.env._("there is not enough money on the account"),
            "AM05": self.env._("the payment was sent twice"),
            "BE04": self.env._("the address is missing or wrong"),
            "BE05": self.env._("the creditor identifier is unknown"),
            "CNOR": self.env._("the bank of the creditor is not registered"),
            "CUST": self.env._("asked for by the customer"),
            "DNOR": self.env._("the bank of the debtor is not registered"),
            "DT01": self.env._("the date is not valid"),
            "DUPL": self.env._("the payment was sent twice"),
            "ED05": self.env._("the settlement between the banks failed"),
            "FF01": self.env._("the format of the file is wrong"),
            "FF05": self.env._("the scheme of the direct debit is wrong"),
            "FOCR": self.env._("recalled"),
            "FRAD": self.env._("suspected of fraud"),
            "MD01": self.env._("there is no valid mandate"),
            "MD02": self.env._("parts of the mandate are missing or wrong"),
            "MD06": self.env._("the debtor disputes a collection that was authorised"),
            "MD07": self.env._("the holder of the account has died"),
            "MS02": self.env._("the customer gives no reason"),
            "MS03": self.env._("the bank gives no reason"),
            "NOAS": self.env._("the payee did not answer"),
            "RC01": self.env._("the BIC is wrong"),
            "RR01": self.env._(
                "the account or identification of the payer is missing, which the law demands"
            ),
            "RR02": self.env._("the name or address of the payer is missing, which the law demands"),
            "RR03": self.env._("the name or address of the payee is missing, which the law demands"),
            "RR04": self.env._("a reason of law"),
            "SL01": self.env._("a service that the debtor agreed on with its bank"),
            "SVNR": self.env._("the service was not rendered"),
            "TECH": self.env._("a technical problem"),
            "TM01": self.env._("the file came after the cut-off time"),
        }

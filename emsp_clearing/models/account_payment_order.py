from odoo import api, models
from odoo.exceptions import UserError


class AccountPaymentOrder(models.Model):
    _inherit = "account.payment.order"

    @api.model
    def _ensure_credit_transfer(self, company):
        """The payment method by which the company's bank sends SEPA credit transfers, made if missing.

        One transfer per document, so that each carries its document's number. Journal and IBAN are the
        company's first bank journal that has an account.

        :return: account.payment.method.line
        :raise UserError: when no bank journal of the company has a bank account.
        """
        method = self.env.ref("account_payment_sepa_credit_transfer.sepa_credit_transfer")
        return self._ensure_method_line(company, method)

    @api.model
    def _ensure_direct_debit(self, company):
        """The payment method by which the company's bank collects, made if missing; as for transfers."""
        method = self.env.ref("account_payment_sepa_direct_debit.sepa_direct_debit")
        return self._ensure_method_line(company, method)

    @api.model
    def _ensure_method_line(self, company, method):
        lines = self.env["account.payment.method.line"]
        line = lines.search(
            [
                ("company_id", "=", company.id),
                ("payment_method_id", "=", method.id),
                ("selectable", "=", True),
                ("journal_id.bank_account_id", "!=", False),
            ],
            limit=1,
        )
        return line or lines.create(self._prepare_method_line_vals(company, method))

    @api.model
    def _prepare_method_line_vals(self, company, method):
        journal = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "bank"), ("bank_account_id", "!=", False)],
            limit=1,
        )
        if not journal:
            raise UserError(
                self.env._(
                    "No bank journal of %(company)s has a bank account. Set the IBAN on its bank journal, "
                    "then payments can be made with it.",
                    company=company.name,
                )
            )
        return {
            "name": method.name,
            "payment_method_id": method.id,
            "bank_account_link": "fixed",
            "journal_id": journal.id,
            "company_id": company.id,
            "selectable": True,
            "group_lines": False,
        }

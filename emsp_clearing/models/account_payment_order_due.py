from datetime import timedelta

from odoo import api, models

from ..core.money import ZERO, from_float, to_float
from ..core.setoff import after_set_off
from .account_payment_order_proposal import Due

# Where the contracts of a partner differ, the most careful way holds.
REFUND_CARE = ("keep", "rest", "refund")


class AccountPaymentOrderDue(models.Model):
    """Which open items are to be paid or collected, and from when on.

    Everything runs as the system; see `_propose`. An item that stands in an order is left out.
    """

    _inherit = "account.payment.order"

    def _due_collections(self, company):
        """Invoices of contracts with direct debit whose sending is proven.

        :return: list of Due, not before the due date nor before the contract's days after the sending.
        """
        items = self._open_items(
            company,
            "asset_receivable",
            [
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.emsp_settlement_ids.contract_id.payment_way", "=", "debit"),
                ("amount_residual_currency", ">", 0),
            ],
        )
        dues = []
        for item in items:
            contracts = item.move_id.emsp_settlement_ids.contract_id
            sent_on = item.move_id._sent_on()
            if sent_on and set(contracts.mapped("payment_way")) == {"debit"}:
                days = max(contracts.mapped("collection_days"))
                wanted = max(sent_on + timedelta(days=days), item.date_maturity or sent_on)
                dues.append(self._collection(item, contracts, wanted))
        return dues

    def _collection(self, item, contracts, wanted):
        mandates = [contract._valid_mandate() for contract in contracts]
        mandate = mandates[0] if len({each.id for each in mandates}) == 1 else mandates[0].browse()
        obstacles = item.move_id._payment_obstacles() + self._item_obstacles(item)
        if not mandate:
            obstacles.append(self.env._("there is no valid mandate"))
        elif not mandate.format.startswith("sepa"):
            obstacles.append(self.env._("the mandate is none of SEPA"))
        if not item.company_id.sepa_creditor_identifier:
            obstacles.append(self.env._("the company has no SEPA creditor identifier"))
        account = mandate.partner_bank_id
        return Due(item, item.amount_residual_currency, wanted, account, mandate, obstacles)

    def _due_refunds(self, company):
        """Credit notes and credit balances of eMSPs, as their contract says: in full, or what is left when
        the partner's open invoices are set off."""
        contracts = self._contracts_by_partner(company, "emsp")
        credits = self._open_items(
            company,
            "asset_receivable",
            [("amount_residual_currency", "<", 0), ("partner_id", "in", list(contracts))],
        )
        dues = []
        for (partner, currency), items in self._by_partner(credits):
            terms = contracts[partner.id]
            way = min(terms.mapped("refund_way"), key=REFUND_CARE.index)
            if way == "keep":
                continue
            # What was paid too much is never refunded beside an invoice that is open.
            whole = items.filtered(
                lambda item, way=way: way == "refund" and item.move_id.move_type == "out_refund"
            )
            dues += self._left_to_pay(whole, ZERO, terms)
            counter = self._open_debts(company, "asset_receivable", partner, currency)
            dues += self._left_to_pay(items - whole, counter, terms)
        return dues

    def _due_bills(self, company):
        """Bills of CPOs, less their credit notes."""
        contracts = self._contracts_by_partner(company, "cpo")
        bills = self._open_items(
            company,
            "liability_payable",
            [
                ("move_id.move_type", "=", "in_invoice"),
                ("amount_residual_currency", "<", 0),
                ("partner_id", "in", list(contracts)),
            ],
        )
        dues = []
        for (partner, currency), items in self._by_partner(bills):
            terms = contracts[partner.id]
            if set(terms.mapped("bill_way")) == {"transfer"}:
                counter = self._open_debts(company, "liability_payable", partner, currency)
                dues += self._left_to_pay(items, counter, terms)
        return dues

    def _left_to_pay(self, items, counter, contracts):
        """:return: list of Due of what is left of credit items, the oldest set off first."""
        items = items.sorted(lambda item: (item.date_maturity or item.date, item.id))
        digits = [item.currency_id.decimal_places for item in items]
        open_amounts = [
            from_float(-item.amount_residual_currency, places)
            for item, places in zip(items, digits, strict=True)
        ]
        dues = []
        for item, left in zip(items, after_set_off(open_amounts, counter), strict=True):
            if left:
                account = self._payee_account(item, contracts)
                obstacles = item.move_id._payment_obstacles() + self._item_obstacles(item)
                if not account:
                    obstacles.append(self.env._("the partner has no trusted bank account"))
                wanted = item.date_maturity or item.date
                none = self.env["account.banking.mandate"]
                dues.append(Due(item, to_float(left), wanted, account, none, obstacles))
        return dues

    def _payee_account(self, item, contracts):
        """:return: res.partner.bank; maybe none. Contracts that name different ones name none."""
        accounts = contracts.payee_bank_id
        if not accounts:
            partner = item.partner_id.commercial_partner_id
            accounts = item.move_id.partner_bank_id.filtered(lambda bank: bank.partner_id == partner)
            accounts = accounts or partner.bank_ids.filtered("allow_out_payment")[:1]
        return accounts.filtered("allow_out_payment") if len(accounts) == 1 else accounts.browse()

    def _item_obstacles(self, item):
        if item.currency_id.name != "EUR":
            return [self.env._("it is in %s, and SEPA payments are in euro", item.currency_id.name)]
        return []

    @api.model
    def _open_items(self, company, account_type, domain):
        """:return: account.move.line that are open and in no order, oldest first."""
        items = self.env["account.move.line"].search(
            [
                ("company_id", "=", company.id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("account_id.account_type", "=", account_type),
                *domain,
            ],
            order="date_maturity, id",
        )
        return items.filtered(lambda item: not any(line._is_live() for line in item.payment_line_ids))

    def _open_debts(self, company, account_type, partner, currency):
        """:return: Decimal, what the partner owes on such accounts and is in no order."""
        items = self._open_items(
            company,
            account_type,
            [
                ("partner_id", "child_of", partner.id),
                ("currency_id", "=", currency.id),
                ("amount_residual_currency", ">", 0),
            ],
        )
        amounts = [from_float(abs(item.amount_residual_currency), currency.decimal_places) for item in items]
        return sum(amounts, ZERO)

    def _by_partner(self, items):
        return items.grouped(lambda item: (item.partner_id.commercial_partner_id, item.currency_id)).items()

    def _contracts_by_partner(self, company, role):
        """:return: dict id of the commercial partner -> its contracts that are or were in force."""
        contracts = self.env["emsp.contract"].search(
            [("company_id", "=", company.id), ("partner_role", "=", role), ("state", "!=", "draft")]
        )
        by_partner = contracts.grouped(lambda contract: contract.partner_id.commercial_partner_id.id)
        return dict(by_partner)

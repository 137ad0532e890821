from collections import defaultdict
from typing import NamedTuple

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from ..core.target import add_target_days, next_target_day
from .account_payment_line_sepa import LEAD_DAYS


class Due(NamedTuple):
    """An open item (account.move.line) to be paid or collected.

    `amount` is positive, in the item's currency; `wanted` the earliest day; `account` the partner's
    res.partner.bank; `mandate` only for collections; `obstacles` sentences that keep it back.
    """

    item: models.BaseModel
    amount: float
    wanted: object
    account: models.BaseModel
    mandate: models.BaseModel
    obstacles: list


class AccountPaymentOrderProposal(models.Model):
    """Payment orders proposed from the open items of the contracts' partners; a person releases them."""

    _inherit = "account.payment.order"

    emsp_is_proposed = fields.Boolean(
        string="Proposed", readonly=True, copy=False, help="Made from the open items of roaming contracts."
    )

    @api.model
    def _cron_propose(self, today=None):
        """Propose for each company that clears; one that cannot is told of in the journal of exceptions."""
        today = today or fields.Date.context_today(self)
        companies = self.env["emsp.contract"].search([("state", "!=", "draft")]).company_id
        for company in companies:
            try:
                with self.env.cr.savepoint():
                    self.with_company(company)._propose(company, today)
            except UserError as error:
                self._open_not_proposed(company, str(error))

    def action_propose(self):
        """Propose now, for the company in which the person works."""
        company = self.env.company
        proposed = self._propose(company, fields.Date.context_today(self))
        text = (
            self.env._("Items were put into: %s", ", ".join(proposed.mapped("name")))
            if proposed
            else self.env._("Nothing is due that is not in an order already.")
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": text,
                "type": "success" if proposed else "info",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _propose(self, company, today):
        """Put what is due within the company's days ahead into draft orders: one for each day and method.

        :param date today: from which the days are counted.
        :return: account.payment.order that got items.
        :raise UserError: the company has no bank account to pay from.
        :raise ConcurrencyError: another run proposes the same items at this moment.
        """
        self.check_access("create")
        # sudo: what is proposed follows from contracts, deliveries and disputes, which an accountant need
        # not see
        own = self.sudo().with_company(company)
        horizon = add_target_days(today, company.emsp_payment_ahead_days)
        held, chosen = [], []
        for payment_type, dues in (
            ("inbound", own._due_collections(company)),
            ("outbound", [*own._due_refunds(company), *own._due_bills(company)]),
        ):
            earliest = add_target_days(today, LEAD_DAYS[payment_type])
            for due in dues:
                day = next_target_day(max(due.wanted, earliest))
                if day <= horizon:
                    (held if due.obstacles else chosen).append((payment_type, day, due))
        orders = own._put_into_orders(company, chosen)
        own._note_held(company, [due for __, __, due in held], today)
        return orders.sudo(False)

    def _put_into_orders(self, company, chosen):
        orders = self.browse()
        grouped = defaultdict(list)
        for payment_type, day, due in chosen:
            grouped[payment_type, day].append(due)
        for (payment_type, day), dues in sorted(grouped.items(), key=lambda pair: pair[0]):
            order = self._proposed_order(company, payment_type, day)
            self._create_lines([self._prepare_line_vals(order, due) for due in dues])
            orders |= order
        return orders

    def _create_lines(self, vals_list):
        try:
            with self.env.cr.savepoint():
                return self.env["account.payment.line"].create(vals_list)
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("An item was put into a payment order by two runs at once") from error

    def _prepare_line_vals(self, order, due):
        vals = {
            **due.item._prepare_payment_line_vals(order),
            "amount_currency": due.amount,
            "partner_bank_id": due.account.id,
        }
        return {**vals, "mandate_id": due.mandate.id} if due.mandate else vals

    def _proposed_order(self, company, payment_type, day):
        """The draft order of that day and method, made if there is none."""
        ensure = self._ensure_direct_debit if payment_type == "inbound" else self._ensure_credit_transfer
        method_line = ensure(company)
        order = self.search(
            [
                ("company_id", "=", company.id),
                ("payment_method_line_id", "=", method_line.id),
                ("date_scheduled", "=", day),
                ("state", "=", "draft"),
                ("emsp_is_proposed", "=", True),
            ],
            limit=1,
        )
        if not order:
            order = self.create(
                {
                    "company_id": company.id,
                    "payment_method_line_id": method_line.id,
                    "payment_type": payment_type,
                    "date_scheduled": day,
                    "emsp_is_proposed": True,
                }
            )
            # Computed from the method when the order is made, whatever is given then.
            order.date_prefered = "fixed"
        return order

    def _note_held(self, company, dues, today):
        """Keep in the journal what is due and cannot be proposed; what can be again is closed there."""
        journal = self.env["emsp.exception"]._in_language_of(company)
        facts = [self._prepare_held_fact(journal.env, due, today) for due in dues]
        journal._open_all(facts)
        keys = {fact["fact_key"] for fact in facts}
        # sudo: as in emsp.exception, a fact ends whoever ends it
        gone = journal.sudo().search(
            [("kind", "=", "payment_held"), ("company_id", "=", company.id), ("state", "=", "open")]
        )
        gone.filtered(lambda fact: fact.fact_key not in keys)._set_closed(fields.Datetime.now())

    def _prepare_held_fact(self, env, due, today):
        move = due.item.move_id
        return {
            "kind": "payment_held",
            "fact_key": f"account.move.line:{due.item.id}",
            "name": env._(
                "%(document)s of %(partner)s is due and was not proposed: %(reason)s",
                document=move.name,
                partner=move.commercial_partner_id.name or due.item.partner_id.name,
                reason="; ".join(due.obstacles),
            ),
            "severity": "warning",
            "move_id": move.id,
            "amount": due.amount,
            "currency_id": due.item.currency_id.id,
            "date": today,
        }

    def _open_not_proposed(self, company, reason):
        journal = self.env["emsp.exception"]._in_language_of(company)
        journal._open(
            "payment_held",
            f"res.company:{company.id}",
            name=journal.env._("No payments were proposed: %s", reason),
            company_id=company.id,
            currency_id=company.currency_id.id,
        )

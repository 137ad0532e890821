import logging
from collections import defaultdict

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ..core.money import to_float

_logger = logging.getLogger(__name__)

# Bank lines booked in one savepoint. If one of them is refused, these are booked one by one.
BOOKED_AT_ONCE = 100
# As the reconcile screen books: the bank line stays in step by itself, and its entry is posted already.
QUIETLY = {
    "skip_account_move_synchronization": True,
    "skip_invoice_sync": True,
    "skip_sync_invoice": True,
    "skip_readonly_check": True,
    "force_delete": True,
    "check_move_validity": False,
    "validate_analytic": True,
}


class AccountBankStatementLineBooking(models.Model):
    """Book what the core has decided, as the reconcile screen does, for many lines at once.

    In each entry the line on the suspense account gives way to counterparts; then all counterparts are
    reconciled in one plan.
    """

    _inherit = "account.bank.statement.line"

    def _book_all(self, sure, documents):
        """:param sure: list of (line, Decision) that match.

        :return: (booked, refused): the same pairs, the refused ones with the error's text as third.
        """
        self._lock_documents(sure, documents)
        booked, refused = [], []
        for chunk in split_every(BOOKED_AT_ONCE, sure, list):
            chunk = self._read_together(chunk, documents)
            if self._try_to_book(chunk, documents) is None:
                booked += chunk
                continue
            for each in chunk:
                error = self._try_to_book([each], documents)
                if error is None:
                    booked.append(each)
                else:
                    refused.append((*each, error))
        return booked, refused

    @api.model
    def _read_together(self, pairs, documents):
        """Have what belongs to these lines read with one query, and nothing of the other lines."""
        line_ids = [line.id for line, __ in pairs]
        keys = [one.key for __, decision in pairs for one in decision.allocations]
        ids = tuple(item_id for key in keys for item_id in documents[key].line_ids)
        for key in keys:
            documents[key].prefetch_ids = ids
        return [(line.with_prefetch(line_ids), decision) for line, decision in pairs]

    @api.model
    def _items_of(self, keys, documents):
        """:return: the journal items behind the keys of the core."""
        ids = [item_id for key in keys for item_id in documents[key].line_ids]
        prefetch_ids = documents[keys[0]].prefetch_ids if keys else ()
        return self.env["account.move.line"].browse(ids).with_prefetch(prefetch_ids or ids)

    def _lock_documents(self, sure, documents):
        """Two imports at once must not pay a document twice.

        The second one waits here; then PostgreSQL tells it that the rows have changed, and the framework
        runs its request again, which finds them paid. In the order of ids: nobody waits for each other.
        """
        keys = {one.key for __, decision in sure for one in decision.allocations}
        ids = {line_id for key in keys for line_id in documents[key].line_ids}
        if ids:
            self.env.execute_query(
                SQL(
                    "SELECT id FROM account_move_line WHERE id IN %s ORDER BY id FOR NO KEY UPDATE",
                    tuple(ids),
                )
            )

    def _try_to_book(self, pairs, documents):
        """:return: None, or the text of what stands against it; then nothing of it is booked."""
        try:
            with self.env.cr.savepoint():
                self.browse([line.id for line, __ in pairs])._book(pairs, documents)
        except UserError as error:
            return str(error)
        except psycopg2.IntegrityError as error:
            _logger.warning("Bank lines could not be booked: %s", error)
            return self.env._("The database refuses the entry.")
        return None

    def _book(self, pairs, documents):
        """Replace the suspense lines of all entries, then reconcile."""
        vals_list, opposites = [], []
        for line, decision in pairs:
            for vals, opposite in line._prepare_counterparts(decision, documents):
                vals_list.append(vals)
                opposites.append(opposite)
        self._set_partners(pairs, documents)
        moves = self.move_id
        suspense = self.env["account.move.line"]
        for line, __ in pairs:
            __, suspense_lines, other_lines = line._seek_for_lines()
            suspense += suspense_lines + other_lines
        with moves._check_balanced({"records": moves, "self": moves}):
            suspense.with_context(**QUIETLY, dynamic_unlink=True).unlink()
            counterparts = self.env["account.move.line"].with_context(**QUIETLY).create(vals_list)
        counterparts = counterparts.with_env(self.env)
        plan = [
            counterpart + self.env["account.move.line"].browse(opposite)
            for counterpart, opposite in zip(counterparts, opposites, strict=True)
            if opposite
        ]
        self.env["account.move.line"]._reconcile_plan(plan)
        self.env.flush_all()

    def _set_partners(self, pairs, documents):
        """The partner of the documents becomes that of a line that has none, if it is one."""
        by_partner = defaultdict(self.browse)
        for line, decision in pairs:
            partners = {documents[one.key].item.payer for one in decision.allocations}
            partner = partners.pop() if len(partners) == 1 else None
            if not line.partner_id and isinstance(partner, int):
                by_partner[partner] += line
        for partner, lines in by_partner.items():
            lines = lines.with_context(**QUIETLY)
            lines.write({"partner_id": partner})
            lines.move_id.write({"partner_id": partner})
            for line in lines:
                line._seek_for_lines()[0].write({"partner_id": partner})

    def _prepare_counterparts(self, decision, documents):
        """:return: list of (vals of a journal item, id of the one it is reconciled with or None)."""
        self.ensure_one()
        # Money in is balanced by credits.
        sign = -1 if self.amount > 0 else 1
        __, currency = self._paid_amount()
        prepared = []
        for one in decision.allocations:
            items = self._items_of([one.key], documents)
            settled = to_float(one.amount + one.write_off)
            prepared += self._prepare_payments(items, abs(settled), sign if settled > 0 else -sign)
            if one.write_off:
                prepare = getattr(self, f"_prepare_{one.write_off_kind}")
                prepared += prepare(items, -sign * to_float(one.write_off))
        if decision.rest:
            items = self._items_of([decision.allocations[-1].key], documents)
            prepared.append((self._prepare_credit(items, sign * to_float(decision.rest)), None))
        self._balance([vals for vals, __ in prepared], currency)
        return prepared

    def _prepare_payments(self, items, left, sign):
        """Counterparts of the items, the first due at first, until nothing is left.

        :param left: in the currency of the payment, not negative.
        """
        prepared = []
        for item in items:
            amount = min(left, abs(item.amount_residual_currency))
            left = item.currency_id.round(left - amount)
            if not item.currency_id.is_zero(amount):
                vals = self._prepare_counterpart(
                    item.account_id, item.partner_id, item.name or item.move_id.name, sign * amount
                )
                prepared.append((vals, item.id))
        return prepared

    def _prepare_counterpart(self, account, partner, name, amount_currency):
        __, currency = self._paid_amount()
        return {
            "move_id": self.move_id.id,
            "account_id": account.id,
            "partner_id": partner.id,
            "name": name,
            "currency_id": currency.id,
            "amount_currency": currency.round(amount_currency),
        }

    def _prepare_credit(self, items, amount_currency):
        """What was paid too much stays open on the partner's account."""
        return self._prepare_counterpart(
            items[-1:].account_id, items[-1:].partner_id, self.payment_ref, amount_currency
        )

    def _prepare_charge(self, items, amount_currency):
        vals = self._prepare_counterpart(
            self.company_id.emsp_charge_account_id,
            items[:1].partner_id,
            self.env._("Bank charge: %s", items[:1].move_id.name),
            amount_currency,
        )
        return [(vals, None)]

    def _prepare_discount(self, items, amount_currency):
        """As the payment term says, with the tax that goes with it: Odoo's own computation."""
        balance = self._to_company_currency(amount_currency)
        by_kind = items.move_id._get_invoice_counterpart_amls_for_early_payment_discount(
            [{"aml": items, "amount_currency": -amount_currency, "balance": -balance}], balance
        )
        own = {"move_id": self.move_id.id}
        partner = {"partner_id": items.partner_id.id}
        return [({**partner, **vals, **own}, None) for lines in by_kind.values() for vals in lines]

    def _to_company_currency(self, amount_currency):
        """At the rate of this bank line."""
        __, currency = self._paid_amount()
        if currency == self.company_id.currency_id:
            return currency.round(amount_currency)
        amounts = self._prepare_counterpart_amounts_using_st_line_rate(currency, None, amount_currency)
        return amounts["balance"]

    def _balance(self, vals_list, currency):
        """Fill in balances; what rounding leaves over goes to the largest item."""
        company_currency = self.company_id.currency_id
        for vals in vals_list:
            if "balance" not in vals:
                vals["balance"] = self._to_company_currency(vals["amount_currency"])
        liquidity_lines, __, __ = self._seek_for_lines()
        left = -sum(liquidity_lines.mapped("balance")) - sum(vals["balance"] for vals in vals_list)
        if currency != company_currency and not company_currency.is_zero(left):
            largest = max(vals_list, key=lambda vals: abs(vals["balance"]))
            largest["balance"] = company_currency.round(largest["balance"] + left)

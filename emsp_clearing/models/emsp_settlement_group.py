from odoo import api, fields, models

from ..core.chain import LIST_DIGITS
from ..core.money import D, from_float

# What settlements must agree on to stand on one invoice.
SHARED_TERMS = (
    "company_id",
    "currency_id",
    "invoice_date",
    "journal_id",
    "payment_term_id",
    "line_grouping",
    "credit_scope",
)


class EmspSettlementGroup(models.Model):
    """Which settlements are billed together: those carried forward, and those of contracts that share."""

    _inherit = "emsp.settlement"

    minimum_amount = fields.Float(digits=(16, 2), readonly=True)
    shares_invoice = fields.Boolean(readonly=True)
    carried_forward = fields.Boolean(
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Locked and below the amount from which is invoiced: billed with the next settlement.",
    )

    @api.model
    def _contract_terms(self):
        return [*super()._contract_terms(), "minimum_amount", "shares_invoice"]

    def _billing_group(self):
        """The settlements whose sessions are billed now, this one first.

        :return: locked settlements; empty while one of another contract for the same invoice has yet to lock.
        """
        self.ensure_one()
        sharing = self._sharing_settlements()
        if any(settlement._locks_later() for settlement in sharing):
            return self.browse()
        sharing = sharing.filtered(lambda settlement: settlement.state == "locked")
        carried = self.search(
            [
                ("contract_id", "in", (self | sharing).contract_id.ids),
                ("state", "=", "locked"),
                ("carried_forward", "=", True),
                ("id", "not in", self.ids),
            ],
            order="period_start, id",
        )
        return self | sharing.sorted("id") | carried.filtered(self._is_taxed_as)

    def _take_billing_groups(self, as_of):
        """Sort these locked settlements into groups that are billed now; too little is carried forward.

        Groups have no contract in common: what the next list of a contract has to pay depends on what
        becomes of the one before.
        :return: (list of groups, the settlements that come after them)
        :raise RetryableJobError: another transaction works on one that is billed with them.
        """
        groups, taken, others = [], self.browse(), self.browse()
        for settlement in self:
            if settlement in taken:
                continue
            group = settlement._billing_group()
            if group.contract_id & taken.contract_id:
                others |= settlement
                continue
            if not group or group._locked_for("locked") != group:
                continue
            taken |= group
            if group._is_below_minimum(as_of):
                group._carry_forward()
            else:
                groups.append(group)
        return groups, others

    def _sharing_settlements(self):
        """Those of other contracts of the partner that go onto the same invoice."""
        if not self.shares_invoice:
            return self.browse()
        candidates = self.search(
            [
                ("id", "!=", self.id),
                ("shares_invoice", "=", True),
                ("invoice_date", "=", self.invoice_date),
                ("partner_id", "child_of", self.partner_id.commercial_partner_id.id),
                ("state", "in", ("control", "locked")),
                ("contract_id.partner_role", "=", self.contract_id.partner_role),
                ("contract_id.state", "!=", "suspended"),
            ]
        )
        return candidates.filtered(self._agrees_with)

    def _agrees_with(self, other):
        is_same = all(self[name] == other[name] for name in SHARED_TERMS)
        return is_same and self._invoice_partner() == other._invoice_partner() and self._is_taxed_as(other)

    def _is_taxed_as(self, other):
        """Whether one document can hold both: it has one fiscal position."""
        partner = self._invoice_partner()
        return self._get_fiscal_position(partner) == other._get_fiscal_position(partner)

    def _locks_later(self):
        return self.state == "control" and bool(self.cdr_count)

    def _group_amount(self):
        """:return: Decimal net amount of these settlements."""
        return sum((from_float(s.amount_untaxed, LIST_DIGITS) for s in self), D(0))

    def _is_below_minimum(self, as_of):
        """Whether these settlements wait for a later one: too little, and a later one will come."""
        amount = abs(self._group_amount())
        minimum = max((from_float(settlement.minimum_amount, 2) for settlement in self), default=D(0))
        return bool(amount) and amount < minimum and self._has_successor(as_of)

    def _has_successor(self, as_of):
        """Whether a later list will come, or has come and been billed without these: taxed in another way."""
        if not any(contract._still_settles(as_of) for contract in self.contract_id):
            return False
        later = [
            ("contract_id", "in", self.contract_id.ids),
            ("period_end", ">", max(self.mapped("period_end"))),
            ("state", "in", ("invoiced", "sent", "settled")),
            ("move_ids", "!=", False),
        ]
        return not self.search_count(later, limit=1)

    def _carry_forward(self):
        """Leave these settlements for the next one's invoice; an empty list has nothing to leave."""
        self.filtered(lambda settlement: not settlement.cdr_count)._update_state("settled")
        waiting = self.filtered(lambda settlement: settlement.state == "locked")
        waiting._store({"carried_forward": True, "blocked_reason": False})

from odoo import Command, fields, models
from odoo.exceptions import UserError

from ..core.money import ZERO, D, allocate, from_float, round_money, to_float
from .emsp_netting_proposal import DOCUMENTS


class EmspNettingEntry(models.Model):
    """The entry that clears the items of a statement: one in each ledger that is kept in this database."""

    _inherit = "emsp.netting"

    def action_settle(self):
        """Clear the items in the books, on both sides or not at all."""
        self._take_rows()
        for netting in self:
            netting._settle()
        return True

    def _settle(self):
        if self.state != "accepted":
            raise UserError(
                self.env._("%(netting)s is settled when both sides have accepted it.", netting=self.name)
            )
        self._check_agreed()
        self._check_items()
        day = fields.Date.context_today(self)
        pairs = [(line.move_line_id, line._signed("amount_cleared")) for line in self.line_ids]
        move = self._clear(self.company_id, pairs, day)
        mirror = self.env["account.move"]
        other_company = self._company_of(self.partner_id)
        if other_company:
            mirror = self._clear(other_company, self._mirrored(other_company), day)
        self._update_state("settled", settled_on=day, move_id=move.id, mirror_move_id=mirror.id)
        self._keep_statement()

    def _clear(self, company, pairs, day):
        """One posted entry, reconciled with each item.

        :param pairs: list of (account.move.line, Decimal cleared, in the item's sign); they sum to zero.
        :return: account.move
        """
        pairs = [(item, amount) for item, amount in pairs if amount]
        balances = self._balances(company, [amount for __, amount in pairs], day)
        moves = self.env["account.move"].with_company(company)
        move = moves.create(
            {
                "move_type": "entry",
                "company_id": company.id,
                "journal_id": company._ensure_netting_journal().id,
                "date": day,
                "ref": self.name,
                "emsp_netting_id": self.id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": item.account_id.id,
                            "partner_id": item.partner_id.id,
                            "name": self.env._(
                                "%(netting)s: %(document)s", netting=self.name, document=item.move_id.name
                            ),
                            "currency_id": self.currency_id.id,
                            "amount_currency": to_float(-amount),
                            "balance": to_float(-balance),
                        }
                    )
                    for (item, amount), balance in zip(pairs, balances, strict=True)
                ],
            }
        )
        move._post(soft=False)
        # In the order in which they were created.
        lines = move.line_ids.sorted("id")
        plan = [line | item for line, (item, __) in zip(lines, pairs, strict=True)]
        self.env["account.move.line"]._reconcile_plan(plan)
        return move

    def _balances(self, company, amounts, day):
        """The amounts in the company's currency, at one rate; both sides rounded to the same total.

        :return: list of Decimal that sum to zero.
        """
        own = company.currency_id
        if own == self.currency_id:
            return amounts
        rate = D(repr(self.currency_id._get_conversion_rate(self.currency_id, own, company, day)))
        volume = sum((amount for amount in amounts if amount > 0), ZERO)
        total = round_money(volume * rate, own.decimal_places)
        balances = dict.fromkeys(range(len(amounts)), ZERO)
        for sign in (1, -1):
            places = [place for place, amount in enumerate(amounts) if amount * sign > 0]
            parts = allocate(total, [abs(amounts[place]) for place in places], own.decimal_places)
            balances.update({place: sign * part for place, part in zip(places, parts, strict=True)})
        return list(balances.values())

    def _mirrored(self, company):
        """The same items in the ledger of the other company, with the user's rights there.

        :return: pairs for `_clear`.
        :raise UserError: the user does not work there, or its books say something else.
        """
        if company not in self.env.user.company_ids:
            raise UserError(
                self.env._(
                    "%(company)s is a company of this database: its ledger is cleared by the same statement. "
                    "Somebody who works for both settles it.",
                    company=company.name,
                )
            )
        pairs, problems = [], []
        items = self._mirror_items(company)
        obstacles = self._obstacles(items)
        for line in self.line_ids:
            same = items.filtered(lambda item, line=line: self._is_mirror(item, line))
            item = same[:1]
            items -= item
            if not item:
                problems.append(self.env._("%s: not open with the same amount", line.document))
            elif item.id in obstacles:
                problems.append(f"{line.document}: {obstacles[item.id]}")
            pairs.append((item, -line._signed("amount_cleared")))
        if problems:
            heading = self.env._("The books of %(company)s say something else:", company=company.name)
            raise UserError("\n".join([heading, *(f"- {problem}" for problem in problems)]))
        return pairs

    def _mirror_items(self, company):
        """What is open there of the documents between the two."""
        own_partner = self.company_id.partner_id.commercial_partner_id
        lines = self.env["account.move.line"].with_context(allowed_company_ids=self.env.user.company_ids.ids)
        items = lines.search(self._open_items_domain(company, own_partner))
        return items - items.env["emsp.netting.line"]._live_items(items)

    def _is_mirror(self, item, line):
        """Our invoice is the other's bill, which has our number as its reference; and the other way round."""
        side, is_credit = DOCUMENTS[item.move_id.move_type]
        number = item.move_id.name if side == "ours" else item.move_id.ref
        amount = from_float(item.amount_residual_currency, self.currency_id.decimal_places)
        return (
            side != line.side
            and is_credit == line.is_credit
            and number == line.document
            and amount == -line._signed("amount_open")
        )

    def _undo(self):
        """Reverse the entries, so that the items are open again as they were."""
        # sudo: whoever undoes the statement may have no rights on payment orders
        order_sudo = self.payment_order_id.sudo()
        if order_sudo.state in ("open", "generated", "uploaded"):
            raise UserError(
                self.env._(
                    "The balance of %(netting)s is in payment order %(order)s. Cancel that first.",
                    netting=self.name,
                    order=order_sudo.name,
                )
            )
        if order_sudo.state == "draft":
            order_sudo.unlink()
        day = fields.Date.context_today(self)
        for move in self.move_id | self.mirror_move_id:
            own = move.with_company(move.company_id)
            own._reverse_moves(
                [{"date": day, "ref": self.env._("Reversal: %(netting)s", netting=self.name)}], cancel=True
            )

    def action_view_move(self):
        self.ensure_one()
        return self.move_id.get_formview_action()

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# By document: on which side it stands, and whether it is a credit note.
DOCUMENTS = {
    "out_invoice": ("ours", False),
    "out_refund": ("ours", True),
    "in_invoice": ("theirs", False),
    "in_refund": ("theirs", True),
}


class EmspNettingProposal(models.Model):
    """Which open items a statement lists."""

    _inherit = "emsp.netting"

    @api.model_create_multi
    def create(self, vals_list):
        nettings = super().create(vals_list)
        for netting in nettings:
            netting._list_items()
        return nettings

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"date_first", "date_last"}:
            for netting in self:
                netting._list_items()
        return result

    def action_propose(self):
        """Look for the open items again."""
        self._take_rows()
        for netting in self:
            if netting.state != "draft":
                raise UserError(self.env._("%(netting)s is no proposal any more.", netting=netting.name))
            netting._list_items()
        return True

    def _list_items(self):
        self.ensure_one()
        self._check_agreed()
        vals_list = [self._prepare_line_vals(item) for item in self._find_items()]
        # sudo: items are found with the user's own rights, and never typed: nobody may create them
        lines_sudo = self.line_ids.sudo()
        lines_sudo.unlink()
        lines_sudo.create(vals_list)

    def _prepare_line_vals(self, item):
        """:param item: account.move.line."""
        move = item.move_id
        side, is_credit = DOCUMENTS[move.move_type]
        sign = 1 if side == "ours" else -1
        return {
            "netting_id": self.id,
            "move_line_id": item.id,
            "side": side,
            "is_credit": is_credit,
            "document": (move.name if side == "ours" else move.ref) or move.name,
            "document_own": move.name if side == "theirs" else False,
            "date": move.invoice_date or move.date,
            "date_due": item.date_maturity or item.date,
            "amount_total": sign * item.amount_currency,
            "amount_open": sign * item.amount_residual_currency,
        }

    def _find_items(self):
        """:return: account.move.line that can be set off, see `_items_domain` and `_reasons_against`."""
        self.ensure_one()
        items = self.env["account.move.line"].search(self._items_domain(), order="date_maturity, id")
        items -= self.env["emsp.netting.line"]._live_items(items) - self.line_ids.move_line_id
        reasons = self._reasons_against(items)
        return items.filtered(lambda item: item.id not in reasons)

    def _items_domain(self):
        """Open items of the partner's documents that are dated or due in the period."""
        in_period = Domain.OR(
            Domain(name, ">=", self.date_first) & Domain(name, "<=", self.date_last)
            for name in ("move_id.invoice_date", "date_maturity")
        )
        return self._open_items_domain(self.company_id, self.partner_id) & in_period

    def _open_items_domain(self, company, partner):
        """:param partner: the commercial partner."""
        return Domain(
            [
                ("company_id", "=", company.id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("currency_id", "=", self.currency_id.id),
                ("account_id.account_type", "in", ("asset_receivable", "liability_payable")),
                ("move_id.move_type", "in", list(DOCUMENTS)),
                ("move_id.commercial_partner_id", "=", partner.id),
            ]
        )

    def _reasons_against(self, items):
        """Why items cannot be set off now.

        :return: dict id of the journal item -> text.
        """
        agreed = self._agreed_moves(items.move_id)
        reasons = {
            item.id: self.env._("it is of a contract without netting, or from before the day of the clause")
            for item in items
            if item.move_id not in agreed
        }
        return {**reasons, **self._obstacles(items)}

    @api.model
    def _obstacles(self, items):
        """Why items, of whatever company, are not to be cleared now: dict id -> text."""
        disputed = self._disputed_moves(items.move_id)
        obstacles = {}
        for item in items:
            # sudo: who keeps the books may have no rights on payment orders
            orders = item.sudo().payment_line_ids.filtered(lambda line: line._is_live()).order_id
            if item.parent_state != "posted" or item.reconciled:
                obstacles[item.id] = self.env._("it is no longer open")
            elif orders:
                obstacles[item.id] = self.env._("it is in payment order %(order)s", order=orders[0].name)
            elif item.move_id in disputed:
                obstacles[item.id] = self.env._(
                    "it is disputed or blocked: %s", self._why_blocked(item.move_id)
                )
        return obstacles

    @api.model
    def _why_blocked(self, move):
        """:param move: one of `_disputed_moves`."""
        if move.emsp_hold_reason:
            return move.emsp_hold_reason
        if move.payment_state == "blocked":
            return self.env._("its payment is blocked")
        return self.env._("a session of it is disputed")

    @api.model
    def _disputed_moves(self, moves):
        """With a session that somebody disputes, or blocked by a person."""
        # sudo: accountants have no rights on CDRs and disputes
        disputes_sudo = self.env["emsp.dispute"].sudo()
        vendor_settlements_sudo = moves.sudo().emsp_vendor_settlement_ids
        disputes_sudo = disputes_sudo.search(
            Domain("is_open", "=", True)
            & (
                Domain("cdr_id.move_id", "in", moves.ids)
                | Domain("cdr_id.settlement_id", "in", vendor_settlements_sudo.ids)
            )
        )
        documents_sudo = disputes_sudo.cdr_id.move_id | disputes_sudo.cdr_id.settlement_id.vendor_bill_ids
        blocked = moves.filtered(lambda move: move.payment_state == "blocked" or move.emsp_hold_reason)
        return (moves & moves.browse(documents_sudo.ids)) | blocked

    def _agreed_moves(self, moves):
        """Documents since the day of the clause, of contracts that agreed.

        A document of ours is of the contracts whose settlements it bills, or of those that it credits. A
        bill of the partner is of those whose settlements it charges, and of any where nobody linked them.
        """
        contracts_sudo = self._get_contracts_sudo()
        # sudo: accountants have no rights on contracts and settlements
        agreed_sudo = moves.sudo().filtered(
            lambda move: (move.invoice_date or move.date) >= self._agreed_since(move, contracts_sudo)
        )
        return moves.browse(agreed_sudo.ids)

    @api.model
    def _agreed_since(self, move_sudo, contracts_sudo):
        """:return: the day from which on such documents are set off; date.max for never."""
        is_ours = DOCUMENTS[move_sudo.move_type][0] == "ours"
        settlements_sudo = (
            move_sudo._get_settlements_sudo() if is_ours else move_sudo.emsp_vendor_settlement_ids
        )
        named_sudo = settlements_sudo.contract_id
        if named_sudo - contracts_sudo or (is_ours and not named_sudo):
            return date.max
        if named_sudo:
            return max(named_sudo.mapped("netting_date"))
        payable_sudo = contracts_sudo.filtered(lambda contract: contract.partner_role == "cpo")
        return min(payable_sudo.mapped("netting_date"), default=date.max)

    @api.model
    def _cron_propose(self, today=None):
        """Propose the month before for every pair of contracts that agreed, once."""
        today = today or fields.Date.context_today(self)
        last = today.replace(day=1) - timedelta(days=1)
        for company, partner, currency in self.env["emsp.contract"]._netting_pairs():
            nettings = self.with_company(company)
            if nettings._is_proposed(company, partner, currency, last):
                continue
            vals = {
                "company_id": company.id,
                "partner_id": partner.id,
                "currency_id": currency.id,
                "date_first": last.replace(day=1),
                "date_last": last,
            }
            open_amounts = nettings.new(vals)._find_items().mapped("amount_residual_currency")
            # With one side alone there is nothing to set off.
            if any(amount > 0 for amount in open_amounts) and any(amount < 0 for amount in open_amounts):
                nettings.create(vals)

    @api.model
    def _is_proposed(self, company, partner, currency, last):
        """Whether there is a statement of the month, of ours or, within this database, of the other side:
        one statement clears both ledgers. One that was cancelled is not proposed again."""
        mirror = self._company_of(partner)
        pairs = [(company, partner)]
        if mirror:
            pairs.append((mirror, company.partner_id.commercial_partner_id))
        return any(
            self.search_count(
                [
                    ("company_id", "=", owner.id),
                    ("partner_id", "=", other.id),
                    ("currency_id", "=", currency.id),
                    ("date_first", "<=", last),
                    ("date_last", ">=", last),
                ],
                limit=1,
            )
            for owner, other in pairs
        )

    @api.model
    def _company_of(self, partner):
        """:return: the company of this database that the partner is; maybe none."""
        # sudo: whether there is one, not what it does
        return self.env["res.company"].sudo().search([("partner_id", "=", partner.id)], limit=1)

from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..core.ledger_statement import Movement, OpenItem, make_statement
from ..core.money import ZERO, D, from_float, round_money

INVOICES = ("out_invoice", "out_receipt")
ACCOUNTING = "account.group_account_readonly,account.group_account_invoice"


class EmspAccountStatement(models.TransientModel):
    """The account of a partner over a range of days, as the receivables of the ledger show it.

    All that the partner's receivables hold is on it, so that it can be checked against the ledger; one part
    for each currency.
    """

    _name = "emsp.account.statement"
    _description = "Statement of account"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    partner_id = fields.Many2one("res.partner", required=True)
    date_from = fields.Date(string="From", required=True, default=lambda self: self._default_date_from())
    date_to = fields.Date(
        string="Until",
        required=True,
        default=fields.Date.context_today,
        help="What is open, and for how long, is told as of this day.",
    )

    @api.model
    def _default_date_from(self):
        return fields.Date.start_of(fields.Date.context_today(self), "year")

    @api.model_create_multi
    def create(self, vals_list):
        statements = super().create(vals_list)
        statements._check_may_make()
        return statements

    def write(self, vals):
        written = super().write(vals)
        self._check_may_make()
        return written

    def _check_may_make(self):
        """Who keeps the books sees every account; others those of the partners that they clear with. Not a
        constraint: those run with the rights of the system.
        """
        for statement in self if not self.env.su else ():
            if statement.company_id not in self.env.user.company_ids:
                raise AccessError(self.env._("You do not work for %s.", statement.company_id.name))
            if self.env.user.has_groups(ACCOUNTING):
                continue
            contracts = Domain("partner_id", "child_of", statement.partner_id.commercial_partner_id.id)
            of_company = Domain("company_id", "=", statement.company_id.id)
            if not self.env["emsp.contract"].search_count(contracts & of_company, limit=1):
                raise AccessError(
                    self.env._(
                        "%(partner)s has no roaming contract: ask an accountant for its account.",
                        partner=statement.partner_id.name,
                    )
                )

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for statement in self:
            if statement.date_from > statement.date_to:
                raise UserError(self.env._("A statement of account ends on or after the day it begins."))

    def _make(self):
        """:return: list of (res.currency, core Statement), that of the company's currency first."""
        self.ensure_one()
        movements, openings = self._movements(), self._openings()
        items = self._open_items()
        for currency_id, day, amount in self._offsets():
            if day < self.date_from:
                openings[currency_id] = openings.get(currency_id, ZERO) + amount
            else:
                offset = Movement(day, "offset", self.env._("Settled elsewhere"), amount)
                movements.setdefault(currency_id, []).append(offset)
        made = []
        used = {*movements, *items, *(currency for currency, amount in openings.items() if amount)}
        for currency in (
            self.env["res.currency"]
            .browse(used)
            .sorted(lambda each: (each != self.company_id.currency_id, each.name))
        ):
            statement = make_statement(
                openings.get(currency.id, ZERO),
                movements.get(currency.id, ()),
                items.get(currency.id, ()),
                self.date_to,
            )
            made.append((currency, statement))
        return made

    def _domain(self):
        """Of the receivables of the partner and its contacts."""
        partner = self.partner_id.commercial_partner_id
        return Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("partner_id", "child_of", partner.id),
                ("parent_state", "=", "posted"),
                ("account_id.account_type", "=", "asset_receivable"),
            ]
        )

    def _lines_sudo(self):
        # sudo: whoever may make the statement needs no rights in accounting for it
        return self.env["account.move.line"].sudo()

    def _openings(self):
        """:return: dict currency id -> balance before the first day."""
        groups = self._lines_sudo()._read_group(
            self._domain() & Domain("date", "<", self.date_from), ["currency_id"], ["amount_currency:sum"]
        )
        return {currency.id: from_float(amount, currency.decimal_places) for currency, amount in groups}

    def _movements(self):
        """:return: dict currency id -> [Movement], one or two for each journal entry."""
        lines = self._lines_sudo().search(
            self._domain()
            & Domain("date", ">=", self.date_from)
            & Domain("date", "<=", self.date_to)
            & Domain("amount_currency", "!=", 0),
            order="date, move_id, id",
        )
        found = {}
        for (move, currency), of_move in lines.grouped(lambda line: (line.move_id, line.currency_id)).items():
            found.setdefault(currency.id, []).extend(self._movements_of(move, currency, of_move))
        return found

    def _movements_of(self, move, currency, lines):
        """:param lines: of one journal entry, in one currency. :return: list of Movement."""
        amount = from_float(sum(lines.mapped("amount_currency")), currency.decimal_places)
        whole = Movement(
            day=move.date,
            kind="entry",
            name=move.name or "",
            amount=amount,
            text=self._text_of(move),
            due=max(filter(None, lines.mapped("date_maturity")), default=None),
        )
        if move.move_type in INVOICES:
            return [replace(whole, kind="invoice")]
        whole = replace(whole, due=None)
        if move.move_type == "out_refund":
            return [replace(whole, kind="credit_note")]
        written_off = self._written_off(move, currency, lines)
        if move.statement_line_id or move.origin_payment_id:
            paid = replace(whole, kind="payment", amount=amount - written_off)
            rest = replace(whole, kind="write_off", amount=written_off, text="")
            return [part for part in (paid, rest) if part.amount]
        return [replace(whole, kind="write_off" if amount == written_off else "entry")]

    def _written_off(self, move, currency, lines):
        """:return: what of the entry is no money, but cost or income of ours (bank fees, discounts)."""
        others = move.line_ids - lines
        if others.filtered(lambda line: line.account_id.account_type == "asset_receivable"):
            return ZERO
        costs = others.filtered(
            lambda line: (
                line.currency_id == currency
                and (line.account_id.internal_group in ("income", "expense") or line.tax_line_id)
            )
        )
        return -from_float(sum(costs.mapped("amount_currency")), currency.decimal_places)

    def _text_of(self, move):
        if move.statement_line_id:
            return move.statement_line_id.payment_ref or ""
        if move._is_clearing_document():
            return self.env._("Charging sessions %(period)s", period=move._get_period_text())
        return move.ref or ""

    def _open_items(self):
        """:return: dict currency id -> [OpenItem] at the end of the last day."""
        lines = self._lines_sudo()
        query = lines._search(self._domain() & Domain("date", "<=", self.date_to))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.currency_id, m.name, l.date, COALESCE(l.date_maturity, l.date),
                       l.amount_currency::text, (l.amount_currency - done.amount)::text
                  FROM account_move_line l
                  JOIN account_move m ON m.id = l.move_id,
                       LATERAL (SELECT COALESCE(SUM(CASE WHEN p.debit_move_id = l.id
                                                         THEN p.debit_amount_currency
                                                         ELSE -p.credit_amount_currency END), 0) AS amount
                                  FROM account_partial_reconcile p
                                 WHERE (p.debit_move_id = l.id OR p.credit_move_id = l.id)
                                   AND p.max_date <= %(day)s) done
                 WHERE l.id IN %(lines)s AND l.amount_currency <> done.amount
              ORDER BY l.id
                """,
                day=self.date_to,
                lines=query.subselect(),
            )
        )
        found = {}
        for currency_id, name, day, due, original, left in rows:
            amounts = (self._exact(original, currency_id), self._exact(left, currency_id))
            found.setdefault(currency_id, []).append(OpenItem(name or "", day, due, *amounts))
        return found

    def _offsets(self):
        """What was settled against items that are not on this side of the ledger: of another currency, or
        of another partner. Without it the open items would not sum to the balance.

        :return: list of (currency id, day, amount).
        """
        ids = self._lines_sudo()._search(self._domain()).subselect()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT side.currency_id, p.max_date, SUM(side.amount)::text
                  FROM account_partial_reconcile p,
                       LATERAL (SELECT l.currency_id, -p.debit_amount_currency AS amount
                                  FROM account_move_line l
                                 WHERE l.id = p.debit_move_id AND l.id IN %(lines)s
                                 UNION ALL
                                SELECT l.currency_id, p.credit_amount_currency
                                  FROM account_move_line l
                                 WHERE l.id = p.credit_move_id AND l.id IN %(lines)s) side
                 WHERE (p.debit_move_id IN %(lines)s OR p.credit_move_id IN %(lines)s)
                   AND p.max_date <= %(day)s
              GROUP BY p.id, p.max_date, side.currency_id
                HAVING SUM(side.amount) <> 0
              ORDER BY p.max_date, p.id
                """,
                lines=ids,
                day=self.date_to,
            )
        )
        return [(currency_id, day, self._exact(amount, currency_id)) for currency_id, day, amount in rows]

    def _exact(self, text, currency_id):
        """:param text: of a number of the database."""
        digits = self.env["res.currency"].browse(currency_id).decimal_places
        return round_money(D(text), digits)

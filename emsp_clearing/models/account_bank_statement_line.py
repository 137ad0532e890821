from itertools import accumulate

from odoo import api, fields, models
from odoo.tools import format_amount, format_date

from ..core.references import Candidate, find_references

# Money in pays an invoice; money out that names a document of ours refunds a credit note.
DOCUMENT_BY_SIGN = {True: "out_invoice", False: "out_refund"}


class AccountBankStatementLine(models.Model):
    """Match payments to the one open invoice they name, never by a guess.

    account_reconcile_oca takes a payment whose whole label occurs in an invoice number ("/" and
    "2026" occur in all of them), validates over-payments, and works differently while tests run. Its
    invoice matching is therefore replaced here; its reconcile models and its screen stay.
    """

    _inherit = "account.bank.statement.line"

    emsp_creditor_reference = fields.Char(
        string="Creditor reference", readonly=True, copy=False, help="ISO 20022: RmtInf/Strd/CdtrRefInf/Ref"
    )
    emsp_end_to_end_id = fields.Char(
        string="End-to-end id", readonly=True, copy=False, help="ISO 20022: Refs/EndToEndId"
    )
    emsp_match_reason = fields.Char(string="Matched because", readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._match_open_lines()
        return lines

    def _auto_reconcile(self):
        """OVERRIDE account_reconcile_oca: its create() calls this, but not while tests run.

        Our create() does the work in either case, so nothing is left to do here.
        """

    def _do_auto_reconcile_invoices(self):
        """OVERRIDE account_reconcile_oca: no invoice is taken or proposed by likeness of its number."""
        return self, self.browse()

    def _match_open_lines(self):
        """Reconcile the lines that name one open document, and record what needs a person.

        The open documents are read once for the batch; then each line is handled by itself, so that
        its cost does not grow with the number of lines.
        """
        todo = self.filtered(
            lambda line: not line.is_reconciled and not line.currency_id.is_zero(line.amount)
        )
        facts = []
        for company, lines in todo.grouped("company_id").items():
            candidates = lines._open_candidates()
            found = []
            for line in lines:
                # Its own prefetch: the reconcile screen computes its data for all prefetched lines.
                found += line.with_prefetch()._match_one(candidates)
            facts += found if self._has_contracts(company) else []
        self.env["emsp.exception"]._open_all(facts)

    @api.model
    def _has_contracts(self, company):
        """Whether the company clears at all: the others of the database need no exception journal."""
        # sudo: an accountant imports bank files without rights on contracts.
        return bool(self.env["emsp.contract"].sudo().search_count([("company_id", "=", company.id)], limit=1))

    def _open_candidates(self):
        """What the lines (of one company) can be payments of.

        :return: dict move type -> list of Candidate, key = id of the move.
        """
        instalments = self.env["account.move.line"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("account_id.account_type", "=", "asset_receivable"),
                ("move_id.move_type", "in", list(DOCUMENT_BY_SIGN.values())),
            ]
        )
        candidates = {move_type: [] for move_type in DOCUMENT_BY_SIGN.values()}
        for move in instalments.move_id:
            references = tuple(filter(None, (move.name, move.payment_reference)))
            candidates[move.move_type].append(Candidate(key=move.id, references=references))
        return candidates

    def _match_one(self, candidates):
        """Match one line.

        :param candidates: as from `_open_candidates`.
        :return: list of the facts (vals of emsp.exception) that it leaves for a person.
        """
        self.ensure_one()
        named = self._named_documents(candidates[DOCUMENT_BY_SIGN[self.amount > 0]])
        move = self.env["account.move"].browse(list(named)) if len(named) == 1 else self.env["account.move"]
        if move and self._is_covered_by(move):
            return self._reconcile_with(move, named[move.id])
        if move:
            self._propose(move)
        else:
            self._do_auto_reconcile(True)
        if self.amount > 0 and not self.is_reconciled:
            return [self._prepare_unmatched_fact(self.env["account.move"].browse(list(named)))]
        return []

    def _named_documents(self, candidates):
        """:return: dict move id -> sentence why; all sources must agree, so all are read."""
        named = {}
        for source, text in self._reference_texts():
            for match in find_references(text, candidates):
                named.setdefault(match.key, self._match_sentence(source, match.reference))
        return named

    def _reference_texts(self):
        """:return: list of (source, text), the strongest evidence first."""
        texts = [
            ("creditor_reference", self.emsp_creditor_reference),
            ("end_to_end_id", self.emsp_end_to_end_id),
            ("reference", self.ref),
            ("label", self.payment_ref),
        ]
        return [(source, text) for source, text in texts if text]

    def _match_sentence(self, source, reference):
        texts = {
            "creditor_reference": self.env._("The creditor reference of the payment is %s.", reference),
            "end_to_end_id": self.env._("The end-to-end id of the payment is %s.", reference),
            "reference": self.env._("The reference of the payment is %s.", reference),
            "label": self.env._("The label of the payment contains %s.", reference),
        }
        return texts[source]

    def _paid_amount(self):
        """:return: (amount, currency) in the currency in which the payer paid."""
        if self.foreign_currency_id:
            return abs(self.amount_currency), self.foreign_currency_id
        return abs(self.amount), self.currency_id

    def _open_instalments(self, move):
        return move.line_ids.filtered(
            lambda aml: aml.account_id.account_type == "asset_receivable" and not aml.reconciled
        ).sorted("date_maturity")

    def _is_covered_by(self, move):
        """Whether the payment fits into what is open: an over-payment is decided by a person."""
        paid, currency = self._paid_amount()
        open_amount = abs(sum(self._open_instalments(move).mapped("amount_residual_currency")))
        return currency == move.currency_id and currency.compare_amounts(paid, open_amount) <= 0

    def _reconcile_with(self, move, reason):
        """Reconcile the line with the document.

        :return: list with the "gap" fact where the payment is short, else empty.
        """
        paid, currency = self._paid_amount()
        instalments = self._open_instalments(move)
        due = accumulate(abs(aml.amount_residual_currency) for aml in instalments)
        is_short = not any(currency.compare_amounts(paid, amount) == 0 for amount in due)
        self._propose(move)
        self.reconcile_bank_line()
        self.emsp_match_reason = reason
        move._message_log(body=self._paid_sentence(move, reason))
        return [self._prepare_gap_fact(move)] if is_short else []

    def _propose(self, move):
        """Put the document's open lines against the payment in the reconcile screen, oldest first."""
        if not self.partner_id:
            self.partner_id = move.commercial_partner_id
        left, currency = self._paid_amount()
        for instalment in self._open_instalments(move):
            # With nothing left, the screen would take the whole instalment.
            if currency.compare_amounts(left, 0) <= 0:
                break
            left -= abs(instalment.amount_residual_currency)
            self._add_account_move_line(instalment, keep_current=True)

    def _paid_sentence(self, move, reason):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        paid, currency = self._paid_amount()
        return env._(
            "Payment of %(amount)s on %(date)s matched. %(reason)s",
            amount=format_amount(env, paid, currency),
            date=format_date(env, self.date),
            reason=reason,
        )

    def _prepare_gap_fact(self, move):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        paid, currency = self._paid_amount()
        return {
            "kind": "gap",
            "fact_key": f"account.move:{move.id}",
            "name": env._(
                "%(invoice)s was paid short: %(paid)s came on %(date)s, %(open)s is still open.",
                invoice=move.name,
                paid=format_amount(env, paid, currency),
                date=format_date(env, self.date),
                open=format_amount(env, move.amount_residual, move.currency_id),
            ),
            "suggestion": env._("Ask the partner for the rest. If a bank kept it as a fee, write it off."),
            "move_id": move.id,
            "statement_line_id": self.id,
            "amount": move.amount_residual,
            "date": self.date,
        }

    def _prepare_unmatched_fact(self, moves):
        """:param moves: the open invoices that the payment names; none, or several, or one it exceeds."""
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        paid, currency = self._paid_amount()
        return {
            "kind": "unmatched",
            "fact_key": f"account.bank.statement.line:{self.id}",
            "name": env._(
                "%(amount)s of %(payer)s on %(date)s is not matched: %(reason)s",
                amount=format_amount(env, paid, currency),
                payer=self.partner_id.name or self.partner_name or env._("an unknown payer"),
                date=format_date(env, self.date),
                reason=self._unmatched_reason(env, moves),
            ),
            "suggestion": env._("Open the bank line and choose what the payment is for."),
            "move_id": moves.id if len(moves) == 1 else False,
            "statement_line_id": self.id,
            "amount": paid,
            "currency_id": currency.id,
            "date": self.date,
        }

    def _unmatched_reason(self, env, moves):
        paid, currency = self._paid_amount()
        if not moves:
            return env._("it names no open invoice (label: %(label)s).", label=self.payment_ref or "/")
        if len(moves) > 1:
            return env._("it names several open invoices (%s).", ", ".join(sorted(moves.mapped("name"))))
        if moves.currency_id != currency:
            return env._(
                "%(invoice)s is in %(currency)s.", invoice=moves.name, currency=moves.currency_id.name
            )
        return env._(
            "only %(open)s is open on %(invoice)s.",
            open=format_amount(env, moves.amount_residual, currency),
            invoice=moves.name,
        )

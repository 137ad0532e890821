from odoo import models
from odoo.tools import format_amount, format_date

from ..core.money import to_float


class AccountBankStatementLineReasons(models.Model):
    """Say why a line was matched, or what it may be for; facts for the journal of exceptions."""

    _inherit = "account.bank.statement.line"

    def _tell_booked(self, booked, documents):
        """:param booked: list of (line, Decision). :return: list of facts."""
        bodies, facts = {}, []
        for line, decision in booked:
            reason = line._reason_text(decision.reasons, documents)
            line.write(
                {"emsp_match_state": "auto", "emsp_match_reason": reason, "emsp_match_candidates": False}
            )
            items = line._items_of([one.key for one in decision.allocations], documents)
            moves = items.move_id.filtered(lambda move: move.is_invoice())
            for move in moves:
                bodies.setdefault(move.id, []).append(line._paid_sentence(reason))
            facts += line._short_facts(items & moves.line_ids)
            if decision.rest:
                facts.append(line._prepare_over_fact(items.move_id, decision))
        self.env["account.move"].browse(bodies)._message_log_batch(
            {move_id: " ".join(texts) for move_id, texts in bodies.items()}
        )
        return facts

    def _tell_open(self, open_ones, refused, documents):
        """:param open_ones: list of (line, Decision) that no document or rule took.
        :param refused: list of (line, Decision, error) that could not be booked.
        :return: list of facts.
        """
        facts = []
        for line, decision in open_ones:
            reason = line._reason_text(decision.reasons, documents)
            facts += line._leave_to_person(reason, decision.rivals, documents)
            if len(decision.rivals) == 1 and decision.reasons[0].code == "over":
                line._propose_on_screen(decision.rivals[0].keys, documents)
        for line, decision, error in refused:
            rival = decision.as_rival(tuple(one.key for one in decision.allocations))
            reason = line._in_company_language()._("It could not be booked: %s", error)
            facts += line._leave_to_person(reason, [rival], documents)
        return facts

    def _leave_to_person(self, reason, rivals, documents):
        self.ensure_one()
        vals = {
            "emsp_match_state": "proposed" if rivals else "person",
            "emsp_match_reason": reason,
            "emsp_match_candidates": self._candidates_html(rivals, documents) if rivals else False,
        }
        if any(self[name] != value for name, value in vals.items()):
            self.write(vals)
        return [self._prepare_unmatched_fact(reason, rivals)] if self.amount > 0 else []

    def _propose_on_screen(self, keys, documents):
        """Put the open items against the payment in the reconcile screen, the first due at first."""
        # Its own prefetch: the reconcile screen computes its data for all prefetched lines.
        line = self.with_prefetch()
        items = self._items_of(keys, documents)
        if not line.partner_id:
            line.partner_id = items.partner_id.commercial_partner_id[:1]
        left, currency = line._paid_amount()
        for item in items:
            # With nothing left, the screen would take the whole item.
            if currency.compare_amounts(left, 0) <= 0:
                break
            left -= abs(item.amount_residual_currency)
            line._add_account_move_line(item, keep_current=True)

    def _paid_sentence(self, reason):
        env = self._in_company_language()
        paid, currency = self._paid_amount()
        return env._(
            "Payment of %(amount)s on %(date)s matched. %(reason)s",
            amount=format_amount(env, paid, currency),
            date=format_date(env, self.date),
            reason=reason,
        )

    # --- Facts ----------------------------------------------------------------------------------

    def _short_facts(self, items):
        """Documents of which a part is paid. One with instalments is not short while the next is untouched.

        :param items: their journal items, those due first at first.
        :return: list of facts.
        """
        facts = []
        for move, its in items.filtered(lambda item: not item.reconciled).grouped("move_id").items():
            left, amount = abs(its[0].amount_residual_currency), abs(its[0].amount_currency)
            if its[0].currency_id.compare_amounts(left, amount) < 0:
                facts.append(self._prepare_gap_fact(move))
        return facts

    def _short_sentence(self, move):
        """:param move: a document of which this line paid a part. :return: sentence with what is open now."""
        env = self._in_company_language()
        paid, currency = self._paid_amount()
        return env._(
            "%(invoice)s was paid short: %(paid)s came on %(date)s, %(open)s is still open.",
            invoice=move.name,
            paid=format_amount(env, paid, currency),
            date=format_date(env, self.date),
            open=format_amount(env, move.amount_residual, move.currency_id),
        )

    def _prepare_gap_fact(self, move):
        env = self._in_company_language()
        return {
            "kind": "gap",
            "direction": "short",
            "fact_key": f"account.move:{move.id}",
            "name": self._short_sentence(move),
            "suggestion": env._("Ask the partner for the rest. If a bank kept it as a fee, write it off."),
            "move_id": move.id,
            "statement_line_id": self.id,
            "amount": move.amount_residual,
            "date": self.date,
        }

    def _prepare_over_fact(self, moves, decision):
        env = self._in_company_language()
        paid, currency = self._paid_amount()
        return {
            "kind": "gap",
            "direction": "over",
            "fact_key": f"account.bank.statement.line:{self.id}",
            "name": env._(
                "%(invoice)s was paid over: %(paid)s came on %(date)s, %(rest)s of it is a credit.",
                invoice=", ".join(moves.mapped("name")),
                paid=format_amount(env, paid, currency),
                date=format_date(env, self.date),
                rest=format_amount(env, to_float(decision.rest), currency),
            ),
            "suggestion": env._(
                "Ask the partner what the rest is for. Reconcile it with an invoice, or pay it back."
            ),
            "move_id": moves[:1].id,
            "statement_line_id": self.id,
            "amount": to_float(decision.rest),
            "currency_id": currency.id,
            "date": self.date,
        }

    def _prepare_unmatched_fact(self, reason, rivals):
        """:param reason: sentence. :param rivals: what it may be for."""
        env = self._in_company_language()
        paid, currency = self._paid_amount()
        keys = {key for rival in rivals for key in rival.keys}
        [key] = keys if len(keys) == 1 else [None]
        return {
            "kind": "unmatched",
            "fact_key": f"account.bank.statement.line:{self.id}",
            "name": env._(
                "%(amount)s of %(payer)s on %(date)s is not matched. %(reason)s",
                amount=format_amount(env, paid, currency),
                payer=self.partner_id.name or self.partner_name or env._("an unknown payer"),
                date=format_date(env, self.date),
                reason=reason,
            ),
            "suggestion": env._("Open the bank line and choose what the payment is for."),
            "move_id": key if isinstance(key, int) else False,
            "statement_line_id": self.id,
            "amount": paid,
            "currency_id": currency.id,
            "date": self.date,
        }

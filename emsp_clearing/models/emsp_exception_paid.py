from odoo import api, fields, models
from odoo.tools import format_amount

# A document that was settled in whole or in part: by money, or by a credit note alone.
SETTLED = ("partial", "in_payment", "paid")
LIVE_PAYMENTS = ("in_process", "paid")
MONEY_JOURNALS = ("bank", "cash", "credit")
# A credit CDR that may still come onto an invoice.
UNBILLED = ("quarantine", "open", "disputed", "locked")


class EmspExceptionPaid(models.Model):
    """Sessions that were disputed with success after their invoice was paid: the partner has money to come.

    The window of a session's own dispute is closed by then, so what both sides agree on arrives as a credit
    CDR of a session whose document is paid.
    """

    _inherit = "emsp.exception"

    kind = fields.Selection(
        selection_add=[("disputed_paid", "Disputed after payment")], ondelete={"disputed_paid": "cascade"}
    )

    @api.model
    def _update_disputed_paid(self, as_of):
        """One fact for each paid document of which sessions were taken back and not credited yet.

        It ends when the credits are billed, or void. :param as_of: naive UTC.
        """
        # sudo: the run is made for all companies.
        groups = (
            self.env["emsp.cdr"]
            .sudo()
            ._read_group(
                [
                    ("credited_cdr_id", "!=", False),
                    ("move_id", "=", False),
                    ("state", "in", UNBILLED),
                    ("credited_cdr_id.move_id.payment_state", "in", SETTLED),
                ],
                ["credited_cdr_id.move_id", "contract_id"],
                ["__count", "amount_untaxed:sum"],
            )
        )
        facts = [
            self._prepare_disputed_paid_fact(move, contract, count, -(amount or 0.0), as_of)
            for move, contract, count, amount in groups
            if self._is_money_received(move)
        ]
        still = {fact["fact_key"] for fact in facts}
        # sudo: as above
        known = self.sudo().search([("kind", "=", "disputed_paid"), ("state", "=", "open")])
        known.filtered(lambda fact: fact.fact_key not in still)._set_closed(as_of)
        return self._open_all(facts)

    @api.model
    def _is_money_received(self, move):
        """Whether something was paid: by bank or cash, by a payment under way, or by netting. What a credit
        note has set off cost the partner nothing."""
        items = move.line_ids
        others = items.matched_debit_ids.debit_move_id | items.matched_credit_ids.credit_move_id
        return bool(
            move.matched_payment_ids.filtered(lambda payment: payment.state in LIVE_PAYMENTS)
            or others.move_id.filtered(
                lambda entry: entry.journal_id.type in MONEY_JOURNALS or entry.emsp_netting_id
            )
        )

    @api.model
    def _prepare_disputed_paid_fact(self, move, contract, count, amount, as_of):
        env = self._in_language_of(move.company_id).env
        return {
            "kind": "disputed_paid",
            "fact_key": f"account.move:{move.id}:{contract.id}",
            "name": env._(
                "%(invoice)s of %(partner)s is paid. Sessions taken back since: %(count)s; to be credited: "
                "%(amount)s net.",
                invoice=move.name,
                partner=move.commercial_partner_id.name,
                count=count,
                amount=format_amount(env, amount, move.currency_id),
            ),
            "suggestion": env._(
                "The next settlement credits it. If none follows, bill the credits and pay them out."
            ),
            "severity": "warning",
            "move_id": move.id,
            "company_id": move.company_id.id,
            "partner_id": contract.partner_id.id,
            "contract_id": contract.id,
            "amount": amount,
            "opened_at": as_of,
        }

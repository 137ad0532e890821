from odoo import api, fields, models

from ..core.interest import total
from ..core.money import ZERO, from_float, to_float
from .account_move_line_claim import Claim

WAITING = ("draft", "to_be_sent")


class CreditControlLine(models.Model):
    """A reminder of one open item: what is asked for, without what is disputed, and with which interest."""

    _inherit = "credit.control.line"

    emsp_disputed = fields.Monetary(
        string="Disputed", readonly=True, help="Tax included. Not asked for, until it is decided."
    )
    emsp_credited = fields.Monetary(
        string="Covered by credits",
        readonly=True,
        help="Credit notes and payments of the partner that are not allocated, on its oldest items first.",
    )
    emsp_interest = fields.Monetary(
        string="Late interest", readonly=True, help="To the date of the reminder, without what is booked."
    )
    emsp_indemnity = fields.Monetary(
        string="Recovery costs", readonly=True, help="The fixed sum, once for each invoice."
    )
    emsp_interest_rows = fields.Json(string="How interest was computed", readonly=True)
    emsp_claim_move_id = fields.Many2one(
        "account.move",
        string="Booked by",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The entry that asks for interest and recovery costs.",
    )
    emsp_booked_interest = fields.Monetary(string="Booked interest", readonly=True, copy=False)
    emsp_booked_indemnity = fields.Monetary(string="Booked recovery costs", readonly=True, copy=False)
    emsp_held = fields.Char(
        string="On hold", compute="_compute_emsp_held", help="Of the partner or the contract: not sent."
    )

    @api.depends("state", "invoice_id")
    def _compute_emsp_held(self):
        today = fields.Date.context_today(self)
        for line in self:
            line.emsp_held = (line.state in WAITING and line._get_hold(today)) or False

    def _get_hold(self, day):
        """:return: words about what holds it, or ""."""
        if self.invoice_id:
            return self.invoice_id._get_reminder_hold(day)
        return self.commercial_partner_id._get_reminder_hold(day)

    def create_or_update_from_mv_lines(
        self, lines, level, controlling_date, company, check_tolerance=True, default_lines_vals=None
    ):
        # EXTENDS account_credit_control: nothing that is disputed, covered or being paid; and a reminder
        # that waits is brought up to date, where it would be made a second time
        claims = lines._get_claims()
        lines = lines.filtered(lambda line: claims[line.id].due > 0)
        if check_tolerance:
            lowest = self._get_tolerances(lines.currency_id, company, controlling_date)
            lines = lines.filtered(lambda line: claims[line.id].due >= lowest[line.currency_id])
            lines -= self._refresh_waiting(lines, level, controlling_date)
        created = super().create_or_update_from_mv_lines(
            lines, level, controlling_date, company, check_tolerance, default_lines_vals
        )
        for line in created:
            claim = claims[line.move_line_id.id]
            line.write(line._prepare_claim_vals(claim) | line._prepare_interest_vals(claim, controlling_date))
        return created

    @api.model
    def _get_tolerances(self, currencies, company, day):
        """:return: dict res.currency -> Decimal: less than this is not asked for."""
        tolerance, own = company.credit_control_tolerance, company.currency_id
        return {
            each: from_float(own._convert(tolerance, each, company, day), each.decimal_places)
            for each in currencies
        }

    @api.model
    def _refresh_waiting(self, move_lines, level, day):
        """Reminders of an item that wait: those of this level are kept, those of another are out of date.

        :return: account.move.line that have one of this level.
        """
        waiting = self.search([("move_line_id", "in", move_lines.ids), ("state", "in", WAITING)])
        kept = waiting.filtered(lambda line: line.policy_level_id == level)
        (waiting - kept).write({"state": "ignored"})
        kept._refresh_claim(day)
        return kept.move_line_id

    @api.model
    def _prepare_from_move_line(self, move_line, level, controlling_date, open_amount, default_lines_vals):
        # EXTENDS account_credit_control
        vals = super()._prepare_from_move_line(
            move_line, level, controlling_date, open_amount, default_lines_vals
        )
        if level.channel == "email" and move_line.move_id._sending_partners():
            # The invoicing contact has an address where the company itself has none.
            vals["channel"] = "email"
        return vals

    @api.model
    def _prepare_claim_vals(self, claim):
        return {
            "balance_due": to_float(claim.due),
            "emsp_disputed": to_float(claim.disputed),
            "emsp_credited": to_float(claim.credited),
        }

    def _refresh_claim(self, day):
        """Bring reminders that wait up to date; one that asks for nothing any more is given up.

        :return: those that still ask for something.
        """
        claims = self.move_line_id._get_claims()
        for line in self:
            item = line.move_line_id
            claim = claims[item.id]
            if item.reconciled or item.parent_state != "posted" or claim.due <= 0:
                line.state = "ignored"
                continue
            line.write(
                {"date": day, **self._prepare_claim_vals(claim), **line._prepare_interest_vals(claim, day)}
            )
        return self.filtered(lambda line: line.state != "ignored")

    def _prepare_interest_vals(self, claim: Claim, day):
        """Interest to a day and the fixed sum, as far as the level asks for them and they are not booked."""
        self.ensure_one()
        item, policy = self.move_line_id, self.policy_level_id.policy_id
        if not self.policy_level_id.emsp_claims_interest or item.date_maturity >= day:
            return {"emsp_interest": 0.0, "emsp_indemnity": 0.0, "emsp_interest_rows": False}
        terms = policy._get_interest_terms(
            item.move_id.emsp_interest_terms, self.env["emsp.interest.rate"]._get_rates()
        )
        stretches = item._get_interest(claim, terms, day)
        has_sum = self._is_indemnity_booked() or item != self._get_first_item()
        return {
            "emsp_interest": to_float(self._without_booked(total(stretches))),
            "emsp_indemnity": 0.0 if has_sum else self._get_indemnity(day),
            "emsp_interest_rows": [row_of(stretch) for stretch in stretches],
        }

    def _without_booked(self, interest):
        """What is left of the interest of the item since it was due."""
        own = self._get_booked().filtered(lambda line: line.move_line_id == self.move_line_id)
        digits = self.currency_id.decimal_places
        booked = sum((from_float(line.emsp_booked_interest, digits) for line in own), ZERO)
        return max(ZERO, interest - booked)

    def _is_indemnity_booked(self):
        return any(self._get_booked().mapped("emsp_booked_indemnity"))

    def _get_booked(self):
        """:return: reminders of the invoice whose interest and costs were booked, and not taken back."""
        found = self.search([("invoice_id", "=", self.invoice_id.id), ("emsp_claim_move_id", "!=", False)])
        return found.filtered(
            lambda line: (
                line.emsp_claim_move_id.state == "posted"
                and not line.emsp_claim_move_id.reversal_move_ids.filtered(
                    lambda move: move.state == "posted"
                )
            )
        )

    def _get_first_item(self):
        """The item of the invoice that the fixed sum stands beside: an invoice in instalments has it once."""
        account = self.move_line_id.account_id
        items = self.move_line_id.move_id.line_ids.filtered(
            lambda item: item.account_id == account and not item.reconciled
        )
        return items.sorted(lambda item: (item.date_maturity, item.id))[:1]

    def _get_indemnity(self, day):
        """In the invoice's currency."""
        amount = self.policy_level_id.policy_id.emsp_indemnity
        return self.env.ref("base.EUR")._convert(amount, self.currency_id, self.company_id, day)

    def _get_paid(self):
        """:return: Decimal: what was paid or credited of the item when the reminder was made."""
        digits = self.currency_id.decimal_places
        due = (self.balance_due, self.emsp_disputed, self.emsp_credited)
        opened = sum((from_float(part, digits) for part in due), ZERO)
        return from_float(self.amount_due, digits) - opened

    def write(self, vals):
        # EXTENDS account_credit_control: the day of sending is kept, and a mail that failed is told
        if vals.get("state") == "sent" and "date_sent" not in vals:
            vals = {**vals, "date_sent": fields.Date.context_today(self)}
        result = super().write(vals)
        if vals.get("state") in ("sent", "email_error"):
            self.communication_id._note_sending(vals["state"])
        return result


def row_of(stretch):
    """A stretch as JSON: days as text, numbers as text."""
    return {
        "first": stretch.first.isoformat(),
        "last": stretch.last.isoformat(),
        "days": stretch.days,
        "base": str(stretch.base),
        "percent": str(stretch.percent),
        "known": stretch.known.isoformat(),
        "assumed": stretch.is_assumed,
        "amount": str(stretch.amount),
    }

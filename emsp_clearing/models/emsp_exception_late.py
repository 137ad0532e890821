from datetime import timedelta

import pytz

from odoo import api, models
from odoo.tools import format_amount, format_date

# The day starts first at UTC+14: what is not past there is not past anywhere.
EARLIEST_DAY_OFFSET = timedelta(hours=14)


class EmspExceptionLate(models.Model):
    """Late payments: the one kind of exception that arises by time alone."""

    _inherit = "emsp.exception"

    @api.model
    def _update_late(self, as_of):
        """Open an exception for each settlement invoice that is overdue, close those that no longer are.

        Overdue: an instalment is open whose due date lies before the day of `as_of` in the contract's
        time zone. One search over the books, one over the journal, whatever the number of invoices.

        :param as_of: naive UTC.
        :return: the open exceptions of kind "late".
        """
        overdue = self._overdue_instalments(as_of)
        facts = [
            self._prepare_late_fact(move, lines, as_of) for move, lines in overdue.grouped("move_id").items()
        ]
        # sudo: the run is made for all companies.
        gone = self.sudo().search(
            [("kind", "=", "late"), ("state", "=", "open"), ("move_id", "not in", overdue.move_id.ids)]
        )
        gone._set_closed(as_of)
        return self._open_all(facts)

    @api.model
    def _overdue_instalments(self, as_of):
        """:return: receivable lines of posted settlement invoices, due and not paid."""
        # sudo: as in _update_late.
        lines = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("amount_residual", ">", 0),
                    ("date_maturity", "<", (as_of + EARLIEST_DAY_OFFSET).date()),
                    ("move_id.move_type", "=", "out_invoice"),
                    ("move_id.emsp_settlement_id", "!=", False),
                ],
                order="date_maturity, id",
            )
        )
        now = pytz.utc.localize(as_of)

        def is_past(line):
            zone = pytz.timezone(line.move_id.emsp_settlement_id.time_zone or "UTC")
            return line.date_maturity < now.astimezone(zone).date()

        return lines.filtered(is_past)

    @api.model
    def _prepare_late_fact(self, move, lines, as_of):
        env = self._in_language_of(move.company_id).env
        amount = sum(lines.mapped("amount_residual_currency"))
        due = lines[0].date_maturity
        return {
            "kind": "late",
            "fact_key": f"account.move:{move.id}",
            "name": env._(
                "%(invoice)s of %(partner)s was due on %(date)s: %(amount)s is open.",
                invoice=move.name,
                partner=move.commercial_partner_id.name,
                date=format_date(env, due),
                amount=format_amount(env, amount, move.currency_id),
            ),
            "suggestion": env._("Remind the partner, or agree on a new due date."),
            "move_id": move.id,
            "amount": amount,
            "date": due,
            "opened_at": as_of,
        }

from odoo import api, fields, models


class EmspSettlementPipeline(models.Model):
    """Settlements as an accountant watches them: where each stands, and which one needs a person."""

    _inherit = "emsp.settlement"

    # The pipeline shows each stage, also one that nothing is in.
    state = fields.Selection(group_expand=True)
    # In the order of the alphabet, too: sorted by it, what needs a person comes first.
    attention = fields.Selection(
        [
            ("blocked", "Blocked"),
            ("carried", "Carried forward"),
            ("disputed", "Disputed"),
            ("normal", "On its way"),
        ],
        compute="_compute_attention",
        store=True,
    )
    calendar_title = fields.Char(compute="_compute_calendar_title")

    @api.depends("blocked_reason", "disputed_count", "carried_forward", "state")
    def _compute_attention(self):
        for settlement in self:
            if settlement.blocked_reason:
                settlement.attention = "blocked"
            elif settlement.disputed_count and settlement.state in ("collecting", "control"):
                settlement.attention = "disputed"
            else:
                settlement.attention = "carried" if settlement.carried_forward else "normal"

    @api.depends("name", "partner_id.display_name")
    def _compute_calendar_title(self):
        """A day of the calendar has room for little: whom the invoice is for comes first."""
        for settlement in self:
            settlement.calendar_title = f"{settlement.partner_id.display_name or '-'} · {settlement.name}"

    def action_run_now(self):
        """Enqueue the step that is due for each of these settlements, without waiting for the hour."""
        self.check_access("write")
        now = fields.Datetime.now()
        # sudo: only the life cycle writes settlements; the right to ask for it was checked above
        due = self.sudo().filtered(lambda settlement: settlement._due_step(now))
        due._enqueue_due_steps(now)
        if due:
            message = self.env._(
                "Going on now: %(due)s. Waiting for their date: %(later)s.",
                due=len(due),
                later=len(self) - len(due),
            )
        else:
            message = self.env._("Nothing is due: each of these settlements waits for its date.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"message": message, "type": "success" if due else "info"},
        }

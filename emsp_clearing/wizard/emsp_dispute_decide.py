from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..core.dispute import OWNER
from ..models.dialogs import dialog
from ..models.emsp_dispute_console import ACTIONS


class EmspDisputeDecide(models.TransientModel):
    """Ask for the words of a step, and take it for one dispute or many; for all of them or none."""

    _name = "emsp.dispute.decide"
    _description = "Decide on disputes"

    action = fields.Selection(
        [
            ("uphold", "Accept and void"),
            ("correct", "Accept with a corrected amount"),
            ("reject", "Reject"),
            ("ask", "Ask back"),
            ("dismiss", "Dismiss for good"),
            ("withdraw", "Withdraw"),
            ("concede", "Accept the rejection"),
            ("contest", "Contest again"),
            ("answer", "Answer"),
        ],
        required=True,
        readonly=True,
    )
    dispute_ids = fields.Many2many("emsp.dispute", readonly=True)
    dispute_count = fields.Integer(compute="_compute_summary")
    summary = fields.Char(string="Chosen", compute="_compute_summary")
    is_recorded = fields.Boolean(compute="_compute_summary")
    waiting_message = fields.Char(compute="_compute_waiting_message")
    use_own_amount = fields.Boolean(string="The amount that the opener named")
    own_amount = fields.Float(string="Named by the opener", digits=(16, 4), compute="_compute_summary")
    amount = fields.Float(
        string="Corrected amount", digits=(16, 4), help="Net. What is billed instead of the session's amount."
    )
    words = fields.Text(string="Your words")

    @api.depends("dispute_ids", "action")
    @api.depends_context("lang")
    def _compute_summary(self):
        for decision in self:
            disputes = decision.dispute_ids
            single = disputes if len(disputes) == 1 else disputes.browse()
            decision.dispute_count = len(disputes)
            decision.summary = ", ".join(decision._summary_parts())
            decision.own_amount = single.own_amount
            is_owners = decision.action and ACTIONS[decision.action].actor == OWNER
            decision.is_recorded = is_owners and "raised" in disputes.mapped("direction")

    def _summary_parts(self):
        disputes = self.dispute_ids
        if len(disputes) == 1:
            yield disputes.display_name
        else:
            yield self.env._("%(count)s disputes", count=len(disputes))
        for currency, rows in disputes.grouped("currency_id").items():
            yield format_amount(self.env, sum(rows.mapped("disputed_amount")), currency)

    @api.depends("dispute_ids", "action", "amount", "use_own_amount")
    @api.depends_context("lang")
    def _compute_waiting_message(self):
        for decision in self:
            waiting = decision._waiting()
            decision.waiting_message = False
            if waiting:
                decision.waiting_message = self.env._(
                    "Above the amount that the contract leaves to one person: %(disputes)s. Somebody else "
                    "has to consent.",
                    disputes=", ".join(waiting.mapped("name")),
                )

    def _waiting(self):
        """:return: the disputes that would wait for a second person."""
        target = ACTIONS[self.action].target if self.action else ""
        return self.dispute_ids.filtered(lambda dispute: dispute._needs_consent(target, self._amount()))

    def _amount(self):
        """:return: that of `_step`: None for the amount of each opener."""
        return None if self.use_own_amount else self.amount

    @api.model
    def _open(self, action, disputes):
        """:param str action: of ACTIONS. :return: the dialog."""
        # Many have no amount in common but those that their openers name.
        use_own = len(disputes) > 1 or disputes.has_own_amount
        decision = self.create(
            {
                "action": action,
                "dispute_ids": [Command.set(disputes.ids)],
                "use_own_amount": use_own and action == "correct",
            }
        )
        labels = dict(self._fields["action"]._description_selection(self.env))
        return dialog(decision, labels[action])

    def action_decide(self):
        self.ensure_one()
        disputes = self.dispute_ids
        disputes.check_access("write")
        words = (self.words or "").strip()
        if not words:
            raise UserError(self.env._("Write the reason: the other side reads it."))
        waiting = disputes._take_action(self.action, words, self._amount())
        close = {"type": "ir.actions.act_window_close"}
        return self._tell_waiting(waiting, close) if waiting else close

    def _tell_waiting(self, waiting, then):
        message = self.env._(
            "Proposed for %(disputes)s: above the amount of the contract, so somebody else has to consent.",
            disputes=", ".join(waiting.mapped("name")),
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "message": message, "sticky": True, "next": then},
        }

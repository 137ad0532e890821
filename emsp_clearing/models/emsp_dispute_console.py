from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.dispute import OPEN_STATES, OPENER, OWNER
from .emsp_decision_mixin import check_possible


class Action(NamedTuple):
    """What a person may choose: the state it leads to, the party whose step it is, and from where."""

    target: str
    actor: str
    states: frozenset


ACTIONS = {
    "uphold": Action("upheld", OWNER, OPEN_STATES),
    "correct": Action("corrected", OWNER, OPEN_STATES),
    "reject": Action("rejected", OWNER, frozenset({"opened"})),
    "ask": Action("asked", OWNER, frozenset({"opened"})),
    "dismiss": Action("dismissed", OWNER, frozenset({"contested"})),
    "withdraw": Action("withdrawn", OPENER, OPEN_STATES),
    "concede": Action("dismissed", OPENER, frozenset({"rejected"})),
    "contest": Action("contested", OPENER, frozenset({"rejected"})),
    "answer": Action("opened", OPENER, frozenset({"asked"})),
}


class EmspDisputeConsole(models.Model):
    """What the back office sees of disputes and may do about them."""

    _inherit = "emsp.dispute"

    age_days = fields.Integer(
        string="Age (days)", compute="_compute_age_days", help="From the opening until the end, or until now."
    )
    turn_message = fields.Char(string="What comes next", compute="_compute_turn_message")
    partner_dispute_count = fields.Integer(
        string="Other disputes of the partner", compute="_compute_partner_dispute_count"
    )

    @api.depends("opened_at", "closed_at")
    def _compute_age_days(self):
        now = fields.Datetime.now()
        for dispute in self:
            dispute.age_days = ((dispute.closed_at or now) - dispute.opened_at).days

    @api.depends("state", "turn", "due_at", "end_at", "is_overdue")
    @api.depends_context("lang")
    def _compute_turn_message(self):
        for dispute in self:
            dispute.turn_message = dispute.is_open and dispute._turn_message()

    def _turn_message(self):
        """Who must act until when, and what silence brings about."""
        due = self._instant(self.due_at)
        if self.state == "asked":
            return self._asked_message(due)
        if self.state == "rejected":
            return self._rejected_message(due)
        return self._answer_message(due, self._instant(self.end_at))

    def _asked_message(self, due):
        if self.turn == "us":
            return self.env._(
                "Our turn: answer the question by %(due)s. In silence, the partner decides without it.",
                due=due,
            )
        return self.env._(
            "The partner's turn: it answers our question by %(due)s. In silence, we decide without it.",
            due=due,
        )

    def _rejected_message(self, due):
        if self.turn == "us":
            return self.env._(
                "Our turn: accept the rejection or contest it by %(due)s. If we say nothing, it stands and "
                "we pay for the session.",
                due=due,
            )
        return self.env._(
            "The partner's turn: it accepts the rejection or contests it by %(due)s. If it says nothing, the "
            "rejection stands and the session is billed.",
            due=due,
        )

    def _answer_message(self, due, end):
        if self.turn == "partner":
            return self.env._(
                "The partner's turn: its answer is due on %(due)s. If it says nothing until %(end)s, it "
                "loses: we do not pay for the session.",
                due=due,
                end=end,
            )
        if self.is_overdue:
            return self.env._(
                "Overdue: our answer was due on %(due)s. If we say nothing until %(end)s, we lose: the "
                "session is void and never billed.",
                due=due,
                end=end,
            )
        return self.env._(
            "Our turn: answer by %(due)s. If we say nothing until %(end)s, we lose: the session is void and "
            "never billed.",
            due=due,
            end=end,
        )

    def _instant(self, instant):
        """An instant (naive UTC) in the contract's zone and in UTC."""
        return f"{self._local(instant)} ({instant:%Y-%m-%d %H:%M} UTC)" if instant else ""

    @api.depends("partner_id")
    def _compute_partner_dispute_count(self):
        groups = self._read_group([("partner_id", "in", self.partner_id.ids)], ["partner_id"], ["__count"])
        counts = dict(groups)
        for dispute in self:
            dispute.partner_dispute_count = max(counts.get(dispute.partner_id, 0) - 1, 0)

    def action_decide(self):
        """A dialog for the action that the context names (`emsp_action`, of ACTIONS)."""
        self.check_access("write")
        action = self.env.context.get("emsp_action")
        if action not in ACTIONS:
            raise UserError(self.env._("Choose what to do with the disputes."))
        if action != "correct":
            check_possible(self.env, self._problems_of(action), len(self))
        return self.env["emsp.dispute.decide"]._open(action, self)

    def action_view_settlement(self):
        self.ensure_one()
        return self.settlement_id.get_formview_action()

    def _take_action(self, action, words, amount=None):
        """Do for all of them what a person chose.

        :param str action: of ACTIONS. :param float amount: as of `_step`.
        :return: the disputes that wait for a second person.
        :raise UserError: it is not possible for some of them; then it is done for none.
        """
        check_possible(self.env, self._problems_of(action, amount), len(self))
        target, actor, __ = ACTIONS[action]
        # What we record of a partner's answer gives up nothing of ours: it needs no second person.
        received = self.filtered(lambda dispute: dispute.direction == "received")
        if self - received:
            (self - received)._step(target, actor, words, amount)
        return received._decide(target, words, amount) if received else received

    def _problems_of(self, action, amount=None):
        """:return: list of (dispute, text): why it cannot be done."""
        found = [(dispute, dispute._problem_of(action, amount)) for dispute in self]
        return [(dispute, text) for dispute, text in found if text]

    def _problem_of(self, action, amount):
        """:return: why an action cannot be done, as text; None when it can."""
        self.ensure_one()
        step = ACTIONS[action]
        state = self._state_label(self.state)
        if not self.is_open:
            return self.env._(
                "Dispute %(dispute)s is closed: %(state)s on %(date)s.",
                dispute=self.name,
                state=state,
                date=self._local(self.closed_at),
            )
        if step.actor == OPENER and self.direction == "received":
            return self.env._("Dispute %(dispute)s: that step is the partner's.", dispute=self.name)
        if self.state not in step.states:
            return self.env._(
                "Dispute %(dispute)s is %(state)s: this is not the step that comes next.",
                dispute=self.name,
                state=state,
            )
        if self.proposed_state:
            return self.env._(
                "Dispute %(dispute)s waits for a second person: consent to the proposal or put it aside.",
                dispute=self.name,
            )
        return self._amount_problem(amount) if action == "correct" else None

    def _amount_problem(self, amount):
        if amount is None and not self.has_own_amount:
            return self.env._(
                "Dispute %(dispute)s: the opener named no amount of its own.", dispute=self.name
            )
        try:
            self._agreed(amount)
        except UserError as error:
            return str(error)
        return None

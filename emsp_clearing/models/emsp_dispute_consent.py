from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..core.dispute import OWNER
from ..core.money import from_float

GIVING = ("upheld", "corrected")


class EmspDisputeConsent(models.Model):
    """The second person: above an amount of the contract nobody gives up money alone."""

    _inherit = "emsp.dispute"

    proposed_state = fields.Selection(
        [("upheld", "Accept and void"), ("corrected", "Accept and correct")],
        string="Proposed",
        readonly=True,
        copy=False,
    )
    proposed_amount = fields.Float(string="Proposed amount", digits=(16, 4), readonly=True, copy=False)
    proposed_words = fields.Text(string="Proposed because", readonly=True, copy=False)
    proposed_by_id = fields.Many2one("res.users", string="Proposed by", readonly=True, copy=False)

    is_own_proposal = fields.Boolean(compute="_compute_proposal_message")
    proposal_message = fields.Char(compute="_compute_proposal_message")

    @api.depends("proposed_state", "proposed_by_id", "proposed_amount")
    @api.depends_context("lang", "uid")
    def _compute_proposal_message(self):
        for dispute in self:
            dispute.is_own_proposal = dispute.proposed_by_id == self.env.user
            dispute.proposal_message = dispute.proposed_state and dispute._proposal_message()

    def _proposal_message(self):
        # sudo: the name of a colleague
        user = self.proposed_by_id.sudo().name
        if self.proposed_state == "upheld":
            return self.env._(
                "Waits for a second person: %(user)s proposes to accept it and to void the session.",
                user=user,
            )
        return self.env._(
            "Waits for a second person: %(user)s proposes to accept it and to bill %(amount)s.",
            user=user,
            amount=format_amount(self.env, self.proposed_amount, self.currency_id),
        )

    def _decide(self, target, words, amount=None):
        """As `_step` of the party that claims the money; what needs a second person waits for it.

        :return: the disputes that wait for consent.
        """
        waiting = self.filtered(lambda dispute: dispute._needs_consent(target, amount))
        (self - waiting)._step(target, OWNER, words, amount)
        if waiting:
            waiting._take_rows()
            waiting._check_step(target, OWNER, (words or "").strip())
            for dispute in waiting:
                agreed = dispute._agreed(amount) if target == "corrected" else 0
                dispute._propose(target, float(agreed), words)
        return waiting

    def _needs_consent(self, target, amount):
        self.ensure_one()
        limit = self.contract_id.dispute_four_eyes_amount
        if self.direction != "received" or target not in GIVING or not limit:
            return False
        left = 0.0
        if target == "corrected":
            left = self.own_amount if amount is None else amount
        return from_float(self.disputed_amount - left, 4) > from_float(limit, 4)

    def _propose(self, target, amount, words):
        labels = dict(self._fields["proposed_state"]._description_selection(self.env))
        self._message_log(
            body=self.env._("Proposed: %(step)s. %(words)s", step=labels[target], words=words),
        )
        # sudo: a proposal is no field that people write
        self.sudo()._store(
            {
                "proposed_state": target,
                "proposed_amount": amount,
                "proposed_words": words,
                "proposed_by_id": self.env.uid,
            }
        )

    def action_consent(self):
        """Carry out what a colleague proposed."""
        self.check_access("write")
        for dispute in self:
            if not dispute.proposed_state:
                raise UserError(self.env._("Nothing is proposed for %(dispute)s.", dispute=dispute.name))
            if dispute.proposed_by_id == self.env.user:
                raise UserError(
                    self.env._(
                        "You proposed this for %(dispute)s yourself: somebody else has to consent.",
                        dispute=dispute.name,
                    )
                )
            dispute._message_log(
                body=self.env._("Consented to what %(user)s proposed.", user=dispute.proposed_by_id.name)
            )
            dispute._step(
                dispute.proposed_state, OWNER, dispute.proposed_words, dispute.proposed_amount or None
            )
        return True

    def action_decline_proposal(self):
        """Put the proposal aside; the dispute waits for another answer."""
        self.check_access("write")
        for dispute in self.filtered("proposed_state"):
            dispute._message_log(
                body=self.env._("Put aside what %(user)s proposed.", user=dispute.proposed_by_id.name)
            )
        # sudo: as above
        self.sudo()._store({"proposed_state": False, "proposed_by_id": False, "proposed_words": False})
        return True

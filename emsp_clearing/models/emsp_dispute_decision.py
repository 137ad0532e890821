from odoo import fields, models
from odoo.exceptions import LockError, UserError

from ..core.dispute import CLOSED_STATES, OPENER, OWNER, TURN, deadline
from ..core.money import ZERO, from_float, to_float
from .emsp_dispute import aware
from .emsp_settlement_run import naive

# Steps of the party that claims the money, and of the one that is to pay.
STEPS_OF = {
    OWNER: {"upheld", "corrected", "rejected", "asked", "dismissed"},
    OPENER: {"withdrawn", "contested", "opened", "dismissed"},
}
# What needs words: the other side reads them.
NEEDS_WORDS = {"rejected", "asked", "contested", "opened", "upheld", "corrected", "dismissed"}


class EmspDisputeDecision(models.Model):
    """The steps of a dispute, by either side, and what each does to the CDR."""

    _inherit = "emsp.dispute"

    def _step(self, target, actor, words="", amount=None, at=None, speaker=None):
        """Take the disputes on by one step; all of them or none.

        :param str target: a state of the dispute.
        :param str actor: OWNER or OPENER, the party that takes it.
        :param str words: for the other side.
        :param float amount: net, that both settle for; of `corrected` alone. None: what the opener names.
        :param datetime at: naive UTC; by default now.
        :param speaker: res.partner that takes it; by default that of the user.
        :raise UserError: it is not that party's step, or somebody else was faster.
        """
        at = at or fields.Datetime.now()
        words = (words or "").strip()
        # sudo: CDRs and lists follow the dispute; whether somebody may take the step, the caller checks
        disputes = self.sudo()
        disputes._take_rows()
        disputes._check_step(target, actor, words)
        for dispute in disputes:
            dispute._take_step(target, words, amount, at)
        disputes.settlement_id._refresh_totals()
        disputes._schedule()
        disputes._tell_step(target, words, speaker)

    def _take_rows(self):
        """Of two that decide at once, the second one is told that it came too late."""
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._("Somebody else decides on one of these right now. Load them again.")
            ) from error
        self.invalidate_recordset()

    def _check_step(self, target, actor, words):
        if target in NEEDS_WORDS and not words:
            raise UserError(self.env._("Write the reason: the other side reads it."))
        for dispute in self:
            if dispute.state in CLOSED_STATES:
                raise UserError(
                    self.env._(
                        "Dispute %(dispute)s is closed: %(state)s on %(date)s.",
                        dispute=dispute.name,
                        state=dispute._state_label(dispute.state),
                        date=dispute._local(dispute.closed_at),
                    )
                )
            # The opener may give in, or up, at any time; everything else is said in turn.
            in_turn = TURN[dispute.state] == actor or target in ("withdrawn", "upheld", "corrected")
            if target not in STEPS_OF[actor] or not in_turn:
                raise UserError(
                    self.env._(
                        "Dispute %(dispute)s is %(state)s: this is not the step that comes next.",
                        dispute=dispute.name,
                        state=dispute._state_label(dispute.state),
                    )
                )

    def _take_step(self, target, words, amount, at, by_silence=False):
        self.ensure_one()
        clocks = self.contract_id._dispute_clocks()
        due = deadline(target, aware(at), clocks)
        vals = {"since": at, "due_at": naive(due) if due else False}
        if words:
            vals["answer"] = words
        # Whatever was proposed before was for a state that is over.
        vals["proposed_state"] = False
        if TURN[self.state] == OWNER and not self.answered_at:
            vals["answered_at"] = at
        if target in CLOSED_STATES:
            vals |= {"closed_at": at, "closed_by_id": self.env.uid, "is_by_silence": by_silence}
        agreed = self._agreed(amount) if target == "corrected" else ZERO
        # First the dispute, so that its CDR finds it closed.
        self._update_state(target, **vals)
        if target in ("upheld", "corrected"):
            self._take_back(agreed, words, at)
        elif target in CLOSED_STATES:
            self.cdr_id._back_from_dispute(at)

    def _take_back(self, agreed, words, at):
        """The original stays as it was received: it is credited in full, and what both agreed on, if
        anything, is a new CDR with a control window of its own. For the session of a CPO both come from its
        own system.

        :param Decimal agreed: net.
        """
        if self.direction == "raised":
            self.cdr_id._void(self.env._("Dispute %(dispute)s: %(reason)s", dispute=self.name, reason=words))
            self._store({"agreed_amount": to_float(agreed)})
            return
        credit = self.cdr_id._credit_own(self.name, at)
        new = self.cdr_id._replace_own(self, agreed, at) if agreed else credit.browse()
        self._store({"agreed_amount": to_float(agreed), "credit_cdr_id": credit.id, "new_cdr_id": new.id})

    def _end_with_cdr(self, reason):
        """The CDR was taken back past the dispute: there is nothing left of it."""
        at = fields.Datetime.now()
        for dispute in self:
            dispute._update_state("upheld", since=at, due_at=False, closed_at=at, answer=reason)
        if self:
            self._schedule()
            self._tell_step("upheld", reason)

    def _agreed(self, amount):
        """:return: Decimal. :raise UserError: it is not between nothing and what was claimed."""
        precision = int(self.contract_id.price_precision)
        claimed = from_float(self.disputed_amount, precision)
        agreed = from_float(self.own_amount if amount is None else amount, precision)
        if not 0 < agreed < claimed:
            raise UserError(
                self.env._(
                    "Dispute %(dispute)s: the corrected amount lies between 0 and %(claimed)s. To bill "
                    "nothing, accept and void it; to bill all, reject it.",
                    dispute=self.name,
                    claimed=claimed,
                )
            )
        return agreed

    def _local(self, instant):
        """An instant (naive UTC) as text in the contract's zone."""
        zone = self.contract_id.time_zone
        local = fields.Datetime.context_timestamp(self.with_context(tz=zone), instant)
        return local.strftime("%Y-%m-%d %H:%M %Z")

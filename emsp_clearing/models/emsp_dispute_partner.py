from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..core.dispute import BY_SILENCE, OPENER, TURN

INTERNAL_FIELDS = frozenset(
    {
        "activity_ids",
        "closed_by_id",
        "finding_ids",
        "proposed_amount",
        "proposed_by_id",
        "proposed_state",
        "proposed_words",
        "user_id",
    }
)
# What the opener may do by itself, and the state that each step leads to.
PARTNER_STEPS = {"answer": "opened", "contest": "contested", "accept": "dismissed", "withdraw": "withdrawn"}
STEPS_IN = {
    "opened": ("withdraw",),
    "asked": ("answer", "withdraw"),
    "rejected": ("contest", "accept"),
    "contested": ("withdraw",),
}


class EmspDisputePartner(models.Model):
    """A dispute as the partner meets it: what it sees, and the steps that it takes by itself.

    Only who raised a dispute takes its steps here. A CPO answers those that we raised in the thread.
    """

    _inherit = "emsp.dispute"
    # The partner reads it and writes in its thread; everything else takes a step.
    _mail_post_access = "read"

    @api.model
    def _get_portal_fields(self):
        """All but what we think among ourselves."""
        return [*super()._get_portal_fields(), *(self._fields.keys() - INTERNAL_FIELDS)]

    @api.model
    def _partner_domain(self, partner):
        """Domain of the disputes that a partner knows.

        :param partner: res.partner; its commercial partner counts.
        """
        return Domain("partner_id", "child_of", partner.commercial_partner_id.id)

    def _partner_steps(self):
        """:return: the names of the steps that the opening partner can take now, the likelier first."""
        self.ensure_one()
        return STEPS_IN.get(self.state, ()) if self.direction == "received" else ()

    def _take_partner_step(self, step, words, speaker, attachments=()):
        """:param str step: of PARTNER_STEPS. :param str words: may be empty where the step says it all.
        :param speaker: res.partner that takes it. :param attachments: list of (file name, bytes).
        :raise UserError: the step does not come next."""
        self.ensure_one()
        words = (words or "").strip()
        if step not in self._partner_steps():
            # It says what is, and whether it is closed.
            self._take_rows()
            self._check_step(PARTNER_STEPS[step], OPENER, words or step)
            raise UserError(self._not_next())
        if step == "accept" and not words:
            words = self.env._("The rejection is accepted.")
        self._step(PARTNER_STEPS[step], OPENER, words, speaker=speaker)
        if attachments:
            # sudo: who may take the step may add its evidence
            self.sudo()._say(speaker, self.env._("Evidence"), attachments)

    def _not_next(self):
        return self.env._(
            "Dispute %(dispute)s is %(state)s: this is not the step that comes next.",
            dispute=self.name,
            state=self._state_label(self.state),
        )

    def _take_partner_message(self, words, speaker, attachments=()):
        """What the partner says; where we asked for information, that is the answer."""
        self.ensure_one()
        if "answer" in self._partner_steps():
            self._take_partner_step("answer", words, speaker, attachments)
            return
        # sudo: who may read the dispute may write in its thread
        dispute = self.sudo()
        dispute._say(speaker, words, attachments)
        dispute._mail_other_side(speaker, self.env._("message"))

    def _by_silence(self):
        """:return: the state that silence would bring by the end, or None: it is closed."""
        self.ensure_one()
        return BY_SILENCE[TURN[self.state]] if self.is_open else None

    def _shared_messages(self):
        """What both sides read of the thread, the oldest first."""
        self.ensure_one()
        # sudo: what partners may read is what the domain says, whoever asks
        messages = self.env["mail.message"].sudo()
        domain = Domain([("model", "=", self._name), ("res_id", "=", self.id)])
        return messages.search(domain & Domain(messages._get_search_domain_share()), order="id")

    def _is_by_partner(self, message):
        """Whether the partner said it, and not we."""
        author = message.author_id.commercial_partner_id
        return author == self.partner_id.commercial_partner_id

from odoo import fields, models
from odoo.exceptions import UserError

# Who may say for us that a statement is right.
ACCEPTING_GROUPS = (
    "account.group_account_user",
    "account.group_account_manager",
    "emsp_clearing.emsp_clearing_group_manager",
)
NO_ACCEPTANCE = {
    "our_acceptance_id": False,
    "our_acceptance_at": False,
    "their_acceptance_id": False,
    "their_acceptance_at": False,
    "their_acceptance_proof": False,
}


class EmspNettingStep(models.Model):
    """From a proposal to a statement that both sides accepted."""

    _inherit = "emsp.netting"

    def action_send(self):
        """Show the proposals to the partners, and mail them."""
        self._take_rows()
        self._check_something_to_set_off()
        self._check_agreed()
        self._check_items()
        for netting in self._update_state("sent", refusal=False, user_id=self.env.uid):
            netting._mail_statement()
        return True

    def action_accept(self):
        """Accept for our side."""
        if not any(self.env.user.has_group(group) for group in ACCEPTING_GROUPS):
            raise UserError(
                self.env._("Netting statements are accepted by accountants and by managers of the clearing.")
            )
        self._take_rows()
        self._check_acceptable()
        for netting in self.filtered(lambda netting: not netting.our_acceptance_id):
            netting._store({"our_acceptance_id": self.env.uid, "our_acceptance_at": fields.Datetime.now()})
            netting._after_acceptance(self.env._("Accepted for our side."))
        return True

    def action_record_acceptance(self):
        """A dialog for what the partner said outside the portal."""
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_netting_accept_action")
        return {**action, "context": {"default_netting_id": self.id}}

    def action_take_back(self):
        """Make a proposal of it again: the acceptances are void."""
        self._take_rows()
        self._update_state("draft", **NO_ACCEPTANCE)
        return True

    def action_cancel(self):
        self._take_rows()
        for netting in self:
            if netting.state == "settled":
                netting._undo()
        self._update_state("cancelled")
        return True

    def _accept_for_partner(self, person, proof=""):
        """:param person: res.partner that accepts. :param str proof: where we write it down ourselves."""
        self.ensure_one()
        # sudo: whether somebody speaks for the partner, the caller checks
        netting_sudo = self.sudo()
        netting_sudo._take_rows()
        netting_sudo._check_acceptable()
        if netting_sudo.their_acceptance_id:
            return
        netting_sudo._store(
            {
                "their_acceptance_id": person.id,
                "their_acceptance_at": fields.Datetime.now(),
                "their_acceptance_proof": proof,
            }
        )
        netting_sudo._after_acceptance(self.env._("Accepted for the partner. %s", proof).strip(), person)

    def _refuse_for_partner(self, person, words):
        """Back to a proposal, with the reason."""
        self.ensure_one()
        words = (words or "").strip()
        if not words:
            raise UserError(self.env._("Write why: the other side reads it."))
        # sudo: as above
        netting_sudo = self.sudo()
        netting_sudo._take_rows()
        netting_sudo._check_acceptable()
        netting_sudo._update_state("draft", refusal=words, **NO_ACCEPTANCE)
        netting_sudo._say(self.env._("Refused: %s", words), person)
        netting_sudo._remind_sender(
            self.env._("%(partner)s refused it", partner=netting_sudo.partner_id.name)
        )

    def _check_acceptable(self):
        for netting in self:
            if netting.state != "sent":
                raise UserError(
                    self.env._(
                        "%(netting)s is %(state)s: there is nothing to accept or refuse.",
                        netting=netting.name,
                        state=netting._state_label(netting.state),
                    )
                )

    def _after_acceptance(self, text, person=None):
        self._say(text, person)
        if self.our_acceptance_id and self.their_acceptance_id:
            self._update_state("accepted")
            self._remind_sender(self.env._("Both accepted it: settle it"))

    def _say(self, text, person=None):
        author = person or self.env.user.partner_id
        self.message_post(body=text, author_id=author.id, subtype_xmlid="mail.mt_note")

    def _remind_sender(self, summary):
        if self.user_id.active:
            self.activity_schedule("mail.mail_activity_data_todo", summary=summary, user_id=self.user_id.id)

    def _check_items(self):
        """:raise UserError: an item is not as it stands on the statement."""
        for netting in self:
            items = netting.line_ids.move_line_id
            reasons = netting._reasons_against(items)
            for line in netting.line_ids:
                item = line.move_line_id
                sign = line._sign()
                if item.currency_id.compare_amounts(sign * item.amount_residual_currency, line.amount_open):
                    reasons.setdefault(item.id, self.env._("its open amount has changed"))
            problems = [
                f"- {line.document}: {reasons[line.move_line_id.id]}"
                for line in netting.line_ids
                if line.move_line_id.id in reasons
            ]
            if problems:
                raise UserError(
                    "\n".join(
                        [
                            self.env._(
                                "%(netting)s is out of date. Take it back and look for the documents again:",
                                netting=netting.name,
                            ),
                            *problems,
                        ]
                    )
                )

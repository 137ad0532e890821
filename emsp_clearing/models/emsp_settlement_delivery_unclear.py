from odoo import fields, models

from .emsp_settlement_delivery import FORGOTTEN_AFTER


class EmspSettlementDeliveryUnclear(models.Model):
    """Mails whose process died while the server took them.

    The queue commits that it begins, and then what the server said (see mail.mail). Where the second is
    missing the mail may have arrived: it is not sent again by itself, a person asks and decides.
    """

    _inherit = "emsp.settlement.delivery"

    is_unclear = fields.Boolean(
        string="May have arrived",
        readonly=True,
        help="The process ended while the mail server took the message, and did not hear the answer.",
    )

    def action_confirm(self):
        """A person has found out that it did arrive."""
        self.env["emsp.settlement"].check_access("write")
        for delivery in self.filtered(lambda each: each.is_unclear and each.state == "failed"):
            # sudo: only the system writes deliveries; the right to say so was checked above
            own_sudo = delivery.sudo()
            begun = own_sudo.mail_ids.filtered("emsp_handover_at")
            at = max(begun.mapped("emsp_handover_at"))
            begun.write({"state": "sent", "failure_reason": False, "failure_type": False})
            begun.emsp_handover_at = False
            word = self.env._("%(user)s says that it has arrived", user=self.env.user.name)
            own_sudo._set_handed_over(at, word)
        return True

    def _follow_interrupted(self, mails, as_of):
        """What became of the mails, once it is certain that nobody works on them any more."""
        last = max(mails.filtered("emsp_handover_at").mapped("emsp_handover_at"))
        if last > as_of - FORGOTTEN_AFTER:
            return
        if all(mail.state == "sent" for mail in mails):
            mails.emsp_handover_at = False
            self._set_handed_over(last, self.reply, reference=mails[-1].message_id)
        elif begun := mails.filtered(lambda mail: mail.emsp_handover_at and mail.state == "exception"):
            self._store({"is_unclear": True})
            reason = self.env._(
                "the process ended while the mail server took the message; it may have arrived"
            )
            begun.failure_reason = reason
            self._set_failed(reason, as_of)

    def _next_try(self, at):
        # EXTENDS: not by itself
        return False if self.is_unclear else super()._next_try(at)

    def _set_handed_over(self, at, reply, **vals):
        return super()._set_handed_over(at, reply, is_unclear=False, **vals)

    def _remedy(self):
        if self.is_unclear:
            return self.env._(
                "Ask the partner, or look for the Message-ID in the log of the mail server. Then press "
                "Confirm arrival on the delivery, or send again."
            )
        return super()._remedy()

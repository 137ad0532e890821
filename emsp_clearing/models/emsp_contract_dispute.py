from odoo import fields, models

from ..core.dispute import Clocks


class EmspContractDispute(models.Model):
    """The clocks of a contract's disputes."""

    _inherit = "emsp.contract"

    dispute_answer_days = fields.Integer(
        string="Answer within (days)", default=7, required=True, help="Until a dispute is to be answered."
    )
    dispute_reaction_days = fields.Integer(
        string="Reaction within (days)",
        default=7,
        required=True,
        help="Until a rejection is to be contested; then it stands and the session is billed.",
    )
    dispute_final_days = fields.Integer(
        string="End after (days)",
        default=90,
        required=True,
        help="After the session's end. By then silence decides against whoever must act.",
    )
    dispute_four_eyes_amount = fields.Monetary(
        string="Second person above",
        help="Giving up or correcting more than this of a session needs somebody else's consent. "
        "0: no second person.",
    )
    lock_on_approval = fields.Boolean(
        string="Lock when approved",
        help="A settlement that the partner approves is locked and invoiced at once, not only on its date.",
    )

    _dispute_days = models.Constraint(
        "CHECK (dispute_answer_days > 0 AND dispute_reaction_days > 0 AND dispute_final_days >= 0)",
        "The clocks of disputes run for at least a day.",
    )

    def _dispute_clocks(self):
        self.ensure_one()
        return Clocks(
            answer=self.dispute_answer_days,
            reaction=self.dispute_reaction_days,
            final=self.dispute_final_days,
        )
